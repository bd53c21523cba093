"""Settings come from the environment only, each declared here once with its meaning."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable: its name, its default and what it means."""

    name: str
    default: str
    meaning: str
    secret: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting("MUHAFIZ_VAR", "var", "Folder for everything the platform writes."),
    Setting(
        "DATABASE_URL",
        "",
        "postgresql://user:password@host:port/name; empty: SQLite at MUHAFIZ_VAR/muhafiz.sqlite3.",
        secret=True,
    ),
    Setting(
        "MUHAFIZ_PORTAL_DATABASE_URL",
        "",
        "The same database for the constituents' portal, by a role that owns nothing; empty: by a "
        "role that `muhafiz upgrade` makes (PostgreSQL only).",
        secret=True,
    ),
    Setting("MUHAFIZ_LAKE", "", "Folder of the event lake; empty: MUHAFIZ_VAR/lake."),
    Setting("MUHAFIZ_KEYS", "", "Folder of the secret keys; empty: MUHAFIZ_VAR/keys (mode 0700)."),
    Setting("MUHAFIZ_BIND", "127.0.0.1:8000", "Address and port that the web process listens on."),
    Setting(
        "MUHAFIZ_PUBLIC_URL", "http://127.0.0.1:8000", "The address people type; links in letters."
    ),
    Setting(
        "MUHAFIZ_HOSTS",
        "127.0.0.1,localhost,[::1]",
        "Host names answered to besides that of MUHAFIZ_PUBLIC_URL, comma-separated.",
    ),
    Setting(
        "MUHAFIZ_PROXIES",
        "0",
        "Reverse proxies of yours before the web process, each adding to X-Forwarded-For.",
    ),
    Setting("MUHAFIZ_WEB_THREADS", "8", "Requests answered at once by one web process."),
    Setting("MUHAFIZ_WORKERS", "1", "Worker processes that the supervised command starts."),
    Setting(
        "MUHAFIZ_SMTP_URL",
        "",
        "smtp://user:password@host:port (STARTTLS required), smtps://… (TLS from the start) or "
        "smtp+plain://127.0.0.1:port (loopback only). Empty: letters stay queued.",
        secret=True,
    ),
    Setting("MUHAFIZ_MAIL_FROM", "", "Sender address of letters; empty: the profile's."),
    Setting(
        "MUHAFIZ_IMAP_URL",
        "",
        "imaps://user:password@host:port/INBOX where reports and bounces arrive.",
        secret=True,
    ),
    Setting(
        "MUHAFIZ_OIDC_ISSUER",
        "",
        "Address of an OpenID Connect provider that may sign people in. Empty: none.",
    ),
    Setting("MUHAFIZ_OIDC_CLIENT_ID", "", "The platform's client id at that provider."),
    Setting(
        "MUHAFIZ_OIDC_SECRET", "", "The platform's client secret at that provider.", secret=True
    ),
    Setting("MUHAFIZ_OIDC_SECRET_FILE", "", "File that holds the client secret instead."),
    Setting("MUHAFIZ_OIDC_NAME", "OpenID Connect", "What the button to that provider says."),
    Setting("MUHAFIZ_DROP_FOLDER", "", "Folder watched for reports; empty: MUHAFIZ_VAR/drop."),
    Setting(
        "MUHAFIZ_DEMONSTRATION",
        "",
        "“yes” opens the demonstration lane: invented organizations, no letter leaves the machine.",
    ),
    Setting(
        "MUHAFIZ_REGION_MAP",
        "",
        "GeoJSON of the regions, each feature with its `code`; empty: a grid without borders.",
    ),
    Setting("MUHAFIZ_LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR."),
    Setting("MUHAFIZ_LOG_JSON", "", "“yes” writes one JSON object per log line."),
    Setting(
        "MUHAFIZ_BATCH_ROWS", "250000", "Rows worked at a time; memory grows with it, not reports."
    ),
    Setting(
        "MUHAFIZ_SPARK_REMOTE",
        "",
        "sc://host:port of a Spark Connect server that sees MUHAFIZ_LAKE under the same path and "
        "answers the lake's questions. Empty: DuckDB does, in each process.",
        secret=True,  # it may carry a token
    ),
    Setting("MUHAFIZ_LAKE_MEMORY_MIB", "512", "Memory that one lake query may use, in MiB."),
    Setting("MUHAFIZ_FREE_DISK_PERCENT", "5", "Intake stops when less of the disk is free."),
)

