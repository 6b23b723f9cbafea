"""``segue start``, ``signal``, ``approve``, ``task``, ``cancel``, ``terminate`` and ``retry``."""

from __future__ import annotations

import asyncio
import json
import signal

import pytest
from cli_kit import Folder, Running

from segue.cli.awaiting import sent
from segue.cli.scope import Reach


@pytest.fixture
def worker(segue: Folder) -> Running:
    running = segue.begin("worker", "flows.py")
    running.until("serving ")
    return running


def test_a_run_for_a_worker(segue: Folder, worker: Running) -> None:
    assert segue("start", "flows.py:plain", "3", "--id", "a").out == "started a\n"
    worker.until("completed  plain a")
    assert segue("start", "plain", "3", "--json").json["workflow"] == "plain"
    worker.until("completed  plain plain-")
    assert "did you mean 'plain'?" in segue("start", "plian", "3", code=2).err
    taken = segue("start", "flows.py:plain", "4", "--id", "a", code=2).err
    assert "run 'a' exists already: it was started with other input" in taken
    assert "pass --on-conflict replace or terminate-if-running" in taken.replace("\n", " ")
    assert "on_conflict=" not in taken
    again = segue("start", "flows.py:plain", "4", "--id", "a", "--on-conflict", "replace")
    assert again.out == "started a\n"
    worker.until("completed  plain a", after=worker.text.rindex("plain plain-"))


def test_a_run_for_a_worker_to_come(segue: Folder) -> None:
    told = segue("start", "flows.py:plain", "3", "--id", "a")
    assert "no worker of app 'default' is alive" in told.out
    assert "no worker of app 'default' is alive to say what 'plain' is" in segue("start", "plain", "3", code=2).err
    assert segue("run", "flows.py:plain", "--id", "a", "--json").json["result"] == 12


def test_signals(segue: Folder, worker: Running) -> None:
    segue("start", "flows.py:waits", "--id", "a")
    assert "signal 'go' is with run a" in segue("signal", "a", "go", "home", "--message", "m1").out
    worker.until("completed  waits a")
    assert segue("show", "a", "--json").json["result"] == "home"
    assert "run 'a' is completed and takes no more messages" in segue("signal", "a", "go", code=2).err
    assert "no run 'b'" in segue("signal", "b", "go", code=2).err


TALKS = """
from segue import query, signal, update, workflow

@workflow
async def talks() -> int:
    total = 0

    @update
    def add(n: int, times: int = 1) -> int:
        nonlocal total
        total += n * times
        return total

    @query
    def sum_of_all() -> dict[str, int]:
        return {"total": total}

    @query
    def share() -> float:
        return 1 / total

    await signal("stop")
    return total
"""


def test_updates_and_queries(segue: Folder) -> None:
    segue.write("talks.py", TALKS)
    segue("start", "talks.py:talks", "--id", "a")
    alone = segue("update", "a", "add", "3", code=2).err
    assert "no worker of app 'default' is alive to carry out update 'add', and nothing was sent" in alone
    failed = segue("query", "a", "share", "--code", "talks.py", "--json", code=6)
    assert failed.json["error"] == {
        "type": "QueryFailed",
        "message": "query 'share' of run 'a' raised ZeroDivisionError: division by zero",
    }
    running = segue.begin("worker", "talks.py")
    running.until("serving ")
    assert segue("update", "a", "add", "3", "--id", "once").out == "3\n"
    assert segue("update", "a", "add", "3", "--id", "once").out == "3\n"
    assert segue("update", "a", "add", "2", "2", "--json").json == {"id": "a", "answer": 7}
    assert "$.n: Expected `int`" in segue("update", "a", "add", "x", code=2).err
    assert "add" in segue("update", "a", "subtract", "1", code=2).err
    assert "name its code with --code FILE.py" in segue("query", "a", "sum_of_all", code=2).err
    assert segue("query", "a", "share", "--code", "talks.py").out == "0.14285714285714285\n"
    assert segue("query", "a", "sum_of_all", "--code", "talks.py").out == '{\n  "total": 7\n}\n'
    assert "sum_of_all" in segue("query", "a", "nothing", "--code", "talks.py", code=2).err
    segue("signal", "a", "stop")
    running.until("completed  talks a")
    assert segue("query", "a", "sum_of_all", "--code", "talks.py", "--json").json["answer"] == {"total": 7}
    assert "run 'a' is completed" in segue("update", "a", "add", "1", code=2).err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_update_that_is_broken_off_may_be_carried_out(segue: Folder, number: signal.Signals) -> None:
    segue.write("talks.py", TALKS)
    segue("start", "talks.py:talks", "--id", "a")
    running = segue.begin("worker", "talks.py")
    running.until("serving ")
    segue("pause", "a")

    def come(count: int, *under_way: Running) -> None:
        while [step["kind"] for step in segue("show", "a", "--json").json["steps"]] != ["update"] * count:
            for each in under_way:
                assert not each.end_within(0.05), each.text

    asked = segue.begin("update", "a", "add", "3", "--id", "u")
    come(1, asked)
    machine = segue.begin("update", "a", "add", "3", "--id", "v", "--json")
    come(2, asked, machine)
    for each in (asked, machine):
        each.signal(number)
        assert each.end() == 128 + number
    said = {signal.SIGINT: "interrupted", signal.SIGTERM: "asked to stop"}[number]
    assert asked.text.endswith(
        f"{said}; update 'add' may be carried out all the same, and asked again with --id u, it gives the answer; "
        "look at it with\n  segue show a\n"
    )
    assert json.loads(machine.text) == {"id": "a", "update": "add", "answered": False}
    segue("resume", "a")
    assert segue("update", "a", "add", "3", "--id", "u").out == "3\n"


