"""Commands that ask a server: the same words, the same answers, and what goes wrong on the way."""

from __future__ import annotations

import http.server
import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_kit import COMMAND, Folder

from segue.cli.commands import COMMANDS, NOT_THERE


@pytest.fixture
def address(segue: Folder) -> str:
    """A server without a login that owns the runs of the folder, too."""
    (segue.path / "talks.py").write_text(TALKS)
    running = segue.begin("dev", ".", "--port", "0")
    return running.until(r"dashboard (http://\S+)").split("dashboard ")[1].split()[0]


TALKS = """
from segue import query, signal, update, workflow

@workflow
async def talks() -> int:
    total = 0

    @update
    def add(n: int) -> int:
        nonlocal total
        total += n
        return total

    @query
    def so_far() -> int:
        return total

    await signal("stop")
    return total
"""


def test_a_run_from_afar(segue: Folder, address: str, tmp_path: Path) -> None:
    there = ("--server", address)
    ended = segue("start", "flows.py:plain", "3", "--id", "p-1", "--tag", "a=b", "--wait", "--json", *there).json
    assert (ended["state"], ended["result"], len(ended["steps"])) == ("completed", 12, 2)
    assert "bad thing" in segue("start", "fails", "thing", "--id", "f-1", "--wait", *there, code=1).out
    assert segue("start", "family", "1", "--id", "c-1", "--wait", "--json", *there).json["result"] == [2, 4]
    segue("start", "waits", "--id", "w-1", "--summary", "greets ann", SEGUE_SERVER=address)
    for words in (
        ("list", "--json"),
        ("list", "--state", "closed", "--tag", "a=b", "--json"),
        ("list", "--attribute", "customer=ann", "--json"),
        ("show", "c-1", "--events", "--logs", "--json"),
        ("show", "f-1", "--values"),
        ("show", "w-1", "--json"),
        ("task", "list", "--json"),
    ):
        here, from_there = segue(*words), segue(*words, *there)
        if "--json" in words:
            assert here.json == from_there.json, words
        else:
            assert [line.split() for line in here.out.splitlines() if " ago" not in line] == [
                line.split() for line in from_there.out.splitlines() if " ago" not in line
            ]
    assert "greets ann" in segue("list", *there).out
    assert f"segue resume w-1 --server {address}" not in segue("show", "w-1", *there).out
    assert "is paused" in segue("pause", "w-1", "--reason", "lunch", *there).out
    shown = segue("show", "w-1", *there).out
    assert "lunch" in shown
    assert f"segue resume w-1 --server {address}" in shown
    assert segue("resume", "w-1", "--json", *there).json == [{"id": "w-1", "accepted": True}]
    assert "signal 'go' is with run w-1" in segue("signal", "w", "go", "home", *there).out
    assert segue("start", "waits", "--id", "w-2", "--json", *there).json["id"] == "w-2"
    assert "asked to stop" in segue("cancel", "w-2", *there).out
    assert "no run 'nope'" in segue("show", "nope", *there, code=2).err
    segue("start", "asks", "7", "--id", "a-1", *there)
    assert [task["subject"] for task in segue("task", "list", "--json", *there).json] == [{"amount": 7}]
    assert "approval of run a-1 is answered by" in segue("approve", "a-1", "--yes", *there).out
    assert "knows by the key who acts" in segue("approve", "a-1", "--yes", "--by", "ann", *there, code=2).err


def test_a_run_repaired_from_afar(segue: Folder, address: str) -> None:
    there = ("--server", address)
    path = segue.path / "later.txt"
    stuck = segue("start", "stuck", str(path), "--id", "s-1", "--wait", *there, code=3).out
    assert "No such file" in stuck
    segue("start", "stuck", str(path), "--id", "s-2", "--wait", *there, code=3)
    segue("start", "stuck", str(path), "--id", "s-3", "--wait", *there, code=3)
    assert "it is answered with" in segue("skip", "s-3", "fragile", "by hand", *there).out.replace("/fragile", "it")
    path.write_text("here now")
    chosen = segue("retry", "--where", "state=incident", "--preview", "--json", *there).json
    assert (chosen["chosen"], chosen["possible"]) == (2, 2)
    assert "run s-1 goes on" in segue("retry", "s-1", *there).out
    assert segue("retry", "--where", "state=incident", "--yes", "--json", *there).json["done"] <= 1
    forked = segue("fork", "s-1", "--from", "start", "--id", "s-4", "--json", *there).json
    assert forked["fork"] == "s-4"
    assert "no worker" not in segue("list", *there).out
    assert "paused in all runs" in segue("pause", "--step", "double", *there).out
    assert "goes on in every run" in segue("resume", "--step", "double", *there).out
    segue("start", "talks", "--id", "t-1", *there)
    assert segue("update", "t-1", "add", "3", *there).out == "3\n"
    assert segue("query", "t-1", "so_far", "--json", *there).json == {"id": "t-1", "answer": 3}
    assert (
        "the server answers with the code" in segue("query", "t-1", "so_far", "--code", "talks.py", *there, code=2).err
    )


