"""Instants at every full hour, and runs that are what a table says, for the tests of schedules."""

from __future__ import annotations

from segue.kernel.schedule import Fact, run_id

HOUR = 3_600_000_000


class Hours:
    """Every full hour from the epoch on."""

    def after(self, at: int) -> int | None:
        return at // HOUR * HOUR + HOUR

    def before(self, at: int) -> int | None:
        return (at - 1) // HOUR * HOUR


class Runs:
    """Runs by id: their state, and when they started and closed (hours)."""

    def __init__(self, **states: tuple[str, float, float | None]) -> None:
        self.facts = {id: Fact(id, *self._times(*known)) for id, known in states.items()}

    @staticmethod
    def _times(state: str, started: float, closed: float | None) -> tuple[str, int, int | None]:
        return state, int(started * HOUR), None if closed is None else int(closed * HOUR)

    def add(self, id: str, state: str, started: float, closed: float | None = None) -> Runs:
        self.facts[id] = Fact(id, *self._times(state, started, closed))
        return self

    def of(self, schedule: str, due: int) -> list[Fact]:
        base = run_id(schedule, due)
        return [fact for id, fact in self.facts.items() if id == base or id.startswith(f"{base}/")]

    def open(self, id: str) -> bool:
        return id in self.facts and self.facts[id].state == "running"

    def completed(self, id: str) -> bool:
        return id in self.facts and self.facts[id].state == "completed"


def at(hour: float) -> int:
    return int(hour * HOUR)


def run(hour: int) -> str:
    return run_id("s", at(hour))
