"""``segue schedule``: every command, for people and for machines, with and without a worker."""

from __future__ import annotations

import pytest
from cli_kit import Folder


@pytest.fixture
def nightly(segue: Folder) -> Folder:
    segue("schedule", "create", "nightly", "flows.py:plain", "3", "--cron", "0 2 * * *", "--zone", "Europe/Berlin")
    return segue


def test_made_shown_and_listed(segue: Folder) -> None:
    told = segue(
        "schedule", "create", "nightly", "flows.py:plain", "3", "2", "--cron", "0 2 * * *", "--zone", "Asia/Tokyo",
        "--overlap", "buffer-one", "--jitter", "5m", "--tag", "team=data", "--note", "by hand", "--after", "extract",
    )  # fmt: skip
    assert "waiting  nightly plain" in told.out
    assert "buffer-one, catches up 1d, jitter 5m, after extract" in told.out
    assert "arguments  n=3\n" in told.out
    assert "no worker of app 'default' is alive" in told.out
    shown = segue("schedule", "show", "nightly", "--json").json
    assert (shown["when"], shown["policy"]["jitter"], shown["note"]) == ("0 2 * * * Asia/Tokyo", 300_000_000, "by hand")
    assert shown["next"][0].endswith("T17:00:00Z")
    assert [one["name"] for one in segue("schedule", "list", "--json").json] == ["nightly"]
    assert "0 2 * * * Asia/Tokyo" in segue("schedule", "list").out
    assert (
        "exists already" in segue("schedule", "create", "nightly", "flows.py:plain", "3", "--every", "1h", code=2).err
    )


def test_changed_paused_and_deleted(nightly: Folder) -> None:
    assert "every 15m" in nightly("schedule", "update", "nightly", "--every", "15m", "--overlap", "allow-all").out
    assert nightly("schedule", "pause", "nightly", "inventory").out == "nightly is paused\n"
    assert "inventory" in nightly("schedule", "list").out
    assert "nightly goes on" in nightly("schedule", "resume", "nightly").out
    assert "nothing to change" in nightly("schedule", "update", "nightly", code=2).err
    assert "is deleted" in nightly("schedule", "delete", "nightly").out
    assert "there are: none" in nightly("schedule", "show", "nightly", code=2).err
    assert "no schedules in namespace 'default'" in nightly("schedule", "list").out


def test_what_was_given_is_taken_back(segue: Folder) -> None:
    segue(
        "schedule", "create", "nightly", "flows.py:plain", "3", "5", "--every", "1h", "--jitter", "5m", "--after",
        "extract", "--tag", "team=data", "--note", "by hand", "--start", "2026-01-01", "--end", "2036-01-01",
    )  # fmt: skip
    all_of_it = ("after", "start", "end", "tags", "jitter", "note")
    segue(
        "schedule",
        "update",
        "nightly",
        "--overlap",
        "skip",
        *(word for what in all_of_it for word in ("--clear", what)),
    )
    shown = segue("schedule", "show", "nightly", "--json").json
    policy = shown["policy"]
    assert (policy["after"], policy["start"], policy["end"], policy["jitter"]) == ([], None, None, 0)
    assert (shown["tags"], shown["note"], shown["input"]) == ({}, "", {"n": 3, "times": 5})
    both = segue("schedule", "update", "nightly", "--note", "again", "--clear", "note", code=2)
    assert "--clear note takes back what is given beside it" in both.err
    lonely = segue("schedule", "update", "nightly", "--clear", "arguments", code=2)
    assert "no worker is alive that has 'plain'" in lonely.err
    segue.begin("worker", "flows.py").until("serving ")
    assert "arguments  7\n" in segue("schedule", "update", "nightly", "7").out
    assert "arguments  " not in segue("schedule", "update", "nightly", "--clear", "arguments").out


def test_a_worker_carries_out_what_is_triggered_and_filled_in(nightly: Folder) -> None:
    worker = nightly.begin("worker", "flows.py")
    worker.until("serving ")
    run = nightly("schedule", "trigger", "nightly", "--json").json["id"]
    worker.until(f"completed  plain {run}")
    preview = nightly("schedule", "backfill", "nightly", "2026-03-28", "2026-03-31", "--dry-run")
    assert "would have 3 due times" in preview.out
    assert nightly("schedule", "backfill", "nightly", "2026-03-28", "2026-03-31", "--dry-run", "--json").json["exact"]
    later_first = nightly("schedule", "backfill", "nightly", "2026-03-31", "2026-03-28", "--dry-run", code=2)
    assert "goes from an earlier to a later time of the past" in later_first.err
    nightly("schedule", "backfill", "nightly", "2026-03-28", "2026-03-31", "--parallel", "3", "--id", "spring")
    for day in ("28T01", "29T01", "30T00"):
        worker.until(f"completed  plain nightly@2026-03-{day}:00:00Z/spring")
    shown = (nightly("schedule", "show", "nightly").out for _ in range(20))  # it is written a moment later
    assert any("done, 3 of 3 due times: 3 completed" in text for text in shown)
    assert "spring starts no more" in nightly("schedule", "backfill", "nightly", "--cancel", "spring").out