def test_schedules_and_workers_from_afar(segue: Folder, address: str) -> None:
    there = ("--server", address)
    made = segue("schedule", "create", "nightly", "plain", "3", "--cron", "0 2 * * *", "--json", *there).json
    assert made["when"] == segue("schedule", "show", "nightly", "--json").json["when"]
    here, from_there = segue("schedule", "list", "--json"), segue("schedule", "list", "--json", *there)
    assert here.json == from_there.json
    changed = segue("schedule", "update", "nightly", "--jitter", "5m", "--json", *there).json
    assert changed["policy"]["jitter"] == 300_000_000
    segue("schedule", "pause", "nightly", "holidays", *there)
    assert "holidays" in segue("schedule", "list", *there).out
    assert "nightly goes on" in segue("schedule", "resume", "nightly", *there).out
    assert segue("schedule", "trigger", "nightly", "--json", *there).json["name"] == "nightly"
    period = ("2026-01-01", "2026-01-04")
    assert segue("schedule", "backfill", "nightly", *period, "--dry-run", "--json", *there).json["total"] == 3
    assert segue("schedule", "backfill", "nightly", *period, "--id", "jan", "--json", *there).json["id"] == "jan"
    given = ("schedule", "preview", "nightly", "-n", "2", "--since", "2026-03-01", "--json")
    assert segue(*given, *there).json == segue(*given).json == ["2026-03-01T02:00:00Z", "2026-03-02T02:00:00Z"]
    assert "is deleted" in segue("schedule", "delete", "nightly", *there).out
    (worker,) = segue("workers", "--json", *there).json
    assert "plain" in worker["serves"]


def test_keys(segue: Folder, tmp_path: Path) -> None:
    segue("run", "flows.py:plain", "3", "--id", "p-1")
    subprocess.run(
        [*COMMAND, "user", "add", "ann", "--role", "admin", "--everywhere"], cwd=segue.path, env=segue.environment,
        input="correct horse\n", text=True, check=True, capture_output=True,
    )  # fmt: skip
    key = segue("key", "add", "looks", "--user", "ann", "--role", "viewer", "--json").json["secret"]
    running = segue.begin("server", "--port", "0")
    address = running.until(r"dashboard (http://\S+)").split("dashboard ")[1].split()[0]
    there = ("--server", address)
    assert [run["id"] for run in segue("list", "--json", *there, SEGUE_API_KEY=key).json] == ["p-1"]
    path = _file(tmp_path, f"{key}\n")
    assert segue("show", "p-1", "--json", "--key-file", path, *there).json["result"] == 12
    nobody = segue("list", *there, code=2)
    assert f"{address} has to know who asks, by an API key" in nobody.err
    assert len(nobody.err.splitlines()) == 1
    assert "does not take this API key" in segue("list", *there, SEGUE_API_KEY="segue_no_key", code=2).err
    refused = segue("fork", "p-1", "--from", "start", *there, SEGUE_API_KEY=key, code=2).err
    assert "ann/looks lacks the permission runs:start" in refused
    (listed,) = segue("namespaces", "--json", *there, SEGUE_API_KEY=key).json
    assert (listed["name"], listed["open"]) == ("default", 0)
    change = ("namespaces", "set", "default", "--description", "ours", "--retention", "forever", *there)
    assert "ann/looks lacks the permission access:act" in segue(*change, SEGUE_API_KEY=key, code=2).err
    admin = segue("key", "add", "may", "--user", "ann", "--role", "admin", "--json").json["secret"]
    assert segue(*change, SEGUE_API_KEY=admin).out == "default (ours): runs are kept for ever\n"
    (listed,) = segue("namespaces", "--json", *there, SEGUE_API_KEY=key).json
    assert (listed["description"], listed["retention"]) == ("ours", [])
    for named in ({"SEGUE_NAMESPACE": "other"}, {}):
        flag = () if named else ("--namespace", "other")
        refused = segue("list", *flag, *there, SEGUE_API_KEY=key, code=2, **named).err
        assert "there is no namespace 'other' in which ann/looks has a role (there are: default)" in refused
    assert "serves app 'default', not 'other'" in segue("list", "--app", "other", *there, SEGUE_API_KEY=key, code=2).err
    assert "cannot be read: No such file" in segue("list", "--key-file", "nope", *there, code=2).err
    added = segue("key", "add", "piped", "--user", "ann", "--role", "viewer")
    assert "it is not shown again" in added.err
    assert segue("show", "p-1", "--key-file", _file(tmp_path, added.out), *there)


def test_what_stands_in_a_file_that_is_no_key_is_not_shown(segue: Folder, tmp_path: Path) -> None:
    for text, said in (("segue_one\nsegue_two\n", "something else than an API key"), (" \n", "holds no API key")):
        path = _file(tmp_path, text)
        refused = segue("list", "--server", "http://127.0.0.1:1", "--key-file", path, code=2).err
        assert said in refused
        assert "segue_" not in refused
    refused = segue("list", "--server", "http://127.0.0.1:1", SEGUE_API_KEY="segue_one\nsegue_two", code=2).err
    assert "SEGUE_API_KEY holds no API key" in refused
    assert "segue_" not in refused


