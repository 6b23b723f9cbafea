"""A run that is run again from what failed: what does not follow from the failure is not done once more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

import segue
from segue import Engine, Handle, Retry, RunFailed, StepFailed, saga, step, workflow
from segue.errors import StoreUnavailable
from segue.kernel import events as e
from segue.runtime import decisions

Until = Callable[[Callable[[], bool | Awaitable[bool]]], Awaitable[None]]
BROKEN: set[str] = set()
acts: list[str] = []
gates: dict[str, asyncio.Event] = {}


@pytest.fixture(autouse=True)
def nothing_broken() -> Iterator[None]:
    yield
    BROKEN.clear()
    acts.clear()
    gates.clear()


def act(what: str) -> None:
    acts.append(what)
    if what in BROKEN:
        raise RuntimeError(f"{what} is broken")


def gate(name: str) -> asyncio.Event:
    return gates.setdefault(name, asyncio.Event())


@step(name="sparing.part")
async def part(n: int) -> int:
    if f"part {n}" in gates:
        await gates[f"part {n}"].wait()
    act(f"part {n}")
    return n


@step(name="sparing.fetch")
async def fetch(what: str) -> str:
    if f"fetch {what}" in gates:
        await gates[f"fetch {what}"].wait()
    act(f"fetch {what}")
    return what


@step(name="sparing.load")
async def load(what: str) -> str:
    if f"load {what}" in gates:
        await gates[f"load {what}"].wait()
    act(f"load {what}")
    segue.artifact.markdown(f"log {what}", what)
    return what.upper()


@step(name="sparing.clean")
async def clean(what: str) -> None:
    act(f"clean {what}")


@step(name="sparing.instead")
async def instead(what: str) -> str:
    act(f"instead {what}")
    return "instead"


@step(name="sparing.twice", retry=Retry(attempts=2, initial="1ms", jitter=0))
async def twice(what: str) -> str:
    """Its first attempt is in the journal before anything that waits."""
    if f"twice {what}" in acts:
        await gate("second").wait()
    act(f"twice {what}")
    return what


@step(name="sparing.free")
async def free(what: str, held: str | None) -> None:
    act(f"free {what}")


async def failed(handle: Handle[Any], match: str = "is broken") -> None:
    with pytest.raises(RunFailed, match=match):
        await handle.result(timeout=30)


async def again(handle: Handle[Any], **more: Any) -> tuple[Any, list[str]]:
    """Retries it with nothing broken; its result, and what was done for that."""
    BROKEN.clear()
    acts.clear()
    return await (await handle.retry_from(**more)).result(timeout=30), sorted(acts)


# --- maps -------------------------------------------------------------------------------------------------------


@workflow(name="sparing.parts")
async def parts(concurrency: int | None, upto: int = 8, begin: int = 0) -> int:
    await fetch("list")
    return sum(await part.map(range(begin, upto), concurrency=concurrency))


@pytest.mark.parametrize("concurrency", [None, 3, 1])
async def test_of_a_map_only_what_failed_runs_again(engine: Engine, concurrency: int | None) -> None:
    BROKEN.update(("part 2", "part 5"))
    handle = await engine.start(parts, concurrency)
    await failed(handle)
    effect = await asyncio.to_thread(engine.preview, handle.run, step="failed")
    assert [key.rpartition("/")[2] for key in effect.again] == ["sparing.part"] * 2
    assert len(effect.kept) == 7
    assert await again(handle) == (28, ["part 2", "part 5"])


async def test_what_is_answered_says_where_from(engine: Engine) -> None:
    BROKEN.add("part 0")
    handle = await engine.start(parts, None, 3)
    await failed(handle)
    BROKEN.clear()
    retried = await handle.retry_from()
    assert await retried.result(timeout=30) == 3
    made = {event.key: n for n, event in engine.events_of(handle.run) if isinstance(event, e.StepCompleted)}
    cached = [event for _, event in engine.events_of(retried.run) if isinstance(event, e.StepCached)]
    assert {event.key for event in cached} == {key for key in made if key.endswith("sparing.part")}
    for event in cached:
        assert (event.source_run, event.source, event.source_seq) == (handle.run, handle.id, made[event.key])


@workflow(name="sparing.one-by-one")
async def one_by_one() -> int:
    """Fails at once, whatever else there would be to do."""
    turn = asyncio.Semaphore(1)

    async def in_turn(n: int) -> int:
        async with turn:
            return await part(n)

    _, *found = await asyncio.gather(twice("a"), *[in_turn(n) for n in range(40)])
    return sum(int(n) for n in found)


async def failed_twice(engine: Engine, until: Until) -> Handle[int]:
    """The second failure comes before most of what was spared has been asked for."""
    BROKEN.add("twice a")
    handle = await engine.start(one_by_one)
    await until(lambda: "part 39" in acts)
    gate("second").set()
    await failed(handle)
    acts.clear()
    gates.clear()
    gate("second").set()
    second = await handle.retry_from()
    await failed(second)
    assert acts == ["twice a"] * 2
    assert sum(isinstance(event, e.StepCached) for _, event in engine.events_of(second.run)) < 40
    return second


async def test_one_that_fails_again_spares_what_it_has_not_come_to(engine: Engine, until: Until) -> None:
    second = await failed_twice(engine, until)
    assert await again(second) == (780, ["twice a"])


async def test_from_a_step_of_it_on_nothing_is_spared(engine: Engine, until: Until) -> None:
    second = await failed_twice(engine, until)
    for n in range(40):
        gate(f"part {n}").set()
    result, acted = await again(second, step="/0/sparing.twice")
    assert result == 780
    assert "part 39" in acted


async def test_other_arguments_are_other_calls(engine: Engine) -> None:
    BROKEN.add("part 1")
    handle = await engine.start(parts, None, 3)
    await failed(handle)
    assert await again(handle, args=(None, 4)) == (6, ["part 1", "part 3"])


async def test_a_call_that_is_given_something_else_runs(engine: Engine) -> None:
    BROKEN.add("part 0")
    handle = await engine.start(parts, None, 3)
    await failed(handle)
    assert await again(handle, args=(None, 13, 10)) == (33, ["part 10", "part 11", "part 12"])


async def test_from_a_step_on_all_runs_again(engine: Engine) -> None:
    BROKEN.add("part 0")
    handle = await engine.start(parts, 1, 3)
    await failed(handle)
    key = next(event.key for _, event in engine.events_of(handle.run) if isinstance(event, e.StepFailed))
    assert await again(handle, step=key) == (3, ["part 0", "part 1", "part 2"])


async def test_what_was_erased_runs_again(engine: Engine, until: Until) -> None:
    BROKEN.add("part 0")
    handle = await engine.start(parts, 1, 3)
    await failed(handle)
    BROKEN.clear()
    acts.clear()
    gate("part 0")
    forked = await handle.fork(step="failed")  # of an id of its own
    await engine.erase(handle.run)
    gate("part 0").set()
    assert await forked.result(timeout=30) == 3
    assert acts == ["part 0", "part 1", "part 2"]


async def test_a_database_that_is_away_for_a_moment_is_asked_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    BROKEN.add("part 0")
    handle = await engine.start(parts, None, 3)
    await failed(handle)
    event, asked = engine.store.event, 0

    def away(run: int, seq: int) -> bytes | None:
        nonlocal asked
        asked += 1
        if asked <= 2:
            raise StoreUnavailable("for a moment")
        return event(run, seq)

    monkeypatch.setattr(engine.store, "event", away)
    assert await again(handle) == (3, ["part 0"])
    assert asked == 4


# --- pipelines --------------------------------------------------------------------------------------------------


async def pipeline(what: str) -> str:
    return await load(await fetch(what))


@workflow(name="sparing.pipelines")
async def pipelines() -> list[str]:
    found = await asyncio.gather(*[pipeline(what) for what in "abc"], return_exceptions=True)
    for each in found:
        if isinstance(each, BaseException):
            raise each
    return [str(each) for each in found]


async def test_what_failed_in_different_steps_needs_one_retry(engine: Engine, until: Until) -> None:
    BROKEN.update(("load a", "fetch c"))
    gate("fetch c")
    gate("load a")
    handle = await engine.start(pipelines)
    await until(lambda: "load b" in acts)
    gate("fetch c").set()
    await until(lambda: "fetch c" in acts)
    gate("load a").set()
    await failed(handle, "load a is broken")
    assert await again(handle) == (["A", "B", "C"], ["fetch c", "load a", "load c"])


async def test_artifacts_come_along(engine: Engine, until: Until) -> None:
    BROKEN.add("fetch a")
    gate("fetch a")
    handle = await engine.start(pipelines)
    await until(lambda: {"load b", "load c"} <= set(acts))
    gate("fetch a").set()
    await failed(handle)
    BROKEN.clear()
    acts.clear()
    retried = await handle.retry_from()
    assert await retried.result(timeout=30) == ["A", "B", "C"]
    assert sorted(acts) == ["fetch a", "load a"]
    assert sorted(each.name for each in await engine.artifacts(retried.run)) == ["log a", "log b", "log c"]


@workflow(name="sparing.cleaning")
async def cleaning() -> str:
    """A task that is cancelled while it sleeps, and cleans up."""

    async def rests() -> str:
        try:
            await asyncio.sleep(0.05)
            return await load("late")
        finally:
            await clean("late")

    async with asyncio.TaskGroup() as tasks:
        rested = tasks.create_task(rests())
        tasks.create_task(fetch("a"))
    return rested.result()


async def test_what_a_cancelled_task_did_in_the_end_is_done_again(engine: Engine) -> None:
    BROKEN.add("fetch a")
    handle = await engine.start(cleaning)
    await failed(handle, "unhandled errors")
    assert acts == ["fetch a", "clean late"]
    assert await again(handle) == ("LATE", ["clean late", "fetch a", "load late"])


@workflow(name="sparing.undoing")
async def undoing() -> str:
    async def holds() -> str:
        async with saga() as undone:
            held = await undone.step(load, "held", undo=free)
            await fetch("beside")
            return held

    async with asyncio.TaskGroup() as tasks:
        holding = tasks.create_task(holds())
        tasks.create_task(twice("a"))
        tasks.create_task(fetch("elsewhere"))
    return holding.result()


async def test_what_was_undone_is_done_again(engine: Engine, until: Until) -> None:
    BROKEN.add("twice a")
    for what in ("load held", "fetch beside", "fetch elsewhere"):
        gate(what)
    handle = await engine.start(undoing)
    await until(lambda: "twice a" in acts)
    gate("load held").set()
    gate("fetch elsewhere").set()
    await until(lambda: {"load held", "fetch elsewhere"} <= set(acts))
    gate("second").set()
    await until(lambda: acts.count("twice a") == 2)
    gate("fetch beside").set()
    await failed(handle, "unhandled errors")
    assert acts[-1] == "free held"
    assert (await again(handle))[1] == ["fetch beside", "load held", "twice a"]


@workflow(name="sparing.falling-back")
async def falling_back(quick: bool) -> list[str]:
    async def tries() -> str:
        try:
            return await load("x")
        except StepFailed:
            return await instead("x")

    return list(await asyncio.gather(tries(), fetch("a") if quick else twice("a")))


async def test_what_answered_to_a_failure_that_is_not_kept_is_done_again(engine: Engine, until: Until) -> None:
    BROKEN.update(("load x", "twice a"))
    gate("load x")
    handle = await engine.start(falling_back, False)
    await until(lambda: "twice a" in acts)
    gate("load x").set()
    await until(lambda: "instead x" in acts)
    gate("second").set()
    await failed(handle)
    BROKEN.remove("twice a")
    acts.clear()
    assert await (await handle.retry_from()).result(timeout=30) == ["instead", "a"]
    assert sorted(acts) == ["instead x", "load x", "twice a"]


async def test_a_failure_that_the_workflow_has_lived_with_is_kept(engine: Engine, until: Until) -> None:
    BROKEN.update(("load x", "fetch a"))
    gate("fetch a")
    handle = await engine.start(falling_back, True)
    await until(lambda: "instead x" in acts)
    await until(lambda: any(isinstance(event, e.StepCompleted) for _, event in engine.events_of(handle.run)))
    gate("fetch a").set()
    await failed(handle)
    assert await again(handle) == (["instead", "a"], ["fetch a"])


# --- children ---------------------------------------------------------------------------------------------------


@workflow(name="sparing.child")
async def child(n: int) -> int:
    return await part(n)


@workflow(name="sparing.family")
async def family() -> int:
    return sum(await asyncio.gather(*[child(n) for n in range(4)]))


@workflow(name="sparing.patient-family")
async def patient_family() -> int:
    found = await asyncio.gather(*[child(n) for n in range(4)], return_exceptions=True)
    for each in found:
        if isinstance(each, BaseException):
            raise each
    return sum(each for each in found if isinstance(each, int))


@pytest.mark.parametrize("of", [family, patient_family])
async def test_a_child_that_has_ended_is_not_started_again(engine: Engine, until: Until, of: Any) -> None:
    BROKEN.add("part 0")
    gate("part 0")
    for n in (1, 2, 3):
        gate(f"part {n}").set()
    handle = await engine.start(of, id="family")
    await until(lambda: sum(isinstance(x, e.ChildCompleted) for _, x in engine.events_of(handle.run)) == 3)
    gate("part 0").set()
    await failed(handle)
    assert await again(handle) == (6, ["part 0"])
    retried = await engine.handle("family")
    there = {x.key: (x.id, x.run) for _, x in engine.events_of(handle.run) if isinstance(x, e.ChildStarted)}
    here = {x.key: (x.id, x.run) for _, x in engine.events_of(retried.run) if isinstance(x, e.ChildStarted)}
    assert len(there) == len(here) == 4
    assert sum(there[key] == here[key] for key in here) == 3


# --- people -----------------------------------------------------------------------------------------------------


@workflow(name="sparing.asked-beside")
async def asked_beside(late: bool) -> list[str]:
    """Somebody is asked while a step has its attempts, which fail in the end; ``late``: once they have begun."""

    async def ask(name: str) -> str:
        if late:
            await fetch(name)
        answer = await segue.approval("boss", name=name)
        return f"{name} {answer.by}"

    names = [ask("one"), ask("other")] if late else [ask("one")]
    *found, _ = await asyncio.gather(*names, twice("a"))
    return [str(each) for each in found]


async def answer_as(engine: Engine, name: str, person: str, until: Until) -> None:
    async def asked() -> bool:
        return name in [task.name for task in await engine.tasks()]

    await until(asked)
    (task,) = [task for task in await engine.tasks() if task.name == name]
    await engine.complete_task(task, segue.Approval(True), by=person)


async def answered(engine: Engine, handle: Handle[Any], count: int, until: Until) -> None:
    def recorded() -> bool:
        return sum(isinstance(event, e.TaskCompleted) for _, event in engine.events_of(handle.run)) == count

    await until(recorded)


async def test_people_are_not_asked_again_what_they_had_answered(engine: Engine, until: Until) -> None:
    BROKEN.add("twice a")
    handle = await engine.start(asked_beside, False)
    await answer_as(engine, "one", "ann", until)
    await answered(engine, handle, 1, until)
    gate("second").set()
    await failed(handle)
    BROKEN.clear()
    gate("second").clear()
    retried = await handle.retry_from()
    assert await engine.tasks() == []
    gate("second").set()
    assert await retried.result(timeout=30) == ["one ann"]
    assert acts == ["twice a"] * 3


async def test_a_task_that_came_after_the_failing_attempt_is_not_asked_again(engine: Engine, until: Until) -> None:
    BROKEN.add("twice a")
    gate("fetch one")
    gate("fetch other")
    handle = await engine.start(asked_beside, True)
    await until(lambda: "twice a" in acts)
    gate("fetch one").set()
    gate("fetch other").set()
    await answer_as(engine, "one", "ann", until)
    await answered(engine, handle, 1, until)
    gate("second").set()
    await failed(handle)
    effect = await asyncio.to_thread(engine.preview, handle.run, step="failed")
    assert [key.rpartition("/")[2] for key in effect.kept if key.endswith("one")] == ["one"]
    BROKEN.clear()
    acts.clear()
    retried = await handle.retry_from()
    await answer_as(engine, "other", "bob", until)
    assert await retried.result(timeout=30) == ["one ann", "other bob"]
    assert acts == ["twice a"]
    tasks = [event for _, event in engine.events_of(retried.run) if isinstance(event, e.TaskCompleted)]
    assert [event.actor for event in tasks] == ["user:ann", "user:bob"]


@workflow(name="sparing.asked-after")
async def asked_after() -> str:
    """Whether it is worth going on is asked with the failure in view."""
    try:
        await fetch("a")
    except StepFailed:
        answer = await segue.approval("boss", name="go on")
        await load(answer.by)
        raise
    return await load("a")


async def test_what_was_answered_with_the_failure_in_view_is_asked_again(engine: Engine, until: Until) -> None:
    BROKEN.add("fetch a")
    handle = await engine.start(asked_after)
    await answer_as(engine, "go on", "ann", until)
    await failed(handle)
    retried = await handle.retry_from()
    await answer_as(engine, "go on", "bob", until)
    await failed(retried)
    assert acts[-1] == "load bob"


@workflow(name="sparing.asked-much")
async def asked_much(count: int, in_turn: bool, about: str = "") -> str:
    async def ask(n: int) -> str:
        return (await segue.approval("boss", name=f"{n}", subject=about or None)).by

    async def ask_all() -> list[str]:
        if in_turn:
            return [await ask(n) for n in range(count)]
        return list(await asyncio.gather(*[ask(n) for n in range(count)]))

    async def questions() -> list[str]:
        await fetch("questions")
        return await ask_all()

    names, _ = await asyncio.gather(questions(), twice("a"))
    return "".join(names)


async def much_answered(engine: Engine, until: Until, count: int, in_turn: bool) -> Handle[str]:
    """All is answered behind the beginning of what fails then."""
    BROKEN.add("twice a")
    gate("fetch questions")
    handle = await engine.start(asked_much, count, in_turn)
    await until(lambda: "twice a" in acts)
    gate("fetch questions").set()
    for n in range(count):
        await answer_as(engine, f"{n}", "abc"[n % 3], until)
    await answered(engine, handle, count, until)
    gate("second").set()
    await failed(handle)
    return handle


@pytest.mark.parametrize("in_turn", [False, True])
async def test_of_many_that_were_asked_nobody_is_asked_again(
    engine: Engine, until: Until, monkeypatch: pytest.MonkeyPatch, in_turn: bool
) -> None:
    handle = await much_answered(engine, until, 120, in_turn)
    monkeypatch.setattr(decisions, "AT_ONCE", 0)  # an answer does not wait for a commit, in which it could be lost
    assert await again(handle) == ("abc" * 40, ["twice a"])
    assert await engine.tasks() == []


async def test_who_is_asked_something_else_is_asked(engine: Engine, until: Until) -> None:
    handle = await much_answered(engine, until, 1, True)
    BROKEN.clear()
    forked = await handle.fork(step="failed", args=(1, True, "something else"))
    await answer_as(engine, "0", "eve", until)
    assert await forked.result(timeout=30) == "eve"


@pytest.mark.parametrize("away", [True, False])
async def test_whose_answer_is_not_at_hand_is_asked_again(
    engine: Engine, until: Until, monkeypatch: pytest.MonkeyPatch, away: bool
) -> None:
    handle = await much_answered(engine, until, 1, True)
    BROKEN.clear()
    event = engine.store.event
    places = {n for n, each in engine.events_of(handle.run) if isinstance(each, e.TaskCompleted)}

    def gone(run: int, seq: int) -> bytes | None:
        if seq not in places:
            return event(run, seq)
        if away:
            raise StoreUnavailable("for a moment")
        return None

    monkeypatch.setattr(engine.store, "event", gone)
    retried = await handle.retry_from()
    await answer_as(engine, "0", "eve", until)
    assert await retried.result(timeout=30) == "eve"
