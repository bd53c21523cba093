"""Whether pages can be shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings

from muhafiz.health.registry import examination
from muhafiz.health.rules import Ailment, Finding
from muhafiz.rulebook.queries import value_or
from muhafiz.web.build import is_up_to_date
from muhafiz.web.regions import BadRegionMap, region_shapes

NOT_BUILT = Ailment(
    "pages-not-built",
    "fault",
    "Fonts, translations and style sheets are not built.",
    "Run: `muhafiz upgrade`",
    stops=True,
)
NOT_REBUILT = Ailment(
    "pages-not-rebuilt",
    "fault",
    "Fonts, translations and style sheets are of another version.",
    "Run: `muhafiz upgrade`",
    stops=True,
)
BAD_MAP = Ailment(
    "bad-region-map",
    "warning",
    "The map of regions cannot be used: {reason}.",
    "Correct the file, or unset MUHAFIZ_REGION_MAP.",
)
REGION_LEFT_OUT = Ailment(
    "region-left-out",
    "warning",
    "The map of regions has no shape of {regions}.",
    "Give each feature the region's code as property “code”.",
)


@examination("pages", "Pages")
def pages(now: datetime) -> Iterator[Finding]:
    """What is built at set-up, and the installation's own map."""
    if not (settings.STATIC_ROOT / "staticfiles.json").exists():
        yield NOT_BUILT.found()
    elif not is_up_to_date():
        yield NOT_REBUILT.found()
    path = settings.REGION_MAP
    if path is None:
        return
    try:
        shapes = region_shapes(path, path.stat().st_mtime_ns if path.exists() else 0)
    except BadRegionMap as wrong:
        yield BAD_MAP.found(reason=str(wrong.params["reason"]))
        return
    named = {str(each["code"]) for each in value_or("regions", [], at=now)}
    if missing := sorted(named - set(shapes.middles)):
        yield REGION_LEFT_OUT.found(regions=", ".join(missing))
