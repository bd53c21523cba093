"""Take the README's picture of the river from a running demonstration.

`make run` in one terminal, then `.venv/bin/python tests/web/take_picture.py` in another.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "river.png"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def take(address: str) -> int:
    """Enter as the duty officer, open the river, keep what the window shows; bytes written."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
        page.goto(address)
        page.click("button.choice >> nth=0")
        page.goto(f"{address}/desk/?span=all")
        page.wait_for_load_state("networkidle")
        page.screenshot(path=PICTURE)
        browser.close()
    return PICTURE.stat().st_size


if __name__ == "__main__":
    size = take(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
    sys.stdout.write(f"{PICTURE}: {size:,} bytes\n")
