"""Artifacts: attached by workflows and by steps of every kind, large ones too; they go with their run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from segue import Artifact, Engine, SecretRef, Settings, Transaction, artifact, step, workflow
from segue.encodings.aesgcm import AesGcm
from segue.errors import InvalidArgument, NotInWorkflow, RunFailed
from segue.testing import attempt

PICTURE = bytes(range(256)) * 1_000


@dataclass
class Sale:
    item: str
    price: float


@step
async def report(n: int) -> int:
    artifact.table("sales", [Sale("tea", 2.5), {"item": "cup", "price": n}], title="Sales")
    artifact.link("source", "https://example.org/sales?day=1")
    return n


drawn: list[str] = []


@step
def draw() -> None:
    drawn.append("chart")
    artifact.image("chart", PICTURE, title="A chart")


@step
async def breaks() -> None:
    artifact.markdown("trace", "# What was seen\n- *much*")
    raise ValueError("no")


@step(executor="process")
def elsewhere() -> None:
    artifact.markdown("elsewhere", "from another process")


@step.transaction
def writes(db: Transaction) -> None:
    artifact.markdown("written", "in a transaction")


@step
async def leaks(token: SecretRef) -> None:
    artifact.markdown("token", f"it is {token.value()}")


@workflow
async def everything() -> int:
    artifact.progress("days", 0, 2)
    n = await report(3)
    artifact.progress("days", 1, 2)
    await draw()
    await writes()
    artifact.progress("days", 2, 2)
    return n


@workflow
async def corrected() -> None:
    await report(1)
    artifact.table("sales", [], title="None of them counts")


@workflow
async def perhaps(once: bool) -> None:
    if once:
        await report(1)


@workflow
async def broken() -> None:
    await breaks()


@workflow
async def apart() -> None:
    await elsewhere()


@workflow
async def leaky() -> None:
    await leaks(SecretRef("token"))


@pytest.fixture(params=["open", "sealed"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engine]:
    codec = AesGcm({"k": b"0" * 32}) if request.param == "sealed" else None
    async with Engine(f"sqlite:///{tmp_path}/test.db", codec=codec, settings=Settings(cache=0)) as engine:
        yield engine


async def test_what_is_attached_is_kept_with_the_run(engine: Engine) -> None:
    handle = await engine.start(everything)
    assert await handle.result() == 3
    assert await handle.artifacts() == [
        Artifact("progress", "days", value={"done": 2, "total": 2}),
        Artifact("table", "sales", "Sales", "/report", [{"item": "tea", "price": 2.5}, {"item": "cup", "price": 3}]),
        Artifact("link", "source", "", "/report", "https://example.org/sales?day=1"),
        Artifact("image", "chart", "A chart", "/draw", None, PICTURE, "image/png"),
        Artifact("markdown", "written", "", "/writes", "in a transaction"),
    ]
    assert await handle.published() == {}
    assert max(len(row) for row in engine.store.artifacts(handle.run).values()) < 1_000, "the picture is kept apart"


async def test_what_the_workflow_attaches_next_replaces_what_the_step_has_attached(engine: Engine) -> None:
    handle = await engine.start(corrected)
    await handle.result()
    assert [(one.name, one.title) for one in await handle.artifacts()] == [
        ("sales", "None of them counts"), ("source", ""),
    ]  # fmt: skip


def test_a_table_takes_the_values_of_data_frames() -> None:
    numpy, pandas = pytest.importorskip("numpy"), pytest.importorskip("pandas")
    frame = pandas.DataFrame({"at": pandas.to_datetime(["2026-01-01", None]), "n": [1, 2]})
    with attempt() as seen:
        artifact.table("frame", frame.to_dict("records"))
        artifact.table("sums", [{"n": numpy.int64(3), "x": numpy.float32(1.5), "all": numpy.bool_(True)}])
        with pytest.raises(InvalidArgument, match=r"table 'whole': .* a DataFrame gives them by to_dict\('records'\)"):
            artifact.table("whole", frame)
    assert {found.name: found.value for found in seen.artifacts} == {
        "frame": [{"at": "2026-01-01 00:00:00", "n": 1}, {"at": "NaT", "n": 2}],
        "sums": [{"n": 3, "x": 1.5, "all": True}],
    }


async def test_a_step_that_fails_leaves_what_it_attached(engine: Engine) -> None:
    handle = await engine.start(broken)
    with pytest.raises(RunFailed):
        await handle.result()
    (found,) = await handle.artifacts()
    assert found.value == "# What was seen\n- *much*"


async def test_a_step_in_another_process_attaches_too(engine: Engine) -> None:
    if engine._codec is None:
        handle = await engine.start(apart)
        await handle.result()
        assert [one.value for one in await handle.artifacts()] == ["from another process"]


async def test_they_go_with_their_run(engine: Engine) -> None:
    first, second = await engine.start(everything), await engine.start(everything)
    for handle in (first, second):
        await handle.result()
    await engine.erase(first.run)
    assert await first.artifacts() == []
    assert len(await second.artifacts()) == 5

    await (await engine.start(everything)).result()
    assert engine.store.retain(2**60, 10) == 2
    assert engine.store.artifacts(second.run) == {}


async def test_a_fork_shows_what_the_steps_that_it_keeps_have_attached(engine: Engine) -> None:
    handle = await engine.start(everything, id="source")
    await handle.result()
    drawn.clear()
    fork = await handle.fork(step="writes", id="late")
    await fork.result()
    assert not drawn, "nothing of what is kept ran again"
    assert {made.name: made.by for made in await fork.artifacts()} == {
        "days": "", "sales": "/report", "source": "/report", "chart": "/draw", "written": "/writes",
    }  # fmt: skip
    # What is large stays for as long as one of them is there.
    assert engine.store.retain(2**60, 1) == 1
    assert engine.store.run(handle.run) is None
    assert [made.data for made in await fork.artifacts() if made.name == "chart"] == [PICTURE]


async def test_a_fork_does_not_show_what_is_left_behind(engine: Engine) -> None:
    handle = await engine.start(perhaps, True)
    await handle.result()
    fork = await handle.fork(step="start", args=(False,), id="without")
    await fork.result()
    assert len(await handle.artifacts()) == 2
    assert await fork.artifacts() == []


async def test_a_secret_does_not_get_out_this_way(tmp_path: Path) -> None:
    class Known:
        def get(self, name: str) -> str:
            return "sesame-open-thyself"

    async with Engine(f"sqlite:///{tmp_path}/s.db", secrets=Known()) as engine:
        handle = await engine.start(leaky)
        with pytest.raises(RunFailed, match="contains the value of a secret"):
            await handle.result()
        assert await handle.artifacts() == []


async def test_a_picture_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_bytes(b"<svg/>")
    with attempt() as lone:
        artifact.image("a", tmp_path / "a.svg")
    (found,) = lone.artifacts
    assert (found.data, found.media_type) == (b"<svg/>", "image/svg+xml")


WRONG: dict[str, Any] = {
    "rows without fields": lambda: artifact.table("t", [1, 2]),
    "a script": lambda: artifact.link("l", "javascript:alert(1)"),
    "no picture": lambda: artifact.image("i", b"x", media_type="text/html"),
    "no name": lambda: artifact.markdown("a\0b", "x"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_cannot_be_shown_is_refused(kind: str) -> None:
    with attempt() as lone, pytest.raises(InvalidArgument):
        WRONG[kind]()
    assert lone.artifacts == []


def test_nowhere_else() -> None:
    with pytest.raises(NotInWorkflow):
        artifact.markdown("a", "b")
