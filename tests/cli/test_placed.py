"""The command line over large values that are outside the database, with and without what reaches them."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest
from cli_kit import SOURCE, Folder

from segue import Engine, Settings, step, workflow

pytest.importorskip("fsspec")

SIZE = 300_000


@step(name="placed.cli.make")
async def make(letter: str) -> str:
    return letter * SIZE


@workflow(name="placed.cli.gives")
async def gives(letter: str) -> str:
    return await make(letter)


LARGE = """
from segue import signal, step, workflow

@step
async def make(letter: str) -> str:
    return letter * 300_000

@workflow
async def keeps(letter: str) -> int:
    made = await make(letter)
    await signal("go")
    return len(made)
"""


@pytest.fixture
def shop(segue: Folder) -> Folder:
    """A folder with a run whose result has moved, and others that wait, one of them for a value that has moved."""

    async def fill() -> None:
        settings = Settings(large_values=values.as_uri())
        async with Engine(f"sqlite:///{segue.path}/.segue/segue.db", app="other", settings=settings) as engine:
            await (await engine.start(gives, "a", id="large")).result()
            async with asyncio.timeout(10):
                while engine.store.places.large(SIZE, 1):  # noqa: ASYNC110 - they move by themselves
                    await asyncio.sleep(0.01)

    values = segue.path / "values"
    values.mkdir()
    segue("run", "flows.py:waits", "ann", "--id", "waits", "--timeout", "300ms", code=5)
    segue.write("large.py", LARGE)
    segue("run", "large.py:keeps", "a", "--id", "keeps", "--timeout", "1s", code=5)
    asyncio.run(fill())
    return segue


def without_fsspec(folder: Path) -> str:
    """A search path on which fsspec cannot be imported."""
    package = folder / "without" / "fsspec"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('No module named fsspec')")
    return os.pathsep.join([str(package.parent), str(SOURCE)])


def test_values_are_read_where_they_are_and_a_backup_says_that_it_has_none(shop: Folder) -> None:
    assert shop("show", "large", "--json").json["result"] == "a" * SIZE
    lines = [json.loads(line) for line in shop("db", "export", "large").out.splitlines()]
    assert [len(line["payload"][1]) > SIZE for line in lines if "payload" in line] == [True]
    told = shop("db", "backup", "monday.db").out
    assert told.endswith("; step logs, and large values that are kept elsewhere, are not in it\n")
    stats = shop("db", "stats", "--json").json
    assert stats["payloads"] == 1, "both runs refer to the same value"
    assert stats["elsewhere"] == [{"place": (shop.path / "values").as_uri(), "values": 1, "bytes": SIZE + 2}]
    assert f"         1  of them, 300.0 kB, at {(shop.path / 'values').as_uri()}\n" in shop("db", "stats").out


def test_an_export_says_which_value_of_which_run_is_missing(shop: Folder) -> None:
    (file,) = [each for each in (shop.path / "values").rglob("*") if each.is_file()]
    value = file.name.partition("-")[0]
    file.unlink()
    said = f"run large: value {value} is null in the export; there is nothing at {file.as_uri()}, where it has to be"
    told = shop("db", "export", "large", code=6)
    assert told.err.count("\n") == 1
    assert said in told.err
    assert {"payload": [value, None]} in [json.loads(line) for line in told.out.splitlines()]
    told = shop("db", "export", "--open", "open.jsonl", "--json", code=6)
    assert told.json["missing"] == [{"id": "keeps", "value": value, "place": file.as_uri()}]
    assert "run keeps: value" in told.err
    assert len((shop.path / "open.jsonl").read_text().splitlines()) == told.json["lines"]
    assert shop("db", "export", "waits", "waits.jsonl", "--json").json["missing"] == []


def test_an_export_that_fails_leaves_no_part_of_it(shop: Folder) -> None:
    shop("db", "export", "large", "large.jsonl", PYTHONPATH=without_fsspec(shop.path), code=6)
    shop("db", "export", "large", "large.jsonl")


def test_without_fsspec_what_needs_no_value_works_and_the_rest_says_what_to_install(shop: Folder) -> None:
    bare = without_fsspec(shop.path)
    for said in ({}, {"SEGUE_LARGE_VALUES": "file:///srv/values"}):
        assert "large" in shop("list", PYTHONPATH=bare, **said).out
        assert "waiting" in shop("show", "waits", PYTHONPATH=bare, **said).out
    for command in (("show", "large"), ("db", "export", "large")):
        assert (
            "fsspec is not here to reach it: pip install 'segue[files]'" in shop(*command, PYTHONPATH=bare, code=6).err
        )
    refused = shop("run", "flows.py:waits", "--id", "waits", PYTHONPATH=bare, SEGUE_LARGE_VALUES="s3://bucket", code=2)
    assert "s3://bucket, and fsspec is not here" in refused.err


def test_a_run_whose_value_cannot_be_had_is_watched_while_it_waits(shop: Folder) -> None:
    again = ("run", "large.py:keeps", "--id", "keeps")
    waiting = shop(*again, "--timeout", "1s", PYTHONPATH=without_fsspec(shop.path), code=5)
    assert "the run goes on with" in waiting.out
    shop("signal", "keeps", "go", "on")
    assert shop(*again, "--json").json["result"] == SIZE


def test_a_password_is_refused_before_anything_is_opened_and_told_nowhere(shop: Folder) -> None:
    url = "sftp://ann:hunter2@host/values"
    for more in ((), ("--json",)):
        told = shop("run", "flows.py:waits", "--id", "waits", *more, SEGUE_LARGE_VALUES=url, code=2)
        assert "has a password in it" in told.err + told.out
        assert "hunter2" not in told.err + told.out
    assert "hunter2" not in shop("db", "stats", SEGUE_LARGE_VALUES=url).out
