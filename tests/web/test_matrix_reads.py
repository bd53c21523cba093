"""Every route that may read, by every method as every role: see `tests.web.matrix`."""

from __future__ import annotations

import pytest

from muhafiz.web.desk.permissions import ROUTES as DESK
from muhafiz.web.portal.permissions import ROUTES as PORTAL
from tests.web import matrix
from tests.web.given import work_on

pytestmark = pytest.mark.django_db


def test_every_route_every_method_every_role(world, settings):
    work_on(world)
    settings.SESSION_ENGINE = matrix.IN_MEMORY
    chosen = [route for route, (_, method) in [*DESK.items(), *PORTAL.items()] if method == "GET"]
    assert matrix.walk(world, chosen) == []
