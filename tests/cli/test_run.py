"""``segue run``: targets, arguments, what is shown, how it ends, and that runs go on."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from contextlib import closing

import apsw
import pytest
from cli_kit import COMMAND, PATIENCE, Folder

ESCAPE = "\x1b"


# --- to the end -----------------------------------------------------------------------------------------------


def test_a_run_to_its_end(segue: Folder) -> None:
    ended = segue("run", "flows.py:plain", "3", "--id", "a")
    assert "started      plain a" in ended.out
    assert [line.split()[2] for line in ended.out.splitlines() if "completed    /" in line] == ["/double", "/double#1"]
    assert ended.out.rstrip().endswith("12")
    assert ESCAPE not in ended.out
    assert "doubling" not in ended.out  # kept with the run
    assert not any(line.endswith(" ") for line in ended.out.splitlines())


def test_what_steps_print_is_shown_on_request(segue: Folder) -> None:
    ended = segue("run", "flows.py:plain", "3", "--logs")
    assert "double | doubling 3" in ended.out or "/double | doubling 3" in ended.out
    assert "/double#1 | doubling 6" in ended.out


def test_one_json_object_and_nothing_else(segue: Folder) -> None:
    segue.write("loud.py", 'print("hello")\n' + (segue.path / "flows.py").read_text())
    told = segue("run", "loud.py:plain", "3", "--json").json
    assert (told["state"], told["result"], told["ended"]) == ("completed", 12, True)
    assert [(s["name"], s["state"], s["attempts"]) for s in told["steps"]] == [("double", "completed", 1)] * 2
    assert told["started_at"] < told["closed_at"]


APART = """
import subprocess, sys
from segue import step, workflow

@step(executor="process")
def say() -> int:
    print("from its own process", flush=True)
    subprocess.run([sys.executable, "-c", "print('from a command')"], check=True)
    return 1

@workflow
async def apart() -> int:
    return await say()