_KNOWN = {setting.name: setting for setting in SETTINGS}
_BIND = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]*):(\d{1,5})|unix:/.+")
_LARGEST_PORT = 65_535


class BadEnvironment(Exception):  # noqa: N818 - the operator reads it, it is not a bug
    """The environment names a setting that does not exist, or gives one no sense."""


@dataclass(frozen=True, slots=True)
class Environment:
    """The settings of this process, read and checked once."""

    values: Mapping[str, str]

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Environment:
        """Take the known settings from `environ`.

        Raises:
            BadEnvironment: a `MUHAFIZ_*` name is unknown (a misspelt setting must not be ignored).
        """
        for name in environ:
            if name.startswith("MUHAFIZ_") and name not in _KNOWN:
                near = difflib.get_close_matches(name, _KNOWN, n=1)
                hint = f" Did you mean {near[0]}?" if near else ""
                raise BadEnvironment(f"{name} is no setting of Muhafiz.{hint}")
        return cls({s.name: environ.get(s.name) or s.default for s in SETTINGS})

    def text(self, name: str) -> str:
        """The setting as it stands; empty when neither set nor defaulted."""
        return self.values[name]

    def whole(self, name: str) -> int:
        """The setting as a whole number.

        Raises:
            BadEnvironment: it is not one, or is below 1.
        """
        text = self.values[name]
        if not text.isascii() or not text.isdigit() or int(text) < 1:
            raise BadEnvironment(f"{name} must be a whole number above 0, not “{text}”.")
        return int(text)

    def count(self, name: str) -> int:
        """The setting as a whole number from 0.

        Raises:
            BadEnvironment: it is not one.
        """
        return 0 if self.values[name] == "0" else self.whole(name)

    def flag(self, name: str) -> bool:
        """The setting as yes or no.

        Raises:
            BadEnvironment: it is neither yes, no nor empty.
        """
        text = self.values[name].lower()
        if text not in {"", "yes", "no"}:
            raise BadEnvironment(f"{name} must be “yes” or “no”, not “{text}”.")
        return text == "yes"

    def choice(self, name: str, choices: Sequence[str]) -> str:
        """The setting as one of `choices`, in capitals.

        Raises:
            BadEnvironment: it is none of them.
        """
        text = self.values[name].upper()
        if text not in choices:
            known = ", ".join(choices)
            raise BadEnvironment(f"{name} must be one of {known}, not “{self.values[name]}”.")
        return text

    def address(self, name: str) -> str:
        """The setting as an address of the web, without a slash at its end.

        Raises:
            BadEnvironment: it is none, or has more than scheme, host and port.
        """
        text = self.values[name].rstrip("/")
        try:
            parts = urlsplit(text)
            _ = parts.port  # raises when it is no port
        except ValueError:
            parts = urlsplit("")
        bare = f"{parts.scheme}://{parts.netloc}" == text and not parts.username
        if parts.scheme not in {"http", "https"} or not parts.hostname or not bare:
            raise BadEnvironment(
                f"{name} must be like https://desk.example.org, without a path, not “{text}”."
            )
        return text

    def bind(self, name: str) -> str:
        """The setting as something that a process can listen on: host:port or unix:/path.

        Raises:
            BadEnvironment: it is neither.
        """
        text = self.values[name]
        found = _BIND.fullmatch(text)
        if found is None or int(found[1] or 0) > _LARGEST_PORT:
            raise BadEnvironment(
                f"{name} must be like 127.0.0.1:8000, [::1]:8000 or unix:/path, not “{text}”."
            )
        return text

    def file(self, name: str) -> Path | None:
        """The setting as an absolute file; None when empty."""
        return Path(self.values[name]).absolute() if self.values[name] else None

    def folder(self, name: str, inside: str = "") -> Path:
        """The setting as an absolute folder; empty means `inside` within MUHAFIZ_VAR."""
        chosen = self.values[name]
        base = Path(self.values["MUHAFIZ_VAR"])
        return (Path(chosen) if chosen else base / inside).absolute()


def hosts(listed: str, public_url: str) -> list[str]:
    """The host names that the web answers to: the public one, and those listed with commas."""
    host = urlsplit(public_url).hostname or ""
    names = [f"[{host}]" if ":" in host else host, *(each.strip() for each in listed.split(","))]
    return list(dict.fromkeys(filter(None, names)))
