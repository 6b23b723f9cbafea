"""Traces as the SDK's exporters get them: one span each, with the recorded times and ids, whatever crashes."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

pytest.importorskip("opentelemetry.sdk")

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from traced_steps import elsewhere

import segue
from segue import Engine, Retry, signal, step, workflow
from segue.encodings.aesgcm import AesGcm
from segue.kernel import events as e
from segue.server.access import Loopback
from segue.server.app import application
from segue.stores.sqlite import SqliteStore
from segue.tracing.identity import span_id, trace_id

PROGRAM = Path(__file__).parent / "traced_program.py"
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
tries: list[str] = []


@step(retry=Retry(attempts=3, initial="1ms"))
async def shaky() -> str:
    tries.append("")
    if len(tries) == 1:
        raise ValueError("not yet: 4711")
    with trace.get_tracer("user").start_as_current_span("inside"):  # with the tests' provider, see below
        pass
    span = trace.get_current_span().get_span_context()
    return f"{span.trace_id:032x} {span.span_id:016x} {segue.headers()['traceparent']}"


@step
def threaded() -> str:
    return f"{trace.get_current_span().get_span_context().span_id:016x}"


@workflow
async def child(n: int) -> str:
    return await threaded()


@workflow
async def traced() -> list[str]:
    found = [await shaky()]
    await asyncio.sleep(0.001)
    found.append(await child(1))
    found.append(await signal("go", str))
    return found


@workflow
async def in_process() -> str:
    return await elsewhere()


@workflow
async def breaks() -> None:
    raise ValueError("secret 4711")


class Traces:
    """A provider, and what came of it."""

    def __init__(self, **more: Any) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(**more)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self.exporter.get_finished_spans())

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.spans if span.name == name]

    def one(self, name: str) -> ReadableSpan:
        (found,) = self.named(name)
        return found


@pytest.fixture
def traces() -> Traces:
    tries.clear()
    return Traces()


@pytest.fixture
async def engine(tmp_path: Path, traces: Traces) -> AsyncIterator[Engine]:
    async with Engine(f"sqlite:///{tmp_path / 'segue.db'}", tracer_provider=traces.provider) as engine:
        yield engine


def attribute(span: ReadableSpan, name: str) -> Any:
    return (span.attributes or {})[name]


async def test_a_run_is_a_trace_and_its_attempts_are_spans(engine: Engine, traces: Traces) -> None:
    handle = await engine.start(traced, id="a")
    await handle.signal("go", "on")
    ((trace_text, span_text, header), in_child, _) = [found.split() for found in await handle.result()]  # type: ignore[misc]
    uid = engine.store.run(handle.run).uid  # type: ignore[union-attr]
    top = traces.one("traced")
    first, second = traces.named("shaky")
    assert (top.context.trace_id, top.context.span_id, top.parent) == (trace_id(uid), span_id(uid), None)
    assert [attribute(span, "segue.attempt") for span in (first, second)] == [1, 2]
    assert first.parent == second.parent
    assert second.parent is not None
    assert second.parent.span_id == top.context.span_id
    # What the step's own code found is the attempt's span, before that was written.
    assert (trace_text, span_text) == (f"{trace_id(uid):032x}", f"{second.context.span_id:016x}")
    assert header == f"00-{trace_text}-{span_text}-01"
    assert first.status.description == "ValueError: not yet: 4711"
    assert not second.status.description
    assert {span.name for span in traces.spans} >= {"wait: timer", "wait: signal go", "wait: child", "start child"}
    # Times are those of the journal.
    recorded = dict(engine.events_of(handle.run))
    ends = {event.at * 1000 for event in recorded.values() if isinstance(event, (e.StepCompleted, e.StepFailed))}
    assert {first.end_time, second.end_time} == ends
    assert top.start_time == recorded[1].at * 1000
    # The child is a trace of its own, which names the call.
    run = traces.one("child")
    (link,) = run.links
    assert (link.context.trace_id, link.context.span_id) == (
        top.context.trace_id, traces.one("start child").context.span_id,
    )  # fmt: skip
    assert run.context.trace_id != top.context.trace_id
    assert in_child == [f"{traces.one('threaded').context.span_id:016x}"]


async def test_who_traces_its_call_gets_run_and_children_in_its_trace(engine: Engine, traces: Traces) -> None:
    with traces.provider.get_tracer("caller").start_as_current_span("request") as request:
        handle = await engine.start(traced)
        await handle.signal("go", "on")
    await handle.result()
    names = {"traced", "shaky", "child", "threaded", "start child", "wait: signal go"}
    found = {span.name: span for span in traces.spans if span.name in names}
    assert found.keys() == names
    assert {span.context.trace_id for span in found.values()} == {request.get_span_context().trace_id}
    parents = {name: span.parent.span_id for name, span in found.items() if span.parent is not None}
    assert parents["traced"] == request.get_span_context().span_id
    assert parents["child"] == found["start child"].context.span_id
    assert parents["threaded"] == found["child"].context.span_id


async def test_a_request_over_http_goes_on_in_the_trace_of_whoever_sent_it(engine: Engine, traces: Traces) -> None:
    transport = httpx.ASGITransport(application(engine, Loopback("ann")), client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1") as api:
        body = {"workflow": "child", "input": [1]}
        answer = await api.post("/runs", json=body, headers={"traceparent": CALLER})
        broken = await api.post("/runs", json=body, headers={"traceparent": "00-zz-1-01"})
    for run in (answer, broken):
        await engine.closing_event(run.json()["run"])
    first, second = traces.named("child")
    assert (f"{first.context.trace_id:032x}", first.parent.span_id) == (CALLER[3:35], int(CALLER[36:52], 16))  # type: ignore[union-attr]
    assert second.parent is None


async def test_a_step_in_a_process_has_its_span_around_it(engine: Engine, traces: Traces) -> None:
    assert await (await engine.start(in_process)).result() == f"{traces.one('elsewhere').context.span_id:016x}"


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("at", [2, 4, 6, 8])
def test_a_crash_at_a_commit_writes_no_span_twice(tmp_path: Path, at: int, side: str) -> None:
    path = tmp_path / "segue.db"
    codes, spans = [], []
    for crash_at in (at, 1000):
        words = [sys.executable, str(PROGRAM), str(path), str(crash_at), side]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        codes.append(done.returncode)
        spans += [json.loads(line) for line in done.stdout.splitlines()]
    assert codes == [137, 0], done.stderr
    ids = Counter((span["context"]["trace_id"], span["context"]["span_id"]) for span in spans)
    assert max(ids.values()) == 1
    store = SqliteStore.open(path)
    run = store.find("default", "a")
    store.close()
    assert run is not None
    (top,) = [span for span in spans if span["name"] == "traced"]
    assert int(top["context"]["span_id"], 16) == span_id(run.uid)
    outcomes = [span for span in spans if span["name"] == "shaky"]
    assert outcomes
    for span in outcomes:
        expected = span_id(run.uid, "/shaky", span["attributes"]["segue.attempt"])
        assert int(span["context"]["span_id"], 16) == expected


async def test_replay_writes_nothing(tmp_path: Path, traces: Traces) -> None:
    url, later = f"sqlite:///{tmp_path / 'segue.db'}", Traces()
    async with Engine(url, tracer_provider=traces.provider) as engine:
        handle = await engine.start(traced, id="a")
        async with asyncio.timeout(10):
            while True:
                if traces.named("wait: child"):
                    break
                await asyncio.sleep(0)
    async with Engine(url, tracer_provider=later.provider) as engine:
        handle = await engine.handle("a", list[str])
        await handle.signal("go", "on")
        await handle.result()
    assert {span.name for span in later.spans} == {"wait: signal go", "traced"}


async def test_what_is_sealed_does_not_get_into_traces(tmp_path: Path, traces: Traces) -> None:
    codec = AesGcm({"k": b"0" * 32})
    async with Engine(f"sqlite:///{tmp_path / 's.db'}", codec=codec, tracer_provider=traces.provider) as engine:
        with pytest.raises(segue.RunFailed):
            await (await engine.start(breaks)).result()
    span = traces.one("breaks")
    assert span.status.description == "ValueError"
    assert "4711" not in span.to_json()


async def test_all_of_a_run_is_sampled_or_nothing(tmp_path: Path) -> None:
    tries.append("")
    traces = Traces(sampler=ParentBased(TraceIdRatioBased(0.5)))
    async with Engine(f"sqlite:///{tmp_path / 's.db'}", tracer_provider=traces.provider) as engine:
        for _ in range(20):
            await (await engine.start(child, 1)).result()
    runs = Counter(span.context.trace_id for span in traces.spans)
    assert 0 < len(runs) < 20
    assert set(runs.values()) == {2}


async def test_without_a_provider_nothing_is_traced(tmp_path: Path) -> None:
    async with Engine(f"sqlite:///{tmp_path / 's.db'}") as engine:
        assert not engine.traced
        assert not engine.interceptors


def test_opentelemetry_is_not_loaded_by_who_does_not_trace() -> None:
    program = "import sys, segue; segue.Engine; print([name for name in sys.modules if 'opentelemetry' in name])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
