"""With a codec nothing of a person's data lies open: a canary goes through every place of a run and is then looked for
in every file that the run leaves. What does lie open, by design, is looked for too."""

from __future__ import annotations

import asyncio
import os
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from segue import (
    Approval,
    Engine,
    RunCancelled,
    RunFailed,
    StepFailed,
    approval,
    log,
    publish,
    set_attributes,
    signal,
    state,
    step,
    update,
    workflow,
)
from segue.encodings.aesgcm import AesGcm
from segue.errors import Incident
from segue.kernel import events as e
from segue.stores.base import RunFilter

CANARY = "canary-3c1f-Ann-Example"
KEYS = AesGcm({"2026": os.urandom(32)})


def speak(name: str) -> None:
    print("printed", name)
    log.warning("logged %s", name)


@step
async def on_the_loop(name: str) -> dict[str, str]:
    speak(name)
    await state.set("people", "last", name)
    return {"name": name, "again": await state.get("people", "last")}


@step
def in_a_thread(name: str) -> bytes:
    speak(name)
    return f"{name} as bytes".encode()


@step(executor="process")
def in_a_process(name: str) -> str:
    speak(name)
    state.set_sync("people", "in-process", name)
    return state.get_sync("people", "in-process") + state.get_sync("people", "last")


@step
async def fails(name: str) -> None:
    raise ValueError(f"no such person: {name}") from KeyError(name)


@step(executor="process")
def fails_in_a_process(name: str) -> None:
    speak(name)
    raise ValueError(f"no such person: {name}")


@step(on_exhausted="incident")
async def stands_still(name: str) -> None:
    raise ValueError(f"cannot reach {name}")


@workflow
async def child(name: str) -> str:
    log.info("child of %s", name)
    raise RuntimeError(f"child of {name} failed")


@workflow
async def everything(name: str) -> str:
    @update
    async def rename(to: str) -> str:
        if to == "nobody":
            raise ValueError(f"{name} is not nobody")
        return f"{to}, not {name}"

    set_attributes(customer="in-the-open")
    publish("who", name)
    speak(name)
    told = [str(await on_the_loop(name)), str(await in_a_thread(name)), await in_a_process(name)]
    for failing in (fails, fails_in_a_process, child):
        try:
            await failing(name)
        except Exception as error:
            told.append(str(error))
    told.append(await signal("note", str))
    told.append((await approval("clerk", subject={"about": name})).comment)
    publish("told", told)
    raise ValueError(f"in the end {name} failed, " + "x" * 200_000)


@workflow
async def waits(name: str) -> None:
    try:
        await asyncio.sleep(3600)
    finally:
        log.info("it was %s", name)


@workflow
async def halts(name: str) -> None:
    await stands_still(name)


def forms_of(text: str) -> list[bytes]:
    """The text as it would stand in a file: as it is, or in base64 at any of its three offsets."""
    raw = text.encode()
    return [raw, *(b64encode(b"." * offset + raw)[4:-4] for offset in range(3))]


def files_with(folder: Path, text: str) -> list[str]:
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    assert len(files) >= 2, "the database and the log file"
    return [file.name for file in files for form in forms_of(text) if form in file.read_bytes()]


