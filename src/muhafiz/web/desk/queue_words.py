"""The words of the queue: what a kind, a title, an act or a reason is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, get_language_bidi, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from muhafiz.detection.letters import type_title
from muhafiz.web.desk.words import REASONS as ROW_REASONS
from muhafiz.web.desk.work_words import job_word
from muhafiz.web.plain_words import open_service

KINDS: dict[str, str | Promise] = {
    "finding": _("Finding"),
    "answer": _("Constituent's answer"),
    "claim-request": _("Claim to approve"),
    "silent-feed": _("Silent feed"),
    "unsure-letter": _("Unsure letter"),
    "undelivered-letter": _("Letter that reached nobody"),
    "set-aside": _("Rows set aside"),
    "stuck-report": _("Stuck report"),
    "failed-job": _("Failed work"),
    "undeliverable-notice": _("Nobody to write to"),
    "unowned-events": _("Events of nobody"),
}

#: Code of a title → its words; the places are filled with the item's own values.
TITLES: dict[str, str | Promise] = {
    "feed-silent": _("Feed {feed} sends nothing"),
    "feed-few-rows": _("Feed {feed} sends too little"),
    "letter-unsure": _("Nobody knows whether letter {reference} left"),
    "letter-failed": _("Letter {reference} did not arrive"),
    "letter-held": _("Letter {reference} cannot leave as it is"),
    "rows-set-aside": _("Rows cannot be read: {reason}"),
    "report-failed": _("Report {file} could not be read"),
    "report-quarantined": _("No feed recognizes the report {file}"),
    "job-failed": _("The work {job} failed"),
    "nobody-to-write-to": _("No contact for a notice of {events} events"),
    "events-of-nobody": _("Nobody claims the networks of {asn}"),
    "events-without-network": _("Events whose network is unknown belong to nobody"),
    "finding": "{what}",
    "finding-named": _("{what}: {identifier}"),
    "answer-not-ours": _("“Not ours”, says the owner: {what}"),
    "claim-asked": _("Claims {claim} as its own"),
    "claim-ended": _("Says that {claim} is no longer its own"),
}

#: Labels of further facts.
FACTS: dict[str, str | Promise] = {
    "feed": _("Feed"),
    "looks-after": _("Looks after it"),
    "address": _("Address"),
    "reason": _("Reason"),
    "reports": _("Reports"),
    "example": _("Example"),
    "last-error": _("Last error"),
    "policy": _("Rule"),
    "assets": _("Assets"),
    "first-seen": _("First seen"),
    "last-seen": _("Last seen"),
    "said": _("What was said"),
    "by": _("By"),
}

STATES: dict[str, tuple[str | Promise, str]] = {
    "new": (pgettext_lazy("item", "New"), "info"),
    "taken": (pgettext_lazy("item", "In hand"), "ok"),
    "waiting": (pgettext_lazy("item", "Waiting"), "wait"),
    "closed": (pgettext_lazy("item", "Closed"), "plain"),
    "open": (pgettext_lazy("item", "Open"), "info"),
}

OWNERS: dict[str, str | Promise] = {
    "me": pgettext_lazy("owner", "me"),
    "nobody": pgettext_lazy("owner", "nobody"),
    "me-or-nobody": pgettext_lazy("owner", "me or nobody"),
}

WAITS_FOR: dict[str, str | Promise] = {
    "organization": _("The organization answers"),
    "colleague": _("A colleague decides"),
    "source": _("The source answers"),
    "time": _("Time has to pass"),
}

REASONS: dict[str, str | Promise] = {
    "resolved": _("Resolved"),
    "false_alarm": _("False alarm"),
    "duplicate": _("Duplicate of another item"),
    "accepted": _("Risk accepted"),
    "elsewhere": _("Handled elsewhere"),
    "other": _("Another reason"),
    "over": _("Its cause is gone"),
}

#: Act → what a button says.
ACTS: dict[str, str | Promise] = {
    "take": pgettext_lazy("act", "Take"),
    "release": _("Put back"),
    "assign": _("Assign…"),
    "wait": _("Wait…"),
    "close": _("Close…"),
    "reopen": _("Open again"),
}

#: Act → heading of its page of confirmation, and its button with the number.
CONFIRM: dict[str, str | Promise] = {
    "take": _("Take items"),
    "release": _("Put items back"),
    "assign": _("Assign items"),
    "wait": _("Let items wait"),
    "close": _("Close items"),
    "reopen": _("Open items again"),
}

#: What a line of an item's history says; `whom` is the name of the new owner.
HISTORY: dict[str, str | Promise] = {
    "note": _("Note"),
    "take": _("Taken"),
    "release": _("Put back for anybody"),
    "assign": _("Given to {whom}"),
    "carried": _("Came with the shift to {whom}"),
    "wait": _("Set waiting"),
    "close": _("Closed"),
    "reopen": _("Opened again"),
    "over": _("Closed by the platform: its cause is gone"),
    "came-back": _("Came back: its cause is there again"),
    "woken": _("Woke: the time to look again has come"),
}


#: Values of titles that are words of the product, in the reader's language.
_OURS = frozenset({"what", "reason", "job"})


def title(code: str, params: Mapping[str, Any]) -> SafeString:
    """A title in the reader's language; foreign values are isolated, whatever script they have."""
    pattern = _pattern(code, params)
    if pattern is None:
        return format_html('<bdi dir="ltr" class="mono">{}</bdi>', code)
    isolated = {name: _isolated(name, value) for name, value in _told(params).items()}
    try:
        return format_html(str(pattern), **isolated)
    except (KeyError, IndexError):  # an older item lacks a value that newer words speak of
        return format_html("{}", str(pattern))


