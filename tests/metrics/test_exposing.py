"""What Prometheus reads: parsed as it parses it, on a file and with work under way."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse

from segue import Engine, Settings, step, workflow
from segue.metrics.counting import OTHERS
from segue.metrics.exposing import WORKFLOWS, _largest, exposition
from segue.metrics.loop_lag import LoopLag
from segue.metrics.meter import Meter
from segue.server.within import within

gate = threading.Event()

DOCUMENT = Path(__file__).parents[2] / "docs" / "observability.md"


@step
def blocked() -> int:
    assert gate.wait(30)
    return 1


@step(queue="gpu")
def trained() -> int:
    raise NotImplementedError


@workflow
async def asks() -> int:
    return await trained()


@workflow
async def many(count: int) -> int:
    return sum(await asyncio.gather(*[blocked() for _ in range(count)]))


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    gate.clear()
    async with Engine(f"sqlite:///{tmp_path / 'segue.db'}", settings=Settings(threads=2)) as engine:
        yield engine


async def read(meter: Meter, namespaces: list[str] | None = None) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels, in the order of their names."""
    body, media_type = await exposition(meter, namespaces=namespaces)
    assert media_type.startswith("text/plain")
    families = list(parse(body.decode()))
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


async def test_what_runs_and_what_waits_shows_while_it_does(
    engine: Engine, until: Callable[[Callable[[], bool]], Awaitable[None]]
) -> None:
    meter = Meter(engine)
    meter.start()
    handle = await engine.start(many, 6)
    await until(lambda: meter.attempts() == {"thread": (2, 4)})
    found = await read(meter)
    assert found["segue_attempts", "thread", "waiting"] == 4
    assert found["segue_attempts", "thread", "hanging"] == 0
    assert found["segue_attempts_capacity", "thread"] == 2
    assert found["segue_worker_load",] == 3.0
    assert found["segue_runs", "default", "running", "many"] == 1
    assert found["segue_owner",] == found["segue_store_up",] == 1
    assert found["segue_slots_owned",] == 16384
    assert ("segue_lease_age_seconds",) not in found  # a file has none
    gate.set()
    assert await handle.result() == 6
    assert (await read(meter))["segue_step_attempts_total", "default", "completed", "blocked"] == 6
    meter.close()


async def test_each_namespace_has_its_own_and_nothing_is_told_of_those_that_are_not_for_whoever_reads(
    engine: Engine,
) -> None:
    meter = Meter(engine)
    gate.set()
    await (await engine.start(many, 2)).result()
    secret = within(engine, "secret")
    await (await secret.start(many, 3)).result()
    await secret.start(many, 1, id="later", delay="1h")
    everything = await read(meter)
    assert everything["segue_step_attempts_total", "default", "completed", "blocked"] == 2
    assert everything["segue_step_attempts_total", "secret", "completed", "blocked"] == 3
    assert everything["segue_runs_started_total", "secret", "many"] == 1
    assert everything["segue_runs", "secret", "waiting", "many"] == 1
    assert everything["segue_tasks_open", "default"] == everything["segue_tasks_open", "secret"] == 0
    told = await read(meter, ["default"])
    assert "secret" not in {label for sample in told for label in sample}
    assert {sample for sample in everything if "secret" not in sample} == set(told)


async def test_what_waits_in_queues_is_told_by_namespace(
    engine: Engine, until: Callable[[Callable[[], bool]], Awaitable[None]]
) -> None:
    meter = Meter(engine)
    secret = within(engine, "secret")
    for each in (engine, engine, secret):
        await each.start(asks)
    await until(lambda: sum(each.waiting for each in engine.store.queues(None, None, engine.clock.now())) == 3)
    assert len(await engine.activate("gpu", worker="w")) == 1
    found = await read(meter)
    assert found["segue_queue_attempts", "default", "default", "gpu", "waiting"] == 1
    assert found["segue_queue_attempts", "default", "default", "gpu", "held"] == 1
    assert found["segue_queue_attempts", "default", "default", "gpu", "paused"] == 0
    assert found["segue_queue_attempts", "default", "secret", "gpu", "waiting"] == 1  # app, then namespace
    assert found["segue_queue_oldest_seconds", "default", "default", "gpu"] > 0
    told = await read(meter, ["default"])
    assert "secret" not in {label for sample in told for label in sample}
    meter.close()


async def test_every_name_stands_in_the_document_and_none_that_is_not_there(engine: Engine) -> None:
    meter = Meter(engine)
    meter.start()
    gate.set()
    await (await engine.start(many, 1)).result()
    body, media_type = await exposition(meter, "application/openmetrics-text; version=1.0.0")
    assert media_type.startswith("application/openmetrics-text")
    names = {family.name for family in parse_open(body.decode()) if not family.name.startswith("segue_process_")}
    text = DOCUMENT.read_text()
    documented = {line.split("`")[1].split("{")[0] for line in text.splitlines() if line.startswith("| `segue_")}
    on_a_server = {"segue_lease_age_seconds", "segue_lease_seconds"}
    assert {name.removesuffix("_total") for name in documented} == names | on_a_server
    meter.close()


async def test_a_store_that_does_not_answer_is_told_and_nothing_else_is_missing(engine: Engine) -> None:
    meter = Meter(engine)
    engine.store.close()
    found = await read(meter)
    assert found["segue_store_up",] == 0
    assert ("segue_tasks_open", "default") not in found
    assert ("segue_writer_depth",) in found


async def test_a_client_shows_what_the_store_holds_and_counts_nothing(engine: Engine) -> None:
    async with Engine(f"sqlite:///{engine.store.path}", own=False) as client:  # type: ignore[attr-defined]
        found = await read(Meter(client, counting=False))
    assert found["segue_owner",] == 0
    assert found["segue_tasks_open", "default"] == 0
    assert found["segue_workers", "default"] == 1
    assert not [name for name in found if name[0].startswith(("segue_runs_started", "segue_writer"))]


def test_the_runs_of_workflows_beyond_the_first_hundreds_are_counted_together() -> None:
    counted = {("eu", "waiting", f"w{number}"): 1 for number in range(WORKFLOWS + 7)} | {("eu", "incident", "w9"): 4}
    found = _largest(counted | {("us", "waiting", "w9"): 9, ("us", "waiting", "rare"): 1})
    counted |= {("us", "waiting", "w9"): 9, ("us", "waiting", "rare"): 1}
    assert found["eu", "w9", "incident"] == 4
    assert found["us", "w9", "waiting"] == 9
    assert found["eu", OTHERS, "waiting"] + found["us", OTHERS, "waiting"] == 9
    assert sum(found.values()) == sum(counted.values())


async def test_a_loop_that_is_blocked_is_late() -> None:
    lag = LoopLag()
    lag._due -= 3.0  # as if nothing had turned for so long
    lag._ring()
    lag.close()
    assert lag.seconds.counts[-3] == 1  # up to 5 s
    assert lag.take_worst() >= 2.7
    assert lag.take_worst() < 2.7
