"""Random workflows over everything that asyncio offers inside one, as trees that real coroutines walk.

``grow`` makes a tree out of choices, which come from hypothesis (so that a failure shrinks) or from a seed. ``Walk``
runs one. What it sees on the way goes into a trace: two runs are the same if they asked for the same commands and saw
the same things in the same order.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec

from segue.authoring import dmn
from segue.authoring.python.classes import ClassForm
from segue.authoring.python.conditions import all_handlers_finished, wait_condition
from segue.authoring.python.deciding import decide
from segue.authoring.python.definitions import Step, Workflow
from segue.authoring.python.handlers import query, signal, update
from segue.authoring.python.inside import (
    continue_as_new,
    history,
    now,
    patched,
    set_attributes,
    should_continue,
    sleep,
    uuid4,
)
from segue.authoring.python.inside import random as segue_random
from segue.authoring.python.messages import MessagePolicy
from segue.authoring.python.others import other_run
from segue.authoring.python.saga import saga
from segue.authoring.python.tasks import approval
from segue.errors import CallerError, SegueError
from segue.kernel.retry import Retry
from segue.kernel.steps import StepSpec

Choose = Callable[[int], int]
"""A number from 0 to n - 1."""
Tree = tuple[Any, ...]

DELAYS = (0, 0.5, 1, 1, 2, 5, 30)
POLICIES = (
    MessagePolicy(),
    MessagePolicy(unknown_updates="keep", unfinished="finish"),
    MessagePolicy(unknown_signals="refuse", unknown_updates="fail"),
)
RETURN_WHEN = (asyncio.ALL_COMPLETED, asyncio.FIRST_COMPLETED, asyncio.FIRST_EXCEPTION)


def seeded(seed: int) -> Choose:
    return random.Random(seed).randrange


# --- steps ----------------------------------------------------------------------------------------------------


async def _echo(value: int) -> int:
    return value


async def _undo(value: int, result: int | None) -> Any: ...


STEPS: dict[str, Step[..., Any]] = {
    "alpha": Step(_echo, StepSpec("alpha")),
    "beta": Step(_echo, StepSpec("beta", retry=Retry(attempts=3))),
    "gamma": Step(_echo, StepSpec("gamma", on_exhausted="incident")),
}
UNDO: Step[..., Any] = Step(_undo, StepSpec("undo"))


async def _child(value: int) -> int:
    return value


MODEL = dmn.read(
    b"""<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" name="odd" namespace="urn:odd">
    <inputData id="n" name="n"><variable name="n" typeRef="number"/></inputData>
    <decision id="parity" name="parity">
      <informationRequirement><requiredInput href="#n"/></informationRequirement>
      <decisionTable><input><inputExpression><text>odd(n)</text></inputExpression></input><output/>
        <rule><inputEntry><text>true</text></inputEntry><outputEntry><text>n + 1</text></outputEntry></rule>
        <rule><inputEntry><text>false</text></inputEntry><outputEntry><text>n</text></outputEntry></rule>
      </decisionTable>
    </decision>
    </definitions>"""
)

CHILD: Workflow[..., Any] = Workflow(_child, "child")


# --- trees ----------------------------------------------------------------------------------------------------


def _number(choose: Choose) -> int:
    return choose(100)


def _delay(choose: Choose) -> float:
    return DELAYS[choose(len(DELAYS))]


def _name(choose: Choose) -> str:
    return ("alpha", "alpha", "beta", "gamma")[choose(4)]


_LEAVES: tuple[tuple[str, tuple[Callable[[Choose], Any], ...]], ...] = (
    ("step", (_name, _number)),
    ("step", (_name, _number)),
    ("step", (_name, _number)),
    ("sleep", (_delay,)),
    ("sleep", (_delay,)),
    ("put", (lambda c: c(3), _number)),
    ("get", (lambda c: c(3),)),
    ("set", (lambda c: c(3),)),
    ("wait_event", ()),
    ("notify", (lambda c: c(3),)),
    ("wait_condition", ()),
    ("barrier", ()),
    ("join", (lambda c: c(4),)),
    ("cancel", (lambda c: c(4),)),
    ("signal", (lambda c: c(2),)),
    ("chance", ()),
    ("attribute", (_number,)),
    ("patched", (lambda c: c(3),)),
    ("all_tasks", ()),
    ("callback", (_delay,)),
    ("future", ()),
    ("futures", (lambda c: c(4),)),
    ("raise", ()),
    ("child", (_number, lambda c: c(3) == 0)),
    ("approval", (_delay, lambda c: c(2) == 0)),
    ("handlers", ()),
    ("until", (lambda c: c(3), lambda c: (None, 1, 5)[c(3)])),
    ("calm", (_delay,)),
    ("send", (lambda c: c(3),)),
    ("continue", ()),
    ("decide", (lambda c: ("parity", "parity", "no such")[c(3)], _number)),
    ("nap", (_delay,)),
)
_INNER: tuple[tuple[str, tuple[Callable[[Choose], Any], ...], int], ...] = (
    ("sequence", (), 3),
    ("sequence", (), 4),
    ("gather", (lambda c: c(2) == 0,), 4),
    ("wait", (lambda c: RETURN_WHEN[c(3)], lambda c: (None, 1, 3)[c(3)], lambda c: c(2) == 0), 4),
    ("as_completed", (lambda c: (None, None, 2)[c(3)], lambda c: c(3)), 4),
    ("task_set", (), 5),
    ("task_dict", (), 4),
    ("group", (), 3),
    ("wait_for", (_delay,), 1),
    ("timeout", (_delay, lambda c: c(2) == 0), 1),
    ("shield", (_delay,), 1),
    ("spawn", (), 1),
    ("lock", (), 1),
    ("semaphore", (lambda c: c(2),), 1),
    ("repeat", (lambda c: 2 + c(3),), 1),
    ("attempt", (), 2),
    ("always", (), 2),
    ("stubborn", (), 2),
    ("saga", (_name, _number), 2),
    ("generator", (lambda c: c(3) == 0,), 4),
)
_PLAIN_LEAVES = tuple(leaf for leaf in _LEAVES if leaf[0] in ("step", "sleep", "attribute"))
_PLAIN_INNER = tuple(inner for inner in _INNER if inner[0] in ("sequence", "gather", "task_dict", "group", "repeat"))


def grow(choose: Choose, *, depth: int = 4, plain: bool = False) -> Tree:
    """A tree. ``plain``: its result does not depend on the order in which steps complete."""
    trunk = (grow_branch(choose, depth, plain) for _ in range(2 + choose(3)))
    return ("gather", choose(2) == 0 and not plain, *trunk)


def grow_branch(choose: Choose, depth: int, plain: bool) -> Tree:
    leaves, inner = (_PLAIN_LEAVES, _PLAIN_INNER) if plain else (_LEAVES, _INNER)
    if depth == 0 or choose(8) == 0:
        kind, parts = leaves[choose(len(leaves))]
        return (kind, *(part(choose) for part in parts))
    kind, parts, most = inner[choose(len(inner))]
    branches = most if most <= 2 else 1 + choose(most)
    return (kind, *(part(choose) for part in parts), *(grow_branch(choose, depth - 1, plain) for _ in range(branches)))


# --- walking them ---------------------------------------------------------------------------------------------


class Walk:
    """One run of a tree.

    Attributes:
        trace: what it has seen, in order.
        disturb: called at every node; a test allocates memory here, so that addresses differ from run to run.
    """

    def __init__(self, disturb: Callable[[], None] = lambda: None) -> None:
        self.trace: list[Any] = []
        self.disturb = disturb
        self._tasks: list[asyncio.Task[Any]] = []

    async def run(self, tree: Tree) -> Any:
        self.queues: list[asyncio.Queue[Any]] = [asyncio.Queue(1), asyncio.LifoQueue(), asyncio.PriorityQueue(2)]
        self.event = asyncio.Event()
        self.lock = asyncio.Lock()
        self.condition = asyncio.Condition()
        self.semaphores = [asyncio.Semaphore(1), asyncio.BoundedSemaphore(2)]
        self.barrier = asyncio.Barrier(2)
        self.bumps = 0
        self.going_on = False
        value = await self.visit(tree)
        if self.going_on:
            continue_as_new()
        return value

    async def visit(self, tree: Tree) -> Any:
        self.disturb()
        kind, *parts = tree
        try:
            value = await getattr(self, f"_{kind}")(*parts)
        except BaseException as error:
            self.see(kind, "raised", type(error).__name__, *([str(error)] if isinstance(error, SegueError) else []))
            raise
        self.see(kind, value)
        return value

    def see(self, *things: Any) -> None:
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        self.trace.append((getattr(task, "path", None), loop.time(), *things))

    def start(self, trees: tuple[Tree, ...]) -> list[asyncio.Task[Any]]:
        return [asyncio.create_task(self.visit(tree)) for tree in trees]

    # --- leaves

    async def _step(self, name: str, value: int) -> Any:
        return await STEPS[name](value)

    async def _sleep(self, delay: float) -> None:
        await asyncio.sleep(delay)

    async def _put(self, queue: int, value: int) -> None:
        await self.queues[queue].put(value)

    async def _get(self, queue: int) -> Any:
        return await self.queues[queue].get()

    async def _set(self, what: int) -> None:
        self.event.clear() if what == 0 else self.event.set()

    async def _wait_event(self) -> None:
        await self.event.wait()

    async def _notify(self, n: int) -> None:
        async with self.condition:
            self.condition.notify(n) if n else self.condition.notify_all()

    async def _wait_condition(self) -> None:
        async with self.condition:
            await self.condition.wait()

    async def _barrier(self) -> int:
        return await self.barrier.wait()

    async def _join(self, i: int) -> Any:
        if self._tasks:
            done, _ = await asyncio.wait([self._tasks[i % len(self._tasks)]], timeout=20)
            return len(done)

    async def _cancel(self, i: int) -> None:
        if self._tasks:
            self._tasks[i % len(self._tasks)].cancel()

    async def _signal(self, i: int) -> Any:
        return await signal(f"s{i}", int)

    async def _chance(self) -> str:
        return f"{uuid4()} {segue_random.random()} {now()}"

    async def _attribute(self, value: int) -> None:
        set_attributes(value=value)

    async def _patched(self, i: int) -> bool:
        return patched(f"p{i}")

    async def _all_tasks(self) -> list[str]:
        return [getattr(task, "path", "") for task in asyncio.all_tasks()]

    async def _callback(self, delay: float) -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(self.see, "soon")
        loop.call_later(delay, self.see, "later").cancel() if delay == 2 else loop.call_later(delay, self.see, "later")

    async def _future(self) -> Any:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        future.add_done_callback(lambda f: self.see("done", f.result()))
        loop.call_later(1, future.set_result, "future")
        return await future

    async def _futures(self, first: int) -> list[int]:
        loop = asyncio.get_running_loop()
        places = {loop.create_future(): place for place in range(5)}
        for future, place in places.items():
            loop.call_later(place // 3 if place != first else 0, future.set_result, place)
        done, _ = await asyncio.wait(set(places), return_when=asyncio.FIRST_COMPLETED)
        return [places[future] for future in done] + [places[future] for future in set(places)]

    async def _raise(self) -> None:
        raise LookupError("raised")

    async def _decide(self, decision: str, n: int) -> Any:
        return await decide(MODEL, decision, {"n": n})

    async def _child(self, value: int, detached: bool) -> Any:
        return await CHILD.child(value, detached=detached)

    async def _approval(self, delay: float, escalate: bool) -> Any:
        answer = await approval("ann", timeout=delay + 1, escalate="bob" if escalate else None)
        return answer.approved

    async def _continue(self) -> None:
        try:
            continue_as_new()
        except CallerError:  # in a task; the root goes on as a new run when all is done
            self.going_on = True

    async def _nap(self, delay: float) -> tuple[int, bool]:
        await sleep(delay, summary="a nap")
        return history().events, should_continue(9)

    async def _handlers(self) -> None:
        @update
        async def bump(value: int) -> Any:
            self.bumps += 1
            return await self.visit(("step", "alpha", value))

        @bump.validator
        def small(value: int) -> None:
            if value > 6:
                raise ValueError("too much")

        @signal
        async def s2(value: int) -> None:
            await self.visit(("sleep", value))

        @query
        def look() -> int:
            return len(self.trace)

    async def _until(self, which: int, timeout: float | None) -> int:
        """Waits for a condition, and takes what it waited for: two that wait for the same must not both get it."""
        await wait_condition(lambda: self.bumps > which, timeout=timeout)
        self.bumps -= 1
        return self.bumps

    async def _calm(self, timeout: float) -> None:
        await wait_condition(all_handlers_finished, timeout=timeout + 1)

    async def _send(self, how: int) -> None:
        other = other_run("other")
        await (other.cancel("enough") if how == 0 else other.signal(f"s{how}", how))

    # --- inner nodes

    async def _sequence(self, *trees: Tree) -> list[Any]:
        return [await self.visit(tree) for tree in trees]

    async def _gather(self, return_exceptions: bool, *trees: Tree) -> list[Any]:
        return map_errors(await asyncio.gather(*map(self.visit, trees), return_exceptions=return_exceptions))

    async def _wait(self, return_when: str, timeout: float | None, as_set: bool, *trees: Tree) -> list[Any]:
        tasks: Any = self.start(trees)
        inner = asyncio.gather(*tasks[:2], return_exceptions=True)
        waited = {*tasks, inner} if as_set else [*tasks, inner]
        done, pending = await asyncio.wait(waited, timeout=timeout, return_when=return_when)
        for task in pending:
            self.see("pending", getattr(task, "path", "gathering"))
            task.cancel()
        for task in done:
            self.see("done", getattr(task, "path", "gathering"), task.cancelled())
        return await asyncio.gather(*pending, return_exceptions=True) and []

    async def _as_completed(self, timeout: float | None, how: int, *trees: Tree) -> list[Any]:
        what: Any = [self.visit(tree) for tree in trees] if how == 0 else self.start(trees)
        found: list[Any] = []
        for nearest in asyncio.as_completed(set(what) if how == 2 else what, timeout=timeout):
            try:
                found.append(await nearest)
            except (SegueError, LookupError, TimeoutError) as error:
                found.append(type(error).__name__)
        return found

    async def _task_set(self, *trees: Tree) -> list[Any]:
        found = []
        for task in set(self.start(trees)):
            self.see("next", getattr(task, "path", ""))
            found += map_errors(await asyncio.gather(task, return_exceptions=True))
        return found

    async def _task_dict(self, *trees: Tree) -> list[Any]:
        places = {task: place for place, task in enumerate(self.start(trees))}
        return [(place, await task) for task, place in places.items()]

    async def _group(self, *trees: Tree) -> list[Any]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.visit(tree)) for tree in trees]
        return [task.result() for task in tasks]

    async def _wait_for(self, delay: float, tree: Tree) -> Any:
        return await asyncio.wait_for(self.visit(tree), delay)

    async def _timeout(self, delay: float, absolute: bool, tree: Tree) -> Any:
        when = asyncio.get_running_loop().time() + delay
        async with asyncio.timeout_at(when) if absolute else asyncio.timeout(delay):
            return await self.visit(tree)

    async def _shield(self, delay: float, tree: Tree) -> Any:
        task = asyncio.create_task(self.visit(tree))
        self._tasks.append(task)
        try:
            return await asyncio.wait_for(asyncio.shield(task), delay)
        except TimeoutError:
            return "not yet"

    async def _spawn(self, tree: Tree) -> None:
        self._tasks.append(asyncio.create_task(self.visit(tree)))

    async def _lock(self, tree: Tree) -> Any:
        async with self.lock:
            return await self.visit(tree)

    async def _semaphore(self, which: int, tree: Tree) -> Any:
        async with self.semaphores[which]:
            return await self.visit(tree)

    async def _repeat(self, times: int, tree: Tree) -> list[Any]:
        return [await self.visit(tree) for _ in range(times)]

    async def _attempt(self, tree: Tree, otherwise: Tree) -> Any:
        try:
            return await self.visit(tree)
        except Exception:
            return await self.visit(otherwise)

    async def _always(self, tree: Tree, afterwards: Tree) -> Any:
        try:
            return await self.visit(tree)
        finally:
            await self.visit(afterwards)

    async def _stubborn(self, tree: Tree, afterwards: Tree) -> Any:
        try:
            return await self.visit(tree)
        except BaseException as error:
            self.see("caught", type(error).__name__)
            return await self.visit(afterwards)

    async def _saga(self, name: str, value: int, tree: Tree, last: Tree) -> Any:
        async with saga() as s:
            await s.step(STEPS[name], value, undo=UNDO)
            await self.visit(tree)
            s.undo(self._undo, last)
            return await s.step(STEPS["alpha"], value + 1, undo=UNDO)

    async def _undo(self, tree: Tree) -> None:
        try:
            await self.visit(tree)
        except Exception as error:
            self.see("not undone", repr(error))

    async def _generator(self, leave: bool, *trees: Tree) -> list[Any]:
        found = []
        async for value in self._stream(trees):
            found.append(value)
            if leave:
                break
        return found

    async def _stream(self, trees: tuple[Tree, ...]) -> AsyncIterator[Any]:
        try:
            for tree in trees:
                yield await self.visit(tree)
        finally:
            self.see("stream ends")
            await asyncio.sleep(0.25)


def map_errors(found: list[Any]) -> list[Any]:
    return [repr(x) if isinstance(x, BaseException) else x for x in found]


def workflow(tree: Tree, walks: list[Walk], disturb: Callable[[], None] = lambda: None) -> Workflow[..., Any]:
    """A workflow that walks the tree; each of its runs, replays included, adds its walk. Whether it is a function or a
    class, and what it does with messages, depends on the tree."""
    which = len(msgspec.json.encode(tree))
    policy = POLICIES[which % len(POLICIES)]

    async def walk() -> Any:
        walks.append(Walk(disturb))
        return await walks[-1].run(tree)

    class Walker:
        def __init__(self) -> None:
            self.walk = Walk(disturb)
            walks.append(self.walk)

        @update
        async def bump(self, value: int) -> Any:
            self.walk.bumps += 1
            return await self.walk.visit(("step", "beta", value))

        @signal
        def s1(self, value: int) -> None:
            self.walk.bumps += value

        @query
        def look(self) -> int:
            return len(self.walk.trace)

        async def run(self) -> Any:
            return await self.walk.run(tree)

    if which % 2:
        return Workflow(walk, "walk", policy=policy)
    form = ClassForm(Walker)
    return Workflow(form.function, "walk", policy=policy, form=form)
