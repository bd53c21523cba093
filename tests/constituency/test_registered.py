"""The part of a name that somebody has registered."""

from __future__ import annotations

import pytest

from muhafiz.constituency.registered import registered_domain


@pytest.mark.parametrize(
    ("name", "registered"),
    [
        ("mail.example.gov.pk", "example.gov.pk"),
        ("a.b.c.example.com.pk", "example.com.pk"),
        ("example.gov.pk", "example.gov.pk"),
        ("gov.pk", "gov.pk"),
        ("pk", "pk"),
        ("www.example.pk", "example.pk"),
        ("www.example.org", "example.org"),
        ("net.example.org", "example.org"),
        ("com.example.info", "example.info"),  # no country's
        ("host.uni.ac.uk", "uni.ac.uk"),
        ("example", "example"),
    ],
)
def test_the_name_that_was_registered(name: str, registered: str) -> None:
    assert registered_domain(name) == registered
