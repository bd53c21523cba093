"""What can be wrong, and what is told of what is well. Pure.

Sentences are English with {places}; a face translates them and writes each value in its own way.
`Backticks` stand around what is typed as it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

from muhafiz.common.refusal import Refusal

Weight = Literal["fault", "warning"]

_BINARY: Final = 1024
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")


@dataclass(frozen=True, slots=True)
class Size:
    """A number of bytes, to be written in binary units."""

    octets: int

    def __str__(self) -> str:
        amount, unit = float(self.octets), _UNITS[0]
        for larger in _UNITS[1:]:
            if amount < _BINARY:
                break
            amount, unit = amount / _BINARY, larger
        return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"


#: What a sentence can speak of; a refusal is a sentence of its own.
Value = str | int | float | datetime | Size | Refusal


@dataclass(frozen=True, slots=True)
class Ailment:
    """Something that can be wrong: `what` that is, and how to `mend` it.

    A `fault` keeps something from working now, a `warning` will, or may. `stops`: the platform
    cannot start with it. `route`: the desk's page that shows more. Make it where it is looked for.
    """

    code: str
    weight: Weight
    what: str
    mend: str
    stops: bool = False
    route: str = ""

    def found(
        self,
        *,
        route_args: Mapping[str, str | int] | None = None,
        query: str = "",
        **params: Value,
    ) -> Finding:
        """It is there; `params` fill the places of both sentences."""
        return Finding(self, params, dict(route_args or {}), query)


@dataclass(frozen=True, slots=True)
class Finding:
    """One ailment found. `query` ends the address of the page that shows more."""

    ailment: Ailment
    params: Mapping[str, Value]
    route_args: Mapping[str, str | int] = field(default_factory=dict)
    query: str = ""

    @property
    def what(self) -> str:
        """What is wrong, in English."""
        return filled(self.ailment.what, self.params)

    @property
    def mend(self) -> str:
        """How to mend it, in English."""
        return filled(self.ailment.mend, self.params)


@dataclass(frozen=True, slots=True)
class Fact:
    """Something worth knowing of what is well."""

    text: str
    params: Mapping[str, Value]

    def __str__(self) -> str:
        return filled(self.text, self.params)


@dataclass(frozen=True, slots=True)
class Checkup:
    """What one examination found of its subject; `word` is the subject in English."""

    code: str
    word: str
    findings: tuple[Finding, ...]
    facts: tuple[Fact, ...]

    @property
    def state(self) -> Literal["fault", "warning", "well"]:
        """The worst that was found."""
        weights = {each.ailment.weight for each in self.findings}
        return "fault" if "fault" in weights else "warning" if weights else "well"


def fact(text: str, **params: Value) -> Fact:
    """A fact whose places are filled by `params`."""
    return Fact(text, params)


def filled(text: str, params: Mapping[str, Value]) -> str:
    """The English sentence with its values as a terminal shows them."""
    return text.replace("`", "").format(**{name: plain(value) for name, value in params.items()})


def plain(value: Value) -> str:
    """A value as text: moments in UTC, numbers with their thousands apart."""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return f"{value:,}" if isinstance(value, int) else str(value)


def worst_first(checkups: Iterable[Checkup]) -> list[Finding]:
    """All findings, faults before warnings, else as they were found."""
    found = [finding for checkup in checkups for finding in checkup.findings]
    return sorted(found, key=lambda each: each.ailment.weight != "fault")
