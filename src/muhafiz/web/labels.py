"""Words for codes: what a state, a severity or a role is called in the reader's language."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

#: code → (word, look). Looks are the chips of parts.css.
STATES = {
    "received": (pgettext_lazy("report", "Received"), "info"),
    "processing": (pgettext_lazy("report", "Being read"), "busy"),
    "done": (_("Done"), "ok"),
    "failed": (_("Failed"), "bad"),
    "quarantined": (_("Quarantined"), "warn"),
    "open": (_("Open"), "wait"),
    "replayed": (_("Replayed"), "ok"),
    "dismissed": (_("Dismissed"), "plain"),
    "queued": (_("Queued"), "info"),
    "running": (_("Running"), "busy"),
    "cancelled": (_("Cancelled"), "plain"),
    "sending": (_("Sending"), "busy"),
    "sent": (_("Sent"), "ok"),
    "unsure": (_("Unsure"), "warn"),
    "held": (_("Held"), "wait"),
    "composed": (_("Composed"), "info"),
    "enqueued": (_("In the outbox"), "info"),
    "refused": (_("Refused"), "bad"),
    "released": (_("Released"), "ok"),
    "undeliverable": (_("Nobody to write to"), "warn"),
    "silent": (_("Silent"), "bad"),
    "fault": (_("Does not work"), "bad"),
    "warning": (_("Needs attention"), "warn"),
    "well": (_("Well"), "ok"),
    "no-report": (_("No report"), "bad"),
    "few-rows": (_("Too few rows"), "warn"),
    "on-time": (_("On time"), "ok"),
    "idle": (_("Nothing yet"), "plain"),
    "paused": (_("Switched off"), "plain"),
    "ready": (_("Ready"), "ok"),
    "expired": (_("Deleted on time"), "plain"),
    "known": (_("Known"), "ok"),
    "unknown": (_("Unknown"), "warn"),
    "automatic": (_("Automatic"), "plain"),
    "manual": (_("Manual"), "info"),
    "none": (_("None"), "plain"),
}

#: What the release gate decides about, and to whom it may go.
GIVEN = {
    "notice": _("Notice"),
    "recall": _("Withdrawal of a notice"),
    "export": _("Events as a file"),
    "statistics": _("Weekly figures"),
    "contact-ask": _("Question to a contact"),
    "sign-in": _("Letter about signing in"),
    "decision": _("Answer to a request"),
}
AUDIENCES = {
    "organization": _("Organization"),
    "staff": _("Staff"),
    "public": _("The public"),
    "partner": _("Partner"),
}

SEVERITIES = {
    "critical": (_("Critical"), 4),
    "high": (_("High"), 3),
    "medium": (_("Medium"), 2),
    "low": (_("Low"), 1),
    "info": (_("Information"), 0),
}

#: RSIT classes, as the Reference Security Incident Taxonomy names them.
TAXONOMIES = {
    "abusive-content": _("Abusive content"),
    "malicious-code": _("Malicious code"),
    "information-gathering": _("Information gathering"),
    "intrusion-attempts": _("Intrusion attempts"),
    "intrusions": _("Intrusions"),
    "availability": _("Availability"),
    "information-content-security": _("Information content security"),
    "fraud": _("Fraud"),
    "vulnerable": _("Vulnerable"),
    "other": _("Other"),
    "test": _("Test"),
    "unknown": _("Unknown"),
}

ROLES = {
    "duty_officer": _("Duty officer"),
    "analyst": _("Analyst"),
    "advisory_editor": _("Advisory editor"),
    "director": _("Director"),
    "sector_liaison": _("Sector liaison"),
    "council_secretary": _("Council secretary"),
    "council_member": _("Council member"),
    "programme_manager": _("Programme manager"),
    "administrator": _("Administrator"),
    "auditor": _("Auditor"),
    "constituent_officer": _("Constituent's security officer"),
    "constituent_admin": _("Constituent's administrator"),
}

KINDS = {
    "address": _("Network"),
    "domain": _("Domain"),
    "asn": _("AS number"),
    "24/7": _("Around the clock"),
    "abuse": _("Abuse desk"),
    "ciso": _("Security officer"),
    "press": _("Press office"),
}

CADENCES = {
    "at_once": _("At once"),
    "hourly": _("Every hour"),
    "daily": _("Every day"),
    "weekly": _("Every week"),
}

DECISIONS = {
    "tell": _("Told"),
    "withheld": _("Told lately already"),
    "carried": _("Below the threshold"),
    "inhibited": _("Inhibited"),
    "refused": _("Refused"),
}

#: How somebody signed in.
WAYS = {
    "password": _("with a password"),
    "passkey": _("with a passkey"),
    "link": _("with a one-time link"),
    "demonstration": _("by the demonstration's door"),
    "invitation": _("by an invitation"),
    "openid": _("through the organization's own sign-in"),
}
