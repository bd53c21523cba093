"""The whole path of a report: kept → read → attributed → deduplicated → durable in the lake.

Measured beside the physical limit of the machine, in the same run, in turns: DuckDB reading the
same CSV and writing it as Parquet. Every run is a process of its own, so its peak memory is its
own. The clock runs from the first byte of `keep_report` to the last commit of `process_report`;
imports and the loading of the match tables (once per worker) are outside and told apart.

    python benchmarks/hot_path.py FOLDER --rows 100000 --rows 1000000 --pairs 3
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def prepare(folder: Path) -> None:
    """A fresh installation in `folder`: migrated, with its constituency and match tables."""
    start_django(folder)
    from django.core.management import call_command  # noqa: PLC0415 - Django first

    from muhafiz.constituency.actions.trail import renew_matching  # noqa: PLC0415 - Django first
    from muhafiz.constituency.attribution import match_tables  # noqa: PLC0415 - Django first
    from muhafiz.constituency.models import Claim, Organization  # noqa: PLC0415 - Django first
    from muhafiz.feeds.actions.feeds import create_feed  # noqa: PLC0415 - Django first

    call_command("migrate", verbosity=0)
    found = generated().constituency()
    sectors = generated().SECTORS
    Organization.objects.bulk_create(
        Organization(name_en=f"Organization {n}", sector=sectors[n % len(sectors)], created_at=NOW)
        for n in range(1, generated().ORGANIZATIONS + 1)
    )
    owners = [*found.v4_owner.tolist(), *found.v6_owner.tolist(), *found.domain_owner.tolist()]
    texts = [*found.networks(), *found.domains]
    kinds = ["address"] * len(found.networks()) + ["domain"] * len(found.domains)
    Claim.objects.bulk_create(
        (
            Claim(organization_id=owner, kind=kind, text=text, origin="manual", source="manual",
                  created_at=NOW)
            for owner, kind, text in zip(owners, kinds, texts, strict=True)
        ),
        batch_size=5_000,
    )  # fmt: skip
    renew_matching()
    match_tables()
    create_feed(name="shadowserver", source="shadowserver", actor=actor(), now=NOW)


def start_django(var: Path) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = os.environ.get(
        "DJANGO_SETTINGS_MODULE", "muhafiz.config.settings"
    )
    os.environ["MUHAFIZ_VAR"] = str(var)
    import django  # noqa: PLC0415 - Django first

    from muhafiz.common.memory import hold_memory, settle_objects  # noqa: PLC0415 - as above

    hold_memory()  # as a worker does
    django.setup()
    settle_objects()


def actor() -> Any:
    from muhafiz.common.actor import Actor  # noqa: PLC0415 - Django first

    return Actor.command("benchmark")


def generated() -> Any:
    sys.path.insert(0, str(Path(__file__).parent))
    import generate  # noqa: PLC0415 - Django first

    return generate


def run_subject(file: Path, var: Path) -> dict[str, Any]:
    """Keep and read one report in the installation at `var`."""
    start_django(var)
    from muhafiz.common.clock import HeldClock  # noqa: PLC0415 - Django first
    from muhafiz.constituency.attribution import match_tables  # noqa: PLC0415 - Django first
    from muhafiz.feeds.actions.intake import keep_report  # noqa: PLC0415 - Django first
    from muhafiz.feeds.actions.processing import process_report  # noqa: PLC0415 - Django first

    began = time.perf_counter()
    match_tables()
    loaded = time.perf_counter() - began
    memory_before = peak_mib()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    with file.open("rb") as raw:
        kept = keep_report(
            feed="shadowserver", file_name=file.name, raw=raw, received_at=NOW, actor=actor(),
            now=NOW,
        )  # fmt: skip
    keeping = time.perf_counter() - began
    done = process_report(kept.id, actor=actor(), clock=HeldClock(NOW))
    seconds = time.perf_counter() - began
    return {
        "seconds": seconds,
        "keep_seconds": keeping,
        "tables_seconds": loaded,
        "cpu_seconds": cpu_since(usage),
        "peak_mib": peak_mib(),
        "before_mib": memory_before,
        "accepted": done.rows_accepted,
        "set_aside": done.rows_set_aside,
        "owned": done.rows_owned,
        "new_events": done.new_events,
        "lake_bytes": sum(path.stat().st_size for path in (var / "lake").rglob("*.parquet")),
        **proven(),
    }


def proven() -> dict[str, Any]:
    from muhafiz.lake.actions.verification import verify  # noqa: PLC0415 - Django first

    began = time.perf_counter()
    found = verify(now=NOW)
    return {"verified": found.proven, "verify_seconds": time.perf_counter() - began}


def run_limit(file: Path, var: Path) -> dict[str, Any]:
    """DuckDB alone: the same CSV to Parquet, nothing else."""
    import duckdb  # noqa: PLC0415 - Django first

    usage = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    with duckdb.connect() as connection:
        connection.execute("SET threads = 2")
        connection.execute(
            f"COPY (SELECT * FROM read_csv('{file}')) "
            f"TO '{var / 'limit.parquet'}' (FORMAT parquet, COMPRESSION zstd)"
        )
    return {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": cpu_since(usage),
        "peak_mib": peak_mib(),
    }


def cpu_since(before: resource.struct_rusage) -> float:
    now = resource.getrusage(resource.RUSAGE_SELF)
    return now.ru_utime + now.ru_stime - before.ru_utime - before.ru_stime


def peak_mib() -> float:
    """Of this process since its exec (getrusage would tell its parent's, inherited by fork)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def in_own_process(part: str, file: Path, var: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, str(var), "--part", part, "--file", str(file)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found


def measure(folder: Path, rows: int, pairs: int) -> dict[str, Any]:
    file = generated().write_telnet(folder / "reports", rows, generated().constituency())
    runs: dict[str, list[dict[str, Any]]] = {"subject": [], "limit": []}
    for _ in range(pairs):
        for part, found in runs.items():
            var = folder / "run"
            shutil.rmtree(var, ignore_errors=True)
            shutil.copytree(folder / "base", var)
            found.append(in_own_process(part, file, var))
    size = file.stat().st_size
    file.unlink()
    return summary(rows, size, runs)


def summary(rows: int, size: int, runs: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    subject = [run["seconds"] for run in runs["subject"]]
    limit = [run["seconds"] for run in runs["limit"]]
    ratios = [mine / theirs for mine, theirs in zip(subject, limit, strict=True)]
    best = runs["subject"][subject.index(sorted(subject)[len(subject) // 2])]
    if any(not run["verified"] or run["accepted"] + run["set_aside"] != rows
           for run in runs["subject"]):  # fmt: skip
        raise SystemExit(f"rows are missing or the lake is unsound: {runs['subject']}")
    return {
        "rows": rows,
        "csv_bytes": size,
        "seconds": statistics.median(subject),
        "events_per_second": rows / statistics.median(subject),
        "limit_seconds": statistics.median(limit),
        "ratio_to_limit": statistics.median(ratios),
        "ratio_range": [min(ratios), max(ratios)],
        "cpu_seconds": best["cpu_seconds"],
        "keep_seconds": best["keep_seconds"],
        "tables_seconds": best["tables_seconds"],
        "peak_mib": max(run["peak_mib"] for run in runs["subject"]),
        "limit_peak_mib": max(run["peak_mib"] for run in runs["limit"]),
        "new_events": best["new_events"],
        "owned": best["owned"],
        "lake_bytes_per_event": best["lake_bytes"] / max(best["new_events"], 1),
        "runs": runs,
    }


def markdown(results: list[dict[str, Any]], machine: dict[str, Any]) -> str:
    lines = [
        "# The hot path",
        "",
        (
            f"{machine['date']}, {machine['cores']} cores, {machine['machine']}, Python "
            f"{machine['python']}, DuckDB {machine['duckdb']}, load {machine['load_before']:.1f} "
            "before. 10,000 organizations, 100,000 networks, 100,000 domains. Medians; the limit "
            "is DuckDB reading the same CSV and writing Parquet, in turns with ours."
        ),
        "",
        "| rows | s | events/s | limit, s | ratio (range) | CPU s | peak MiB | bytes/event |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for found in results:
        low, high = found["ratio_range"]
        lines.append(
            f"| {found['rows']:,} | {found['seconds']:.2f} | {found['events_per_second']:,.0f} | "
            f"{found['limit_seconds']:.2f} | {found['ratio_to_limit']:.2f} ({low:.2f}-{high:.2f}) "
            f"| {found['cpu_seconds']:.1f} | {found['peak_mib']:.0f} | "
            f"{found['lake_bytes_per_event']:.1f} |"
        )
    if len(results) > 1:
        first, last = results[0], results[-1]
        growth = (last["seconds"] / last["rows"]) / (first["seconds"] / first["rows"])
        lines += [
            "",
            (
                f"Cost per row at {last['rows']:,} rows is {growth:.2f} times that at "
                f"{first['rows']:,}."
            ),
        ]
    return "\n".join(lines) + "\n"


def this_machine() -> dict[str, Any]:
    import duckdb  # noqa: PLC0415 - Django first

    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "duckdb": duckdb.__version__,
        "load_before": os.getloadavg()[0],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, action="append")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--part", choices=["prepare", "subject", "limit"])
    parser.add_argument("--file", type=Path)
    chosen = parser.parse_args()
    if chosen.part == "prepare":
        prepare(chosen.folder)
        print("{}")
        return
    if chosen.part:
        run = run_subject if chosen.part == "subject" else run_limit
        print(json.dumps(run(chosen.file, chosen.folder)))
        return
    machine = this_machine()
    if not (chosen.folder / "base").exists():
        in_own_process("prepare", Path("-"), chosen.folder / "base")
    results = []
    for rows in chosen.rows or [100_000, 1_000_000]:
        results.append(measure(chosen.folder, rows, chosen.pairs))
        print(markdown(results, machine).splitlines()[-1], flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps({"machine": machine, "results": results}, indent=1))
    if chosen.markdown:
        chosen.markdown.write_text(markdown(results, machine))
    print(markdown(results, machine))


if __name__ == "__main__":
    main()
