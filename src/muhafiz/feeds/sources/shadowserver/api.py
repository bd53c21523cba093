"""Shadowserver's reports API: a list per range of days, then one download per report.

Every request is a JSON body with the API key, signed in the header HMAC2: the hexadecimal
HMAC-SHA-256 of the body's bytes under the shared secret.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import re
import tempfile
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import httpx
import orjson

from muhafiz.feeds.sources import CannotFetch, FetchedReport
from muhafiz.formats.lines import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

API_URL = "https://transform.shadowserver.org/api2/"
DOWNLOAD_URL = "https://dl.shadowserver.org/"
LIST_BYTES = 32 * 1024 * 1024
REPORT_BYTES = 4 * 1024 * 1024 * 1024
_SPOOL_BYTES = 8 * 1024 * 1024
_TIMEOUT = httpx.Timeout(60.0, connect=15.0)
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,200}")
_FILE_NAME = re.compile(r"[^A-Za-z0-9._-]+")


def signed_body(fields: Mapping[str, Any], api_key: str, secret: str) -> tuple[bytes, str]:
    """The JSON body with the API key, and its HMAC2."""
    body = orjson.dumps({**fields, "apikey": api_key})
    return body, hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class _Download(io.RawIOBase):
    """A report that is downloaded when it is first read: one that is known already never is."""

    def __init__(self, client: httpx.Client, url: str, limit: int) -> None:
        super().__init__()
        self._client, self._url, self._limit = client, url, limit
        self._spool: BinaryIO | None = None

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """The next bytes; raises CannotFetch when the first cannot be had."""
        piece = self._downloaded().read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        """Let go of the bytes."""
        if self._spool is not None:
            self._spool.close()
        super().close()

    def _downloaded(self) -> BinaryIO:
        if self._spool is None:
            with ExitStack() as broken:
                spool = tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115 - kept
                broken.callback(spool.close)
                content = cast("BinaryIO", spool)
                with _answer(self._client, "GET", self._url) as answer:
                    _copy(answer, content, self._limit)
                content.seek(0)
                broken.pop_all()
            self._spool = content
        return self._spool


def fetch_reports(options: Mapping[str, Any], since: date, until: date) -> Iterator[FetchedReport]:
    """Reports of the days from `since` to `until`, in the list's order, one open at a time.

    Raises CannotFetch when the key or secret is missing, the API refuses or answers nonsense.
    Reading a report's content raises it when that cannot be had, or is larger than the option
    `report_bytes`; the others can be had nevertheless.
    """
    key, secret = options.get("api_key"), options.get("secret")
    if not key or not secret:
        raise CannotFetch("The feed has no API key and secret for Shadowserver.")
    limit = int(options.get("report_bytes", REPORT_BYTES))
    download_url = str(options.get("download_url", DOWNLOAD_URL))
    with httpx.Client(timeout=_TIMEOUT, follow_redirects=False) as client:
        for entry in _listed(client, options, since, until):
            identifier = str(entry.get("id", ""))
            if not _IDENTIFIER.fullmatch(identifier):
                raise CannotFetch("The list names a report without a usable id.")
            with closing(_Download(client, f"{download_url}{identifier}", limit)) as content:
                name = _file_name(entry, identifier)
                yield FetchedReport(identifier, name, cast("BinaryIO", content))


def _listed(
    client: httpx.Client, options: Mapping[str, Any], since: date, until: date
) -> list[dict[str, Any]]:
    fields: dict[str, Any] = {"date": f"{since.isoformat()}:{until.isoformat()}"}
    for name in ("reports", "types"):
        if options.get(name):
            fields[name] = list(options[name])
    body, signature = signed_body(fields, str(options["api_key"]), str(options["secret"]))
    headers = {"HMAC2": signature, "Content-Type": "application/json"}
    url = f"{options.get('api_url', API_URL)}reports/list"
    with tempfile.SpooledTemporaryFile(max_size=LIST_BYTES) as spool:
        with _answer(client, "POST", url, content=body, headers=headers) as answer:
            _copy(answer, cast("BinaryIO", spool), LIST_BYTES)
        spool.seek(0)
        try:
            entries = orjson.loads(spool.read())
        except orjson.JSONDecodeError as wrong:
            raise CannotFetch("The list of reports is no JSON.") from wrong
    if isinstance(entries, dict) and "error" in entries:
        raise CannotFetch(f"Shadowserver refused: {one_line(str(entries['error']), 200)}")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise CannotFetch("The list of reports is no list.")
    types = set(fields.get("types", ()))
    return [entry for entry in entries if not types or entry.get("type", "") in types]


@contextmanager
def _answer(
    client: httpx.Client, method: str, url: str, **request: Any
) -> Iterator[httpx.Response]:
    try:
        with client.stream(method, url, **request) as answer:
            if answer.status_code != httpx.codes.OK:
                raise CannotFetch(f"Shadowserver answered {answer.status_code}.")
            yield answer
    except httpx.HTTPError as broken:
        raise CannotFetch(f"Shadowserver cannot be reached: {type(broken).__name__}.") from broken


def _copy(answer: httpx.Response, to: BinaryIO, limit: int) -> None:
    size = 0
    for piece in answer.iter_bytes():
        size += len(piece)
        if size > limit:
            raise CannotFetch(f"Shadowserver's answer is larger than {limit} bytes.")
        to.write(piece)


def _file_name(entry: Mapping[str, Any], identifier: str) -> str:
    name = _FILE_NAME.sub("_", str(entry.get("file") or f"{identifier}.csv"))
    return name.lstrip(".") or f"{identifier}.csv"
