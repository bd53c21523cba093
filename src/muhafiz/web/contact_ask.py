"""A contact says whether it is still right: the letter's link is enough, no account needed."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import activate, get_language
from django.views.decorators.http import require_http_methods

from muhafiz.accounts.tries import TooManyTries
from muhafiz.constituency.actions.asking import answer_ask
from muhafiz.constituency.asks import asked_contact
from muhafiz.constituency.facts import AskFacts, ContactFacts, OrganizationFacts
from muhafiz.tenancy.current import beyond_tenant
from muhafiz.web.allowances import AddressAllowance

#: Questions and answers a minute from one address.
allowance = AddressAllowance(30)
_ANSWERS = ("right", "wrong")
_ANYBODY = "the link alone says about whom; it tells nothing but what its letter told"


@require_http_methods(["GET", "HEAD", "POST"])
def contact_ask(request: HttpRequest, token: str) -> HttpResponse:
    """What the letter asked about; the answer is a POST, because mail scanners follow links.

    Raises:
        Http404: nobody was sent such a link.
    """
    if not allowance.take(request):
        raise TooManyTries(minutes=1)
    now = request.now  # type: ignore[attr-defined]  # ViewerMiddleware
    answer = request.POST.get("answer")
    with beyond_tenant(_ANYBODY):
        owner, contact, ask = _asked(token)
        if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
            _speak(contact.language)  # as the letter did, whatever the browser was set to
        if request.method == "POST" and answer in _ANSWERS:
            words = request.POST.get("words", "")
            answer_ask(token=token, right=answer == "right", words=words, now=now)
            owner, contact, ask = _asked(token)
    context = {
        "name": owner.name(get_language() or "en"),
        "contact": contact,
        "ask": ask,
        "token": token,
    }
    taken = request.method != "POST" or answer in _ANSWERS
    return render(request, "web/contact_ask.html", context, status=200 if taken else 400)


def _asked(token: str) -> tuple[OrganizationFacts, ContactFacts, AskFacts]:
    found = asked_contact(token)
    if found is None:
        raise Http404
    return found


def _speak(language: str) -> None:
    if language in dict(settings.LANGUAGES):
        activate(language)
