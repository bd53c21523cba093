"""A list's filters are kept under a name and found again, by oneself or by all."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("page", ["events", "constituents"])
def test_a_view_is_saved_on_its_page(world, entered, page):
    client = entered("analyst")
    address = f"/desk/{page}/"
    assert "Save this view" in client.get(address).content.decode()
    answer = client.post(
        "/views/save/",
        {"page": page, "query": "sector=power", "name": "Mine alone", "next": address},
        follow=True,
    )
    assert f'href="{address}?sector=power"' in answer.content.decode()
    assert "Mine alone" not in entered("director").get(address).content.decode()
