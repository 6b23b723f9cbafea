"""Notices as a web hook gets them: each at least once, signed, under one id, and never in the way of its run."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from segue import (
    Deadline,
    Engine,
    Every,
    NonRetryable,
    NotifyRule,
    Schedule,
    Settings,
    approval,
    signal,
    step,
    testing,
    workflow,
)
from segue.configuration.settings import read_settings
from segue.errors import Incident, InvalidArgument, NotSent, RunFailed
from segue.kernel.notice import Notice
from segue.notifying import sending
from segue.notifying.rules import address, checked
from segue.notifying.sending import in_words, send, signature
from segue.runtime.notices import WORKFLOW
from segue.server.listening import listen
from segue.stores.base import RunFilter
from segue.stores.faults import FaultyStore, LoseAcknowledgement, Refuse
from segue.stores.sqlite import SqliteStore
from tls_kit import Demanding


@step(on_exhausted="incident")
async def needs_care() -> None:
    raise NonRetryable("no paper")


@workflow
async def ends(how: str) -> str:
    match how:
        case "failed":
            raise NonRetryable("it broke")
        case "incident":
            await needs_care()
        case "waits":
            await signal("never")
    return how


@workflow
async def asks(due: str) -> bool:
    return (await approval("boss", timeout=due, escalate="director")).approved


@step
async def called() -> None: ...


class Hook:
    """A web hook on this machine: keeps what it gets, and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.arrived = asyncio.Event()
        self.listening = listen(Starlette(routes=[Route("/hook/{rest:path}", self._take, methods=["POST"])]), port=0)
        self.url = f"{self.listening.url}/hook/secret-path"

    async def _take(self, request: Request) -> Response:
        self.got.append((dict(request.headers), await request.body()))
        self.arrived.set()
        status = self.answers.pop(0) if self.answers else 204
        return RedirectResponse("/hook/elsewhere", 307) if status == 302 else Response(status_code=status)

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]

    async def until(self, count: int) -> list[dict[str, Any]]:
        async with asyncio.timeout(20):
            while len(self.got) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return self.told


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    hook = Hook()
    yield hook
    await hook.listening.close()


def rule(hook: Hook, *when: str, **more: Any) -> NotifyRule:
    return NotifyRule(name=more.pop("name", "r"), when=when, to=hook.url, **more)  # type: ignore[arg-type]


def settings(*rules: NotifyRule) -> Settings:
    return Settings(notify=rules)


async def test_each_end_is_told_and_signed_under_an_id_of_its_own(tmp_path: Path, hook: Hook) -> None:
    rules = settings(rule(hook, "completed", "failed", "cancelled", "terminated", secret="s3cret"))
    async with Engine(f"sqlite:///{tmp_path}/s.db", settings=rules) as engine:
        for how in ("completed", "failed", "cancelled", "terminated"):
            handle = await engine.start(
                ends, "waits" if how.endswith(("lled", "ated")) else how, id=how, tags={"t": "x"}
            )
            if how == "cancelled":
                await handle.cancel("not needed")
            elif how == "terminated":
                await handle.terminate("at once")
        told = {each["when"]: each for each in await hook.until(4)}
    assert told.keys() == {"completed", "failed", "cancelled", "terminated"}
    assert [told[how]["run"] for how in told] == list(told)
    assert told["failed"]["message"] == "NonRetryable: it broke"
    assert told["cancelled"]["message"] == "not needed"
    assert told["failed"]["workflow"] == "ends"
    assert told["failed"]["tags"] == {"t": "x"}
    for headers, body in hook.got:
        made = dict(part.split("=") for part in headers["segue-signature"].split(","))
        expected = hmac.new(b"s3cret", f"{made['t']}.".encode() + body, "sha256").hexdigest()
        assert made["v1"] == expected
        assert headers["segue-notice"] == json.loads(body)["id"]
    assert len({each["id"] for each in hook.told}) == 4


