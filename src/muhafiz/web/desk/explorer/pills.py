"""The filters in force as removable pills, and the addresses that narrow, widen and turn back."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import QueryDict
from django.utils.translation import gettext as _

from muhafiz.web.desk.explorer.filters import LISTS, NOT, SINGLE, Reading
from muhafiz.web.desk.explorer.spans import stamp
from muhafiz.web.desk.explorer.wording import Wording
from muhafiz.web.parts import PLACES, FilterBar, Pill, Word

#: Fields that the form shows with their value; the others it only adds to.
SHOWN = ("cidr", "destination", "asn", "domain", "since", "until")
_TIMES = ("span", "since", "until")
_VIEW = ("order", "bands", "column", "columns")  # how, not what


def changed(
    params: QueryDict,
    *,
    put: Mapping[str, str] | None = None,
    add: tuple[str, str] | None = None,
    drop: tuple[str, str] | None = None,
    clear: tuple[str, ...] = (),
) -> str:
    """The address with fields set anew, one value added, one taken away, or whole fields left out.

    It is always the list's first page, and never one of its parts.
    """
    kept = params.copy()
    for name in (*PLACES, "part", *clear):
        kept.pop(name, None)
    for name in [name for name in kept if not any(kept.getlist(name))]:
        kept.pop(name)
    if drop is not None:
        name, value = drop
        kept.setlist(name, [each for each in kept.getlist(name) if each != value])
    for name, value in (put or {}).items():
        kept.setlist(name, [value])
    if add is not None and add[1] not in kept.getlist(add[0]):
        kept.appendlist(*add)
    return "?" + kept.urlencode()


def narrowed(params: QueryDict, name: str, value: object) -> str:
    """The address that shows only this value of a field."""
    if name == "organization":
        return changed(params, put={name: str(value)}, clear=("nobody",))
    return changed(params, put={name: str(value)})


def left_out(params: QueryDict, name: str, value: object) -> str:
    """The address that leaves this value of a field out."""
    return changed(params, drop=(name, str(value)), add=(NOT + name, str(value)))


def within(params: QueryDict, first: str, last: str) -> str:
    """The address that shows only this span."""
    return changed(params, put={"since": first, "until": last}, clear=("span",))


def filter_bar(params: QueryDict, reading: Reading, wording: Wording) -> FilterBar:
    """Pills of what is in force, and what the form hands on."""
    pills = _Pills(params, reading.asked.errors, wording)
    kept = tuple(
        (name, value)
        for name in params
        if name not in {*SHOWN, *PLACES, "part"} and name not in reading.asked.errors
        for value in params.getlist(name)
        if value and not (name == "span" and value)
    )
    view = params.copy()
    for name in [name for name in view if name not in _VIEW]:
        view.pop(name)
    return FilterBar(
        tuple(pills.all(reading)), kept, "?" + view.urlencode(), open=bool(reading.asked.errors)
    )


def organizations_named(params: QueryDict) -> set[int]:
    """The organizations that the address names by number."""
    texts = [*params.getlist("organization"), *params.getlist(NOT + "organization")]
    return {int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 19}  # noqa: PLR2004 - 64 bits


class _Pills:
    """Makes the pills of one address."""

    def __init__(
        self,
        params: QueryDict,
        errors: Mapping[str, str],
        wording: Wording,
    ) -> None:
        self._params, self._errors, self._wording = params, errors, wording

    def all(self, reading: Reading) -> list[Pill]:
        """Every pill, in the order of the form."""
        found = self._listed("organization", _("Organization"))
        if self._params.get("nobody") in {"yes", "no"}:
            found.append(self._single("nobody", _("Owned by"), self._params.get("nobody", "")))
        for each in LISTS:
            found += self._listed(each.name, each.word)
        found += [
            self._single(name, word, self._params.get(name, ""))
            for name, word in _single_words().items()
            if self._params.get(name) and name not in self._errors
        ]
        found += self._listed("asn", _("AS number"), only_left_out=True)
        return found + self._span(reading)

    def _span(self, reading: Reading) -> list[Pill]:
        return [
            self._single(name, word, stamp(moment).replace("T", " ").replace("Z", " UTC"))
            for name, word, moment in (
                ("since", _("From"), reading.span.since),
                ("until", _("Before"), reading.span.until),
            )
            if self._params.get(name) and moment is not None
        ]

    def _single(self, name: str, word: Word, value: str) -> Pill:
        told = self._wording.told(name, value)
        return Pill(name, word, told.words, changed(self._params, clear=(name,)), code=told.code)

    def _listed(self, name: str, word: Word, *, only_left_out: bool = False) -> list[Pill]:
        fields = [(NOT + name, _("Not {word}").format(word=word))]
        if not only_left_out:
            fields.insert(0, (name, str(word)))
        return [
            Pill(field, shown, told.words, changed(self._params, drop=(field, value)), told.code)
            for field, shown in fields
            if field not in self._errors
            for value in self._params.getlist(field)
            if value.strip()
            for told in [self._wording.told(name, value)]
        ]


def _single_words() -> dict[str, str]:
    words = {
        "cidr": _("Network"),
        "destination": _("Destination network"),
        "asn": _("AS number"),
        "domain": _("Domain or below"),
        "report": _("Report"),
    }
    return {name: words[name] for name in SINGLE if name in words}
