"""The typed client over HTTP, against a real server and over connections that break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx2 as httpx
import pytest
from api_kit import QUICK

from segue import Cron, Engine
from segue.errors import ServerRefused, ServerUnavailable
from segue.server import client as module
from segue.server import runs, schedules
from segue.server.access import Known, Loopback
from segue.server.accounts import Accounts
from segue.server.app import application
from segue.server.client import ServerClient
from segue.server.listening import listen
from segue.stores.base import RunFilter


@pytest.fixture
async def server(engine: Engine) -> AsyncIterator[ServerClient]:
    listening = listen(application(engine, Loopback("ann")), port=0)
    async with ServerClient(listening.url) as server:
        yield server
    await listening.close()


class Breaks(httpx.AsyncBaseTransport):
    """Over a transport: so many requests are lost before they arrive, so many answers on the way back."""

    def __init__(self, lost: int, unanswered: int) -> None:
        self.lost = lost
        self.unanswered = unanswered
        self._to = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.lost:
            self.lost -= 1
            raise httpx.ConnectError("the test says so")
        answer = await self._to.handle_async_request(request)
        if self.unanswered:
            self.unanswered -= 1
            await answer.aread()
            raise httpx.ReadError("the test says so")
        return answer

    async def aclose(self) -> None:
        await self._to.aclose()


async def test_a_run_is_started_followed_and_shown(server: ServerClient) -> None:
    run = await server.start("waits", 3, id="w-1", tags={"team": "a"})
    assert (run.id, run.tags) == ("w-1", {"team": "a"})
    await server.signal(run.run, "more", "a")
    assert await server.update(run.run, "add", "b") == 2
    assert await server.query(run.run, "so_far") == ["a", "b"]
    following = asyncio.create_task(_names(server, run.run))
    await server.signal(run.run, "more", "c")
    names = await following
    assert (names[0], names[-1]) == ("RunStarted", "RunCompleted")
    picture = await server.show(run.run)
    assert picture.result is not None
    assert picture.result.value == ["a", "b", "c"]
    page = await server.list(state=["closed"], tag=["team=a"], limit=5)
    assert [found.id for found in page.runs] == ["w-1"]
    found = await server.find("w-1")
    assert found is not None
    assert await server.find("w") is None


async def _names(server: ServerClient, run: int) -> list[str]:
    return [event.event async for event in server.events(run)]


async def test_a_run_is_paused_retried_and_ended(server: ServerClient) -> None:
    run = (await server.start("waits", 1)).run
    await server.pause(run, "lunch")
    await server.resume(run)
    await server.cancel(run, "enough")
    assert (await _names(server, run))[-1] == "RunCancelled"
    stuck = (await server.start("stands", "x")).run
    async for event in server.events(stuck):
        if event.event == "IncidentOpened":
            break
    await server.retry(stuck)
    await server.terminate(stuck)
    assert (await _names(server, stuck))[-1] == "RunTerminated"


async def test_everything_else_is_asked_by_its_handler(server: ServerClient) -> None:
    body = schedules.ScheduleBody(name="a b", workflow="doubles", when=Cron("0 2 * * *"), input=[4])
    made = await server.ask(schedules.create_schedule, body=body)
    assert made == await server.ask(schedules.show_schedule, name="a b")
    with pytest.raises(ServerRefused, match="no run '99'") as refused:
        await server.ask(runs.list_events, run=99, query=runs.EventQuery(limit=1))
    assert (refused.value.type, refused.value.status) == ("segue:run-not-found", 404)
    with pytest.raises(ServerRefused) as refused:
        await server.list(state=["odd"])
    assert refused.value.path == "$.state"
    with pytest.raises(ServerRefused, match="no run '99'"):
        await _names(server, 99)


async def test_what_was_lost_on_the_way_is_sent_again_and_done_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.0)
    listening = listen(application(engine, Loopback("ann")), port=0)
    for lost, unanswered in ((2, 0), (0, 2), (1, 1)):
        http = httpx.AsyncClient(transport=Breaks(lost, unanswered))
        async with ServerClient(listening.url, http=http) as server:
            await server.start("doubles", 4)
    assert len(engine.store.list(RunFilter())) == 3
    async with ServerClient(listening.url, http=httpx.AsyncClient(transport=Breaks(9, 0))) as server:
        with pytest.raises(ServerUnavailable, match="asked 4 times in vain"):
            await server.start("doubles", 4)
    await listening.close()
    assert len(engine.store.list(RunFilter())) == 3


class Cut(httpx.AsyncByteStream):
    """A stream whose connection is lost behind its first event."""

    def __init__(self, whole: httpx.AsyncByteStream) -> None:
        self._whole = whole

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._whole:
            yield part
            if b"event: recorded" in part:
                raise httpx.ReadError("the test says so")

    async def aclose(self) -> None:
        await self._whole.aclose()


class Cutting(Breaks):
    """Cuts every stream."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        if request.url.path.endswith("/live"):
            assert isinstance(answer.stream, httpx.AsyncByteStream)
            answer.stream = Cut(answer.stream)
        return answer


async def test_a_stream_that_is_cut_goes_on_behind_the_last_event(
    server: ServerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.0)
    run = (await server.start("doubles", 4)).run
    whole = await _names(server, run)
    cut = ServerClient(server.url, http=httpx.AsyncClient(transport=Cutting(0, 0)))
    assert await _names(cut, run) == whole
    await cut.close()


async def test_whoever_has_seen_the_end_is_told_that_it_was_the_end(server: ServerClient) -> None:
    run = (await server.start("doubles", 4)).run
    seen = [event async for event in server.events(run)]
    assert [event async for event in server.events(run, after=seen[-1].seq)] == []


async def test_a_key_goes_along(engine: Engine) -> None:
    accounts = Accounts(engine.store.accounts, engine.clock.now, QUICK)
    accounts.add_user("ann", "correct horse", {"default": "developer"})
    secret, _ = accounts.add_key("ann", "ci", frozenset({"runs:read"}), namespace="default", expires_at=None)
    listening = listen(application(engine, Known(accounts, "default"), accounts=accounts, base="/segue"), port=0)
    async with ServerClient(f"{listening.url}/segue/", key=secret) as server:
        assert (await server.list()).runs == []
        with pytest.raises(ServerRefused, match="lacks the permission runs:start"):
            await server.start("doubles", 1)
    async with ServerClient(f"{listening.url}/segue") as stranger:
        with pytest.raises(ServerRefused, match="log in, or send an API key"):
            await stranger.list()
    async with ServerClient(listening.url) as beside:
        with pytest.raises(ServerRefused, match="runs answered with HTTP 404, and not as a server of segue does"):
            await beside.list()
    await listening.close()
