"""Logs are fields, not sentences, and secrets never reach them."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import structlog

_SECRET_NAME = re.compile(
    r"passw|secret|token|apikey|api_key|hmac|authorization|cookie", re.IGNORECASE
)
_URL_WITH_PASSWORD = re.compile(r"\b[a-z][a-z+.-]*://[^\s/@]+:[^\s/@]+@[^\s]+", re.IGNORECASE)
# Paths and queries that let somebody in: links of letters, and what another house sends back.
_PATH_WITH_TOKEN = re.compile(
    r"(/(?:enter|contact|sign-in/(?:invitation|address|forgotten))/)(?!(?:sent|chosen)/)[^\s/?#\"']+"
)
_QUERY_WITH_TOKEN = re.compile(r"([?&;](?:code|state|token|key)=)[^&;\s#\"']+")


def without_password(text: str) -> str:
    """The text with the password of every address of the form scheme://user:password@host cut."""

    def cut(match: re.Match[str]) -> str:
        parts = urlsplit(match.group())
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{parts.username}:…@{host}"))

    return _URL_WITH_PASSWORD.sub(cut, text)


def without_tokens(text: str) -> str:
    """The text with what lets somebody in cut out of every path and query."""
    return _QUERY_WITH_TOKEN.sub(r"\1…", _PATH_WITH_TOKEN.sub(r"\1…", text))


def hide_secrets(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Blank the fields whose names say secret; passwords and tokens inside addresses."""
    for name, value in event.items():
        if _SECRET_NAME.search(name):
            event[name] = "…"
        elif isinstance(value, str):
            event[name] = without_tokens(without_password(value))
    return event


def escape_controls(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Write control characters as escapes: no stranger's text begins a line or moves a cursor.

    Only a traceback keeps its lines.
    """
    for name, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            kept = "\n\t" if name in {"exception", "stack"} else ""
            event[name] = "".join(c if c.isprintable() or c in kept else _escaped(c) for c in value)
    return event


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def set_logs_up(level: str, *, as_json: bool) -> None:
    """Send structlog's and the standard library's records to standard error, one line each.

    Raises:
        ValueError: `level` names no log level.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        hide_secrets,
        escape_controls,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared)
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for chatty in ("fontTools", "httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
