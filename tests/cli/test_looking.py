"""``segue list`` and ``segue show``."""

from __future__ import annotations

import getpass
import re
import subprocess
import sys

import pytest
from cli_kit import Folder

from segue.stores.sqlite.store import SqliteStore


def ids(segue: Folder, *words: str, **environment: str) -> set[str]:
    return {row["id"] for row in segue("list", "--json", *words, **environment).json}


@pytest.fixture
def runs(segue: Folder) -> Folder:
    segue("run", "flows.py:plain", "3", "--id", "done", "--tag", "team=blue")
    segue("run", "flows.py:fails", "luck", "--id", "failed", code=1)
    segue("run", "flows.py:stuck", "nothing", "--id", "stuck", code=3)
    segue("run", "flows.py:waits", "ann", "--id", "ann-waits", "--timeout", "300ms", code=5)
    segue("run", "flows.py:asks", "5", "--id", "asks", "--timeout", "300ms", code=5)
    return segue


def test_what_is_shown_of_a_step_names_it_to_other_commands(segue: Folder) -> None:
    segue.write(
        "twice.py",
        """
        import asyncio

        from segue import step, workflow

        @step
        async def pick(n: int) -> int:
            print(f"picked {n}")
            return n

        @step
        async def pack() -> None: ...

        @workflow
        async def order() -> None:
            await pick(1)
            await pick.using(key="gift")(2)
            await asyncio.gather(pick(3), pick(4))
            await pack()
    """,
    )
    ran = segue("run", "twice.py:order", "--id", "a").out
    shown = segue("show", "a", "--logs").out
    told = [re.split(r"  +", line)[0] for line in shown.splitlines() if "completed" in line][1:]
    assert told == ["/pick", "pick =gift", "/0/pick", "/1/pick", "pack"]
    assert [re.split(r"  +", line)[0] for line in ran.splitlines() if "✓ completed   " in line] == told
    assert [re.split(r"  +", line)[2] for line in shown.splitlines() if "picked" in line] == told[:-1]
    assert [key for key in told if "/" in key] == [
        each["key"] for each in segue("show", "a", "--json").json["steps"] if each["key"][1:] not in ("gift", "pack")
    ]
    for name in told:
        preview = segue("fork", "a", "--preview", "--from", name.split()[-1]).out
        assert f"runs again: {name.split()[-1].removeprefix('/')}" in preview.replace("again: /", "again: ")


def test_updates_and_signals_of_one_name_are_told_apart(segue: Folder) -> None:
    segue.write(
        "baskets.py",
        """
        from segue import signal, update, workflow

        @workflow
        async def basket() -> int:
            total = 0

            @update
            def add(item: str, price: int) -> int:
                nonlocal total
                if price < 0:
                    raise ValueError("what is given away is not sold")
                total += price
                return total

            @update
            def clear() -> None:
                nonlocal total
                total = 0

            while await signal("note", str) != "enough":
                pass
            return total
    """,
    )
    run = segue.begin("run", "baskets.py", "--id", "a")
    run.until("started +basket a")
    segue("update", "a", "add", "apples", "3")
    segue("update", "a", "add", "a basket of pears " * 9, "4")
    segue("update", "a", "add", "hay", "-1", code=None)
    segue("update", "a", "clear", "--id", "clear-1")
    segue("update", "a", "clear", "--id", "clear-2")
    segue("signal", "a", "note", "hurry")
    segue("signal", "a", "note", "enough")
    assert run.end() == 0
    for line in (
        r'received     update add  \["apples",3\]$',
        r"completed    update add  \S+$",
        r"failed       update add  \S+  ValueError: what is given away is not sold$",
        r"received     update clear  clear-1$",
    ):
        assert re.search(line, run.text, re.MULTILINE), line
    shown = segue("show", "a", "--values", "--events").out
    for line in (
        r'add +✓ completed .*\["apples",3\]$',
        r'add +✓ completed .*\["a basket of pears a .{0,50}…$',
        r'add +✗ failed .*\["hay",-1\]  ValueError: what is given away is not sold$',
        r"clear +✓ completed .* clear-1$",
        r"clear +✓ completed .* clear-2$",
        r'note +◂ received .*"hurry"$',
        r'note +◂ received .*"enough"$',
        r'SignalReceived +name=note  payload="hurry"$',
        r"UpdateAccepted +name=clear  update=clear-2  payload=\S+$",
    ):
        assert re.search(line, shown, re.MULTILINE), line
    assert re.search(r'input: \[\s+"apples",\s+3\s+\]', shown), "as they were given"


