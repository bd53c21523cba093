"""`muhafiz serve` and the processes it is made of."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Any

import click

from muhafiz.common.memory import hold_memory, settle_objects
from muhafiz.config.command.ground import clock, set_django_up, with_django
from muhafiz.config.environment import Environment


@click.command()
@click.option("--bind", help="Address and port; default MUHAFIZ_BIND.")
@click.option("--threads", type=click.IntRange(1, 256), help="Default MUHAFIZ_WEB_THREADS.")
def web(bind: str | None, threads: int | None) -> None:
    """Run the web process alone."""
    from gunicorn.app.base import BaseApplication

    environment = Environment.read(os.environ)
    options: dict[str, Any] = {
        "bind": bind or environment.text("MUHAFIZ_BIND"),
        "threads": threads or environment.whole("MUHAFIZ_WEB_THREADS"),
        "worker_class": "gthread",
        "workers": 1,
        "timeout": 120,
        "graceful_timeout": 15,
        "max_requests": 20_000,  # memory that a library leaks is given back
        "max_requests_jitter": 2_000,
        "limit_request_line": 8190,
        "loglevel": "warning",
        "proc_name": "muhafiz-web",
        "control_socket_disable": True,
    }

    class Web(BaseApplication):  # type: ignore[misc]
        """gunicorn with options from here instead of its own command line."""

        def load_config(self) -> None:
            for name, value in options.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> Any:
            # In the worker only: libraries with threads of their own do not outlive a fork.
            set_django_up()
            from muhafiz.config.wsgi import application

            return application

    Web().run()


@click.command()
def worker() -> None:
    """Run one worker alone: it takes due jobs from the queue until told to stop."""
    hold_memory()
    set_django_up()
    from muhafiz.jobs.worker import work

    settle_objects()
    work(clock, _stop_on_signals())


@click.command()
@with_django
def scheduler() -> None:
    """Run the scheduler alone: it puts timed jobs on the queue when their time comes."""
    from muhafiz.jobs.scheduler import schedule_due

    stop = _stop_on_signals()
    while not stop.is_set():
        schedule_due(clock)
        stop.wait(1.0)


@click.command()
def serve() -> None:
    """Run web, workers and scheduler, supervised, until stopped."""
    set_django_up()
    from django.conf import settings

    from muhafiz.config.doctor import startup_faults
    from muhafiz.config.supervisor import become_supervisor

    faults = startup_faults()
    for fault in faults:
        click.echo(f"{fault.what} {fault.mend}", err=True)
    if faults:
        sys.exit(1)
    environment = settings.ENVIRONMENT
    become_supervisor(
        environment.text("MUHAFIZ_BIND"),
        workers=environment.whole("MUHAFIZ_WORKERS"),
        threads=environment.whole("MUHAFIZ_WEB_THREADS"),
    )


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