def test_a_run_that_stands_still_is_told_with_its_schedule(segue: Folder) -> None:
    segue("schedule", "create", "reading", "flows.py:stuck", "no such file", "--every", "1h")
    assert segue("schedule", "show", "reading", "--json").json["incidents"] == []
    worker = segue.begin("worker", "flows.py")
    worker.until("serving ")
    run = segue("schedule", "trigger", "reading", "--json").json["id"]
    worker.until(f"incident  stuck {run}")
    segue("schedule", "backfill", "reading", "2026-03-28", "2026-03-29", "--parallel", "5", "--id", "spring")
    for hour in range(5):
        worker.until(f"incident  stuck reading@2026-03-28T0{hour}:00:00Z/spring")
    shown = (segue("schedule", "show", "reading").out for _ in range(20))  # it is written a moment later
    assert any("and 3 more; `segue show RUN` says why it stands still" in text for text in shown)
    assert "▲ incident  reading stuck" in segue("schedule", "show", "reading").out
    assert "▲ incident" in segue("schedule", "list").out
    (listed,) = segue("schedule", "list", "--json").json
    assert {run, "reading@2026-03-28T04:00:00Z/spring"} < set(listed["incidents"])


def test_preview_of_a_rule_before_there_is_a_schedule(segue: Folder) -> None:
    words = (
        "schedule",
        "preview",
        "--cron",
        "30 2 * * *",
        "--zone",
        "Europe/Berlin",
        "--since",
        "2026-03-28",
        "-n",
        "3",
    )
    assert segue(*words).out.splitlines() == [
        "Sat 2026-03-28 02:30:00 CET  2026-03-28T01:30:00Z",
        "Sun 2026-03-29 03:00:00 CEST  2026-03-29T01:00:00Z",
        "Mon 2026-03-30 02:30:00 CEST  2026-03-30T00:30:00Z",
    ]
    assert segue(*words, "--json").json[1] == "2026-03-29T01:00:00Z"
    rule = ("--calendar", "FREQ=MONTHLY;BYDAY=-1FR", "--since", "2026-01-01", "-n", "1")
    assert segue("schedule", "preview", *rule).out == "Fri 2026-01-30 00:00:00 UTC\n"


def test_a_backfill_that_is_there_already_or_not_is_told_as_such(nightly: Folder) -> None:
    period = "nightly", "2026-03-28", "2026-03-29"
    nightly("schedule", "backfill", *period, "--id", "spring")
    taken = nightly("schedule", "backfill", *period, "--id", "spring", code=2).err
    assert taken == "✗ schedule 'nightly' has a backfill 'spring' already; choose another id\n"
    missing = nightly("schedule", "backfill", "nightly", "--cancel", "sprong", code=2).err
    assert "no backfill 'sprong' of schedule 'nightly' in namespace 'default'; did you mean 'spring'?" in missing


def test_a_workflow_that_no_worker_has_gets_no_schedule(nightly: Folder) -> None:
    alone = nightly("schedule", "create", "hourly", "plian", "--every", "1h", code=2).err
    assert "no worker of app 'default' is alive to say what 'plian' is" in alone
    nightly.begin("worker", "flows.py").until("serving ")
    assert "did you mean 'plain'?" in nightly("schedule", "create", "hourly", "plian", "--every", "1h", code=2).err


def test_preview_of_a_schedule(nightly: Folder) -> None:
    assert len(nightly("schedule", "preview", "nightly", "-n", "4", "--json").json) == 4


REFUSED = [
    (("preview", "--cron", "0 0 30 2 *"), "can never fire"),
    (("preview", "--cron", "0 0 * *"), "cannot be read"),
    (("preview", "--cron", "@daily", "--zone", "Europe/Berln"), "did you mean 'Europe/Berlin'?"),
    (("preview", "--cron", "@daily", "--every", "1h"), "exclude each other"),
    (("preview",), "give the name of a schedule"),
    (("create", "x", "flows.py:plain", "3"), "when is it due?"),
    (("create", "x", "flows.py:plain", "three", "--every", "1h"), "argument 1 (n: int)"),
    (("create", "x@y", "flows.py:plain", "3", "--every", "1h"), "without @ and /"),
    (("backfill", "nightly"), "give a start and an end"),
    (("backfill", "nightly", "2026-01-02", "2026-01-01"), "from an earlier to a later time"),
    (("backfill", "nightly", "1926-01-01", "2026-01-01"), "and 10,000 are allowed"),
    (("trigger", "nihgtly"), "did you mean 'nightly'?"),
]


@pytest.mark.parametrize(("words", "why"), REFUSED)
def test_what_cannot_be_is_refused(nightly: Folder, words: tuple[str, ...], why: str) -> None:
    assert why in nightly("schedule", *words, code=2).err
    assert len(nightly("schedule", "list", "--json").json) == 1


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--every", "1h", "--zone", "Europe/Berlin"), "--zone is of a --cron line or a --calendar"),
        (("--zone", "Europe/Berlin"), "--zone is of a --cron line or a --calendar"),
        (("--cron", "@daily", "--offset", "5m"), "--offset moves an interval"),
        (("--every", "1h", "--without", "2026-12-24"), "--without leaves a day out of a --calendar"),
    ],
)
def test_a_flag_of_another_rule_is_refused(segue: Folder, flags: tuple[str, ...], said: str) -> None:
    assert said in segue("schedule", "preview", *flags, code=2).err
