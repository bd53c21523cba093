"""Take the pictures of the main screens for the docs, in both languages and some in the dark.

    make pictures

A demonstration of its own is started in a scratch folder, worked until its weekly figures are
published (a quarter of an hour; by then its letters are sent and its queue is swept), and removed
afterwards. The pictures are cut down to 256 colours, so that the repository stays small. To take
them of one that runs already, give its address; names after it take only those.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
WINDOW = {"width": 1360, "height": 850}
COLOURS = 256


@dataclass(frozen=True)
class Shot:
    """One picture: whose screen, where, and the links that lead on from there."""

    name: str
    role: str  # the word on the demonstration's button that enters; empty: nobody
    path: str
    follow: tuple[str, ...] = ()
    dark: bool = False


STAFF, OWNER = "Duty officer", "Constituent's administrator"
SHOTS = (
    Shot("home", "", "/"),
    Shot("sign-in", "", "/sign-in/"),
    Shot("verify", "", "/verify/"),
    Shot("statistics", "", "/statistics/"),
    Shot("river", STAFF, "/desk/?span=all"),
    Shot("queue", STAFF, "/desk/queue/", ("[data-row] a[href*='item']",), dark=True),
    Shot("handover", STAFF, "/desk/handover/"),
    Shot("situation", STAFF, "/desk/situation/", dark=True),
    Shot("events", STAFF, "/desk/events/", dark=True),
    Shot("event", STAFF, "/desk/events/", ("main tbody th a[href*='/events/']",)),
    Shot("constituents", STAFF, "/desk/constituents/"),
    Shot("constituent", STAFF, "/desk/constituents/", ("main tbody th a",)),
    Shot("notice", STAFF, "/desk/notices/", ("main tbody a[href*='/notices/']",)),
    Shot("workbench", STAFF, "/desk/set-aside/", ("main tbody th a",)),
    Shot("search", STAFF, "/desk/search/?q=203.0.113"),
    Shot("look", STAFF, "/desk/look/"),
    Shot("portal", OWNER, "/portal/", dark=True),
    Shot("portal-finding", OWNER, "/portal/findings/", ("main a[href*='/findings/F-']",)),
)


@contextlib.contextmanager
def demonstration() -> Iterator[str]:
    """A demonstration in a scratch folder; its address, once its letters are sent."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="muhafiz-pictures-"))
    told = {"MUHAFIZ_VAR": str(folder), "MUHAFIZ_DEMONSTRATION": "yes"}
    told["MUHAFIZ_BIND"] = f"127.0.0.1:{port}"
    command = [str(Path(sys.executable).with_name("muhafiz")), "start"]
    process = subprocess.Popen(
        command, env=os.environ | told, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(address)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(address: str, seconds: float = 1800) -> None:
    """Wait until the weekly figures stand there: the last thing that a new demonstration does."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            page = urllib.request.urlopen(f"{address}/statistics/", timeout=5).read().decode()
            if "take=json" in page:
                return
        time.sleep(5)
    raise SystemExit("The demonstration did not get to its weekly figures.")


def smaller(png: bytes) -> bytes:
    """The same picture with a palette of the colours that cover it best."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    cut = picture.quantize(
        COLOURS, method=Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE
    )
    written = io.BytesIO()
    cut.save(written, "PNG", optimize=True)
    return written.getvalue()


def _enter(browser: Any, address: str, role: str) -> list[Any]:
    """The cookies of somebody who entered by the demonstration's button."""
    page = browser.new_page()
    page.goto(address)
    if role:
        page.locator("button.choice", has_text=role).first.click()
        page.wait_for_url(lambda now: now != address + "/")
    cookies = page.context.cookies()
    page.close()
    return cookies


def take(address: str, names: Sequence[str] = ()) -> None:
    """Take the pictures of these names, or every one, of the demonstration at `address`."""
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        entered = {role: _enter(browser, address, role) for role in {s.role for s in SHOTS}}
        for shot in (each for each in SHOTS if not names or each.name in names):
            looks = [("en", "light"), ("ur", "light"), *([("en", "dark")] if shot.dark else [])]
            for language, theme in looks:
                context = browser.new_context(viewport=WINDOW, reduced_motion="reduce")
                chosen = {"django_language": language, "theme": theme}
                own = [{"name": n, "value": v, "url": address} for n, v in chosen.items()]
                context.add_cookies([*entered[shot.role], *own])
                name = f"{shot.name}-{language}{'-dark' if theme == 'dark' else ''}.png"
                png = smaller(_taken(context.new_page(), address, shot))
                (PICTURES / name).write_bytes(png)
                sys.stdout.write(f"{name}: {len(png):,} bytes\n")
                context.close()
        browser.close()


def _taken(page: Any, address: str, shot: Shot) -> bytes:
    page.goto(address + shot.path)
    for link in shot.follow:
        if page.locator(link).count():
            page.goto(address + page.locator(link).first.get_attribute("href"))
    page.wait_for_load_state("networkidle")
    return page.screenshot()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        take(sys.argv[1], sys.argv[2:])
    else:
        with demonstration() as started:
            take(started)
