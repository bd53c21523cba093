"""`muhafiz serve` and the processes it is made of."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Any

import click

from muhafiz.common.memory import hold_memory, settle_objects
from muhafiz.config.command.ground import clock, set_django_up
from muhafiz.config.environment import Environment


@click.command()
@click.option("--bind", help="Address and port; default MUHAFIZ_BIND.")
@click.option("--threads", type=click.IntRange(1, 256), help="Default MUHAFIZ_WEB_THREADS.")
def web(bind: str | None, threads: int | None) -> None:
    """Run the web process alone."""
    from gunicorn.app.base import BaseApplication

    environment = Environment.read(os.environ)
    options = web_options(
        bind or environment.bind("MUHAFIZ_BIND"),
        threads or environment.whole("MUHAFIZ_WEB_THREADS"),
    )

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


def web_options(bind: str, threads: int) -> dict[str, Any]:
    """How gunicorn serves the web."""
    return {
        "bind": bind,
        "threads": threads,
        "worker_class": "gthread",
        "workers": 1,
        "timeout": 120,
        "graceful_timeout": 15,
        "max_requests": 20_000,  # memory that a library leaks is given back
        "max_requests_jitter": 2_000,
        "limit_request_line": 8190,
        "forwarder_headers": "",  # a proxy passes a stranger's SCRIPT_NAME on, and is believed
        "secure_scheme_headers": {},  # `web.transport` knows the scheme
        "loglevel": "warning",
        "proc_name": "muhafiz-web",
        "control_socket_disable": True,
    }


@click.command()
@click.option("--schedule", is_flag=True, help="Queue timed jobs besides, as the scheduler does.")
def worker(*, schedule: bool) -> None:
    """Run one worker alone: it takes due jobs from the queue until told to stop."""
    hold_memory()
    set_django_up()
    from muhafiz.jobs.worker import work

    stop = _stop_on_signals()
    beside = threading.Thread(target=_schedule, args=(stop,), name="scheduler")
    if schedule:
        beside.start()
    settle_objects()
    try:
        work(clock, stop)
    finally:
        stop.set()


def _schedule(stop: threading.Event) -> None:
    """Keep the schedule; when that ends in an error, the worker ends too and is started again."""
    from muhafiz.jobs.scheduler import keep_schedule

    try:
        keep_schedule(clock, stop)
    finally:
        stop.set()


@click.command()
def scheduler() -> None:
    """Run the scheduler alone: it puts timed jobs on the queue when their time comes."""
    set_django_up()
    from muhafiz.jobs.scheduler import keep_schedule

    keep_schedule(clock, _stop_on_signals())


@click.command()
def serve() -> None:
    """Run web, workers and scheduler, supervised, until stopped."""
    set_django_up()
    from django.conf import settings

    from muhafiz.config.supervisor import become_supervisor
    from muhafiz.health.queries import startup_faults

    faults = startup_faults(now=clock.now())
    for fault in faults:
        click.echo(f"{fault.what} {fault.mend}", err=True)
    if faults:
        sys.exit(1)
    become_supervisor(settings.BIND, workers=settings.WORKERS, threads=settings.WEB_THREADS)


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
