"""The portal's words: findings in plain language, their states, and what a refusal says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from muhafiz.constituency.facts import OrganizationFacts
from muhafiz.detection.facts import FindingFacts
from muhafiz.web.plain_words import Plain, plain

Word = str | Promise

#: state → (word, look of its chip).
STATES: Mapping[str, tuple[Word, str]] = {
    "open": (_("Needs an answer"), "bad"),
    "acknowledged": (_("Being worked on"), "wait"),
    "fixed": (_("Fixed, you say"), "ok"),
    "not_ours": (_("Not yours: under review"), "info"),
    "accepted": (_("Not yours: agreed"), "plain"),
    "excepted": (_("Exception"), "info"),
    "quiet": (_("Not seen any more"), "plain"),
}

#: What a line of the history says.
HAPPENED: Mapping[str, Word] = {
    "acknowledge": _("You are working on it"),
    "fixed": _("You said that it is fixed"),
    "not_ours": _("You said that it is not yours"),
    "except": _("You asked for an exception"),
    "seen_again": _("It was seen again, so it is open again"),
    "gone_quiet": _("It was not seen any more and was closed"),
    "exception_over": _("The exception is over, so it is open again"),
    "accepted": _("The CERT agreed: it is not yours"),
    "rejected": _("The CERT disagreed: it is yours"),
}

#: How a line of the history looks.
LOOKS: Mapping[str, str] = {
    "fixed": "good", "gone_quiet": "good", "accepted": "good",
    "seen_again": "bad", "exception_over": "bad", "rejected": "bad",
    "not_ours": "wait", "except": "wait",
}  # fmt: skip

ANSWERED: Mapping[str, Word] = {
    "acknowledge": _("Thank you. We know that you are working on it."),
    "fixed": _("Thank you. If it is seen again, it opens again."),
    "not_ours": _("Thank you. The CERT looks at it and answers here."),
    "except": _("Thank you. It opens again on the day you gave."),
}

SEVERITY_ORDER = ("critical", "high", "medium", "low", "info")

#: What compromised means against exposed: RSIT classes in which somebody is in already.
COMPROMISED = frozenset({"malicious-code", "intrusions", "information-content-security", "fraud"})
EXPOSED = frozenset({"vulnerable"})

REQUEST_STATES: Mapping[str, tuple[Word, str]] = {
    "waiting": (pgettext_lazy("request", "Under review"), "wait"),
    "approved": (pgettext_lazy("request", "Approved"), "ok"),
    "refused": (pgettext_lazy("request", "Refused"), "bad"),
    "withdrawn": (pgettext_lazy("request", "Withdrawn"), "plain"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A finding as a list shows it."""

    facts: FindingFacts
    plain: Plain
    state: tuple[Word, str]
    part: OrganizationFacts | None  # which part of the organization, where there are several


def state_word(facts: FindingFacts) -> tuple[Word, str]:
    """The state's word and look; an accepted “not ours” has its own."""
    accepted = facts.state == "not_ours" and facts.review == "accepted"
    return STATES["accepted" if accepted else facts.state]


def told(facts: FindingFacts) -> Plain:
    """The finding in the reader's language."""
    return plain(facts.type, facts.identifier, get_language() or "en")


def rows(found: Iterable[FindingFacts], parts: Mapping[int, OrganizationFacts]) -> list[Row]:
    """Findings as rows; the part is named where the viewer has several."""
    several = len(parts) > 1
    return [
        Row(
            each, told(each), state_word(each), parts.get(each.organization_id) if several else None
        )
        for each in found
    ]
