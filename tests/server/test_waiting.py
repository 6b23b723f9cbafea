"""Starting a run and waiting for its end in one request."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx2 as httpx
import pytest
from api_kit import problem, start, until

from segue import Engine, continue_as_new, step, workflow
from segue.client.ends import Ends
from segue.errors import StoreUnavailable
from segue.server import acting
from segue.server.access import Loopback
from segue.server.app import application
from segue.server.client import ServerClient
from segue.server.ends import end_of
from segue.server.listening import listen
from segue.server.waiting import StartQuery
from segue.server.within import within
from segue.stores.base import RunFilter, RunRow

PATIENCE = 20.0
WAITS = {"workflow": "waits", "input": [1]}
ROOT = Path(__file__).parents[2]


@pytest.fixture
async def url(engine: Engine) -> AsyncIterator[str]:
    listening = listen(application(engine, Loopback("ann")), port=0)
    yield listening.url
    await listening.close()


async def until_so(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            if holds():
                return
            await asyncio.sleep(0)


def runs(engine: Engine) -> list[RunRow]:
    return engine.store.list(RunFilter(limit=1_000))


async def begun(engine: Engine, count: int = 1) -> list[RunRow]:
    """The runs, once so many have been started and wait."""
    await until_so(lambda: [row.state for row in runs(engine)] == ["waiting"] * count)
    return runs(engine)


def waited_for(engine: Engine) -> int:
    """How many are waiting for an end."""
    assert engine.duty is not None
    return sum(map(len, engine.duty.conductor.waiters.values()))


async def test_the_answer_comes_with_the_result(api: httpx.AsyncClient) -> None:
    answer = await api.post("/runs", params={"wait": 30}, json={"workflow": "doubles", "input": [4]})
    run = answer.json()
    assert (answer.status_code, run["state"], run["result"]["value"]) == (201, "completed", 8)
    assert (run["failure"], run["incident"]) == (None, None)
    at_once = await api.post("/runs", json={"workflow": "waits"})
    assert (at_once.status_code, at_once.json()["result"]) == (201, None)


async def test_a_failure_is_no_error_of_the_request(api: httpx.AsyncClient) -> None:
    answer = await api.post("/runs", params={"wait": 30}, json={"workflow": "fails", "input": ["no tea"]})
    run = answer.json()
    assert (answer.status_code, run["state"], run["result"]) == (201, "failed", None)
    assert (run["failure"]["cause"]["type"], run["failure"]["cause"]["message"]) == ("ValueError", "no tea")


async def test_a_run_that_stands_still_says_why(api: httpx.AsyncClient) -> None:
    answer = await api.post("/runs", params={"wait": 30}, json={"workflow": "stands", "input": ["x"]})
    run = answer.json()
    assert (answer.status_code, run["state"]) == (201, "incident")
    assert run["incident"]["failure"]["message"] == "not by x"
    assert run["incident"]["remedy"]


async def test_after_the_time_the_run_goes_on(api: httpx.AsyncClient, engine: Engine) -> None:
    answer = await api.post("/runs", params={"wait": 0.01}, json=WAITS)
    assert (answer.status_code, answer.json()["state"], answer.json()["result"]) == (202, "waiting", None)
    assert waited_for(engine) == 0
    run = answer.json()["run"]
    await api.post(f"/runs/{run}/signal", json={"name": "more", "value": "a"})
    await until(api, run, "completed")


@pytest.mark.parametrize("wait", ["61", "-1", "soon", "nan"])
async def test_what_is_too_long_is_refused(api: httpx.AsyncClient, engine: Engine, wait: str) -> None:
    answer = await api.post("/runs", params={"wait": wait}, json=WAITS)
    assert problem(answer, 422, "invalid-argument")["path"] == "$.wait"
    assert engine.store.list(RunFilter()) == []


async def test_sent_again_it_waits_for_the_same_run(api: httpx.AsyncClient, engine: Engine) -> None:
    key = {"idempotency-key": "a"}
    first = await api.post("/runs", params={"wait": 0.01}, json=WAITS, headers=key)
    again = asyncio.create_task(api.post("/runs", params={"wait": 30}, json=WAITS, headers=key))
    await until_so(lambda: waited_for(engine) == 1)
    run = first.json()["run"]
    await api.post(f"/runs/{run}/signal", json={"name": "more", "value": "a"})
    answer = await again
    assert (first.status_code, answer.status_code) == (202, 201)
    assert (answer.json()["run"], answer.json()["result"]["value"]) == (run, ["a"])
    assert answer.headers["idempotency-replayed"] == "true"
    assert len(engine.store.list(RunFilter())) == 1


async def test_two_of_one_key_at_once_both_get_the_end(url: str, engine: Engine) -> None:
    async with ServerClient(url) as server:
        body = acting.StartBody("waits", [1])
        asking = [server.ask(acting.start_run, query=StartQuery(30), body=body, key="a") for _ in range(5)]
        answers = asyncio.gather(*asking)
        (row,) = await begun(engine)
        await until_so(lambda: waited_for(engine) == 5)
        await server.signal(row.run, "more", "a")
        assert {(run.run, run.state) for run in await answers} == {(row.run, "completed")}


async def test_an_end_that_was_waited_for_is_noted_when_it_began(api: httpx.AsyncClient, engine: Engine) -> None:
    asking = asyncio.create_task(api.post("/runs", params={"wait": 30}, json=WAITS))
    (row,) = await begun(engine)
    await until_so(lambda: waited_for(engine) == 1)
    (entry,) = engine.store.accounts.audited("default")
    assert (entry.action, entry.outcome) == ("start_run", 201)
    await api.post(f"/runs/{row.run}/signal", json={"name": "more", "value": "a"})
    await asking


async def test_clients_that_go_away_leave_nothing_behind(url: str, engine: Engine) -> None:
    before = len(asyncio.all_tasks())
    for turn in range(3):
        async with httpx.AsyncClient(base_url=f"{url}/api/v1") as api:
            asking = [asyncio.create_task(api.post("/runs", params={"wait": 60}, json=WAITS)) for _ in range(40)]
            await begun(engine, 40 * (turn + 1))
            await until_so(lambda: waited_for(engine) == 40)
            for each in asking:
                each.cancel()
            await asyncio.wait(asking)
        await until_so(lambda: waited_for(engine) == 0 and len(asyncio.all_tasks()) <= before + 5)
    assert {row.state for row in runs(engine)} == {"waiting"}


@step
async def count(n: int) -> int:
    return n + 1


@workflow(name="turns")
async def turns(n: int) -> int:
    if n < 3:
        continue_as_new(await count(n))
    return n


async def test_a_chain_is_followed_to_its_end(tmp_path: Path) -> None:
    async with Engine(f"sqlite:///{tmp_path}/a.db", workflows=[turns]) as engine:
        transport = httpx.ASGITransport(application(engine, Loopback("ann")), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1") as api:
            answer = await api.post("/runs", params={"wait": 30}, json={"workflow": "turns", "input": [0], "id": "t"})
        found = engine.store.find("default", "t")
        assert found is not None
        assert (answer.json()["run"], answer.json()["result"]["value"]) == (found.run, 3)


# --- a server that does not own the runs ----------------------------------------------------------------------


@pytest.fixture
async def beside(engine: Engine, tmp_path: Path) -> AsyncIterator[Engine]:
    """Another engine on the database, which owns nothing."""
    async with Engine(f"sqlite:///{tmp_path / 'segue.db'}", workflows=[], own=False) as other:
        yield other


async def test_beside_the_owner_the_end_is_seen(beside: Engine) -> None:
    transport = httpx.ASGITransport(application(beside, Loopback("ann")), client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1") as api:
        bodies = [{"workflow": "doubles", "input": [n]} for n in range(5)]
        bodies += [{"workflow": "fails", "input": ["no"]}, {"workflow": "stands", "input": ["x"]}]
        answers = await asyncio.gather(*[api.post("/runs", params={"wait": 30}, json=body) for body in bodies])
    assert [answer.status_code for answer in answers] == [201] * 7
    assert [answer.json()["state"] for answer in answers] == ["completed"] * 5 + ["failed", "incident"]
    assert [answer.json()["result"]["value"] for answer in answers[:5]] == [0, 2, 4, 6, 8]


async def test_who_waits_beside_the_owner_is_told_by_one_look(api: httpx.AsyncClient, beside: Engine) -> None:
    runs = [await start(api, "waits", 1) for _ in range(20)]
    ends, before = Ends(beside.store), len(asyncio.all_tasks())
    waiting = [asyncio.create_task(ends.of(run)) for run in runs for _ in range(10)]
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == before + len(waiting) + 1
    for task in waiting[10:]:
        task.cancel()
    await asyncio.wait(waiting[10:])
    await api.post(f"/runs/{runs[0]}/signal", json={"name": "more", "value": "a"})
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*waiting[:10])
    await until_so(lambda: len(asyncio.all_tasks()) == before)


async def test_one_look_is_for_all_namespaces(api: httpx.AsyncClient, beside: Engine) -> None:
    run = await start(api, "waits", 1)
    before = len(asyncio.all_tasks())
    views = [beside, *(within(beside, f"other-{n}") for n in range(5))]
    waiting = [asyncio.create_task(end_of(view, run)) for view in views]
    await until_so(lambda: len(asyncio.all_tasks()) > before + len(waiting))
    assert len(asyncio.all_tasks()) == before + len(waiting) + 1
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    await until_so(lambda: len(asyncio.all_tasks()) == before)


async def test_a_database_that_is_gone_ends_the_waiting(api: httpx.AsyncClient, beside: Engine) -> None:
    run = await start(api, "waits", 1)
    waiting = asyncio.create_task(Ends(beside.store).of(run))
    await asyncio.sleep(0)
    beside.store.close()
    with pytest.raises(StoreUnavailable):
        await waiting


# --- the page -------------------------------------------------------------------------------------------------


@workflow(name="buy")
async def buy(customer: str, amount: int) -> str:
    if amount > 100:
        raise ValueError(f"{amount} is too much")
    return f"{customer} paid {amount}"


async def test_the_page_is_right(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    (snippet,) = (
        each for each in re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE) if "wait=" in each
    )
    async with Engine(f"sqlite:///{tmp_path}/a.db", workflows=[buy]) as engine:
        listening = listen(application(engine, Loopback("ann")), port=0)
        for amount in ("42", "420"):
            code = snippet.replace("42", amount).replace("order-1", amount)
            code = code.replace("http://127.0.0.1:7733", listening.url)  # last: a port has digits, too
            program = compile(code, "docs/api.md", "exec", flags=0x2000)  # ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            await eval(program, {})
        await listening.close()
    assert capsys.readouterr().out == "ann paid 42\nValueError 420 is too much\n"
