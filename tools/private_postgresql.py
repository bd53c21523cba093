"""A PostgreSQL cluster for one run: own folder, own port, ended and removed afterwards."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).parent if initdb else None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def private_postgresql() -> Iterator[str | None]:
    """A DATABASE_URL of a fresh cluster on loopback, or None when PostgreSQL is not installed."""
    programs = _programs()
    if programs is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="muhafiz-postgresql-") as folder:
        # PostgreSQL refuses to run as root, so root lends it the account Debian made for it.
        owner = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        as_owner = ["runuser", "-u", owner, "--"] if os.geteuid() == 0 else []
        if as_owner:
            shutil.chown(folder, owner)
        data, port = f"{folder}/data", _free_port()
        initialize = [
            f"{programs}/initdb",
            "-D",
            data,
            "-A",
            "trust",
            "-U",
            "postgres",
            "-E",
            "UTF8",
        ]
        subprocess.run([*as_owner, *initialize], check=True, stdout=subprocess.DEVNULL, cwd="/")
        # The cluster is thrown away, so it need not be durable; kills end our processes, not it.
        options = (
            f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off "
            "-c max_connections=60"
        )
        control = [*as_owner, f"{programs}/pg_ctl", "-D", data, "-w", "-s"]
        subprocess.run(
            [*control, "-o", options, "-l", f"{folder}/log", "start"], check=True, cwd="/"
        )
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=False, cwd="/")
