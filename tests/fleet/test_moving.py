"""A database outgrows its file: everything goes over to PostgreSQL, and open runs go on there."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fleet_kit import until

import segue
from segue import Approval, Engine, Settings, approval, signal, state, step, workflow
from segue.configuration.moving import TABLES, move
from segue.errors import InvalidArgument, StoreUnavailable
from segue.stores.account_rows import AuditRow, KeptAnswer, KeyRow, SessionRow, UserRow
from segue.stores.base import RunFilter
from segue.stores.postgres.store import PostgresStore
from segue.stores.sqlite.store import SqliteStore

LARGE = "x" * 200_000


@step
async def count_up() -> int:
    print("counting")
    seen = int(await state.get("tests", "count", 0)) + 1
    await state.set("tests", "count", seen)
    return seen


@workflow
async def lives(n: int) -> list[Any]:
    segue.set_attributes(n=n)
    segue.publish("n", n)
    first = await count_up()
    word = await signal("go", str)
    answer = await approval("boss")
    return [first, len(word), answer.approved, await count_up()]


@workflow
async def sleeps() -> str:
    await segue.sleep("1h")
    return "awake"


async def test_open_runs_go_on_where_they_were(tmp_path: Path, postgres_database: Callable[[], str]) -> None:
    source, target = f"sqlite:///{tmp_path}/segue.db", postgres_database()
    async with Engine(source) as engine:
        handles = [await engine.start(lives, n, id=f"r{n}", tags={"n": str(n)}) for n in range(3)]
        await engine.start(sleeps, id="asleep")
        ended = await engine.start(lives, 9, id="ended")
        await ended.signal("go", "on")
        await engine.terminate(ended.run, "enough")
        await handles[0].signal("go", LARGE)
        await until(lambda: len(engine.store.tasks("default")) == 1)
        (asked,) = await engine.tasks()
        await engine.claim_task(asked, by="boss")
        await engine.comment_on_task(asked, "on Monday", by="boss")
    with_file = SqliteStore.open(tmp_path / "segue.db")
    before = {run.id: list(with_file.journal(run.run)) for run in with_file.list(RunFilter(limit=100))}
    with_file.close()

    moved = move(source, target)

    assert moved["runs"] == 5
    assert moved["log_lines"] >= 4
    assert not (tmp_path / "segue.db").exists()
    assert (tmp_path / "segue.db.moved").exists()
    async with Engine(target) as engine:
        rows = {run.id: run for run in engine.store.list(RunFilter(limit=100))}
        assert {id: list(engine.store.journal(run.run))[: len(before[id])] for id, run in rows.items()} == before
        assert (rows["r1"].attributes, rows["r1"].tags) == ({"n": 1}, {"n": "1"})
        assert [run.id for run in engine.store.list(RunFilter(text="n 1 "))] == ["r1"], "its words went along"
        for n in (1, 2):
            await (await engine.handle(f"r{n}")).signal("go", "on")
        for n in range(3):
            handle = await engine.handle(f"r{n}")
            await until(functools.partial(has_task, engine, handle.run))
            (task,) = [task for task in await engine.tasks() if task.run_id == handle.id]
            said = [(note.kind, note.text) for note in await engine.task_notes(task)]
            moved_too = [("claimed", ""), ("commented", "on Monday")] if n == 0 else []
            assert (task.claimed_by, said) == ("boss" if n == 0 else None, moved_too)
            await engine.comment_on_task(task, "and now", by="boss")  # numbers go on behind those that came along
            await engine.complete_task(task, Approval(True), by="boss")
            found = await handle.result(timeout=10)
            assert found[1:3] == [len(LARGE) if n == 0 else 2, True]
        assert await (await engine.start(lives, 77, id="after")).signal("go", "x") is None
        assert (await engine.handle("asleep")).run == rows["asleep"].run


def has_task(engine: Engine, run: int) -> bool:
    return bool(engine.store.tasks("default", run=run))


async def test_large_values_that_are_elsewhere_stay_there(tmp_path: Path, postgres_database: Callable[[], str]) -> None:
    source, target = f"sqlite:///{tmp_path}/segue.db", postgres_database()
    values = tmp_path / "values"
    values.mkdir()
    settings = Settings(large_values=values.as_uri())
    async with Engine(source, settings=settings) as engine:
        handle = await engine.start(lives, 0, id="r0")
        await handle.signal("go", LARGE)
        await until(lambda: engine.store.places.any())
        engine.store.places.announce(["memory://on/its/way"], 5)
    files = sorted(values.rglob("*"))

    moved = move(source, target)

    assert moved["leftovers"] == 1
    async with Engine(target, settings=Settings(poll=0.005)) as engine:
        assert engine.store.places.leftovers(6, 9) == ["memory://on/its/way"]
        assert [value.place.startswith(values.as_uri()) for value in engine.store.places.of_run(handle.run)] == [True]
        handle = await engine.handle("r0")
        await until(lambda: bool(engine.store.tasks("default")))
        (task,) = await engine.tasks()
        await engine.complete_task(task, Approval(True), by="boss")
        assert (await handle.result(timeout=10))[1] == len(LARGE)
        assert sorted(values.rglob("*")) == files
        engine.store.places.cleared(["memory://on/its/way"])


async def test_the_planner_knows_what_came_over(tmp_path: Path, postgres_database: Callable[[], str]) -> None:
    source, target = f"sqlite:///{tmp_path}/segue.db", postgres_database()
    async with Engine(source) as engine:
        handles = [await engine.start(lives, n, id=f"r{n}", tags={"n": str(n)}) for n in range(5)]
        await handles[0].signal("go", "on")
        await until(lambda: len(engine.store.tasks("default")) == 1)

    moved = move(source, target)

    store = PostgresStore.open(target)
    with store.raw_transaction() as connection:
        known = {
            name for (name,) in connection.execute("SELECT DISTINCT tablename FROM pg_stats WHERE schemaname = 'segue'")
        }
        (counted,) = connection.execute("SELECT reltuples FROM pg_class WHERE oid = 'segue.runs'::regclass").fetchone()
    store.close()
    assert {name for name, rows in moved.items() if rows} <= known
    assert {"runs", "journal", "words", "tasks", "log_lines"} <= known
    assert counted == 5


async def test_nobody_may_be_at_work_on_the_file(tmp_path: Path, postgres_database: Callable[[], str]) -> None:
    source = f"sqlite:///{tmp_path}/segue.db"
    async with Engine(source) as engine:
        await engine.start(lives, 1)
        with pytest.raises(StoreUnavailable, match=r"is at work .*end it first"):
            move(source, postgres_database())
    assert (tmp_path / "segue.db").exists()


async def test_the_target_must_be_empty(tmp_path: Path, postgres_database: Callable[[], str]) -> None:
    source, target = f"sqlite:///{tmp_path}/segue.db", postgres_database()
    for url in (source, target):
        async with Engine(url) as engine:
            await engine.start(lives, 1)
    with pytest.raises(InvalidArgument, match="already"):
        move(source, target)
    assert (tmp_path / "segue.db").exists()
    for wrong in ((target, source), (source, source)):
        with pytest.raises(InvalidArgument, match="are moved from a file"):
            move(*wrong)
    with pytest.raises(StoreUnavailable, match="there is no database"):
        move(f"sqlite:///{tmp_path}/none.db", target)


def test_every_table_of_the_file_goes_over(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "segue.db")
    tables = {name for (name,) in store.raw_rows("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    columns = {
        table.source: {name for (name,) in store.raw_rows(f"SELECT name FROM pragma_table_info('{table.source}')")}
        for table in TABLES
    }
    store.close()
    assert {table.source for table in TABLES} == {t for t in tables if not t.startswith("sqlite_")} - {"meta", "owners"}
    for table in TABLES:
        left_out = columns[table.source] - set(table.columns.split(", "))
        assert left_out <= {"id"}, f"{table.source}: {left_out}"


def test_accounts_audit_and_what_is_said_of_namespaces_go_along(
    tmp_path: Path, postgres_database: Callable[[], str]
) -> None:
    target = postgres_database()
    file = SqliteStore.open(tmp_path / "segue.db")
    user = UserRow("ann", "hash", {"*": "admin"}, None, 100)
    key = KeyRow("k", "digest", "ann", "ci", "*", ("runs:read",), 100, None)
    entry = AuditRow(0, 1, "default", "ann", "cancel_run", "/runs/7", 204, "10.0.0.7", "abc")
    file.accounts.add_user(user)
    file.accounts.add_key(key)
    file.accounts.add_session(SessionRow("s", "ann", 100, 200))
    file.accounts.audit(entry)
    file.accounts.begin_answer("default", "ann", "once", "request", 100, stale=0)
    file.accounts.keep_answer("default", "ann", "once", 201, b"{}")
    said = file.described.change("eu", description="Orders of Europe", retention='[{"keep":"30d"}]')
    file.close()
    move(f"sqlite:///{tmp_path}/segue.db", target)
    store = PostgresStore.open(target)
    moved = store.accounts
    assert (moved.list_users(), moved.list_keys()) == ([user], [key])
    assert moved.session("s") == SessionRow("s", "ann", 100, 200)
    assert moved.answer("default", "ann", "once") == KeptAnswer("request", 100, 201, b"{}")
    moved.audit(entry)
    assert [row.entry for row in moved.audited("default")] == [2, 1]
    assert store.described.list() == [said]
    store.close()