"""


def test_nor_does_what_a_step_in_a_process_prints_stand_in_the_json(segue: Folder) -> None:
    segue.write("apart.py", APART)
    told = segue("run", "apart.py", "--json", "--logs")
    assert told.json["result"] == 1
    assert "from a command" in told.err  # of which nobody but the terminal hears
    assert "from its own process" not in told.err  # kept with the run
    assert "from its own process" in segue("show", told.json["id"], "--logs").out
    unrecorded = segue("run", "apart.py", "--json", "--no-record")
    assert unrecorded.json["result"] == 1
    assert "from a command" in unrecorded.err


def test_what_a_step_in_a_process_prints_is_shown_on_request(segue: Folder) -> None:
    segue.write("apart.py", APART)
    assert "from its own process" not in segue("run", "apart.py").out
    lines = [line.split("  ", 1)[-1] for line in segue("run", "apart.py", "--logs").out.splitlines()]
    assert "say | from its own process" in lines[: lines.index(next(x for x in lines if x.startswith("completed")))]


def test_without_a_record_there_is_no_database(segue: Folder) -> None:
    before = set(segue.path.iterdir())
    ended = segue("run", "flows.py:plain", "3", "--no-record")
    assert ended.out.rstrip().endswith("12")
    told = segue("run", "flows.py:plain", "3", "--no-record", "--json").json
    assert told == {"workflow": "plain", "state": "completed", "result": 12}
    assert {path.name for path in set(segue.path.iterdir()) - before} <= {"__pycache__"}


def test_without_a_record_it_fails_as_it_would(segue: Folder) -> None:
    ended = segue("run", "flows.py:fails", "3", "--no-record", code=1)
    assert "failed" in ended.err
    assert ended.err.startswith("✗ failed  fails\nValueError: bad 3\n")
    assert ", in explode\n" in ended.err
    recorded = segue("run", "flows.py:fails", "3", code=1).out
    trace = re.compile(r"  Traceback.*StepFailed[^\n]*", re.DOTALL)
    assert trace.findall(ended.err) == trace.findall(recorded) != []
    told = segue("run", "flows.py:fails", "3", "--no-record", "--json", code=1).json["error"]
    assert (told["cause"]["type"], told["cause"]["message"]) == ("ValueError", "bad 3")
    assert "leave them out" in segue("run", "flows.py:plain", "3", "--no-record", "--id", "a", code=2).err


def test_a_cached_result_is_told_with_the_run_that_made_it(segue: Folder) -> None:
    code = """
        from segue import Cache, step, workflow

        @step(cache=Cache())
        async def add(n: int) -> int:
            return n + 1

        @workflow
        async def adds(n: int) -> int:
            return await add(n)
    """
    segue.write("cached.py", code)
    assert "completed    add" in segue("run", "cached.py:adds", "3", "--id", "first").out
    assert "cached       add  by first" in segue("run", "cached.py:adds", "3", "--id", "second").out
    assert "result of run first" in segue("show", "second").out
    assert [step.get("source") for step in segue("show", "second", "--json").json["steps"]] == ["first"]
    assert "result of run" not in segue("show", "first").out
    assert [step.get("source") for step in segue("show", "first", "--json").json["steps"]] == [None]


def test_attempts_are_told(segue: Folder) -> None:
    out = segue("run", "flows.py:retries", "3").out
    assert "attempt 1 failed, next in" in out
    assert "ConnectionError: the line is dead" in out
    assert "3 attempts" in out


def test_children_and_fans(segue: Folder) -> None:
    assert "child run plain" in segue("run", "flows.py:family", "3").out
    out = segue("run", "flows.py:fans", "50").out
    assert "double ×50" in out


def test_a_result_in_its_own_words(segue: Folder) -> None:
    code = """
        from dataclasses import dataclass
        from segue import workflow

        @dataclass
        class Receipt:
            amount: int
            def __str__(self) -> str:
                return f"paid {self.amount}, thank you"

        @workflow
        async def pay(amount: int) -> Receipt:
            return Receipt(amount)
    """
    segue.write("pay.py", code)
    assert "paid 5, thank you" in segue("run", "pay.py", "5").out
    assert segue("run", "pay.py", "5", "--json").json["result"] == {"amount": 5}


# --- targets --------------------------------------------------------------------------------------------------


def test_a_module_and_a_package_are_targets_too(segue: Folder) -> None:
    assert "12" in segue("run", "flows:plain", "3").out
    segue.write("shop/__init__.py", "")
    segue.write("shop/prices.py", "FACTOR = 7\n")
    code = """
        from segue import workflow
        from shop.prices import FACTOR

        @workflow
        async def price(n: int) -> int:
            return n * FACTOR
    """
    segue.write("shop/orders.py", code)
    assert segue("run", "shop.orders:price", "6").out.rstrip().endswith("42")
    assert segue("run", "shop/orders.py", "6").out.rstrip().endswith("42")


TWO = "from segue import workflow\n@workflow{name}\nasync def a(): ...\n@workflow{name}\nasync def b(): ...\n"
BROKEN = {
    "none.py": ("x = 1\n", "none.py defines no workflow"),
    "several.py": (TWO.format(name=""), "  several.py:a\n  several.py:b"),
    "raises.py": ("def f():\n    raise KeyError('gone')\nf()\n", "raises.py cannot be loaded: KeyError: 'gone'"),
    "syntax.py": ("def f(:\n", "SyntaxError"),
    "leaves.py": ("raise SystemExit(3)\n", "leaves.py cannot be loaded: SystemExit: 3"),
    "email.py": ("", "would stand in the way of Python's own module 'email'"),
    "twice.py": (TWO.format(name="(name='x')"), "two workflows are named 'x'"),
    "sync.py": ("from segue import workflow\n@workflow\ndef a(): ...\n", "needs an `async def`"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_code_that_cannot_be_used(segue: Folder, name: str) -> None:
    code, said = BROKEN[name]
    segue.write(name, code)
    ended = segue("run", name, code=2)
    assert said in ended.err
    assert not (segue.path / ".segue").exists()


def test_the_traceback_of_an_import_begins_in_the_users_file(segue: Folder) -> None:
    segue.write(*("raises.py", BROKEN["raises.py"][0]))
    err = segue("run", "raises.py", code=2).err
    assert 'raises.py", line 2, in f' in err
    assert "importlib" not in err
    assert "segue/cli" not in err


WRONG = [
    (("run", "flwos.py"), "there is no file flwos.py; did you mean flows.py?"),
    (("run", "flows.py"), "flows.py:plain"),
    (("run", "flows.py:plan", "3"), "did you mean 'plain'?"),
    (("run", "flows"), "'flows' names no code"),
    (("run", "nothing:x"), "no module named 'nothing'"),
    (("run", "."), "is a folder"),
    (("run", "flows.py:plain"), "no value for n; plain takes: n: int, [times: int = 2]"),
    (("run", "flows.py:plain", "1", "2", "3"), "3 arguments were given"),
    (("run", "flows.py:plain", "three"), "argument 1 (n: int) cannot be 'three'"),
    (("run", "flows.py:plain", "1", "@nothing.json"), "'nothing.json' cannot be read"),
    (("run", "flows.py:plain", "1", "--tag", "x"), "has no name=value"),
    (("run", "flows.py:plain", "1", "--timeout", "soon"), "'soon' is not a length of time"),
    (("run", "flows.py:plain", "1", "--url", "oracle://x"), "'oracle' is not a database"),
]


@pytest.mark.parametrize(
    ("words", "said"), WRONG, ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_a_wrong_command_line(segue: Folder, words: tuple[str, ...], said: str) -> None:
    ended = segue(*words, code=2)
    assert said in ended.err
    assert "Traceback" not in ended.err


def test_errors_for_machines(segue: Folder) -> None:
    told = segue("run", "flows.py:plain", "three", "--json", code=2).json
    assert told["error"]["type"] == "InvalidArgument"
    assert "cannot be 'three'" in told["error"]["message"]


# --- arguments ------------------------------------------------------------------------------------------------


def test_a_class_takes_what_its_run_takes_without_self(segue: Folder) -> None:
    code = """
        from segue import workflow

        @workflow(name="cases")
        class Case:
            def __init__(self, person: str, level: int = 1) -> None:
                self.person = person

            async def run(self, person: str, level: int = 1) -> str:
                return f"{self.person} {level}"
    """
    segue.write("classes_.py", code)
    for target in ("classes_.py", "classes_.py:cases", "classes_.py:Case"):
        assert segue("run", target, "ann", "2", "--json").json["result"] == "ann 2"
    assert "no value for person; cases takes: person: str, [level: int = 1]" in segue("run", "classes_.py", code=2).err
    assert "has no workflow 'run'" in segue("run", "classes_.py:run", "ann", code=2).err
    worker = segue.begin("worker", "classes_.py")
    worker.until("serving cases")
    assert segue("start", "classes_.py:Case", "bob", "--wait", "--json").json["result"] == "bob 1"


def test_arguments_are_read_by_their_types(segue: Folder) -> None:
    code = """
        from dataclasses import dataclass
        from datetime import date
        from decimal import Decimal
        from typing import Any
        from segue import workflow

        @dataclass
        class Order:
            item: str
            price: Decimal

        @workflow
        async def takes(text: str, more: str | None, day: date, order: Order, *rest: Any) -> list[str]:
            return [repr(text), repr(more), repr(day), repr(order), repr(rest)]
    """
    segue.write("types_.py", code)
    segue.write("order.json", '{"item": "tea", "price": "4.20"}')
    result = segue(
        "run", "types_.py", "42", "null", "2026-11-22", "@order.json", "-5", "bare", "[1]", "@@home", "--json"
    )
    assert result.json["result"] == [
        "'42'",
        "None",
        "datetime.date(2026, 11, 22)",
        "Order(item='tea', price=Decimal('4.20'))",
        "(-5, 'bare', [1], '@home')",
    ]


# --- the same id ----------------------------------------------------------------------------------------------


def test_the_same_id_is_the_same_run(segue: Folder) -> None:
    first = segue("run", "flows.py:plain", "3", "--id", "a", "--json").json
    again = segue("run", "flows.py:plain", "3", "--id", "a", "--json").json
    bare = segue("run", "flows.py:plain", "--id", "a", "--json").json
    assert first["started_at"] == again["started_at"] == bare["started_at"]
    assert first["result"] == again["result"] == bare["result"] == 12
    other = segue("run", "flows.py:plain", "4", "--id", "a", code=2)
    assert "run 'a' exists already: it was started with other input; choose another --id, or leave the" in other.err
    another = segue("run", "flows.py:fans", "4", "--id", "a", code=2)
    assert "run 'a' is a run of plain, not of fans" in another.err


def test_killed_and_gone_on_with(segue: Folder) -> None:
    running = segue.begin("run", "flows.py:asks", "5", "--id", "a")
    running.until("waiting      approval")
    running.signal(signal.SIGKILL)
    running.end()
    again = segue.begin("run", "flows.py:asks", "--id", "a")
    again.until("waiting      approval")
    segue("approve", "a", "--yes", "--comment", "fine")
    assert again.end() == 0
    assert '"True fine"' in again.text


def test_killed_in_the_middle_of_a_step(segue: Folder) -> None:
    running = segue.begin("run", "flows.py:rests", "2", "--id", "a")
    running.until("started")
    running.signal(signal.SIGKILL)
    running.end()
    told = segue("run", "flows.py:rests", "--id", "a", "--json").json
    assert (told["state"], told["result"]) == ("completed", "rested")


# --- how it ends ----------------------------------------------------------------------------------------------


def test_a_failure_shows_the_users_traceback(segue: Folder) -> None:
    out = segue("run", "flows.py:fails", "luck", "--id", "a", code=1).out
    assert 'raise ValueError(f"bad {what}")' in out
    assert "ValueError: bad luck" in out
    assert "1 step undone" in out
    assert "segue show a" in out
    told = segue("run", "flows.py:fails", "--id", "a", "--json", code=1).json
    assert told["error"]["cause"]["type"] == "ValueError"


def test_an_incident_says_what_to_do(segue: Folder) -> None:
    out = segue("run", "flows.py:stuck", "late.txt", "--id", "a", code=3).out
    assert "FileNotFoundError" in out
    assert "segue retry a" in out
    told = segue("run", "flows.py:stuck", "--id", "a", "--json", code=3).json
    assert told["incident"]["cause"] == "step-exhausted"
    segue.write("late.txt", "here")
    segue("retry", "a")
    assert segue("run", "flows.py:stuck", "--id", "a", "--json").json["result"] == "here"


def test_cancelled_and_terminated(segue: Folder) -> None:
    for id, words in (("a", ("cancel", "a", "--reason", "enough")), ("b", ("terminate", "b", "--yes"))):
        running = segue.begin("run", "flows.py:waits", "--id", id)
        running.until("started")
        segue(*words)
        assert running.end() == 4
    assert "reason: enough" in segue("run", "flows.py:waits", "--id", "a", code=4).out


def test_a_limit_to_the_wait_is_none_to_the_run(segue: Folder) -> None:
    ended = segue("run", "flows.py:sleeps", "2", "--id", "a", "--timeout", "300ms", code=5)
    assert "not ended within 300ms" in ended.out
    assert "segue run flows.py:sleeps --id a" in ended.out
    assert segue("run", "flows.py:sleeps", "--id", "a", "--json").json["result"] == "awake"


def test_interrupted_while_a_thread_works(segue: Folder) -> None:
    running = segue.begin("run", "flows.py:rests", "600", "--id", "a", "--logs")
    running.until("resting")  # the thread is at work, and nobody can stop it
    running.signal(signal.SIGINT)
    assert running.end() == 130
    assert "interrupted" in running.text
    assert "segue run flows.py:rests --id a" in running.text


def test_asked_to_stop(segue: Folder) -> None:
    running = segue.begin("run", "flows.py:waits", "--id", "a", "--json")
    while not segue("list", "--json", code=None).out.startswith("[\n  {"):
        assert running.process.poll() is None
    running.signal(signal.SIGTERM)
    assert running.end() == 143
    assert json.loads(running.text)["ended"] is False


BLOCKS = """
import time
from pathlib import Path