async def test_what_is_broken_off_while_it_is_sent_may_have_come(capsys: pytest.CaptureFixture[str]) -> None:
    async def sends() -> None:
        with sent(Reach(namespace="eu"), "this", "a"):
            await asyncio.Event().wait()

    sending = asyncio.create_task(sends())
    await asyncio.sleep(0)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    said = capsys.readouterr().err
    assert "interrupted; this may be carried out all the same; look at it with\n  segue show a --namespace eu\n" in said


def test_an_update_that_is_not_answered_in_time(segue: Folder) -> None:
    segue.write("talks.py", TALKS)
    segue("start", "talks.py:talks", "--id", "a")
    running = segue.begin("worker", "talks.py")
    running.until("serving ")
    segue("pause", "a")
    late = segue("update", "a", "add", "3", "--id", "u", "--timeout", "200ms", code=5).err
    assert "has no answer after 200ms" in late
    assert "asked again with --id u, it gives the answer; look at it with\n  segue show a" in late
    segue("resume", "a")
    assert segue("update", "a", "add", "3", "--id", "u").out == "3\n"


def test_people_share_tasks_out(segue: Folder, worker: Running) -> None:
    segue("start", "flows.py:asks", "7", "--id", "a")
    worker.until("asks a")
    (task,) = segue("task", "list", "--json").json
    number = str(task["task"])
    assert task["claimed_by"] is None
    assert segue("task", "claim", number, "--by", "ann").out == "ann sees to approval of run a\n"
    assert "has been claimed by 'ann'" in segue("task", "claim", number, "--by", "bob", code=2).err
    assert "has been claimed by 'ann'" in segue("task", "release", number, "--by", "bob", code=2).err
    taken = segue("task", "take-over", number, "--by", "bob").out
    assert taken == "bob sees to approval of run a, and no more ann\n"
    segue("task", "comment", number, "call first", "--by", "bob")
    assert segue("task", "hand", number, "eve", "--by", "bob", "--json").json["claimed_by"] == "eve"
    assert [t["task"] for t in segue("task", "list", "--claimed-by", "eve", "--json").json] == [task["task"]]
    assert segue("task", "list", "--overdue", "--json").json == []
    shown = segue("task", "show", number).out
    for line in ("claimed by eve, since", "ann claimed it", "bob said: call first", "bob handed it to eve"):
        assert line in shown
    assert segue("task", "release", number, "--by", "eve").out == "nobody sees to approval of run a\n"
    notes = segue("task", "show", number, "--json").json["notes"]
    assert [note["kind"] for note in notes] == ["claimed", "claimed", "commented", "handed", "released"]
    assert "there is no task 99; `segue task list`" in segue("task", "claim", "99", code=2).err
    assert "a task is handed to somebody" in segue("task", "hand", number, "", code=2).err


def test_what_is_asked_without_a_word_about_it(segue: Folder, worker: Running) -> None:
    segue("start", "flows.py:nods", "--id", "n")
    worker.until("nods n")
    assert "approval for boss, since" in segue("show", "n").out
    segue("approve", "n", "--yes")
    worker.until("completed  nods n")
    assert segue("show", "n", "--json").json["result"] is True


