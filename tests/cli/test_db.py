"""``segue db`` and ``segue erase``: what is in the database, copies of it, and what must no longer be in it."""

from __future__ import annotations

import json
import re

import pytest
from cli_kit import Folder

CHAIN = """
from segue import continue_as_new, workflow


@workflow
async def weekly(week: int) -> int:
    if week < 3:
        continue_as_new(week + 1)
    return week
"""


@pytest.fixture
def shop(segue: Folder) -> Folder:
    """A folder with a run that has ended, one that waits, and one that failed."""
    segue("run", "flows.py:plain", "3", "--id", "done")
    segue("run", "flows.py:fails", "luck", "--id", "failed", code=1)
    segue("run", "flows.py:waits", "ann", "--id", "waits", "--timeout", "300ms", code=5)
    return segue


def test_stats_vacuum_and_migrate(shop: Folder) -> None:
    told = shop("db", "stats", "--json").json
    assert told["runs"] == {"completed": 1, "failed": 1, "waiting": 1}
    assert (told["schema"], told["owner"], told["inbox"], told["tasks"]) == (1, None, 0, 0)
    assert told["events"] == sum(len(shop("show", id, "--events", "--json").json["events"]) for id in told_ids(shop))
    out = shop("db", "stats").out
    assert "1  ✓ completed" in out
    assert "nobody owns the runs of app 'default' just now" in out
    worker = shop.begin("worker", "flows.py")
    worker.until("serving ")
    assert "and serves asks, " in shop("db", "stats").out
    assert "plain" in shop("db", "stats", "--json").json["owner"]["serves"]

    sizes = shop("db", "vacuum", "--json").json
    assert sizes["after"] <= sizes["before"] == told["bytes"]
    assert shop("db", "vacuum").out.startswith("sqlite:///.segue/segue.db: ")
    assert shop("db", "migrate").out == "sqlite:///.segue/segue.db has schema 1\n"
    assert shop("db", "migrate", "--json").json["schema"] == 1


def told_ids(segue: Folder, *more: str) -> list[str]:
    return [row["id"] for row in segue("list", "--json", *more).json]


def test_a_backup_goes_back_in_its_place(shop: Folder) -> None:
    assert shop("db", "backup", "monday.db").out.startswith("monday.db: ")
    assert "is there already" in shop("db", "backup", "monday.db", code=2).err
    assert "see that its folder exists" in shop("db", "backup", "no/such/folder.db", code=6).err
    assert shop("list", "--url", "sqlite:///monday.db", "--json").json == shop("list", "--json").json

    shop("signal", "waits", "go", "home")
    worker = shop.begin("worker", "flows.py")
    worker.until("completed  waits waits")
    busy = shop("db", "restore", "monday.db", "--yes", code=6).err
    assert "an engine is at work on" in busy
    worker.process.terminate()
    assert worker.end() == 0

    assert "there is no backup nope.db" in shop("db", "restore", "nope.db", "--yes", code=2).err
    assert "pass --yes" in shop("db", "restore", "monday.db", code=2).err
    shop.write("notes.txt", "no database\n" * 1000)
    assert "notes.txt" in shop("db", "restore", "notes.txt", "--yes", code=6).err
    assert shop("show", "waits", "--json").json["state"] == "completed", "nothing was changed so far"

    assert "is what monday.db was" in shop("db", "restore", "monday.db", "--yes").out
    assert shop("show", "waits", "--json").json["state"] == "waiting"
    assert (shop.path / ".segue" / "segue.db.replaced").exists()
    shop("signal", "waits", "go", "away")  # the restored run is alive
    assert shop("run", "flows.py:waits", "--id", "waits", "--json").json["result"] == "away"


def test_an_export_is_the_whole_run(shop: Folder) -> None:
    lines = [json.loads(line) for line in shop("db", "export", "done").out.splitlines()]
    assert lines[0]["run"]["id"] == "done"
    assert [line["event"][1][0] for line in lines if "event" in line] == [
        "RunStarted",
        "StepCompleted",
        "StepCompleted",
        "RunCompleted",
    ]
    assert [line["log"]["text"] for line in lines if "log" in line] == ["doubling 3", "doubling 6"]
    assert shop("db", "export", "done", "done.jsonl", "--json").json == {
        "id": "done",
        "runs": 1,
        "file": "done.jsonl",
        "lines": len(lines),
        "missing": [],
    }
    assert [json.loads(line) for line in (shop.path / "done.jsonl").read_text().splitlines()] == lines
    assert "done.jsonl is there already" in shop("db", "export", "done", "done.jsonl", code=2).err
    assert "cannot be written" in shop("db", "export", "done", "no/such/folder", code=2).err
    assert "no run 'nope'" in shop("db", "export", "nope", code=2).err


def test_an_export_of_an_id_has_every_run_that_has_had_it(segue: Folder) -> None:
    segue.write("chain.py", CHAIN)
    segue("run", "chain.py:weekly", "1", "--id", "chain")
    segue("run", "chain.py:weekly", "3", "--id", "chain-2")
    segue("retry", "chain", "--from", "start")
    lines = [json.loads(line) for line in segue("db", "export", "chain").out.splitlines()]
    inputs = [line["event"][1] for line in lines if "event" in line and line["event"][0] == 1]
    runs = [line["run"] for line in lines if "run" in line]
    assert [run["state"] for run in runs] == ["continued", "continued", "completed", "running"]
    assert [run["run"] for run in runs] == sorted(run["run"] for run in runs)
    assert {run["id"] for run in runs} == {"chain"}
    assert len(inputs) == len(runs)
    assert segue("db", "export", "chain", "chain.jsonl").out == f"chain.jsonl: 4 runs, {len(lines)} lines\n"
    told = segue("check", "chain.py", "--export", "chain.jsonl", "--json").json
    assert (told["runs"], told["failed"]) == (1, 0), "it is of the open one among them"


