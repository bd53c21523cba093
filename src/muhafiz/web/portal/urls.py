"""The addresses of the portal. Numbers in them are one's own or do not exist."""

from __future__ import annotations

from muhafiz.web.fresh import needs_fresh
from muhafiz.web.portal.permissions import route
from muhafiz.web.portal.views import (
    answers,
    contacts,
    findings,
    history,
    holdings,
    home,
    me,
    notices,
    people,
    search,
)


def _kept(view: contacts.View) -> contacts.View:
    """Whom letters go to is changed only by somebody who proved lately who they are."""
    return contacts.with_key_text(needs_fresh(view))


urlpatterns = [
    route("", home.home, "portal"),
    route("findings/", findings.findings, "portal-findings"),
    route("findings/answer/", answers.answer_many, "portal-answer-many"),
    route("findings.<str:form>", findings.findings_out, "portal-findings-file"),
    route("findings/<str:number>/", findings.finding, "portal-finding"),
    route("findings/<str:number>/answer/", answers.answer, "portal-answer"),
    route("findings/<str:number>/assets.<str:form>", findings.assets_out, "portal-assets-file"),
    route("findings/<str:number>/days.<str:form>", findings.days_out, "portal-days-file"),
    route("history/", history.history, "portal-history"),
    route("history/exposure.<str:form>", history.history_out, "portal-history-file"),
    route("notices/", notices.notices, "portal-notices"),
    route("notices/<uuid:notice_id>/", notices.notice, "portal-notice"),
    route(
        "notices/<uuid:notice_id>/letters/<uuid:letter_id>/",
        notices.letter_raw,
        "portal-letter-raw",
    ),
    route(
        "notices/<uuid:notice_id>/letters/<uuid:letter_id>/<int:place>/",
        notices.letter_attachment,
        "portal-letter-attachment",
    ),
    route("networks/", holdings.holdings, "portal-holdings"),
    route("networks/request/", holdings.request_change, "portal-request"),
    route(
        "networks/request/<int:request_id>/withdraw/",
        holdings.request_withdraw,
        "portal-request-withdraw",
    ),
    route("contacts/", contacts.contacts, "portal-contacts"),
    route("contacts/new/", contacts.contact_new, "portal-contact-new"),
    route("contacts/add/", _kept(contacts.contact_add), "portal-contact-add"),
    route("contacts/<int:contact_id>/", contacts.contact, "portal-contact"),
    route(
        "contacts/<int:contact_id>/change/", _kept(contacts.contact_change), "portal-contact-change"
    ),
    route("contacts/<int:contact_id>/confirm/", contacts.contact_confirm, "portal-contact-confirm"),
    route(
        "contacts/<int:contact_id>/end/", needs_fresh(contacts.contact_end), "portal-contact-end"
    ),
    route("search/", search.search_page, "portal-search"),
    route("me/", me.me, "portal-me"),
    route("people/", people.people, "portal-people"),
    route("people/invite/", needs_fresh(people.person_invite), "portal-person-invite"),
    route(
        "people/invitations/<int:invitation_id>/withdraw/",
        people.invitation_withdraw,
        "portal-invitation-withdraw",
    ),
    route(
        "people/<int:person_id>/suspend/",
        needs_fresh(people.person_suspend),
        "portal-person-suspend",
    ),
    route(
        "people/<int:person_id>/readmit/",
        needs_fresh(people.person_readmit),
        "portal-person-readmit",
    ),
]