def test_answers(segue: Folder, worker: Running) -> None:
    for id in "abcd":
        segue("start", "flows.py:asks", "7", "--id", id)
    worker.until("asks d")
    tasks = segue("task", "list", "--json").json
    assert [(t["run"], t["name"], t["assignee"], t["subject"]) for t in tasks] == [
        (id, "approval", "manager", {"amount": 7}) for id in "abcd"
    ]
    assert segue("task", "list", "--assignee", "nobody", "--json").json == []
    assert "approval" in segue("task", "list").out

    segue("approve", "a", "--yes", "--comment", "fine", "--by", "bob")
    segue("approve", "b", "--answer", '{"approved": false, "comment": "no"}', "--task", "approval")
    segue.write("answer.json", '{"approved": true}')
    segue("approve", "c", "--answer", "@answer.json", "--json")
    worker.until("completed  asks c")
    results = {id: segue("show", id, "--json").json["result"] for id in "abc"}
    assert results == {"a": "True fine", "b": "False no", "c": "True "}
    (done,) = [t for t in segue("task", "list", "--all", "--json").json if t["run"] == "a"]
    assert (done["state"], done["closed_by"]) == ("completed", "bob")

    for words, said in (
        (("a", "--yes"), "run 'a' has no open task"),
        (("d",), "no answer was given; pass --yes, --no or --answer"),
        (("d", "--yes", "--no"), "exclude each other"),
        (("d", "--task", "nope", "--yes"), "has no open task 'nope'; it has:"),
        (("d", "--answer", '{"approved": "maybe"}'), "$.approved: 'maybe' must be true or false"),
        (("d", "--answer", "{}"), "approved is missing"),
        (("d", "--answer", '{"approved": true, "colour": 1}'), "no field 'colour'"),
        (("d", "--answer", "@nope.json"), "cannot be read"),
    ):
        assert said in segue("approve", *words, code=2).err
    assert segue("show", "d", "--json").json["state"] == "waiting"


def test_stopping(segue: Folder, worker: Running) -> None:
    for id in "abc":
        segue("start", "flows.py:waits", "--id", id)
    worker.until("waits c")
    segue("cancel", "a", "b", "--reason", "enough")
    worker.until("cancelled  waits b")
    assert segue("show", "a", "--json").json["state"] == "cancelled"
    assert "--yes" in segue("terminate", "c", code=2).err
    segue("terminate", "c", "--yes", "--reason", "at once")
    worker.until("terminated  waits c")
    assert "run 'c' is terminated" in segue("cancel", "c", code=2).err
    assert "no run is named" in segue("cancel", code=2).err


def test_a_run_that_stands_still_as_a_whole(segue: Folder, worker: Running) -> None:
    segue("start", "plain", "three", "--id", "a")  # by name alone: only the worker knows that it does not fit
    worker.until("incident  plain a  payload: .*Expected `int`, got `str`")
    shown = segue("show", "a").out
    assert "To go on: make the type in the code accept the recorded value again, then `segue retry a`" in shown
    assert "Traceback" not in shown, "no frame of the user's led to it"
    assert "`segue terminate a` ends it now" in segue("cancel", "a").out
    assert segue("terminate", "a", "--yes", "--json").json == [{"id": "a", "accepted": True}]
    worker.until("terminated  plain a")


def test_nothing_is_stopped_when_one_name_is_wrong(segue: Folder, worker: Running) -> None:
    segue("start", "flows.py:waits", "--id", "a")
    worker.until("waits a")
    segue("cancel", "a", "nope", code=2)
    assert segue("show", "a", "--json").json["state"] in ("waiting", "running")


def test_going_on_after_an_incident(segue: Folder, worker: Running) -> None:
    segue("start", "flows.py:stuck", "late.txt", "--id", "a")
    worker.until("incident  stuck a")
    assert "does not stand still; what does: /fragile" in segue("retry", "a", "--step", "nope", code=2).err
    segue.write("late.txt", "here")
    segue("retry", "a", "--step", "fragile")
    worker.until("completed  stuck a")
    assert (
        "there is nothing to retry" in segue("retry", "a", code=2).err
        or "takes no more" in segue("retry", "a", code=2).err
    )
    segue("start", "flows.py:waits", "--id", "b")
    worker.until("waits b")
    assert "there is nothing to retry" in segue("retry", "b", code=2).err


def test_an_answer_that_nobody_acts_on_yet_says_so(segue: Folder) -> None:
    for id in ("a", "b"):
        segue("run", "flows.py:asks", "7", "--id", id, "--timeout", "300ms", code=5)
    alone = segue("approve", "a", "--yes").out.splitlines()
    assert "is answered by" in alone[0]
    assert alone[1] == "no worker of app 'default' is alive; it takes effect when one is (segue run, dev or worker)"
    assert segue("approve", "b", "--yes", "--json").json["answer"] == {"approved": True}
    segue("run", "flows.py:asks", "7", "--id", "c", "--timeout", "300ms", code=5)
    worker = segue.begin("worker", "flows.py")
    worker.until("serving ")
    assert len(segue("approve", "c", "--yes").out.splitlines()) == 1
