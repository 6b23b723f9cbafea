"""Plays an example in a process of its own, kills it at random moments, and begins again until it is done.

A process says on its standard output how far it is (``example_plays``); ``play`` kills it when it has come to an event,
and a little later than that, so that the moment lies anywhere in the work.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import services

PLAYS = Path(__file__).parent / "example_plays.py"
EXAMPLES = Path(services.__file__).parent
PATIENCE = 120.0
"""Seconds after which a process that does not go on is a failure."""


class Kill(NamedTuple):
    """When to kill: at the n-th event of the journal (0: as soon as the database is open), and so much later."""

    event: int
    later: float


class Ending(NamedTuple):
    """How a play ended: what the run came to, and how many events it took."""

    outcome: Any
    events: int


def moments(seed: str, events: int, *, kills: int = 3, later: float = 0.03) -> list[Kill]:
    """Random moments in a run of so many events, the same ones for the same seed."""
    draw = random.Random(seed)
    return sorted(Kill(draw.randint(0, events - 1), draw.uniform(0, later)) for _ in range(kills))


def play(name: str, folder: Path, *args: str, kills: Sequence[Kill] = ()) -> Ending:
    """Plays an example to its end, through all these deaths. ``kill -9`` each time: nothing is said goodbye to."""
    folder.mkdir(parents=True, exist_ok=True)
    for kill in [*kills, None]:
        ending = _act(name, folder, args, kill)
        if ending is not None and kill is None:
            return ending
    raise AssertionError(f"{name} ended without an outcome")


def _act(name: str, folder: Path, args: Sequence[str], kill: Kill | None) -> Ending | None:
    events, outcome = 0, None
    command = [sys.executable, str(PLAYS), name, str(folder), *args]
    with (folder / "errors.txt").open("a") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=folder)
    hang = threading.Timer(PATIENCE, process.kill)
    hang.start()
    try:
        assert process.stdout is not None
        for line in process.stdout:
            word, _, rest = line.partition(" ")
            if word == "event":
                events = int(rest)
                if kill is not None and events >= kill.event:
                    time.sleep(kill.later)  # anywhere between this event and what follows
                    process.kill()
                    break
            elif word == "outcome":
                outcome = Ending(json.loads(rest), events)
    finally:
        hang.cancel()
        if kill is not None:
            process.kill()
        process.wait()
        process.stdout.close()
    if kill is None and outcome is None:
        said = (folder / "errors.txt").read_text()[-3000:]
        raise AssertionError(f"{name} ended with code {process.returncode}, at event {events}, and no outcome:\n{said}")
    return outcome


def script(name: str, folder: Path, *args: str, command: Sequence[str] = ()) -> str:
    """What ``python examples/NAME.py`` prints, run the way a reader runs it."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = {k: v for k, v in os.environ.items() if k != "EXAMPLE_SERVICES"}
    done = subprocess.run(
        [sys.executable, *command, str(EXAMPLES / f"{name}.py"), *args], cwd=folder, env=environment, timeout=PATIENCE,
        capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def services_in(folder: Path, faults: dict[str, list[str]] | None = None) -> Iterator[None]:
    """The services in a process of their own, which lives on when an example is killed."""
    command = [sys.executable, str(EXAMPLES / "services.py"), str(folder)]
    process = subprocess.Popen(
        command + ([json.dumps(faults)] if faults is not None else []), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()  # one line for each service, once all of them listen
        yield
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


class Around:
    """What the services hold by now."""

    def book(self, service: str, kind: str | None = None) -> list[dict[str, Any]]:
        """The entries of a service's book."""
        return [entry for entry in services.holds(service)["book"] if kind in (None, entry["kind"])]

    def states(self, service: str, kind: str) -> list[str]:
        """The states of its entries of a kind."""
        return [entry["state"] for entry in self.book(service, kind)]

    @property
    def stock(self) -> dict[str, int]:
        """What stands in the warehouse."""
        found: dict[str, int] = services.holds("warehouse")["stock"]
        return found