async def play(engine: Engine, until: Callable[..., Any]) -> dict[str, Any]:
    """Everything that may be said of a person; what is read back through the engine."""
    handle = await engine.start(everything, CANARY, id="everything")
    assert await handle.update("rename", f"{CANARY} II") == f"{CANARY} II, not {CANARY}"
    with pytest.raises(Exception, match=CANARY):
        await handle.update("rename", "nobody")
    await handle.signal("note", f"note on {CANARY}")
    await until(lambda: _has_tasks(engine))
    (task,) = await engine.tasks()
    assert task.subject == {"about": CANARY}
    await engine.comment_on_task(task, f"{CANARY} rang", by="boss")
    (note,) = await engine.task_notes(task)
    assert note.text == f"{CANARY} rang"
    await engine.complete_task(task, Approval(True, f"{CANARY} is known"))
    with pytest.raises(RunFailed, match=f"in the end {CANARY} failed"):
        await handle.result(timeout=30)
    waiting = await engine.start(waits, CANARY, id="waits")
    await waiting.cancel(f"{CANARY} called")
    with pytest.raises(RunCancelled, match=CANARY):
        await waiting.result(timeout=30)
    ended = await engine.start(waits, CANARY, id="ended")
    await ended.terminate(f"{CANARY} called again")
    with pytest.raises(Exception, match=CANARY):
        await ended.result(timeout=30)
    still = await engine.start(halts, CANARY, id="halts")
    with pytest.raises(Incident, match=f"cannot reach {CANARY}"):
        await still.result(timeout=30)
    return {
        "published": await handle.published(),
        "lines": [line.text for line in engine.logs(handle.run)],
        "failures": [r.event.failure for r in await handle.history() if isinstance(r.event, e.StepFailed)],
        "errors": {row.id: row.error for row in await engine.list()},
    }


async def _has_tasks(engine: Engine) -> bool:
    return bool(await engine.tasks())


@pytest.mark.on_file
async def test_with_a_codec_the_person_is_in_no_file(url: str, tmp_path: Path, until: Callable[..., Any]) -> None:
    async with Engine(url, codec=KEYS) as engine:
        found = await play(engine, until)
        assert found["published"]["who"] == CANARY
        assert all(CANARY in text for text in found["published"]["told"])
        assert sum(CANARY in line for line in found["lines"]) == 2 * 4 + 1
        assert [failure.message for failure in found["failures"]] == [f"no such person: {CANARY}"] * 2
        assert CANARY in found["failures"][0].cause.message
        assert all("no such person" in failure.traceback for failure in found["failures"])
        assert found["errors"]["everything"] == "ValueError: (sealed)"
        assert found["errors"]["waits"] == found["errors"]["ended"] == "(sealed)"
        assert found["errors"]["halts"] == "step-exhausted: (sealed)"
        assert files_with(tmp_path, CANARY) == []
        assert files_with(tmp_path, CANARY.casefold()) == [], "nor are its words kept, to be searched for"
        assert await engine.list(RunFilter(text="3c1f")) == []
        assert len(await engine.list(RunFilter(text="valueerror"))) >= 1, "types of errors lie open"
        assert files_with(tmp_path, "in-the-open") != [], "attributes are searched for, so they lie open"
    assert files_with(tmp_path, CANARY) == []


@pytest.mark.on_file
async def test_without_a_codec_it_is(url: str, tmp_path: Path, until: Callable[..., Any]) -> None:
    async with Engine(url) as engine:
        await play(engine, until)
        assert await engine.list(RunFilter(text="3c1f")) != []
    assert {"test.db", "test.logs.db"} <= set(files_with(tmp_path, CANARY)), "the search finds what there is to find"


async def test_whoever_lacks_the_codec_reads_that_it_is_sealed(
    url: str, tmp_path: Path, until: Callable[..., Any]
) -> None:
    async with Engine(url, codec=KEYS) as engine:
        await play(engine, until)
    async with Engine(url, own=False) as stranger:
        handle = await stranger.handle("everything")
        failures = [r.event.failure for r in await handle.history() if isinstance(r.event, e.StepFailed)]
        assert {failure.message for failure in failures} == {"(sealed)"}
        assert {line.text for line in stranger.logs(handle.run)} == {"(sealed)"}


async def test_a_run_goes_on_from_sealed_failures(url: str, until: Callable[..., Any]) -> None:
    async with Engine(url, codec=KEYS) as engine:
        handle = await engine.start(remembers, CANARY, id="remembers")
        await until(lambda: bool(engine.published(handle.run)))
    async with Engine(url, codec=KEYS) as engine:
        handle = await engine.handle("remembers")
        await handle.signal("go")
        assert CANARY in await handle.result(timeout=30)


@workflow
async def remembers(name: str) -> str:
    try:
        await fails(name)
    except StepFailed as error:
        publish("failed", True)
        await signal("go")
        return str(error)
    return ""
