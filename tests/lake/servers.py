"""A Spark Connect server of a test's own: Sail, which needs no JVM.

TEST_SPARK_REMOTE=sc://host:port has the contract asked of that server instead, such as Spark itself.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SERVING = """
import sys
from pysail.spark import SparkConnectServer
server = SparkConnectServer(port=int(sys.argv[1]))
server.start(background=True)
print(server.listening_address[1], flush=True)
sys.stdin.read()
server.stop()
"""


def free_port() -> int:
    """A port of loopback on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def sail_server(port: int = 0) -> Iterator[str]:
    """Its address, while it runs; `port` 0: any."""
    if os.environ.get("TEST_SPARK_REMOTE") and not port:
        yield os.environ["TEST_SPARK_REMOTE"]
        return
    with subprocess.Popen(
        [sys.executable, "-c", _SERVING, str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "RUST_LOG": "off"},
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield f"sc://127.0.0.1:{server.stdout.readline().strip()}"
        finally:
            server.stdin.close()
            server.wait(timeout=30)
