"""Live views, over a real port: streams do not end by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import httpx2 as httpx
import msgspec
import pytest
from api_kit import start, until

from segue import Engine
from segue.errors import InvalidArgument
from segue.server import live, pulses
from segue.server.access import Loopback
from segue.server.app import application
from segue.server.listening import listen

PATIENCE = 20.0


@pytest.fixture
async def api(engine: Engine) -> AsyncIterator[httpx.AsyncClient]:
    listening = listen(application(engine, Loopback("ann")), port=0)
    async with httpx.AsyncClient(base_url=f"{listening.url}/api/v1", timeout=PATIENCE) as client:
        yield client
    await listening.close()


async def sent(response: httpx.Response) -> AsyncIterator[tuple[str, Any, str]]:
    """(event, data, id) of a stream, one by one."""
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "event" in fields:
            yield fields["event"], msgspec.json.decode(fields["data"]), fields.get("id", "")
            fields = {}


async def test_a_run_is_followed_to_its_end(api: httpx.AsyncClient) -> None:
    run = await start(api, "waits", 1)
    seen: list[str] = []
    async with asyncio.timeout(PATIENCE), api.stream("GET", f"/runs/{run}/live") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        async for event, data, _ in sent(response):
            if event == "recorded":
                seen.append(data["event"])
            if event == "activity" and "more" in data["signals"]:
                await api.post(f"/runs/{run}/signal", json={"name": "more", "value": "a"})
            if event == "end":
                break
    assert seen == ["RunStarted", "SignalReceived", "RunCompleted"]


async def test_a_stream_that_was_lost_is_resumed_behind_its_last_event(api: httpx.AsyncClient) -> None:
    run = await start(api, "doubles", 1)
    await until(api, run, "completed")
    async with asyncio.timeout(PATIENCE), api.stream("GET", f"/runs/{run}/live") as response:
        ids = [id async for event, _, id in sent(response) if event == "recorded"]
    assert ids == ["1", "2", "3"]
    headers = {"last-event-id": "2"}
    async with asyncio.timeout(PATIENCE), api.stream("GET", f"/runs/{run}/live", headers=headers) as response:
        assert [id async for event, _, id in sent(response) if event == "recorded"] == ["3"]


async def test_a_commit_is_told(api: httpx.AsyncClient, engine: Engine) -> None:
    async with asyncio.timeout(PATIENCE), api.stream("GET", "/live") as response:
        told = sent(response)
        assert (await anext(told))[0] == "changed"
        run = await start(api, "doubles", 1)
        assert (await anext(told))[0] == "changed"
        await until(api, run, "completed")


async def test_clients_that_come_and_go_leave_nothing_behind(api: httpx.AsyncClient) -> None:
    before = len(asyncio.all_tasks())
    for _ in range(30):
        async with api.stream("GET", "/live") as response:
            async for _ in response.aiter_bytes():
                break
    async with asyncio.timeout(PATIENCE):
        while len(asyncio.all_tasks()) > before + 5:
            await api.get("/health")


async def test_a_taken_port_is_told_or_passed_over(engine: Engine) -> None:
    app = application(engine, Loopback("ann"))
    first = listen(app, port=0)
    port = int(first.url.rpartition(":")[2])
    with pytest.raises(InvalidArgument, match=f"port {port} on 127.0.0.1 is taken"):
        listen(app, port=port)
    second = listen(app, port=port, next_free=True)
    assert second.url != first.url
    await first.close()
    await second.close()
    with pytest.raises(InvalidArgument, match="cannot listen"):
        listen(app, host="192.0.2.1", port=0)


class Hand(asyncio.SelectorEventLoop):
    """A loop whose clock stands where the test puts it."""

    now = 0.0

    def time(self) -> float:
        return self.now


class Pulse:
    """A store of which nothing is asked but whether something was committed."""

    def __init__(self) -> None:
        self.value = self.asked = 0

    def pulse(self) -> int:
        self.asked += 1
        return self.value


@pytest.mark.parametrize("moments", [[0.1], [0.1 + live.BEHIND * 2, 0.2 + live.BEHIND * 2]], ids=["in time", "behind"])
def test_looks_stand_back_while_the_loop_is_behind(moments: list[float]) -> None:
    store = Pulse()
    call: Any = SimpleNamespace(engine=SimpleNamespace(store=store, clock=SimpleNamespace(now=lambda: 1)))

    async def look() -> None:
        stream = live.changes(call)
        assert (await anext(stream)).event == "changed"
        following: asyncio.Task[live.Sent] = asyncio.create_task(anext(stream))  # type: ignore[arg-type]
        for moment in moments:
            assert store.asked == 1
            store.value = 2
            await _until_idle()
            hand.now = moment
            await _until_idle()
        assert store.asked == 2
        told = await following
        assert (told.event, told.data.busy) == ("changed", len(moments) == 2)

    with asyncio.Runner(loop_factory=Hand) as runner:
        hand = cast(Hand, runner.get_loop())
        runner.run(look())


async def _until_idle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_those_who_watch_look_together(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """On PostgreSQL each look is a question to the server, for which the loop waits."""
    monkeypatch.setattr(pulses, "FRESH", 3600.0)
    pulse, looks = engine.store.pulse, 0

    def look() -> int:
        nonlocal looks
        looks += 1
        return pulse()

    monkeypatch.setattr(engine.store, "pulse", look)
    handle = await engine.start("waits", 1)
    call: Any = SimpleNamespace(engine=engine, path={"run": handle.run}, query=live.LiveQuery())
    watching = [which(call) for which in (live.changes, live.follow_run) for _ in range(50)]
    for each in watching:
        assert await anext(each) is not None
    for each in watching:
        await each.aclose()
    assert looks == 1