async def test_a_rule_chooses_by_workflow_tags_and_occasion(tmp_path: Path, hook: Hook) -> None:
    rules = settings(
        rule(hook, "incident", name="care"),
        rule(hook, "completed", name="other", workflow="another"),
        rule(hook, "completed", name="tagged", tags={"team": "x"}),
        rule(hook, "completed", name="beyond", namespace="elsewhere"),
        rule(hook, "incident", name="here", namespace="default"),
    )
    async with Engine(f"sqlite:///{tmp_path}/s.db", settings=rules) as engine:
        with pytest.raises(Incident):
            await (await engine.start(ends, "incident", id="i")).result()
        await (await engine.start(ends, "plain")).result()
        await (await engine.start(ends, "well", id="t", tags={"team": "x", "more": "y"})).result()
        told = await hook.until(3)
        for row in await engine.list(RunFilter(workflow=WORKFLOW)):
            await (await engine.handle(row.id)).result()
        assert len(hook.got) == 3
    assert sorted((each["when"], each["run"]) for each in told) == [
        ("completed", "t"), ("incident", "i"), ("incident", "i"),
    ]  # fmt: skip
    assert "no paper" in next(each["message"] for each in told if each["when"] == "incident")


async def test_what_does_not_get_through_is_tried_again_under_the_same_id(tmp_path: Path, hook: Hook) -> None:
    hook.answers = [503, 429, 204]
    async with testing.engine(tmp_path, settings=settings(rule(hook, "completed"))) as world:
        assert await world.result(await world.engine.start(ends, "well", id="a")) == "well"
        while len(hook.got) < 3:
            await world.advance("1m")
    assert len({headers["segue-notice"] for headers, _ in hook.got}) == 1
    assert len({body for _, body in hook.got}) == 1


async def test_a_refusal_ends_the_notice_and_not_the_run(tmp_path: Path, hook: Hook) -> None:
    hook.answers = [410, 302]
    async with Engine(f"sqlite:///{tmp_path}/s.db", settings=settings(rule(hook, "failed"))) as engine:
        for id in ("a", "b"):
            with pytest.raises(RunFailed):
                await (await engine.start(ends, "failed", id=id)).result()
        await hook.until(2)
        notices = await engine.list(RunFilter(workflow=WORKFLOW))
        for row in notices:
            with pytest.raises(RunFailed, match=r"127\.0\.0\.1 answered with (410|307)"):
                await (await engine.handle(row.id)).result()
        text = str([event for row in notices for event in engine.events_of(row.run)])
    assert len(hook.got) == 2, "a redirect is not followed, and a notice that failed is not told of"
    assert "secret-path" not in text


@pytest.mark.parametrize("fault", [Refuse(), LoseAcknowledgement()])
async def test_a_commit_that_is_tried_again_tells_once(tmp_path: Path, hook: Hook, fault: Any) -> None:
    faults = dict.fromkeys(range(2, 5), fault)
    store = FaultyStore(SqliteStore.open(tmp_path / "s.db"), faults)
    async with Engine(store=store, settings=settings(rule(hook, "completed"))) as engine:
        assert await (await engine.start(ends, "well")).result() == "well"
        await hook.until(1)
        (row,) = await engine.list(RunFilter(workflow=WORKFLOW))
        await (await engine.handle(row.id)).result()
    assert len(hook.got) == 1


async def test_a_notice_outlives_the_process_that_wrote_it(tmp_path: Path, hook: Hook) -> None:
    url = f"sqlite:///{tmp_path}/s.db"
    dead = NotifyRule(name="r", when=("completed",), to="http://127.0.0.1:9/nobody-is-there")
    async with Engine(url, settings=settings(dead)) as engine:
        await (await engine.start(ends, "well", id="a")).result()
    async with Engine(url, settings=settings(rule(hook, "completed"))):  # the rule, mended
        (told,) = await hook.until(1)
    assert told["run"] == "a"


async def test_a_task_is_told_of_when_it_is_overdue_and_not_when_it_was_answered(tmp_path: Path, hook: Hook) -> None:
    async with testing.engine(tmp_path, settings=settings(rule(hook, "overdue"))) as world:
        await world.engine.start(asks, "1h", id="late")
        answered = await world.engine.start(asks, "2h", id="in-time")
        await world.settle()
        (task,) = [task for task in await world.engine.tasks() if task.run_id == "in-time"]
        await world.engine.complete_task(task, {"approved": True})
        assert await world.result(answered)
        await world.advance("59m")
        assert hook.got == []
        await world.advance("3h")
        (told,) = await hook.until(1)
    assert (told["run"], told["task"], told["assignee"], told["when"]) == ("late", "approval", "boss", "overdue")


async def test_a_missed_deadline_is_told_of(tmp_path: Path, hook: Hook) -> None:
    async with testing.engine(tmp_path, settings=settings(rule(hook, "deadline"))) as world:
        deadline = Deadline("completed", "10m", called)
        await world.engine.schedules.create("s", ends, Schedule(Every("1h"), args=("waits",), deadlines=(deadline,)))
        await world.advance("1h 11m")
        (told,) = await hook.until(1)
    assert (told["when"], told["schedule"], told["state"]) == ("deadline", "s", "waiting")


