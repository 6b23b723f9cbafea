"""``segue worker --queue``: a worker with no database, beside a server that has one."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_kit import PATIENCE, Folder, Running

CANARY = "canary-7f3a-swordfish"

GPU = """
import asyncio
from pathlib import Path

from segue import Retry, SecretRef, progress, step, workflow

@step(queue="gpu", retry=Retry(attempts=2, initial="1ms", jitter=0))
async def train(model: str) -> str:
    print(f"training {model}")
    while model == "slow" and not Path("go").exists():
        await asyncio.sleep(0.01)
    if model == "bad":
        raise ValueError("it diverged\\nbadly")
    return model.upper()

@step(queue="gpu")
async def log_in(token: SecretRef, well: bool) -> int:
    print("with", token.value())
    progress(1, 2, "as " + token.value())
    if not well:
        raise ValueError("refused: " + token.value())
    return len(token.value())

@workflow
async def enter(well: bool) -> int:
    return await log_in(SecretRef("gpu.token"), well)

@workflow
async def fit(model: str) -> str:
    return await train(model)
"""


@pytest.fixture
def server(segue: Folder) -> str:
    segue.write("gpu.py", GPU)
    segue.write("away/gpu.py", GPU)
    dev = segue.begin("dev", "gpu.py", "--port", "0")
    found = re.search(r"dashboard (http://\S+)", dev.until(r"dashboard http://\S+"))
    assert found is not None
    return found[1]


def until(ask: Callable[[], Any]) -> Any:
    limit = time.monotonic() + PATIENCE
    while not (found := ask()):
        assert time.monotonic() < limit
    return found


def worker(segue: Folder, server: str, *words: str) -> Running:
    running = segue.begin("worker", "away/gpu.py", "--queue", "gpu", *words, SEGUE_SERVER=server)
    running.until("serving")
    return running


def test_it_carries_out_the_steps_of_its_queue(segue: Folder, server: str) -> None:
    running = worker(segue, server)
    said = segue("start", "fit", "small", "--id", "a", "--wait", SEGUE_SERVER=server)
    assert '"SMALL"' in said.out
    failed = segue("start", "fit", "bad", "--id", "b", "--wait", code=None, SEGUE_SERVER=server)
    assert failed.code != 0
    assert "ValueError: it diverged" in failed.out + failed.err
    running.until("failed  train b attempt 2  ValueError: it diverged")
    running.signal(signal.SIGTERM)
    assert running.end() == 0
    assert f"serving queue gpu  log_in, train, 10 at a time, for {server}" in running.text
    assert "completed  train a" in running.text
    assert "training small" in running.text
    assert not (segue.path / "away" / ".segue").exists()


def test_an_attempt_that_nobody_wants_any_more_is_stopped(segue: Folder, server: str) -> None:
    running = worker(segue, server, "--lease", "1s")
    segue("start", "fit", "slow", "--id", "a", SEGUE_SERVER=server)
    running.until("training slow")
    segue("cancel", "a", SEGUE_SERVER=server)
    running.until("cancelled  train a")
    assert "is not waited for any more" in running.text


def test_an_attempt_that_no_worker_has_had_has_no_heartbeat(segue: Folder, server: str) -> None:
    segue("start", "fit", "slow", "--id", "a", SEGUE_SERVER=server)
    waits = until(lambda: segue("show", "a", "--json", SEGUE_SERVER=server).json["steps"])
    assert [(step["state"], step.get("heartbeat")) for step in waits] == [("waiting", None)]
    worker(segue, server).until("training slow")
    (step,) = segue("show", "a", "--json", SEGUE_SERVER=server).json["steps"]
    assert step["heartbeat"]["at"]


def test_told_to_stop_it_waits_for_what_is_under_way(segue: Folder, server: str) -> None:
    running = worker(segue, server, "--grace", "30s")
    segue("start", "fit", "slow", "--id", "a", SEGUE_SERVER=server)
    running.until("training slow")
    running.signal(signal.SIGINT)
    running.until("stopping; 1 attempt may take up to 30.0s to end")
    (segue.path / "go").touch()
    assert running.end() == 0
    assert '"SLOW"' in segue("start", "fit", "slow", "--id", "a", "--wait", SEGUE_SERVER=server).out


def test_its_log_is_lines_of_json(segue: Folder, server: str) -> None:
    running = worker(segue, server, "--log-format", "json", "--slots", "2")
    segue("start", "fit", "bad", "--id", "b", "--wait", code=None, SEGUE_SERVER=server)
    running.until("attempt 2 of step train of run b failed")
    running.signal(signal.SIGTERM)
    assert running.end() == 0
    lines = [json.loads(line) for line in running.text.splitlines() if line.startswith("{")]
    serving = next(line for line in lines if line["message"] == "serving")
    assert (serving["queue"], serving["steps"], serving["server"]) == ("gpu", ["log_in", "train"], server)
    failed = [line for line in lines if "failed" in line["message"]]
    assert [(line["level"], line["run_id"], line["attempt"]) for line in failed] == [
        ("warning", "b", 1), ("warning", "b", 2),
    ]  # fmt: skip


def test_a_server_that_is_not_there_yet_is_waited_for(segue: Folder) -> None:
    segue.write("gpu.py", GPU)
    running = segue.begin("worker", "gpu.py", "--queue", "gpu", "--server", "http://127.0.0.1:9")
    running.until("in vain")
    running.signal(signal.SIGTERM)
    assert running.end() == 0
    assert running.text.count("in vain") == 1


@pytest.mark.parametrize(("words", "told"), [
    (["--queue", "gpu"], "name that with --server"),
    (["--queue", "cpu", "--server", "http://127.0.0.1:9"], "waits in queue 'cpu'; they have gpu"),
    (["--queue", "gpu", "--server", "http://127.0.0.1:9", "--slots", "0"], "one slot at least"),
    (["--queue", "gpu", "--server", "http://127.0.0.1:9", "--lease", "soon"], "soon"),
    (["--queue", "gpu", "--server", "http://127.0.0.1:9", "--metrics-port", "1"], "--metrics-port is for"),
    (["--server", "http://127.0.0.1:9"], "for a server it carries out the steps of a --queue"),
    (["--slots", "3"], "name that with --queue"),
])  # fmt: skip
def test_what_cannot_be_is_said(segue: Folder, words: list[str], told: str) -> None:
    segue.write("gpu.py", GPU)
    said = segue("worker", "gpu.py", *words, code=None)
    assert said.code == 2
    assert told in said.err
    assert not Path(segue.path, ".segue").exists()


@pytest.mark.parametrize("lines", ["text", "json"])
def test_its_steps_find_secrets_and_no_file_holds_one(segue: Folder, server: str, lines: str) -> None:
    segue.write("mounted/gpu.token", CANARY)
    segue.environment["SEGUE_SECRETS"] = "mounted"
    running = worker(segue, server, "--log-format", lines)
    for id, well in (("a", "true"), ("b", "false")):
        segue("start", "enter", well, "--id", id, "--wait", code=None, SEGUE_SERVER=server)
    assert segue("show", "a", "--json", SEGUE_SERVER=server).json["result"] == len(CANARY)
    assert "refused: ***" in segue("show", "b", SEGUE_SERVER=server).out
    running.until("refused: \\*\\*\\*")
    assert f"refused: {CANARY}" not in running.text
    running.signal(signal.SIGTERM)
    assert running.end() == 0
    for file in (segue.path / ".segue").iterdir():
        assert CANARY.encode() not in file.read_bytes(), file
