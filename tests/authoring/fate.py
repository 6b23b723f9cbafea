"""What happens to a run, by choice: outcomes in any order, timers on time or late, messages, losses, cancellation.

A choice depends on what the run waits for and on nothing else, so that the same choices mean the same history whether
the run stays in memory or is dropped and replayed after every event.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from programs import Choose
from world import World

from segue.errors import CallerError

_WAITS = (0, 0, 0, 0.5, 1, 3)
_MOST_EVENTS = 150


def befall(world: World, choose: Choose, *, kind: bool = False) -> None:
    """Lets things happen until the run has ended or nothing more can. ``kind``: nothing fails, nothing is cancelled."""
    world.start()
    patience = 6
    while world.end is None and len(world.answers) < _MOST_EVENTS:
        moves = _moves(world, kind)
        if moves and not (kind is False and choose(12) == 0):
            if not kind:
                world.wait(_WAITS[choose(len(_WAITS))])
            moves[choose(len(moves))]()
        elif kind or patience == 0:
            return
        else:
            patience -= 1
            _nudge(world, choose, patience)


def _moves(world: World, kind: bool) -> list[Callable[[], object]]:
    moves: list[Callable[[], object]] = []
    for key, step in world.steps.items():
        value = sum(key.encode()) + step.attempt
        moves += [lambda key=key, value=value: world.complete(key, value)] * 3  # type: ignore[misc]
        if not kind:
            moves += [lambda key=key: _fail(world, key), lambda key=key: world.lose(key)]  # type: ignore[misc]
    for key in world.children:
        if key not in world.begun:
            moves.append(lambda key=key: world.child_started(key))  # type: ignore[misc]
        else:
            moves += [lambda key=key, s=s: world.child_ended(key, s, 7) for s in ("completed", "failed", "cancelled")]  # type: ignore[misc]
    for key in world.messages:
        moves += [lambda key=key, s=s: world.delivered(key, s) for s in ("", "", "unknown", "completed")]  # type: ignore[misc]
    for key in world.decisions:
        moves += [lambda key=key: world.decided(key)] * 2  # type: ignore[misc]
    for key in world.tasks:
        moves.append(lambda key=key: world.answer(key, {"approved": True}))  # type: ignore[misc]
    if not kind:
        fresh = [key for key in world.steps if key not in world.scheduled]
        moves += [lambda key=key: world.schedule(key) for key in fresh[:1]]  # type: ignore[misc]
        moves += [lambda key=key: world.pause(key) for key in fresh[1:2]]  # type: ignore[misc]
        moves += [lambda key=key: world.resume(key) for key in sorted(world.held)]  # type: ignore[misc]
        moves.append(lambda: _interrupt(world))
    for key in sorted(world.incidents):
        moves.append(lambda key=key: world.resolve(key))  # type: ignore[misc]
    if world.execution.deadline is not None:
        moves += [world.fire, lambda: world.fire(0.5), lambda: world.fire(4)]
    return moves


def _interrupt(world: World) -> None:
    """A person pauses the run, and it goes on after something has come in and timers have become due."""
    world.pause()
    if world.end is not None:
        return  # by a timer that was due before
    for key in list(world.steps)[:1]:
        world.complete(key, 1)
    world.wait(2)
    world.signal("s1", 1)
    world.wait(2)
    world.resume()


def _fail(world: World, key: str) -> None:
    step = world.steps[key]
    if step.failures + 1 < step.spec.retry.attempts:
        world.fail(key, retry_in=2)
    elif step.spec.on_exhausted == "incident":
        world.exhaust(key)
    else:
        world.fail(key)


def _nudge(world: World, choose: Choose, patience: int) -> None:
    if patience <= 1 and choose(2):
        world.cancel("enough")
    else:
        match choose(5):
            case 0:
                world.accept_update("bump", choose(9), id=f"u{patience}")
            case n:
                world.signal(f"s{n % 3}", choose(9))
    with suppress(CallerError):
        world.query("look")