# --- rules ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"to": "ftp://x/y"}, "not http:// or https://"),
        ({"to": "file:///etc/passwd"}, "not http:// or https://"),
        ({"to": "http://"}, "not http:// or https://"),
        ({"to": "//host/path"}, "not http:// or https://"),
        ({"to": "http://[broken"}, "not http:// or https://"),
        ({"to": "apprise:"}, "not http:// or https://"),
        ({"namespace": "*"}, "'*' is no name of a namespace"),
        ({"when": ()}, "tells of nothing"),
        ({"name": "a b"}, "letters"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(given: dict[str, Any], what: str) -> None:
    with pytest.raises(InvalidArgument, match=what):
        checked([NotifyRule(**{"name": "r", "when": ("failed",), "to": "https://x/y", **given})])


def test_rules_stand_in_the_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("segue.toml").write_text('[[notify]]\nname = "r"\nwhen = "failed"\nto = "$HOOK"\n')
    (found,) = read_settings().notify
    assert (found.when, found.to) == (("failed",), "$HOOK")
    with pytest.raises(InvalidArgument, match="HOOK, which is not set"):
        address(found)
    monkeypatch.setenv("HOOK", "gopher://x")
    with pytest.raises(InvalidArgument, match="not http"):
        address(found)
    monkeypatch.setenv("SEGUE_NOTIFY", '[{"name": "e", "when": ["incident"], "to": "https://x"}]')
    assert [rule.name for rule in read_settings().notify] == ["e"]
    monkeypatch.delenv("SEGUE_NOTIFY")
    for text in ('when = "sometimes"\nto = "https://x"', 'when = "failed"', 'when = "failed"\nto = "https://x"\nx = 1'):
        Path("segue.toml").write_text(f'[[notify]]\nname = "r"\n{text}\n')
        with pytest.raises(InvalidArgument, match="the setting notify"):
            read_settings()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of apprise
async def test_where_notices_go_is_not_logged(hook: Hook, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def logged() -> str:
        return "\n".join(record.getMessage() for record in caplog.records if record.name != "uvicorn.access")

    notice = Notice(id="n", when="failed", workflow="w", run="r", namespace="default", at=1, state="failed")
    await send(rule(hook, "failed"), notice)
    assert "secret-path" not in logged()
    async with httpx.AsyncClient() as client:
        await client.get(hook.url)
    assert "secret-path" in logged(), "what others send is theirs to log"
    pytest.importorskip("apprise")
    with pytest.raises(NonRetryable):
        await send(NotifyRule(name="r", when=("failed",), to="apprise:slack://hidden"), notice)
    assert "hidden" not in logged()


async def test_a_hook_that_demands_a_certificate_is_one_that_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Demanding(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    sending._trust.cache_clear()
    told = NotifyRule(name="x", when=("failed",), to=f"{server.url}/a-secret")
    notice = Notice(id="n", when="failed", workflow="w", run="r", namespace="default", at=1, state="failed")
    try:
        with pytest.raises(NotSent, match=r"^TLSV13_ALERT_CERTIFICATE_REQUIRED at 127\.0\.0\.1$"):
            await send(told, notice)
    finally:
        sending._trust.cache_clear()
        await asyncio.to_thread(server.close)  # beside the loop, on which connections end


def test_a_signature_is_over_the_time_and_the_body() -> None:
    assert signature("k", b"{}", 5) != signature("k", b"{}", 6) != signature("k", b"[]", 6)
    assert signature("k", b"{}", 5).startswith("t=5,v1=")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the library
async def test_apprise_sends_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    apprise = pytest.importorskip("apprise")
    sent: list[tuple[str, str]] = []
    works = [True]

    @apprise.decorators.notify(on="seguetest")
    def deliver(body: str, title: str, notify_type: Any, *args: Any, **more: Any) -> bool:
        sent.append((title, body))
        return works[0]

    told = NotifyRule(name="r", when=("failed",), to="apprise:seguetest://")
    notice = Notice(
        id="i", when="failed", workflow="w", run="a", namespace="default", at=1, state="failed", message="m"
    )
    await send(told, notice)
    assert sent == [in_words(notice)]
    works[0] = False
    with pytest.raises(NotSent):
        await send(told, notice)
    with pytest.raises(NonRetryable, match="does not know"):
        await send(NotifyRule(name="r", when=("failed",), to="apprise:nothing-like-it"), notice)