def _file(folder: Path, text: str) -> str:
    path = folder / f"secret-{len(list(folder.iterdir()))}"
    path.write_text(text)
    return str(path)


def test_commands_that_have_no_server(segue: Folder) -> None:
    refused = segue("--server", "http://127.0.0.1:1", "run", "flows.py:plain", "3", code=2).err
    assert "`segue run` does not work with --server: it carries the run out here" in refused
    assert not (segue.path / ".segue").exists()
    said = segue("db", "stats", "--server=http://127.0.0.1:1", "--json", code=2).json
    assert "run it where that is, with --url" in said["error"]["message"]
    meant = segue("erase", "p-1", "--yes", SEGUE_SERVER="http://127.0.0.1:1", code=2).err
    assert "this command works on a database itself: name that with --url" in meant
    assert set(NOT_THERE) < {command.name for command in COMMANDS}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--server", "127.0.0.1:7733"), "is no address of a server"),
        (("--server", "ftp://host"), "is no address of a server"),
        (("--server", "http://127.0.0.1:99999"), "is no address of a server"),
        (("--server", "http://127.0.0.1:port"), "is no address of a server"),
        (("--server", "http://[::1"), "is no address of a server"),
        (("--server", "http://two words"), "is no address of a server"),
        (("--server", "http://ann:secret@host"), "the address of a server holds no key"),
        (("--server", "http://127.0.0.1:1", "--url", "sqlite:///x.db"), "give one of them"),
    ],
)
def test_addresses_that_are_none(segue: Folder, words: tuple[str, ...], said: str) -> None:
    refused = segue("list", *words, code=2).err
    assert said in refused
    assert "secret" not in refused


def test_a_server_that_does_not_answer(segue: Folder) -> None:
    silent = segue("list", "--server", "http://127.0.0.1:1", code=6)
    assert "was asked 4 times in vain" in silent.err
    assert len(silent.err.splitlines()) == 1


@pytest.fixture
def stranger() -> Iterator[str]:
    """A server of another kind."""

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            moved = self.path.startswith("/moved")
            self.send_response(302 if moved else 200)
            self.send_header("location", "http://elsewhere.test/")
            self.end_headers()
            self.wfile.write(b"<h1>It works</h1>")

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_server_without_tls_that_is_asked_with_it(segue: Folder, stranger: str) -> None:
    told = segue("list", "--server", stranger.replace("http:", "https:"), code=6).err
    assert f"answers without TLS; it is asked so at {stranger}, which" in told


def test_what_is_no_server_of_ours(segue: Folder, stranger: str) -> None:
    assert "not as a server of this release does" in segue("list", "--server", stranger, code=6).err
    assert "leads elsewhere, to http://elsewhere.test/" in segue("list", "--server", f"{stranger}/moved", code=6).err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_wait_that_is_broken_off_says_what_goes_on(segue: Folder, address: str, number: signal.Signals) -> None:
    for there in ((), ("--server", address)):
        running = segue.begin("start", "waits", "--wait", *there)
        run = running.until(r"started \S+\n").split()[-1]
        running.signal(number)
        assert running.end() == 128 + number
        assert f"run {run} goes on without this command; look at it with\n  segue show {run}" in running.text
        assert ("--server" in running.text) == bool(there)
        segue("show", run)
    waiting = segue.begin("start", "waits", "--id", "a", "--wait", "--json", "--server", address)
    while segue("show", "a", code=None).code:
        assert not waiting.end_within(0.1), waiting.text
    waiting.signal(number)
    assert waiting.end() == 128 + number
    assert json.loads(waiting.text) == {"id": "a", "workflow": "waits", "state": "running", "ended": False}


def test_a_wait_whose_server_goes_away_says_what_was_started(segue: Folder) -> None:
    served = segue.begin("dev", ".", "--port", "0")
    address = served.until(r"dashboard (http://\S+)").split("dashboard ")[1].split()[0]
    there = ("--server", address)
    running = segue.begin("start", "waits", "--id", "a", "--wait", *there)
    machine = segue.begin("start", "waits", "--id", "b", "--wait", "--json", *there)
    running.until("started a")
    while segue("show", "b", code=None).code:
        assert not machine.end_within(0.1), machine.text
    served.signal(signal.SIGTERM)
    served.end()
    assert (running.end(), machine.end()) == (6, 6)
    assert "was asked 4 times in vain" in running.text
    assert f"run a was started, and its end is not known here; look at it with\n  segue show a --server {address}" in (
        running.text
    )
    told = json.loads(machine.text)
    assert (told["error"]["type"], told["id"], told["ended"]) == ("ServerUnavailable", "b", False)
    lost = segue("start", "flows.py:waits", "--id", "c", *there, code=6).err
    assert f"if run c was started all the same, `segue show c --server {address}` shows it" in lost


def test_a_wait_for_a_run_that_nobody_carries_out(segue: Folder) -> None:
    running = segue.begin("start", "flows.py:plain", "3", "--wait")
    running.until("no worker of app 'default' is alive")
    worker = segue.begin("worker", "flows.py")
    assert running.end() == 0
    assert running.text.endswith("12\n")
    worker.signal(signal.SIGTERM)
