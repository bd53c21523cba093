"""Write the generated pages of docs/reference: settings, jobs, permissions, the command line.

`python tools/reference.py --check` writes nothing and ends with 1 when a page is out of date.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"


def settings_page() -> Iterator[str]:
    """Every setting with its default."""
    from muhafiz.config.environment import SETTINGS  # noqa: PLC0415 - Django comes first

    yield "# Settings\n"
    yield "From the environment only; empty means not set. An unknown `MUHAFIZ_` name is refused.\n"
    yield "| Setting | Default | Meaning |\n|---|---|---|"
    for one in SETTINGS:
        default = f"`{one.default}`" if one.default else ""
        yield f"| `{one.name}` | {default} | {one.meaning}{' Secret.' if one.secret else ''} |"


def jobs_page() -> Iterator[str]:
    """Every job with how often it runs by itself."""
    from muhafiz.jobs.registry import declared_jobs  # noqa: PLC0415 - Django comes first

    yield "# Jobs\n"
    yield "Queued work, and timed work which the scheduler queues. All are listed on the desk.\n"
    yield "| Job | By itself | Tries | What it does |\n|---|---|---|---|"
    for one in declared_jobs():
        every = f"every {one.every}" if one.every else "when asked"
        yield f"| `{one.name}` | {every} | {one.attempts} | {first_paragraph(one.description)} |"


def permissions_page() -> Iterator[str]:
    """Which role may do what, and which permission each route needs."""
    from muhafiz.accounts.rules import matrix  # noqa: PLC0415 - Django comes first
    from muhafiz.web.desk.permissions import ROUTES as DESK  # noqa: PLC0415 - as above
    from muhafiz.web.doors import ROUTES as DOORS  # noqa: PLC0415 - as above
    from muhafiz.web.portal.permissions import ROUTES as PORTAL  # noqa: PLC0415 - as above

    rules, routes = matrix(), {**DESK, **PORTAL}
    yield "# Permissions\n"
    yield "Generated from `accounts/permissions.toml` and the faces' route tables. What is not"
    yield "listed is refused; `tests/web/test_matrix.py` asks every route with every method as"
    yield "every role. `@command` is an operator at the command line, `@job` the platform itself.\n"
    yield "## Roles\n\n| Role | Permissions |\n|---|---|"
    for role, title in rules.roles.items():
        held = sorted(p for p, roles in rules.permissions.items() if role in roles)
        yield f"| {title} | {', '.join(f'`{each}`' for each in held)} |"
    yield "\n## Permissions\n\n| Permission | Case content | Roles | Routes |\n|---|---|---|---|"
    for permission, roles in sorted(rules.permissions.items()):
        opened = [f"`{name}`" for name, row in routes.items() if row[0] == permission]
        held = ", ".join(sorted(roles)).replace("_", " ")
        case = "yes" if permission in rules.cases else ""
        yield f"| `{permission}` | {case} | {held} | {', '.join(opened)} |"
    yield "\n## Routes of the desk and the portal\n"
    yield "| Route | Permission | Methods |\n|---|---|---|"
    for name, (permission, methods) in routes.items():
        yield f"| `{name}` | `{permission}` | {methods} |"
    yield "\n## Doors\n"
    yield "Pages that need no permission; “entered” shows a person what is theirs alone.\n"
    yield "| Route | For whom | Methods |\n|---|---|---|"
    for name, (who, methods) in DOORS.items():
        yield f"| `{name}` | {who} | {methods} |"


def command_line_page() -> Iterator[str]:
    """Every command's own help."""
    from muhafiz.config.command import muhafiz  # noqa: PLC0415 - Django comes first

    yield "# Command line"
    yield from _command(muhafiz, None, "muhafiz")


def _command(command: click.Command, parent: click.Context | None, name: str) -> Iterator[str]:
    context = click.Context(
        command, parent, info_name=name, terminal_width=96, max_content_width=96
    )
    yield f"\n## {context.command_path}\n\n```\n{command.get_help(context)}\n```"
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found is not None:
                yield from _command(found, context, child)


def first_paragraph(text: str) -> str:
    """A docstring's first paragraph on one line."""
    return " ".join((text or "").strip().split("\n\n")[0].split())


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "settings.md": settings_page,
    "jobs.md": jobs_page,
    "permissions.md": permissions_page,
    "command-line.md": command_line_page,
}


def main() -> None:
    """Write or check every page."""
    os.environ["MUHAFIZ_VAR"] = tempfile.mkdtemp()
    os.environ["DJANGO_SETTINGS_MODULE"] = "muhafiz.config.settings"
    import django  # noqa: PLC0415 - after the environment

    django.setup()
    stale = []
    for name, page in PAGES.items():
        text = "\n".join(line.rstrip() for line in "\n".join(page()).splitlines()) + "\n"
        path = REFERENCE / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if "--check" not in sys.argv:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if stale and "--check" in sys.argv:
        sys.exit(f"Out of date: {', '.join(stale)}. Run: make docs")


if __name__ == "__main__":
    main()