def test_runs_that_ended_long_ago_are_deleted(shop: Folder) -> None:
    assert "pass --yes" in shop("db", "retain", "1d", code=2).err
    assert "is not how a run ends" in shop("db", "retain", "1d", "--state", "waiting", "--yes", code=2).err
    assert "is not a length of time" in shop("db", "retain", "soon", "--yes", code=2).err
    assert shop("db", "retain", "1d", "--yes").out == "0 runs deleted\n"
    assert shop("db", "retain", "0s", "--state", "failed", "--yes", "--json").json == {"deleted": 1}
    assert shop("db", "retain", "0s", "--workflow", "plain", "--yes").out.startswith("1 run deleted; `segue db vacuum`")
    assert told_ids(shop) == ["waits"], "an open run is kept"


def test_rules_say_which_runs_are_deleted_where_no_length_of_time_does(shop: Folder) -> None:
    for namespace in ("eu", "us"):
        shop("run", "flows.py:plain", "3", "--id", f"in-{namespace}", "--namespace", namespace)
    shop("run", "flows.py:waits", "ann", "--id", "newest", "--timeout", "300ms", code=5)
    retain = ("db", "retain", "--yes")
    told = shop(*retain).out
    assert told.startswith("0 runs deleted\nno rule says how long runs are kept")
    assert "go with a length of time" in shop(*retain, "--state", "failed", code=2).err
    shop("namespaces", "set", "eu", "--retention", "365d")
    shop("namespaces", "set", "us", "--retention", "0s")

    def there() -> set[str]:
        return {id for name in ("default", "eu", "us") for id in told_ids(shop, "--namespace", name)}

    assert shop(*retain, "--namespace", "eu", "--json").json == {"deleted": 0}
    assert shop(*retain, "--namespace", "default", SEGUE_RETENTION="365d").out == "0 runs deleted\n"
    assert shop(*retain, "--json").json == {"deleted": 1}
    assert there() == {"done", "failed", "waits", "newest", "in-eu"}
    assert shop(*retain, "--namespace", "eu", "--json", SEGUE_RETENTION="0s").json == {"deleted": 0}
    assert shop(*retain, "--json", SEGUE_RETENTION="0s").json == {"deleted": 2}
    assert there() == {"waits", "newest", "in-eu"}
    # A length of time is for those that no rule of their own is for, unless one is named.
    assert "eu, us: left to rules of their own" in shop("db", "retain", "0s", "--yes").out
    assert there() == {"waits", "newest", "in-eu"}
    assert shop("db", "retain", "0s", "--yes", "--namespace", "us", "--json").json == {"deleted": 0}
    assert shop("db", "retain", "0s", "--yes", "--namespace", "eu", "--json").json == {"deleted": 1}
    assert there() == {"waits", "newest"}


def test_a_persons_data_is_erased(shop: Folder) -> None:
    assert "not ended yet: waits" in shop("erase", "--attribute", "customer=ann", "--yes", code=2).err
    shop("signal", "waits", "go", "to 4 Elm Street")
    shop("run", "flows.py:waits", "--id", "waits")
    assert "no run is named" in shop("erase", code=2).err
    assert "no run has the attribute customer=bob" in shop("erase", "--attribute", "customer=bob", "--yes", code=2).err
    assert "no run 'nope'" in shop("erase", "waits", "nope", "--yes", code=2).err
    assert "pass --yes" in shop("erase", "waits", code=2).err
    assert "Elm" in shop("show", "waits", "--events").out, "nothing was changed so far"

    (row,) = shop("erase", "--attribute", "customer=ann", "--reason", "asked for", "--yes", "--json").json
    assert (row["id"], row["attributes"]) == ("waits", {})
    shown = shop("show", "waits", "--values", "--events", "--logs").out
    assert re.search(r"erased (now|\d+\w ago) by ", shown)
    assert "reason=asked for" in shown
    assert "✓ completed  waits waits" in shown
    for told in (shown, shop("show", "waits", "--events", "--json").out, shop("db", "export", "waits").out):
        assert "Elm" not in told
        assert "ann" not in told
    shop("run", "flows.py:family", "1", "--id", "parent")
    child = next(id for id in told_ids(shop) if id not in ("parent", "waits", "done", "failed"))
    assert "`segue erase parent`" in shop("erase", child, "--yes").out
    assert shop("erase", "parent", "--yes").out.count("erased: ") == 3, "its children go with it"
    shop("retry", "done", "--from", "start")
    assert "not ended yet: done" in shop("erase", "done", "--yes", code=2).err
    shop("run", "flows.py:plain", "3", "--id", "done")
    assert "2 runs (1 of them earlier ones of the ids, or children)" in shop("erase", "done", code=2).err
    assert "erased: plain done (2 runs)" in shop("erase", "done", "--yes").out
