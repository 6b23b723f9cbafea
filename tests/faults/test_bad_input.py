"""What callers and authors get wrong: each mistake is refused whole, with what to do, and disturbs nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest
from fault_kit import until

import segue
from segue import (
    Approval,
    Engine,
    Incident,
    RunFailed,
    Settings,
    Transaction,
    approval,
    locally,
    signal,
    step,
    workflow,
)
from segue.errors import InvalidArgument, PayloadError, RunAlreadyExists, UnknownWorkflow


class Order(msgspec.Struct):
    item: str
    amount: int = 1


class Odd:
    """Nothing that could be written down."""


@step
async def returns_something_odd() -> object:
    return {"lines": [1, {"total": Odd()}]}


@step
async def takes(order: Order) -> int:
    return order.amount


@workflow
async def buys(order: Order) -> int:
    return await takes(order)


@workflow
async def is_given_something_odd() -> object:
    return await returns_something_odd()


@workflow
async def answers_something_odd() -> object:
    return {"x": Odd()}


@workflow
async def passes_the_wrong_type() -> int:
    return await takes({"item": "tea"})  # type: ignore[arg-type]


@workflow
async def listens_once() -> Any:
    return await signal("word")


@pytest.fixture(params=["owner", "client"])
async def engine(request: pytest.FixtureRequest, url: str) -> AsyncIterator[Engine]:
    """Refused by the owner and by a client alike."""
    async with Engine(url) as owner:
        if request.param == "owner":
            yield owner
        else:
            async with Engine(url, own=False) as client:
                yield client


async def ends(engine: Engine, workflow: Any, *args: Any) -> str:
    with pytest.raises(RunFailed) as caught:
        await (await engine.start(workflow, *args)).result(timeout=10)
    return str(caught.value)


# --- values and types -----------------------------------------------------------------------------------------


async def test_a_result_that_does_not_encode_names_the_place(engine: Engine) -> None:
    said = await ends(engine, is_given_something_odd)
    assert "returns_something_odd failed after 1 attempt" in said
    assert "$.lines[1].total" in said
    assert "make it a dataclass" in said
    assert "$.x" in await ends(engine, answers_something_odd)


async def test_an_argument_of_the_wrong_type_names_the_parameter(engine: Engine) -> None:
    with pytest.raises(InvalidArgument, match=r"buys\(\): the argument 'order' is declared Order, but 5 is a int"):
        await engine.start(buys, 5)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="missing a required argument: 'order'"):
        await engine.start("buys")
    with pytest.raises(PayloadError, match=r"\$\.order.*make it a dataclass"):
        await engine.start("buys", Odd())
    assert "takes(): the argument 'order' is declared Order" in await ends(engine, passes_the_wrong_type)
    assert [run.workflow for run in await engine.list()] == ["passes_the_wrong_type"], "the others never began"


async def test_an_unknown_workflow_says_what_is_known_and_what_to_do(engine: Engine) -> None:
    with pytest.raises(UnknownWorkflow, match=r"no workflow named 'bus' is known here \(known: .*buys.*import"):
        await engine.start("bus", 1)
    with pytest.raises(InvalidArgument, match="'takes' is not a workflow; decorate it with @workflow"):
        await engine.start(takes, Order("tea"))


async def test_a_workflow_that_was_called_where_it_was_to_be_handed_over(engine: Engine) -> None:
    for start in (engine.start, locally):
        with pytest.raises(InvalidArgument, match="has been called already; hand it over as it is"):
            await start(buys(Order("tea")))  # type: ignore[arg-type]


def priced(price: int) -> tuple[Any, Any]:
    @step
    async def price_of(amount: int) -> int:
        return price * amount

    @step.transaction
    def noted(db: Transaction) -> int:
        return price

    @workflow
    async def prices(amount: int) -> int:
        return await price_of(amount)

    @workflow
    async def notes() -> int:
        return await price_of.using(summary="again")(1) + await noted()

    return prices, (price_of, noted)


async def test_a_closure_in_whose_place_another_one_would_run_is_refused(url: str) -> None:
    (dear, dear_steps), (cheap, _) = priced(9), priced(2)
    async with Engine(url) as engine:
        assert await (await engine.start(cheap, 3)).result(timeout=10) == 6
        with pytest.raises(
            InvalidArgument, match=r"prices .*defined again with another price_of, .*@workflow\(name=…\)"
        ):
            await engine.start(dear, 3)

        for price_of in (dear_steps[0], dear_steps[0].using(timeout="1s"), dear_steps[1]):

            @workflow
            async def asks_for_the_other() -> Any:
                return await price_of(*[3] * (price_of.spec.executor == "loop"))  # noqa: B023

            said = await ends(engine, asks_for_the_other)
            assert "has been defined again with another price, and there is one step named" in said


@workflow
async def defines_a_step(price: int) -> int:
    @step
    async def price_now(amount: int) -> int:
        return price * amount

    return await price_now(1)


async def test_a_step_that_belongs_to_one_run_is_refused(engine: Engine) -> None:
    handle = await engine.start(defines_a_step, 3)
    with pytest.raises(Incident, match=r"@step price_now is defined inside a running workflow and captures price: "):
        await handle.result(timeout=10)


async def test_an_empty_id_is_none(engine: Engine) -> None:
    """It is told, because whoever means it to be the same run again would get another one each time."""
    with pytest.raises(InvalidArgument, match="a run's id has a character at least that is no blank; leave it out"):
        await engine.start(buys, Order("tea"), id="")
    with pytest.raises(InvalidArgument, match="a run's id has a character at least"):
        segue.outbox.start(None, buys, Order("tea"), id="")
    with pytest.raises(InvalidArgument, match="a run's id has a character at least that is no blank"):
        await engine.start(buys, Order("tea"), id=" \t")
    for broken in ("a\nb", "a\r", "a\u2028b"):
        with pytest.raises(InvalidArgument, match=r"a run's id .* holds a line break; it has to be one line"):
            await engine.start(buys, Order("tea"), id=broken)
    assert await engine.list() == []


async def test_an_id_that_is_taken_by_other_input_is_refused(engine: Engine) -> None:
    one = await engine.start(buys, Order("tea"), id="a")
    with pytest.raises(RunAlreadyExists, match="it was started with other input; choose another id, or pass"):
        await engine.start(buys, Order("coffee"), id="a")
    with pytest.raises(RunAlreadyExists, match="it is a run of buys"):
        await engine.start(listens_once, id="a")
    assert (await engine.start(buys, Order("tea"), id="a")).run == one.run
    assert await one.result(timeout=10) == 1


async def test_a_watcher_that_raises_holds_up_nobody(url: str, caplog: pytest.LogCaptureFixture) -> None:
    def fails(run: Any, event: Any) -> None:
        raise ValueError("the watcher's own mistake")

    async with Engine(url) as engine:
        engine.watch_runs(fails)
        handles = await asyncio.gather(*[engine.start(buys, Order("tea", n)) for n in range(10)])
        assert await asyncio.gather(*[handle.result(timeout=10) for handle in handles]) == list(range(10))
    assert "the watcher's own mistake" in caplog.text


# --- names ----------------------------------------------------------------------------------------------------

BAD = [5, b"x", "a\ud800", "a\0b", object()]


@pytest.mark.parametrize("name", BAD, ids=["number", "bytes", "surrogate", "nul", "object"])
async def test_a_name_that_cannot_be_stored_is_refused_before_anything_is_written(engine: Engine, name: Any) -> None:
    handle = await engine.start(listens_once, id="a")
    before = len(await handle.history())
    requests: list[Callable[[], Awaitable[Any]]] = [
        lambda: engine.start(buys, Order("tea"), id=name),
        lambda: engine.start(buys, Order("tea"), tags={"a": name}),
        lambda: engine.start(buys, Order("tea"), tags={name: "a"}),
        lambda: handle.signal(name, 1),
        lambda: handle.signal("word", 1, message=name),
        lambda: handle.update(name, 1),
        lambda: handle.update("word", 1, id=name),
        lambda: handle.cancel(name),
        lambda: handle.terminate(name),
        lambda: handle.retry(name),
    ]
    for request in requests:
        with pytest.raises(InvalidArgument, match=r"must be text|NUL|surrogate"):
            await request()
    assert len(await engine.list()) == 1
    assert len(await handle.history()) == before
    await handle.signal("word", "all is well")
    assert await handle.result(timeout=10) == "all is well"


async def test_a_conflict_policy_that_does_not_exist_replaces_nothing(engine: Engine) -> None:
    handle = await engine.start(listens_once, id="a")
    with pytest.raises(InvalidArgument, match=r"on_conflict must be one of use-existing, use-open, .*'terminate'"):
        await engine.start(listens_once, id="a", on_conflict="terminate")  # type: ignore[call-overload]
    assert (await engine.handle("a")).run == handle.run


class _Name(str):
    """As NumPy's texts, and those of tables, are."""

    __slots__ = ()