from segue import step, workflow


@step
async def holds_the_loop() -> None:
    Path("at-work").touch()
    time.sleep(600)


@step
def holds_a_thread() -> None:
    print("at work", flush=True)
    time.sleep(600)


@workflow
async def stuck_on_the_loop() -> None:
    await holds_the_loop()


@workflow
async def in_a_thread() -> None:
    await holds_a_thread()
"""


@pytest.mark.parametrize("words", [("run", "blocks.py:stuck_on_the_loop"), ("worker", "blocks.py")])
def test_what_blocks_the_loop_is_ended_by_the_second_ctrl_c(segue: Folder, words: tuple[str, ...]) -> None:
    segue.write("blocks.py", BLOCKS)
    segue("start", "blocks.py:stuck_on_the_loop", "--id", "a")
    running = segue.on_terminal(*words)
    while not (segue.path / "at-work").exists():
        assert not running.end_within(0.1), running.text
    for _ in range(20):  # two are one, where they come before it has taken the first
        os.write(running.keyboard, b"\x03")
        if running.end_within(1):
            break
    assert running.end() == -signal.SIGINT
    assert running.raw.rstrip("\r\n").endswith("\x1b[?25h")  # the cursor is seen again


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_without_a_record_it_is_stopped(segue: Folder, number: signal.Signals, more: tuple[str, ...]) -> None:
    segue.write("blocks.py", BLOCKS)
    running = segue.begin("run", "blocks.py:in_a_thread", "--no-record", *more)
    running.until("at work")
    running.signal(number)
    assert running.end() == 128 + number
    said = {signal.SIGINT: "interrupted", signal.SIGTERM: "asked to stop"}[number]
    assert f"{said}; nothing of it was recorded" in running.text
    if more:
        assert json.loads(running.text[running.text.index("{") :]) == {
            "workflow": "in_a_thread",
            "state": "cancelled",
            "ended": True,
        }


def test_without_a_record_it_takes_too_long(segue: Folder) -> None:
    segue.write("blocks.py", BLOCKS)
    ended = segue("run", "blocks.py:in_a_thread", "--no-record", "--timeout", "300ms", "--json", code=5)
    assert ended.json == {"workflow": "in_a_thread", "state": "cancelled", "ended": True}
    assert "not ended within 300ms; nothing of it was recorded" in ended.err


# --- beside others --------------------------------------------------------------------------------------------


def test_runs_of_other_code_are_left_alone(segue: Folder) -> None:
    segue.write("other.py", "from segue import workflow\n@workflow\nasync def other(n: int) -> int:\n    return n\n")
    segue("run", "flows.py:waits", "--id", "a", "--timeout", "500ms", code=5)
    segue("signal", "a", "go", "home")
    segue("run", "other.py", "1")
    (row,) = segue("list", "--workflow", "waits", "--json").json
    assert row["state"] == "waiting"
    assert segue("run", "flows.py:waits", "--id", "a", "--json").json["result"] == "home"


def test_the_owner_lacks_the_code(segue: Folder) -> None:
    segue.write("other.py", "from segue import workflow\n@workflow\nasync def other(n: int) -> int:\n    return n\n")
    owner = segue.begin("run", "flows.py:waits", "--id", "a")
    owner.until("started")
    ended = segue("run", "other.py", "1", code=2)
    assert "has no workflow 'other'" in ended.err
    assert "--app" in ended.err
    assert [row["id"] for row in segue("list", "--json").json] == ["a"]
    assert segue("run", "other.py", "1", "--app", "mine", "--json").json["result"] == 1


def test_the_owner_has_the_code(segue: Folder) -> None:
    owner = segue.begin("run", "flows.py:waits", "--id", "a")
    owner.until("started")
    ended = segue("run", "flows.py:plain", "3")
    assert f":{owner.process.pid}:" in ended.err
    assert "it runs there" in ended.err
    assert ended.out.rstrip().endswith("12")
    (segue.path / "flows.py").write_text(
        (segue.path / "flows.py").read_text().replace("n = await double(n)", "n = await double(n + 1)")
    )
    assert "with other code than is here" in segue("run", "flows.py:plain", "3").err


def test_a_standard_output_that_is_closed(segue: Folder) -> None:
    command = ["sh", "-c", 'exec "$@" >&-', "sh", *COMMAND]
    for words in (["run", "flows.py:plain", "3", "--id", "a"], ["list"], ["show", "a", "--json"]):
        done = subprocess.run(
            [*command, *words], cwd=segue.path, env=segue.environment, stderr=subprocess.PIPE, text=True,
            timeout=2 * PATIENCE, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
    assert segue("run", "flows.py:plain", "--id", "a", "--json").json["result"] == 12


@pytest.mark.parametrize("words", ["--help", "list --help", "list", "list --json", "show nothing --json"])
def test_a_standard_output_that_is_full(segue: Folder, words: str) -> None:
    segue("run", "flows.py:plain", "3", "--id", "a")
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [*COMMAND, *words.split()], cwd=segue.path, env=segue.environment, stdout=full, stderr=subprocess.PIPE,
            text=True, timeout=2 * PATIENCE, check=False,
        )  # fmt: skip
        both = subprocess.run(
            [*COMMAND, *words.split()], cwd=segue.path, env=segue.environment, stdout=full, stderr=full,
            timeout=2 * PATIENCE, check=False,
        )  # fmt: skip
    assert done.returncode == both.returncode == 6
    assert done.stderr == "✗ the output cannot be written where it is sent: No space left on device\n"


@pytest.mark.parametrize("words", [["flows.py:asks", "3"], ["flows.py:waits"]])
def test_nobody_answers_a_run_that_is_not_recorded(segue: Folder, words: list[str]) -> None:
    told = segue("run", *words, "--no-record", code=2).err
    assert "it can be told where it is recorded: leave out --no-record" in told
    assert "={" not in told


def test_settings_and_their_order(segue: Folder) -> None:
    segue.write("segue.toml", 'url = "sqlite:///toml.db"\nnamespace = "eu"\n')
    segue("run", "flows.py:plain", "1")
    segue("run", "flows.py:plain", "1", SEGUE_URL="sqlite:///env.db")
    segue("--url", "sqlite:///flag.db", "run", "flows.py:plain", "1", SEGUE_URL="sqlite:///env.db")
    assert {p.name for p in segue.path.glob("*.db") if "logs" not in p.name} == {"toml.db", "env.db", "flag.db"}
    (row,) = segue("list", "--json").json
    assert row["namespace"] == "eu"
    segue.write("segue.toml", "url = \n")
    assert "segue.toml is not valid TOML" in segue("list", code=2).err


def test_a_folder_that_cannot_be_written(segue: Folder) -> None:
    ended = segue("run", "flows.py:plain", "1", "--url", "sqlite:////proc/segue/segue.db", code=6)  # not even by root
    assert "cannot be made" in ended.err


def test_a_database_of_a_newer_release(segue: Folder) -> None:
    segue("run", "flows.py:plain", "1")
    with closing(apsw.Connection(str(segue.path / ".segue" / "segue.db"))) as connection:
        connection.execute("PRAGMA user_version = 999; INSERT OR REPLACE INTO meta VALUES ('oldest_code', 999)")
    for words in (("run", "flows.py:plain", "1"), ("list",), ("db", "stats")):
        told = segue(*words, "--json", code=6).json["error"]
        assert told["type"] == "SchemaTooNew"
        assert "update segue on this machine" in told["message"]


def test_a_file_that_is_no_database(segue: Folder) -> None:
    segue.write("notes.txt", "not a database, but long enough to look like one\n" * 100)
    ended = segue("run", "flows.py:plain", "1", "--url", "sqlite:///notes.txt", code=6)
    assert "notes.txt" in ended.err
    assert "Traceback" not in ended.err
