"""Steps that are started from the command line find secrets, and no file that they leave holds a value."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
from cli_kit import Folder

CANARY = "canary-7f3a-swordfish"

FLOW = """
    from segue import SecretRef, log, step, workflow

    @step
    async def use(token: SecretRef) -> int:
        print("the token is", token.value())
        log.info("again: %s", token.value())
        return len(token.value())

    @step(executor="process")
    def use_in_process(token: SecretRef) -> int:
        print("the token is", token.value())
        return len(token.value())

    @step
    async def reject(token: SecretRef) -> None:
        raise ValueError(f"rejected {token.value()}")

    @workflow
    async def both(name: str = "db.password") -> list[int]:
        return [await use(SecretRef(name)), await use_in_process(SecretRef(name))]

    @workflow
    async def careless(name: str = "db.password") -> None:
        await reject(SecretRef(name))
"""
FOUND = [len(CANARY)] * 2


@pytest.fixture(params=["environment", "folder"])
def place(request: pytest.FixtureRequest, segue: Folder) -> Folder:
    """A folder of a user's in which ``db.password`` is set in one way."""
    segue.write("flows.py", "")
    segue.write("keys/flow.py", FLOW)
    segue.write("mounted/db.password", CANARY + "\n")
    if request.param == "environment":
        segue.environment["SEGUE_SECRET_DB_PASSWORD"] = CANARY
    else:
        segue.write("segue.toml", 'secrets = "mounted"\n')
    return segue


def result(segue: Folder, id: str) -> Any:
    return segue("show", id, "--json").json["result"]


def look_through(folder: Path) -> None:
    files = [file for file in (folder / ".segue").iterdir() if file.is_file()]
    assert len(files) >= 2, "the database and the log file"
    for file in files:
        assert CANARY.encode() not in file.read_bytes(), file


def test_run_finds_a_secret(place: Folder) -> None:
    place("run", "keys/flow.py:both", "--id", "a")
    assert result(place, "a") == FOUND
    failed = place("run", "keys/flow.py:careless", "--id", "b", code=1)
    assert "rejected ***" in failed.err + failed.out
    assert CANARY not in failed.err + failed.out
    assert CANARY not in place("show", "a", "--logs").out
    look_through(place.path)


def test_run_without_a_record_finds_a_secret(place: Folder) -> None:
    assert place("run", "keys/flow.py:both", "--no-record", "--json").json["result"] == FOUND
    assert not (place.path / ".segue").exists()


@pytest.mark.parametrize("words", [("worker", "keys/flow.py"), ("dev", "keys", "--port", "0")], ids=lambda w: w[0])
def test_whoever_serves_finds_a_secret(place: Folder, words: tuple[str, ...]) -> None:
    serving = place.begin(*words)
    serving.until("serving both")
    place("start", "both", "--id", "a")
    serving.until("completed  both a")
    place("start", "careless", "--id", "b")
    serving.until("failed  careless b")
    serving.signal(signal.SIGTERM)
    assert serving.end() == 0
    assert result(place, "a") == FOUND
    look_through(place.path)


def test_a_secret_that_is_not_set_says_how_to_set_it(segue: Folder) -> None:
    segue.write("flow.py", FLOW)
    segue.write("mounted/other", "x")
    segue.environment["SEGUE_SECRETS"] = "mounted"
    for record in ((), ("--no-record",)):
        failed = segue("run", "flow.py:both", *record, code=1, COLUMNS="500")
        told = " ".join((failed.out + failed.err).split())
        assert f"looked in: environment (SEGUE_SECRET_…), folder {segue.path}/mounted" in told
        way = f"export SEGUE_SECRET_DB_PASSWORD=…, or write it into {segue.path}/mounted/db.password"
        assert f"where the step runs: {way}" in told


@pytest.mark.parametrize(
    "words",
    [
        ("run", "flows.py:plain", "3"), ("run", "flows.py:plain", "3", "--no-record"), ("worker", "flows.py"),
        ("dev", ".", "--port", "0"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_place_that_is_not_there_is_refused_at_the_start(segue: Folder, words: tuple[str, ...]) -> None:
    segue.environment["SEGUE_SECRETS"] = f"{segue.path}/missing"
    if words[0] == "dev":  # which waits for a change
        segue.begin(*words).until(r"entry 1 of the setting secrets \(.*missing\) is not there")
    else:
        refused = segue(*words, code=2).err
        assert "entry 1 of the setting secrets" in refused
        assert "is not there" in refused


def test_what_starts_no_step_needs_no_secrets(segue: Folder) -> None:
    segue("run", "flows.py:plain", "3", "--id", "a")
    segue.environment["SEGUE_SECRETS"] = "missing"
    assert segue("list", "--json").json[0]["id"] == "a"
    server = segue.begin("server", "--port", "0")
    server.until("dashboard")
    server.signal(signal.SIGTERM)
    assert server.end() == 0