@workflow
async def named(name: str) -> str:
    name = _Name(name)
    segue.set_summary(name)
    segue.set_attributes(**{name: name})
    segue.publish(name, name)
    await takes.using(key=name, summary=name)(Order("tea"))
    await buys.child(Order("tea"), id=_Name(f"{name}'s child"), summary=name)
    said = await approval(name, name=name, subject=name, timeout=0.01, escalate=name)
    return said.comment


@pytest.mark.parametrize("cache", [0, 1000], ids=["evicted", "kept"])
async def test_a_name_of_a_subclass_of_text_is_a_name(url: str, cache: int) -> None:
    name = _Name("tea")
    async with Engine(url, settings=Settings(cache=cache)) as engine:
        handle = await engine.start(named, name, id=name, tags={name: name}, summary=name)

        async def asked() -> bool:
            return bool(await engine.tasks())

        await until(asked)
        (task,) = await engine.tasks()
        await engine.complete_task(task, Approval(True, comment="well"), by=name)
        assert await handle.result(timeout=20) == "well"
        row = await handle.status()
        assert (row.id, row.tags, row.attributes, row.summary) == ("tea", {"tea": "tea"}, {"tea": "tea"}, "tea")


WRONG: dict[str, Callable[[], Any]] = {
    "assignee": lambda: approval(5),  # type: ignore[call-overload]
    "task": lambda: approval("ann", name=b"x"),  # type: ignore[call-overload]
    "escalate": lambda: approval("ann", timeout=1, escalate=5),  # type: ignore[call-overload]
    "published": lambda: segue.publish("\ud800", 1),
    "attribute": lambda: segue.set_attributes(**{"\0": 1}),
    "text": lambda: segue.set_attributes(a="\ud800"),
    "signal": lambda: signal(b"x"),  # type: ignore[call-overload]
    "patch": lambda: segue.patched(None),  # type: ignore[arg-type]
    "child": lambda: buys.child(Order("tea"), id=5),
    "policy": lambda: buys.child(Order("tea"), on_parent_close="forget"),
    "key": lambda: takes.using(key="\0")(Order("tea")),
}


@workflow
async def names_wrongly(what: str) -> None:
    made = WRONG[what]()
    if made is not None:
        await made


@pytest.mark.parametrize("what", WRONG)
async def test_a_wrong_name_in_a_workflow_fails_the_run_at_its_line(url: str, what: str) -> None:
    async with Engine(url) as engine:
        handle = await engine.start(names_wrongly, what)
        with pytest.raises(RunFailed, match=r"InvalidArgument: .*(must be|NUL|surrogate)") as caught:
            await handle.result(timeout=10)
        assert "names_wrongly" in caught.value.failure.traceback


@workflow
async def breaks(id: str) -> None:
    raise KeyError(id)


@workflow
async def has_a_child_that_breaks() -> None:
    await breaks.child("tea", id="the-child")


async def test_a_parent_says_which_child_has_failed_and_of_what(engine: Engine) -> None:
    handle = await engine.start(has_a_child_that_breaks)
    with pytest.raises(RunFailed, match="child run 'the-child' failed: KeyError: 'tea'") as caught:
        await handle.result(timeout=5)
    cause = caught.value.failure.cause
    assert (cause.type, cause.message) == ("KeyError", "'tea'")
    assert "in breaks" in cause.traceback
