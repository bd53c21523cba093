"""Every screen that somebody can reach: by following links, one address for each route."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from django.test import Client
from django.urls import Resolver404, resolve


class Links(HTMLParser):
    """Where a page leads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "a" and told.get("href"):
            self.found.append(str(told["href"]))
        if told.get("hx-get"):
            self.found.append(str(told["hx-get"]))


@dataclass
class Reached:
    """What a walk along the links has met.

    `screens`: route → the first address of it that gave a page; `files`: routes that gave anything
    else; `wrong`: (address, where it is linked, status).
    """

    screens: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    wrong: list[tuple[str, str, int]] = field(default_factory=list)


def reached(client: Client, starts: Iterable[str]) -> Reached:
    """Follow the links of every page, one address a route, from `starts`."""
    met = Reached()
    waiting = [(start, "start") for start in starts]
    while waiting:
        address, source = waiting.pop(0)
        try:
            name = resolve(urlsplit(address).path).url_name or address
        except Resolver404:
            met.wrong.append((address, source, 404))
            continue
        if name not in met.screens and name not in met.files:
            links = _opened(client, name, address, source, met)
            waiting += [(each, address) for each in links if each.startswith("/")]
    return met


def _opened(client: Client, name: str, address: str, source: str, met: Reached) -> list[str]:
    """Open one page, sort it into `met`, and give where it leads."""
    answer = client.get(address)
    page = b"".join(answer.streaming_content) if answer.streaming else answer.content
    is_page = answer.status_code == 200 and b"<html" in page
    (met.screens if is_page else met.files)[name] = address
    if 300 <= answer.status_code < 400:
        return [answer["Location"]]
    if answer.status_code != 200:
        met.wrong.append((address, source, answer.status_code))
    if not answer["Content-Type"].startswith("text/html"):
        return []
    links = Links()
    links.feed(page.decode())
    return [urljoin(address, each) for each in links.found]
