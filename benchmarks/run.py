"""Run the benchmarks one after another and write docs/benchmarks.md, with machine and date.

    python benchmarks/run.py                     # 10^5 and 10^6, a quarter of an hour
    python benchmarks/run.py --full              # and 10^7
    python benchmarks/run.py --intelmq VENV      # and an IntelMQ chain beside ours; with
                                                 # --contact-database FOLDER a second one

Run it on a machine that does nothing else; the load before each part is written down.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "benchmarks.md"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--intelmq", type=Path)
    parser.add_argument("--contact-database", type=Path)
    parser.add_argument("--pairs", type=int, default=3)
    chosen = parser.parse_args()
    sizes = [10**5, 10**6, *([10**7] if chosen.full else [])]
    with tempfile.TemporaryDirectory(prefix="muhafiz-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # IntelMQ runs as a lesser user, who must reach its folder
        parts = [
            heading(),
            hot_path(folder, sizes, chosen.pairs),
            intelmq(folder, chosen.intelmq, chosen.contact_database, sizes[-1])
            if chosen.intelmq
            else "",
            store(folder, sizes),
            letters(folder, sizes),
            explorer(folder, sizes),
        ]
    PAGE.write_text("\n".join(part for part in parts if part), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))


def heading() -> str:
    return (
        "# Benchmarks\n\n"
        "Written by `make bench`; quote ratios, not single times. "
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()}.\n"
    )


def hot_path(folder: Path, sizes: list[int], pairs: int) -> str:
    rows = [word for size in sizes for word in ("--rows", str(size))]
    page = folder / "hot_path.md"
    run("hot_path.py", str(folder / "hot"), *rows, "--pairs", str(pairs), "--markdown", str(page))
    return page.read_text(encoding="utf-8").replace("# The hot path", "## The hot path")


def intelmq(folder: Path, environment: Path, contacts: Path | None, our_rows: int) -> str:
    words = ["--venv", str(environment), "--our-rows", str(our_rows)]
    words += ["--contact-database", str(contacts)] if contacts else []
    found = measured(folder, "intelmq_chain.py", str(folder / "chain"), *words)
    lines = [f"| {name} | {plain(value)} |" for name, value in flat(found)]
    return "\n".join(["## Beside an IntelMQ 3.5 chain\n", "| | |", "|---|---:|", *lines, ""])


def store(folder: Path, sizes: list[int]) -> str:
    rows = [word for size in sizes for word in ("--rows", str(size))]
    found = measured(folder, "store.py", *rows)
    return f"## The event store, while a writer appends\n\n{table(found)}"


def letters(folder: Path, sizes: list[int]) -> str:
    found = measured(folder, "letters.py", "--events", *map(str, sizes))
    return f"## Letters from stored events\n\n{table(found)}"


def explorer(folder: Path, sizes: list[int]) -> str:
    rows = [word for size in sizes for word in ("--rows", str(size))]
    found = measured(folder, "explorer.py", *rows)
    return f"## The explorer's pages, while a writer appends\n\n{table(found)}"


def measured(folder: Path, script: str, *words: str) -> Any:
    answer = folder / f"{script}.json"
    run(script, *words, "--json", str(answer))
    return json.loads(answer.read_text(encoding="utf-8"))


def run(script: str, *words: str) -> None:
    print(f"load {os.getloadavg()[0]:.1f}; {script} {' '.join(words)}", flush=True)
    subprocess.run([sys.executable, str(HERE / script), *words], check=True)


def table(runs: list[dict[str, Any]]) -> str:
    """One line per figure, one column per size."""
    columns = [dict(flat(found)) for found in runs]
    lines = [f"| {name} | {' | '.join(plain(c[name]) for c in columns)} |" for name in columns[0]]
    lines.insert(1, f"|---|{'---:|' * len(columns)}")
    return "\n".join([*lines, ""])


def flat(found: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in found.items():
        label = f"{before}{name.replace('_', ' ')}"
        if isinstance(value, dict):
            yield from flat(value, f"{label}: ")
        else:
            yield label, value


def plain(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) else str(value)


if __name__ == "__main__":
    main()
