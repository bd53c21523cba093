"""Take the pictures of the main screens for the docs, in both languages and some in the dark.

    make pictures

A demonstration of its own is started in a scratch folder, worked until its letters are sent, and
removed afterwards; the pictures are cut down to 255 colours, so that the repository stays small.
To take them of one that runs already, give its address; names after it take only those.
"""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
WINDOW = {"width": 1360, "height": 850}
COLOURS = 255


@dataclass(frozen=True)
class Shot:
    """One picture: whose screen, where, and the links that lead on from there."""

    name: str
    role: str  # the button of the demonstration that enters; empty: nobody
    path: str
    follow: tuple[str, ...] = ()
    dark: bool = False


STAFF, OWNER = "enter-as-duty_officer", "enter-as-constituent_admin"
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


def _wait_for(address: str, seconds: float = 300) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            page = urllib.request.urlopen(address, timeout=5).read().decode()
            if "enter-as" in page:
                time.sleep(330)  # its reports are read, its letters written, its queue is swept
                return
        time.sleep(2)
    raise SystemExit("The demonstration did not start.")


#: A blank page takes a picture apart into its pixels.
_PIXELS = """
async png => {
  const blob = await (await fetch('data:image/png;base64,' + png)).blob();
  const picture = await createImageBitmap(blob);
  const paper = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
  paper.drawImage(picture, 0, 0);
  const bytes = paper.getImageData(0, 0, picture.width, picture.height).data;
  let text = '';
  for (let at = 0; at < bytes.length; at += 32768)
    text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
}
"""


def smaller(blank: Any, png: bytes) -> bytes:
    """The same picture with a palette of its most frequent colours."""
    width, height = struct.unpack(">II", png[16:24])
    told = blank.evaluate(_PIXELS, base64.b64encode(png).decode())
    pixels = np.frombuffer(base64.b64decode(told), np.uint8).reshape(-1, 4)[:, :3]
    coarse = (pixels >> 2).astype(np.uint32)
    codes = (coarse[:, 0] << 12) | (coarse[:, 1] << 6) | coarse[:, 2]
    _, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    kept = np.argsort(-counts)[:COLOURS]
    sums = np.stack([np.bincount(inverse, pixels[:, at]) for at in range(3)], axis=1)
    mean = np.rint(sums / counts[:, None])
    palette = mean[kept]
    apart = ((mean[:, None, :] - palette[None, :, :]) ** 2).sum(axis=2)
    rows = apart.argmin(axis=1).astype(np.uint8)[inverse].reshape(height, width)
    raw = np.concatenate([np.zeros((height, 1), np.uint8), rows], axis=1).tobytes()
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = [(b"IHDR", head), (b"PLTE", palette.astype(np.uint8).tobytes())]
    parts += [(b"IDAT", zlib.compress(raw, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )


def _enter(browser: Any, address: str, role: str) -> list[Any]:
    """The cookies of somebody who entered by the demonstration's button."""
    page = browser.new_page()
    page.goto(address)
    if role:
        word = {STAFF: "Duty officer", OWNER: "Constituent's administrator"}[role]
        page.locator("button.choice", has_text=word).first.click()
        page.wait_for_load_state()
    cookies = page.context.cookies()
    page.close()
    return cookies


def take(address: str, names: Sequence[str] = ()) -> None:
    """Take the pictures of these names, or every one, of the demonstration at `address`."""
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        blank = browser.new_page()
        entered = {role: _enter(browser, address, role) for role in {s.role for s in SHOTS}}
        for shot in (each for each in SHOTS if not names or each.name in names):
            looks = [("en", "light"), ("ur", "light"), *([("en", "dark")] if shot.dark else [])]
            for language, theme in looks:
                context = browser.new_context(viewport=WINDOW, reduced_motion="reduce")
                chosen = {"django_language": language, "theme": theme}
                own = [{"name": n, "value": v, "url": address} for n, v in chosen.items()]
                context.add_cookies([*entered[shot.role], *own])
                name = f"{shot.name}-{language}{'-dark' if theme == 'dark' else ''}.png"
                png = smaller(blank, _taken(context.new_page(), address, shot))
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
