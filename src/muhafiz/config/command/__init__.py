"""The command line. Commands translate: arguments in, one action or query, an answer out.

Exit statuses: 0 done; 1 refused, or something was found wrong; 2 the command or the environment
makes no sense; 3 done, but rows were set aside.
"""

from __future__ import annotations

import importlib
import os
import sys

import click

from muhafiz.common.refusal import Refusal
from muhafiz.config.environment import BadEnvironment

REFUSED = 1
SENSELESS = 2
PARTLY = 3

#: Command name → where it lives. Loaded when called, so `muhafiz --help` needs no Django.
_COMMANDS = {
    "accounts": ("accounts", "People, roles and one-time entry links."),
    "audit": ("audit", "Export and verify the audit log."),
    "constituency": ("constituency", "Import who is protected, and look them up."),
    "demonstration": ("start", "Fill an empty installation with the demonstration nation."),
    "doctor": ("doctor", "Tell what is wrong here, and how to mend it."),
    "feeds": ("feeds", "Where reports come from."),
    "ingest": ("ingest", "Take reports in from files."),
    "init": ("installation", "Set up an empty installation."),
    "jobs": ("jobs", "Queued and timed work."),
    "keys": ("keys", "The keys that letters and the audit log are signed with."),
    "lake": ("lake", "Query and verify stored security events."),
    "notices": ("notices", "Preview and send letters to constituents."),
    "rulebook": ("rulebook", "The dated parameters of this jurisdiction."),
    "scheduler": ("processes", "Run the scheduler alone."),
    "search": ("search", "Find things, and build the search box's index anew."),
    "serve": ("processes", "Run web, workers and scheduler, supervised."),
    "start": ("start", "Set up when empty, then serve: what `make run` calls."),
    "upgrade": ("installation", "Bring database, rulebook and pages up to this version."),
    "web": ("processes", "Run the web process alone."),
    "worker": ("processes", "Run one worker alone."),
}


class _Commands(click.Group):
    """Loads a command's module when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"muhafiz.config.command.{_COMMANDS[cmd_name][0]}")
        command = getattr(module, cmd_name)
        if not isinstance(command, click.Command):  # a module named like its command
            raise TypeError(f"{cmd_name} is no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, meaning) for name, (_, meaning) in _COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="muhafiz")
def muhafiz() -> None:
    """The operating platform of a national CERT.

    Settings come from the environment; `muhafiz doctor --settings` lists them. Shell completion:
    eval "$(_MUHAFIZ_COMPLETE=bash_source muhafiz)" (also zsh_source, fish_source).
    """


def main() -> None:
    """Run the command line; refusals and senseless settings become one line and a status."""
    # Click's completion answers through a variable of its own, which is no setting of ours.
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "muhafiz.config.settings")
    try:
        muhafiz()
    except Refusal as refusal:
        click.echo(f"Refused: {refusal}", err=True)
        sys.exit(REFUSED)
    except BadEnvironment as bad:
        click.echo(f"Environment: {bad}", err=True)
        sys.exit(SENSELESS)