def test_lists(runs: Folder) -> None:
    segue = runs
    assert ids(segue) == {"done", "failed", "stuck", "ann-waits", "asks"}
    assert ids(segue, "--state", "open") == {"stuck", "ann-waits", "asks"}
    assert ids(segue, "--state", "failed,incident") == {"failed", "stuck"}
    assert ids(segue, "--state", "completed", "--state", "failed") == {"done", "failed"}
    assert ids(segue, "--workflow", "asks") == {"asks"}
    assert ids(segue, "--attribute", "customer=ann") == {"ann-waits"}
    assert ids(segue, "--attribute", "customer=bob") == set()
    assert ids(segue, "--tag", "team=blue") == {"done"}
    assert ids(segue, "--text", "value bad lu") == {"failed"}
    assert ids(segue, "--text", "ann", "--state", "open") == {"ann-waits"}
    assert ids(segue, "--text", "unheard-of") == set()
    assert "no word" in segue("list", "--text", "!?", code=2).err
    assert "no runs match (by text)" in segue("list", "--text", "unheard-of").out
    assert ids(segue, "--since", "1h") == ids(segue)
    assert ids(segue, "--until", "1h") == set()
    assert ids(segue, "--limit", "1") == {"asks"}
    assert ids(segue, "--namespace", "eu") == set()
    segue("start", "flows.py:plain", "1", "--namespace", "eu")
    assert [(each["name"], each["open"]) for each in segue("namespaces", "--json").json][1:] == [("eu", 1)]
    assert [line.split()[0] for line in segue("namespaces").out.splitlines()] == ["namespace", "default", "eu"]
    _describes_namespaces(segue)

    out = segue("list").out
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert "✓ completed" in lines["done"]
    assert lines["done"].split("  ")[-3:] != []
    assert "ValueError: bad luck" in lines["failed"]
    assert "step-exhausted" in lines["stuck"]
    assert "signal" in lines["ann-waits"]
    assert "approval by manager" in lines["asks"]
    assert "no worker of app 'default' is alive" in out
    assert "--limit 4 shows more" in segue("list", "--limit", "2").out

    segue("run", "flows.py:plain", "3", "--id", "theirs", "--app", "other")
    assert ids(segue, "--app", "other") == ids(segue, SEGUE_APP="other") == {"theirs"}
    assert "theirs" not in ids(segue, "--app", "default")
    assert "theirs" in ids(segue), "where no app is said, those of all are listed"
    assert "no runs match (by app)" in segue("list", "--app", "nobody").out
    assert "no runs match" in segue("list", "--workflow", "nope").out
    assert "did you mean failed?" in segue("list", "--state", "faild", code=2).err
    assert "is no point in time" in segue("list", "--since", "yesterday-ish", code=2).err


def test_shows(runs: Folder) -> None:
    segue = runs
    out = segue("show", "failed", "--values", "--events", "--logs").out
    for said in (
        "✗ failed  fails failed",
        "ValueError: bad luck",
        'raise ValueError(f"bad {what}")',
        "1 step undone",
        "↶ compensated",
        '"what": "luck"',
        "RunFailed",
        "doubling 1",
    ):
        assert said in out, said
    out = segue("show", "asks").out
    assert "approval for manager" in out
    assert "segue approve asks" in out
    out = segue("show", "stuck").out
    assert "stands still" in out
    assert "segue retry stuck" in out
    out = segue("show", "ann-waits").out
    assert "customer=ann" in out
    assert 'phase: {"at":"the door"}' in out

    told = segue("show", "done", "--events", "--logs", "--json").json
    assert told["result"] == 12
    assert told["input"] == {"n": 3}
    assert told["tags"] == {"team": "blue"}
    assert [event["event"] for event in told["events"]] == [
        "RunStarted",
        "StepCompleted",
        "StepCompleted",
        "RunCompleted",
    ]
    assert [line["text"] for line in told["logs"]] == ["doubling 3", "doubling 6"]
    assert told["steps"][0]["input"] == {"n": 3}
    assert (told["asks"], told["waits"]) == ([], [])

    told = segue("show", "asks", "--json").json
    (asked,) = told["asks"]
    assert {name: asked[name] for name in ("task", "key", "name", "assignee", "subject")} == {
        "task": 1, "key": "/approval", "name": "approval", "assignee": "manager", "subject": {"amount": 5},
    }  # fmt: skip
    assert told["steps"][0]["subject"] == {"amount": 5}
    assert segue("show", "ann-waits", "--json").json["waits"] == [
        {"kind": "signal", "name": "go", "until": None, "summary": ""}
    ]
    (incident,) = segue("show", "stuck", "--json").json["incidents"]
    assert incident["failure"]["type"] == "FileNotFoundError"
    segue("erase", "done", "--reason", "asked for", "--yes")
    erased = segue("show", "done", "--json").json["erased"]
    assert (erased["by"], erased["reason"]) == (getpass.getuser(), "asked for")


