"""The permission matrix is whole; its walk is in the two modules beside this one."""

from __future__ import annotations

import pytest
from django.test import Client

from muhafiz.web.desk.permissions import ROUTES as DESK
from muhafiz.web.doors import ROUTES as DOORS
from muhafiz.web.portal.permissions import ROUTES as PORTAL
from tests.web.matrix import METHODS, refused, snapshot
from tests.web.samples import SAMPLES, address, arguments, routes


def test_every_route_has_a_row_in_one_matrix():
    tables = [set(DESK), set(PORTAL), set(DOORS)]
    assert set(routes()) == set().union(*tables)
    assert sum(map(len, tables)) == len(set().union(*tables)), "a route stands in two matrices"


def test_every_argument_has_a_sample():
    named = {f"{route}:{each}" for route in routes() for each in arguments(route)}
    assert {
        each for each in named if each not in SAMPLES and each.split(":")[1] not in SAMPLES
    } == set()


def test_every_route_is_walked_by_one_of_the_two_modules():
    assert {method for _, method in [*DESK.values(), *PORTAL.values()]} == {"GET", "POST"}


@pytest.mark.django_db
def test_the_doors_that_need_an_entry_do_nothing_for_nobody(world, settings):
    settings.DEMONSTRATION = False
    nobody, before = Client(raise_request_exception=False), snapshot()
    for route, (who, _) in DOORS.items():
        for method in METHODS:
            answer = nobody.generic(method, address(route))
            assert answer.status_code < 500, f"{method} {route}"
            if who == "everyone" or method == "OPTIONS":
                continue
            assert refused(answer.status_code), f"{method} {route}: {answer.status_code}"
    changed = {table for table, digest in snapshot().items() if before[table] != digest}
    assert changed <= {"web_policy_report"}  # browsers report without having entered
