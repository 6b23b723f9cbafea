"""A queue's worker in Python against a real server: what a step of a queue has, and what becomes of its outcome."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

import segue
from segue import Engine, Retry, RunFailed, SecretRef, StepFailed, artifact, state, step, workflow
from segue.client.handles import Handle
from segue.errors import InvalidArgument, RunCancelled, ServerRefused
from segue.queues import QueueWorker, lease
from segue.server.access import Known, Loopback
from segue.server.accounts import Accounts
from segue.server.app import application
from segue.server.client import ServerClient
from segue.server.listening import Listening, listen

PATIENCE = 30.0


class Order(msgspec.Struct):
    item: str
    amount: int


class Declined(Exception):
    pass


def _at_once_and_once(error: BaseException, attempt: int) -> bool | str:
    return "1ms" if attempt < 2 else False


@step(name="served.charge", queue="shop", retry=Retry(attempts=3, initial="1ms", jitter=0, non_retryable=(Declined,)))
async def charge(order: Order) -> str:
    print(f"charging {order.item}")
    segue.log.warning("dear")
    segue.progress(1, 2, "asking")
    if order.amount > 1000:
        raise Declined(f"{order.amount} is too much")
    if order.amount > segue.attempt_number() * 100:
        raise ConnectionError("the line is dead")
    return f"{order.item} paid in attempt {segue.attempt_number()}"


@step(name="served.count", queue="shop", retry=Retry(attempts=9, initial="1h", decide=_at_once_and_once))
def count(words: list[str]) -> dict[str, int]:
    if not words:
        raise ValueError("nothing to count")
    return {word: len(word) for word in words}


@step(name="served.later", queue="shop", retry=Retry(attempts=2, decide=lambda error, attempt: "3d"))
async def later() -> None:
    raise ConnectionError("closed until Monday")


@workflow(name="served.waits_for_days")
async def waits_for_days() -> None:
    await later()


@step(name="served.odd", queue="shop")
async def odd(what: str) -> Any:
    return await ODD[what]()


@step(name="served.name", queue="shop")
async def name() -> str:
    return 7  # type: ignore[return-value]


stopped = threading.Event()
begun = threading.Event()


@step(name="served.waits", queue="shop")
async def waits() -> str:
    begun.set()
    try:
        await asyncio.sleep(3600)
    finally:
        stopped.set()
    return ""


@step(name="served.looks", queue="shop")
def looks() -> str:
    begun.set()
    while not segue.cancelled():
        stopped.wait(0.005)
    stopped.set()
    return ""


may_end = threading.Event()


@step(name="served.ends", queue="shop")
async def ends() -> str:
    begun.set()
    await asyncio.to_thread(may_end.wait)
    return "ended"


@step(name="served.hangs", queue="shop", grace="20ms")
def hangs() -> str:
    begun.set()
    may_end.wait(PATIENCE)
    return ""


@step(
    name="served.beats", queue="shop", heartbeat_timeout="300ms", retry=Retry(attempts=2, initial="1ms", jitter=0)
)  # fmt: skip
async def beats() -> list[Any]:
    if segue.attempt_number() > 1:
        return [segue.last_heartbeat(dict[str, int])]
    segue.heartbeat({"row": 41})
    await asyncio.sleep(3600)
    return []


@step(name="served.elsewhere", queue="shop")
async def elsewhere() -> str:
    raise AssertionError("its worker has other code")


async def _artifact() -> None:
    artifact.table("orders", [{"a": 1}])


async def _reads_state() -> Any:
    return await state.get("cursor", "orders")


async def _writes_state() -> None:
    await state.set("cursor", "orders", 1)


async def _later() -> None:
    segue.complete_later()


async def _file() -> Any:
    return segue.File.from_bytes(b"bytes", "a.txt")


async def _secret() -> str:
    return f"the key is {SecretRef('bank').value()}"


async def _broken_secret() -> str:
    print("with", SecretRef("bank").value())
    raise ValueError(f"refused: {SecretRef('bank').value()}")


async def _repeats() -> str:
    return segue.idempotency_key()


ODD: dict[str, Callable[[], Awaitable[Any]]] = {
    "artifact": _artifact, "reads state": _reads_state, "writes state": _writes_state, "later": _later, "file": _file,
    "secret": _secret, "broken secret": _broken_secret, "repeats": _repeats,
}  # fmt: skip


@workflow(name="served.buys")
async def buys(item: str, amount: int) -> str:
    return await charge(Order(item, amount))


@workflow(name="served.counts")
async def counts(words: list[str]) -> dict[str, int]:
    return await count(words)


@workflow(name="served.oddly")
async def oddly(what: str) -> Any:
    return await odd(what)


@workflow(name="served.calls")
async def calls(which: str) -> Any:
    steps: dict[str, Any] = {
        "name": name, "waits": waits, "looks": looks, "ends": ends, "beats": beats, "elsewhere": elsewhere,
        "hangs": hangs,
    }  # fmt: skip
    return await steps[which]()


class Vault:
    def get(self, name: str) -> str:
        return "sesame-open-4711"


class Place:
    """A server of an engine, and workers that ask it."""

    def __init__(self, engine: Engine, listening: Listening) -> None:
        self.engine = engine
        self.listening = listening

    @asynccontextmanager
    async def worker(self, *, grace: str = "10s", **terms: Any) -> AsyncIterator[QueueWorker]:
        async with ServerClient(self.listening.url) as server:
            worker = QueueWorker(server, "shop", lease=terms.pop("lease", "30s"), secrets=Vault(), **terms)
            stop = asyncio.Event()
            serving = asyncio.create_task(worker.serve(stop, grace=grace))
            try:
                yield worker
            finally:
                stop.set()
                await serving

    def said(self, handle: Handle[Any]) -> list[tuple[str, str, str]]:
        return [(line.stream, line.level, line.text) for line in self.engine.logs(handle.run)]


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    for event in (begun, stopped, may_end):
        event.clear()
    monkeypatch.setattr("segue.queues.worker.WAIT", 0.2)
    monkeypatch.setattr(lease, "EVERY", 0.02)
    monkeypatch.setattr(lease, "PAUSE", 0.05)
    monkeypatch.setattr("segue.server.client.PAUSE", 0.01)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with Engine(f"sqlite:///{tmp_path / 'segue.db'}") as engine:
        place = Place(engine, listen(application(engine, Loopback("ann")), port=0))
        try:
            yield place
        finally:
            may_end.set()
            await place.listening.close()


async def happened(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, PATIENCE)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - what it waits for tells nobody
            await asyncio.sleep(0.01)


async def failure_of(handle: Handle[Any]) -> Any:
    with pytest.raises(RunFailed) as found:
        await handle.result()
    assert found.value.failure.type == "segue.errors.StepFailed"
    return found.value.failure.cause


async def test_steps_are_carried_out_as_an_engine_does(place: Place) -> None:
    async with place.worker() as worker:
        assert {"served.charge", "served.count"} <= set(worker.steps)
        handle = await place.engine.start(buys, "tea", 250)
        assert await handle.result() == "tea paid in attempt 3"
        assert await (await place.engine.start(counts, ["tea", "milk"])).result() == {"tea": 3, "milk": 4}
    assert place.said(handle) == 3 * [("stdout", "INFO", "charging tea"), ("log", "WARNING", "dear")]
    reports = [json.loads(line.text) for line in place.engine.reports(handle.run)]
    assert reports[-1] == ["served.charge", {"done": 1.0, "total": 2.0, "message": "asking"}]
    failed = [event for _, event in await place.engine.read_events(handle.run) if hasattr(event, "failure")]
    assert [event.failure.type for event in failed] == ["ConnectionError", "ConnectionError"]
    assert "in charge" in failed[0].failure.traceback


async def test_errors_are_the_policys_on_the_workers_side_too(place: Place) -> None:
    async with place.worker():
        declined = await failure_of(await place.engine.start(buys, "tea", 2000))
        assert (declined.type.rpartition(".")[2], declined.retryable) == ("Declined", False)
        handle = await place.engine.start(counts, [])
        assert (await failure_of(handle)).retryable is False
        events = [event for _, event in await place.engine.read_events(handle.run)]
        first, last = (event for event in events if hasattr(event, "retry_at"))
        assert (first.attempt, last.attempt) == (1, 2), "decide= was asked by the worker, who has the exception"
        assert first.retry_at - first.at == 1_000, "the delay that it names holds"
        assert last.retry_at is None


async def test_a_delay_may_be_longer_than_any_lease(place: Place) -> None:
    async with place.worker():
        handle = await place.engine.start(waits_for_days)

        def failed() -> list[Any]:
            return [event for _, event in place.engine.events_of(handle.run) if hasattr(event, "retry_at")]

        await until(lambda: bool(failed()))
        assert failed()[0].retry_at - failed()[0].at == 3 * 86_400_000_000


@pytest.mark.parametrize(("what", "told"), [
    ("artifact", "artifact 'orders' cannot be kept"), ("reads state", "keyed state cannot be read"),
    ("writes state", "keyed state cannot be written"), ("later", "complete_later"), ("file", "only JSON goes over"),
    ("secret", "contains the value of a secret"), ("broken secret", r"refused: \*\*\*"),
])  # fmt: skip
async def test_what_a_step_away_from_the_database_cannot_do(place: Place, what: str, told: str) -> None:
    async with place.worker():
        handle = await place.engine.start(oddly, what)
        with pytest.raises(RunFailed, match=told):
            await handle.result()
    kept = [str(event) for _, event in await place.engine.read_events(handle.run)]
    assert "sesame" not in " ".join([*kept, *(text for _, _, text in place.said(handle))])


async def test_the_idempotency_key_is_that_of_the_call(place: Place) -> None:
    async with place.worker():
        one, other = [await place.engine.start(oddly, "repeats") for _ in range(2)]
        keys = [await one.result(), await other.result()]
    assert len(set(keys)) == 2
    assert all(len(key) == 32 for key in keys)


async def test_a_result_of_another_type_fails_the_step_for_good(place: Place) -> None:
    async with place.worker():
        failure = await failure_of(await place.engine.start(calls, "name"))
    assert failure.retryable is False
    assert "str" in failure.message


async def test_a_step_that_hangs_does_not_keep_the_slot(place: Place) -> None:
    async with place.worker(lease="300ms", slots=1) as worker:
        handle = await place.engine.start(calls, "hangs")
        await happened(begun)
        await handle.cancel()
        with pytest.raises(RunCancelled):
            await handle.result()
        assert await (await place.engine.start(counts, ["tea"])).result(timeout=PATIENCE) == {"tea": 3}
        assert not may_end.is_set()
        assert worker.under_way <= 1


async def test_a_worker_without_room_leaves_the_work_to_others(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segue.runtime.threads.HANGING", 0)
    async with place.worker(lease="300ms", slots=1) as full:
        handle = await place.engine.start(calls, "hangs")
        await happened(begun)
        await handle.cancel()
        with pytest.raises(RunCancelled):
            await handle.result()
        await until(lambda: full.under_way == 0)
        waiting = await place.engine.start(counts, ["tea"])
        async with place.worker(slots=1):
            assert await waiting.result(timeout=PATIENCE / 2) == {"tea": 3}  # before what hangs comes back
        assert not may_end.is_set()
        may_end.set()
        assert await (await place.engine.start(counts, ["milk"])).result(timeout=PATIENCE) == {"milk": 4}


@pytest.mark.parametrize("which", ["waits", "looks"])
async def test_a_cancelled_run_stops_its_step_at_the_next_heartbeat(place: Place, which: str) -> None:
    async with place.worker(lease="300ms") as worker:
        handle = await place.engine.start(calls, which)
        await happened(begun)
        await handle.cancel("not wanted")
        await happened(stopped)
        await until(lambda: worker.under_way == 0)


async def test_a_lease_goes_on_for_as_long_as_the_step_does(place: Place) -> None:
    async with place.worker(lease="3s"):
        handle = await place.engine.start(calls, "ends")
        await happened(begun)
        (row,) = place.engine.store.attempts(handle.run)
        await until(lambda: place.engine.store.attempts(handle.run)[0].lease > row.lease + 1_500_000)
        assert place.engine.store.attempts(handle.run)[0].claim == 1
        may_end.set()
        assert await handle.result() == "ended"


async def test_a_step_that_beats_no_more_fails_and_the_next_attempt_knows_where_it_was(place: Place) -> None:
    async with place.worker() as worker:
        handle = await place.engine.start(calls, "beats")
        assert await handle.result() == [{"row": 41}]
        await until(lambda: worker.under_way == 0)


async def test_an_outcome_waits_for_a_server_that_is_away(place: Place) -> None:
    async with place.worker() as worker:
        handle = await place.engine.start(calls, "ends")
        await happened(begun)
        port = int(place.listening.url.rpartition(":")[2])
        await place.listening.close()
        may_end.set()
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
        assert worker.under_way == 1
        place.listening = listen(application(place.engine, Loopback("ann")), port=port)
        assert await handle.result() == "ended"


async def test_a_worker_that_is_told_to_stop_lets_its_attempts_end(place: Place) -> None:
    async with place.worker():
        handle = await place.engine.start(calls, "ends")
        await happened(begun)
        asyncio.get_running_loop().call_later(0.1, may_end.set)
    assert await handle.result() == "ended"


async def test_what_takes_longer_than_the_grace_is_given_back(place: Place) -> None:
    async with place.worker(grace="50ms", lease="1h"):
        handle = await place.engine.start(calls, "waits")
        await happened(begun)
    await happened(stopped)
    begun.clear()
    async with place.worker(grace="0s"):
        await happened(begun)
        (row,) = place.engine.store.attempts(handle.run)
        assert (row.claim, row.returned) == (2, 1)
    await handle.cancel()


async def test_no_more_attempts_are_asked_for_than_there_are_slots(place: Place) -> None:
    async with place.worker(slots=2) as worker:
        handles = [await place.engine.start(calls, "ends") for _ in range(5)]
        await until(lambda: worker.under_way == 2)
        claims = [place.engine.store.attempts(handle.run) for handle in handles]
        assert sum(row.claim for rows in claims for row in rows) == 2
        may_end.set()
        for handle in handles:
            assert await handle.result() == "ended"


async def test_a_step_that_is_not_here_is_left_to_others(place: Place) -> None:
    async with place.worker() as worker:
        del worker.steps["served.elsewhere"]
        handle = await place.engine.start(calls, "elsewhere")
        assert await (await place.engine.start(buys, "tea", 1)).result() == "tea paid in attempt 1"
        (row,) = place.engine.store.attempts(handle.run)
        assert row.claim == 0
    await handle.cancel()


async def test_a_key_that_may_not_work_ends_the_worker(tmp_path: Path) -> None:
    async with Engine(f"sqlite:///{tmp_path / 'segue.db'}") as engine:
        accounts = Accounts(engine.store.accounts, engine.clock.now)
        accounts.add_user("dev", "a long password", {"default": "developer"})
        key, _ = accounts.add_key("dev", "looks", frozenset({"runs:read"}), namespace="default", expires_at=None)
        listening = listen(application(engine, Known(accounts, "default"), accounts=accounts), port=0)
        async with ServerClient(listening.url, key=key) as server:
            with pytest.raises(ServerRefused, match="steps:work"):
                await QueueWorker(server, "shop").serve(asyncio.Event())
        await listening.close()


async def test_a_worker_with_nothing_to_do_is_refused() -> None:
    async with ServerClient("http://127.0.0.1:1") as server:
        with pytest.raises(InvalidArgument, match="no step with queue='none'"):
            QueueWorker(server, "none")
        with pytest.raises(InvalidArgument, match="one slot"):
            QueueWorker(server, "shop", slots=0)


def test_the_body_runs_nowhere_else() -> None:
    with pytest.raises(segue.errors.NotInWorkflow):
        asyncio.run(charge(Order("tea", 1)))
    assert StepFailed is segue.StepFailed