def test_the_beginning_of_an_id_is_enough(runs: Folder) -> None:
    segue = runs
    assert segue("show", "don", "--json").json["id"] == "done"
    several = segue("show", "a", code=2).err
    assert "2 runs begin with 'a'" in several
    assert "ann-waits" in several
    assert "did you mean done?" in segue("show", "doen", code=2).err
    assert "`segue list` shows what there is" in segue("show", "xyzzy", code=2).err
    told = segue("show", "doen", "--json", code=2).json
    assert told["error"]["type"] == "NoSuchRun"


def test_an_empty_id_names_no_run(segue: Folder) -> None:
    segue("run", "flows.py:waits", "ann", "--id", "only", "--timeout", "300ms", code=5)
    for words in (("show", ""), ("cancel", ""), ("terminate", "", "--yes"), ("signal", "", "go")):
        assert "the id of the run is empty; `segue list` shows" in segue(*words, code=2).err
    for command in (("run", "flows.py:waits"), ("start", "flows.py:waits"), ("fork", "only")):
        assert "--id has a character at least that is no blank; leave it out" in segue(*command, "--id", "", code=2).err
    assert ids(segue) == ids(segue, "--state", "open") == {"only"}


def test_the_package_is_run_as_the_command(segue: Folder) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "segue", "version", "--json"],
        cwd=segue.path, env=segue.environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == segue("version", "--json").out


def test_looking_makes_no_database(segue: Folder) -> None:
    ended = segue("list", code=6)
    assert "there is no database .segue/segue.db yet" in ended.err
    assert not (segue.path / ".segue").exists()


def test_an_empty_database(segue: Folder) -> None:
    segue("start", "flows.py:plain", "1", "--namespace", "eu")
    assert "no runs yet in namespace 'default'" in segue("list").out
    assert segue("list", "--json").json == []
    assert "there are no runs at all" in segue("show", "a", code=2).err


def test_a_pipe_that_is_closed_early(segue: Folder) -> None:
    segue("run", "flows.py:plain", "1")
    running = segue.begin("list")
    assert running.process.stdout is not None
    running.process.stdout.close()
    assert running.process.wait(30) == 141


def _describes_namespaces(segue: Folder) -> None:
    said = ("--description", "Orders of [b]Europe[/b]", "--retention")
    rules = '[{"keep": "30d"}, {"keep": "1w", "workflow": "poll", "state": "failed"}]'
    out = segue("namespaces", "set", "eu", *said, rules).out
    assert out == "eu (Orders of [b]Europe[/b]): runs are kept 30d, 1w of poll if failed\n"
    (told,) = [each for each in segue("namespaces", "--json").json if each["name"] == "eu"]
    assert told == {
        "name": "eu", "description": "Orders of [b]Europe[/b]", "open": 1, "incidents": 0,
        "retention": [{"keep": "30d"}, {"keep": "1w", "workflow": "poll", "state": "failed"}],
    }  # fmt: skip
    listed = segue("namespaces").out.splitlines()[2]
    assert re.fullmatch(r"eu +1 +0 +30d, 1w of poll if failed +Orders of \[b\]Europe\[/b\]", listed.rstrip())
    for given, kept in (("forever", "for ever"), ("90d", "90d"), ("settings", "as the settings say")):
        assert segue("namespaces", "set", "eu", "--retention", given).out.endswith(f": runs are kept {kept}\n")
    assert segue("namespaces", "set", "eu", "--description", "", "--json").json["description"] == ""
    for wrong, why in (
        ((), "nothing is said of the namespace"), (("--retention", "soon"), "'soon' is not a length of time"),
        (("--retention", "[1]"), "--retention is no list of rules"),
        (("--description", "x" * 1001), "it may have 1,000"),
    ):  # fmt: skip
        assert why in segue("namespaces", "set", "eu", *wrong, code=2).err
    assert "is no name of a namespace" in segue("namespaces", "set", "a b", "--description", "x", code=2).err
    store = SqliteStore.open(segue.path / ".segue" / "segue.db")
    noted = store.accounts.audited("eu")
    store.close()
    assert {(each.action, each.target, each.actor[:4]) for each in noted} == {("change_namespace", "eu", "cli:")}
    assert len(noted) == 5