def _pattern(code: str, params: Mapping[str, Any]) -> str | Promise | None:
    """The words of a title; a service that its kind speaks of needs no identifier behind it."""
    return TITLES["finding"] if code == "finding-named" and _service(params) else TITLES.get(code)


def _service(params: Mapping[str, Any]) -> str:
    kind, identifier = str(params.get("type", "")), str(params.get("identifier", ""))
    return open_service(kind, identifier, get_language() or "en")


def _told(params: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a title, those of `_OURS` in the reader's words.

    "what" is the RSIT type, or what is wrong with a service that has a name.
    """
    if "job" in params:
        return {**params, "job": job_word(str(params["job"]))}
    if "reason" in params:
        return {**params, "reason": _row_reason(str(params["reason"]))}
    if "type" not in params:
        return dict(params)
    what = _service(params) or type_title(str(params["type"]), get_language() or "en")
    return {**params, "what": what}


def _row_reason(told: str) -> str:
    """Why rows lie aside, with the column at fault where one is named."""
    code, _space, column = told.partition(" ")
    word = str(ROW_REASONS[code][0]) if code in ROW_REASONS else code
    return f"{word} ({column})" if column else word


def _isolated(name: str, value: object) -> SafeString:
    """A value within a title: our own words in our direction, what is foreign in its own."""
    if isinstance(value, int):
        return format_html('<bdi dir="ltr">{}</bdi>', f"{value:,}")
    if name in _OURS:
        side = "rtl" if get_language_bidi() else "ltr"
        return format_html('<bdi dir="{}">{}</bdi>', side, value)
    return format_html("<bdi>{}</bdi>", value)


def plain_title(code: str, params: Mapping[str, Any]) -> str:
    """A title as plain text, for a page's title and for files."""
    pattern = str(_pattern(code, params) or code)
    try:
        return pattern.format(**_told(params))
    except (KeyError, IndexError):
        return pattern


def kind_word(code: str) -> str:
    """What a kind is called."""
    return str(KINDS.get(code, code))


def state_word(code: str) -> str:
    """What an item's state is called."""
    return str(STATES.get(code, (code, ""))[0])


def owner_word(code: str, names: Mapping[int, str]) -> str:
    """What an asked owner is called."""
    if code in OWNERS:
        return str(OWNERS[code])
    return names.get(int(code), code) if code.isdigit() else code
