"""Which jobs exist. A room declares them in its `jobs.py`; the queue finds them at start."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any, Literal, TypeVar

from django.apps import apps
from django.utils.module_loading import module_has_submodule

from muhafiz.common.actor import Actor
from muhafiz.common.clock import Clock

_BEAT_EVERY = timedelta(seconds=1)

#: What the queue answers to a sign of life.
Answer = Literal["go on", "cancelled", "lost", "stopping"]


class JobCancelled(Exception):  # noqa: N818 - an end, not an error
    """A person cancelled the job; raised by `JobRun.report`, to be let through."""


class JobLost(Exception):  # noqa: N818 - an end, not an error
    """Another worker took the job over; raised by `JobRun.report`, to be let through."""


class WorkerStopping(Exception):  # noqa: N818 - an end, not an error
    """The worker was told to stop; raised by `JobRun.report`. The job goes back to the queue."""


class CannotSucceed(Exception):  # noqa: N818 - named for what is known
    """Raised by a job that knows a further attempt to be useless: it fails at once."""


class UnknownJob(LookupError):  # noqa: N818 - named for what is wrong
    """No room declares a job of this name."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job has come: `done` of `total` (None: unknown), and a note for people."""

    done: int | None = None
    total: int | None = None
    note: str = ""


class JobRun:
    """One run of a job, as the job sees it.

    `beat` keeps the progress and the lease; it tells whether to go on.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        beat: Callable[[Progress], Answer] = lambda _: "go on",
        *,
        job_id: int | None = None,
    ) -> None:
        self.name = name
        self.job_id = job_id
        self._clock = clock
        self._beat = beat
        self._progress = Progress()
        self._last_beat: datetime | None = None

    @property
    def actor(self) -> Actor:
        """The platform itself, working this job: for audit entries."""
        return Actor.job(self.name)

    @property
    def clock(self) -> Clock:
        """The clock this run goes by."""
        return self._clock

    def now(self) -> datetime:
        """The present moment, UTC."""
        return self._clock.now()

    def report(
        self, *, done: int | None = None, total: int | None = None, note: str | None = None
    ) -> None:
        """Tell how far the work has come; this keeps the job's lease.

        Call it between transactions (inside one, others see it only at its end), as often as you
        like: it is written once a second, and whenever `total` or `note` change or the end is
        reached. What is not given stays as it was.

        Raises:
            JobCancelled, JobLost, WorkerStopping: stop now, tidily.
        """
        before = self._progress
        self._progress = Progress(
            before.done if done is None else done,
            before.total if total is None else total,
            before.note if note is None else note,
        )
        if self._is_due(before):
            self._last_beat = self.now()
            _raise_for(self._beat(self._progress))

    def _is_due(self, before: Progress) -> bool:
        after = self._progress
        if self._last_beat is None or self.now() - self._last_beat >= _BEAT_EVERY:
            return True
        if (after.total, after.note) != (before.total, before.note):
            return True
        return after.done is not None and after.done == after.total


def _raise_for(answer: Answer) -> None:
    if answer == "cancelled":
        raise JobCancelled
    if answer == "lost":
        raise JobLost
    if answer == "stopping":
        raise WorkerStopping


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A declared job. `every` None: only when queued. `offset` shifts the slots of a timed job."""

    name: str
    function: Callable[..., None]
    every: timedelta | None
    offset: timedelta
    attempts: int
    lease: timedelta

    @property
    def description(self) -> str:
        """What people are told about it: the function's docstring."""
        return inspect.getdoc(self.function) or ""


_JOBS: dict[str, JobSpec] = {}
_Function = TypeVar("_Function", bound=Callable[..., None])


def job(
    name: str,
    *,
    every: timedelta | None = None,
    offset: timedelta = timedelta(0),
    attempts: int = 5,
    lease: timedelta = timedelta(minutes=10),
) -> Callable[[_Function], _Function]:
    """Declare a job: `@job("room.verb_noun")` over `def f(run: JobRun, *, …) -> None`.

    The keyword arguments are the job's payload, so they must be JSON. `every` makes it a timed job
    with one run per slot (all its arguments then need defaults). `lease`: how long it may stay
    silent before another worker takes it over, so longer than its longest step without `report`.

    Raises:
        ValueError: the name is taken, or the docstring for people is missing.
    """

    def declare(function: _Function) -> _Function:
        known = _JOBS.get(name)
        if known is not None and known.function.__module__ != function.__module__:
            raise ValueError(f"Two jobs are called {name}.")
        if not function.__doc__:
            raise ValueError(f"The job {name} lacks a docstring; people read it on the desk.")
        _JOBS[name] = JobSpec(name, function, every, offset, attempts, lease)
        return function

    return declare


def discover_jobs() -> None:
    """Import the `jobs` module of every installed app that has one.

    Raises:
        Exception: whatever a broken module raises; an unseen job would be a lost one.
    """
    for config in apps.get_app_configs():
        if config.module is not None and module_has_submodule(config.module, "jobs"):
            import_module(f"{config.name}.jobs")


def find_job(name: str) -> JobSpec:
    """The declared job.

    Raises:
        UnknownJob: there is none of this name.
    """
    spec = _JOBS.get(name)
    if spec is None:
        near = difflib.get_close_matches(name, _JOBS, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise UnknownJob(f"There is no job {name}.{hint}")
    return spec


def declared_jobs() -> list[JobSpec]:
    """Every declared job, by name."""
    return sorted(_JOBS.values(), key=lambda spec: spec.name)


def forget_job(name: str) -> Any:
    """Take a job off the register, for tests that declared one."""
    return _JOBS.pop(name, None)
