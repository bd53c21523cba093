"""Which permission each of the portal's routes needs. A route without a row cannot be built."""

from __future__ import annotations

from muhafiz.web.face import Face

#: route → (permission, methods). The permission's roles stand in accounts/permissions.toml.
ROUTES: dict[str, tuple[str, str]] = {
    "portal": ("portal.use", "GET"),
    "portal-findings": ("findings.read", "GET"),
    "portal-findings-file": ("findings.read", "GET"),
    "portal-answer-many": ("findings.answer", "POST"),
    "portal-finding": ("findings.read", "GET"),
    "portal-assets-file": ("findings.read", "GET"),
    "portal-days-file": ("findings.read", "GET"),
    "portal-answer": ("findings.answer", "POST"),
    "portal-history": ("findings.read", "GET"),
    "portal-history-file": ("findings.read", "GET"),
    "portal-notices": ("letters.own", "GET"),
    "portal-notice": ("letters.own", "GET"),
    "portal-letter-raw": ("letters.own", "GET"),
    "portal-letter-attachment": ("letters.own", "GET"),
    "portal-holdings": ("holdings.read", "GET"),
    "portal-request": ("holdings.ask", "POST"),
    "portal-request-withdraw": ("holdings.ask", "POST"),
    "portal-contacts": ("contacts.own", "GET"),
    "portal-contact-new": ("contacts.own", "GET"),
    "portal-contact-add": ("contacts.own", "POST"),
    "portal-contact": ("contacts.own", "GET"),
    "portal-contact-change": ("contacts.own", "POST"),
    "portal-contact-confirm": ("contacts.own", "POST"),
    "portal-contact-end": ("contacts.own", "POST"),
    "portal-search": ("portal.search", "GET"),
    "portal-me": ("portal.use", "GET"),
    "portal-people": ("portal.people", "GET"),
    "portal-person-invite": ("portal.people", "POST"),
    "portal-invitation-withdraw": ("portal.people", "POST"),
    "portal-person-suspend": ("portal.people", "POST"),
    "portal-person-readmit": ("portal.people", "POST"),
}

#: The portal is for a constituent's people alone, whatever roles somebody holds.
FACE = Face(ROUTES, belongs=lambda viewer: viewer.organization_id is not None)
route = FACE.route
