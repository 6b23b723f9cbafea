"""``--log-format json``: every line is an object, and one that is about a run says which."""

from __future__ import annotations

import json
import logging
import re
import signal
from typing import Any

from cli_kit import Folder

from segue.cli.log_lines import JsonLines, _note_attempt
from segue.kernel.attempt import CURRENT, Attempt
from segue.runtime.telling import about

FLOWS = """
    import logging
    from segue import NonRetryable, Retry, attempt_number, step, workflow

    log = logging.getLogger("shop")

    @step(retry=Retry(attempts=3, initial="10ms"))
    async def shaky() -> None:
        log.warning("trying")
        print("printed")
        if attempt_number() == 1:
            raise ValueError("not yet")

    @step
    def threaded() -> None:
        log.error("in a thread")

    @step(on_exhausted="incident")
    async def stands() -> None:
        raise NonRetryable("no paper")

    @workflow
    async def flow() -> None:
        await shaky()
        await threaded()

    @workflow
    async def needs_care() -> None:
        await stands()

    @workflow
    async def breaks() -> None:
        raise ValueError("broken")
"""


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_a_worker_writes_json(segue: Folder) -> None:
    segue.write("flows.py", FLOWS)
    worker = segue.begin("worker", "flows.py", "--log-format", "json")
    worker.until('"message":"serving"')
    for name in ("flow", "needs_care", "breaks"):
        segue("start", f"flows.py:{name}", "--id", f"{name}-1")
    worker.until("run flow-1 completed")
    worker.until("run needs_care-1 stands still")
    worker.until("run breaks-1 failed")
    worker.signal(signal.SIGTERM)
    assert worker.end() == 0
    assert [line for line in worker.text.splitlines() if not line.startswith("{")] == ["printed", "printed"]
    found = lines(worker.text)
    flow = {"run_id": "flow-1", "workflow": "flow", "namespace": "default", "run": 1}
    shaky = flow | {"step": "shaky", "key": "/shaky"}
    for expected in (
        {"message": "run flow-1 of flow started", "level": "info", **flow},
        {"logger": "shop", "message": "trying", "attempt": 1, **shaky},
        {"logger": "shop", "message": "trying", "attempt": 2, **shaky},
        {"logger": "shop", "message": "in a thread", "step": "threaded", "attempt": 1, **flow},
        {"logger": "segue.runs", "level": "warning", "attempt": 1, **shaky},
        {"message": "run flow-1 completed", "state": "completed", **flow},
        {"state": "incident", "cause": "step-exhausted", "run_id": "needs_care-1", "workflow": "needs_care"},
        {"state": "failed", "level": "error", "run_id": "breaks-1"},
    ):
        assert [line for line in found if expected.items() <= line.items()], expected
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["at"]) for line in found)
    (retried,) = [line for line in found if line["message"].startswith("attempt 1 of step shaky")]
    assert re.search(r"failed: ValueError: not yet; tried again in [\d.]+ s", retried["message"])


def test_dev_and_server_write_json(segue: Folder) -> None:
    dev = segue.begin("dev", "flows.py", "--port", "0", "--log-format", "json")
    dev.until('"message":"serving"')
    server = segue.begin("server", "--port", "0", "--log-format", "json")
    server.until('"message":"serving"')
    for running in (dev, server):
        running.signal(signal.SIGTERM)
        assert running.end() == 0
        assert running.text.splitlines()
        assert len(lines(running.text)) == len(running.text.splitlines()), running.text


class Who:
    run, id, uid, namespace, workflow = 7, "a\nb", "u", "default", "w"


def record(message: str, **more: Any) -> logging.LogRecord:
    found = logging.LogRecord("x", logging.INFO, "f.py", 1, message, (), None)
    found.__dict__.update(more)
    return found


def test_a_line_is_one_line_whatever_it_says() -> None:
    line = JsonLines().format(record('two\nlines "quoted" \x00 \u2028', **about(Who(), odd=object)))
    assert "\n" not in line
    found = json.loads(line)
    assert (found["message"], found["run_id"]) == ('two\nlines "quoted" \x00 \u2028', "a\nb")


def test_what_a_line_says_of_its_run_goes_before_where_it_was_logged() -> None:
    attempt = Attempt(Who(), "/s", "s", 3, None)  # type: ignore[arg-type]
    token = CURRENT.set(attempt)
    try:
        plain, told = record("plain"), record("told", **about(Who(), attempt=9))
        assert _note_attempt(plain)
        assert _note_attempt(told)
    finally:
        CURRENT.reset(token)
    assert json.loads(JsonLines().format(plain))["attempt"] == 3
    assert json.loads(JsonLines().format(told))["attempt"] == 9
