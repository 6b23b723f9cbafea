"""``segue worker`` and ``segue dev``: serving, handing over, and taking up new code."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from cli_kit import PATIENCE, Folder, Running

GREET = """
    from segue import signal, workflow

    @workflow
    async def greet(name: str) -> str:
        more = await signal("more", str)
        return f"hello {name} {more}"
"""


def test_a_worker_hands_over(segue: Folder) -> None:
    first = segue.begin("worker", "flows.py", "--grace", "5s")
    first.until("serving ")
    second = segue.begin("worker", "flows.py")
    second.until(rf"standing by: \S+:{first.process.pid}:\S+ owns the runs of app 'default'")
    segue("start", "flows.py:waits", "--id", "a")
    segue("start", "flows.py:rests", "1", "--id", "b")
    first.until("rests b")
    first.signal(signal.SIGTERM)
    assert first.end() == 0
    assert "completed  rests b" in first.text  # within its grace
    second.until("took over")
    segue("signal", "a", "go", "home")
    second.until("completed  waits a")
    second.signal(signal.SIGINT)
    assert second.end() == 0


def test_a_worker_that_is_killed_is_followed_at_once(segue: Folder) -> None:
    first = segue.begin("worker", "flows.py")
    first.until("serving ")
    second = segue.begin("worker", "flows.py")
    second.until("standing by")
    segue("start", "flows.py:waits", "--id", "a")
    first.until("waits a")
    first.signal(signal.SIGKILL)
    second.until("took over")
    assert "goes on with 1 open run" in second.until("open run")


def test_a_thread_does_not_keep_a_worker(segue: Folder) -> None:
    worker = segue.begin("worker", "flows.py", "--grace", "100ms")
    worker.until("serving ")
    segue("start", "flows.py:rests", "600")
    worker.until("resting")
    worker.signal(signal.SIGTERM)
    assert worker.end() == 0


def test_a_worker_without_code(segue: Folder) -> None:
    assert "no module is named" in segue("worker", code=2).err
    segue.write("empty.py", "x = 1\n")
    assert "define no workflow" in segue("worker", "empty.py", code=2).err
    assert "no .py file in" in segue("worker", str(segue.write("folder/x.py", "").parent), code=2).err


def children(running: Running) -> list[int]:
    pid = running.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_dev_takes_up_new_code(segue: Folder) -> None:
    segue.write("flows.py", "")
    segue.write("greet.py", GREET)
    dev = segue.begin("dev", ".")
    dev.until("serving greet")
    segue("start", "greet", "ann", "--id", "a")
    dev.until("greet a")

    segue.write("other.py", "from segue import workflow\n@workflow\nasync def other() -> int:\n    return 1\n")
    dev.until("other.py changed")
    dev.until("serving greet, other")
    segue("start", "other", "--id", "b")
    dev.until("completed  other b")

    mark = len(dev.text)
    segue.write("other.py", "from segue import workflow\n@workflow\nasync def other() -> int:\n    return 1 +\n")
    dev.until("SyntaxError", after=mark)
    dev.until("the code as it was goes on until this is mended", after=mark)
    segue("start", "other", "--id", "c")
    dev.until("completed  other c")

    mark = len(dev.text)
    segue.write("other.py", "from segue import workflow\n@workflow\nasync def other() -> int:\n    return 2\n")
    dev.until("serving greet, other", after=mark)
    segue("start", "other", "--id", "d")
    dev.until("completed  other d")
    assert segue("show", "d", "--json").json["result"] == 2

    segue("signal", "a", "more", "again")  # a run that was open all the time
    dev.until("completed  greet a")
    dev.signal(signal.SIGINT)
    assert dev.end() == 0
    assert not re.search("Traceback", dev.text)


def test_dev_waits_for_code_that_can_be_imported(segue: Folder) -> None:
    segue.write("flows.py", "")
    segue.write("greet.py", "import nothing_like_it\nfrom segue import workflow\n")
    dev = segue.begin("dev", ".")
    dev.until("No module named 'nothing_like_it'")
    dev.until("waiting for a change")
    segue.write("greet.py", GREET)
    dev.until("serving greet")
    dev.signal(signal.SIGTERM)
    assert dev.end() == 0


def test_dev_leaves_out_what_lacks_a_module_until_it_has_been_served(segue: Folder) -> None:
    other = GREET.replace("greet", "other")
    lacking = other.replace("from segue", "import nothing_like_it\n    from segue")
    segue.write("flows.py", "")
    segue.write("greet.py", GREET)
    segue.write("other.py", lacking)
    dev = segue.begin("dev", ".")
    dev.until("other.py is left out: there is no module 'nothing_like_it'")
    dev.until("serving greet  ")

    mark = len(dev.text)
    segue.write("greet.py", GREET + "    # changed\n")
    dev.until("greet.py changed", after=mark)
    dev.until("serving greet  ", after=mark)
    assert "left out" not in dev.text[mark:]  # it was said before

    mark = len(dev.text)
    segue.write("other.py", other)
    dev.until("serving greet, other", after=mark)
    mark = len(dev.text)
    segue.write("other.py", lacking)
    dev.until("the code as it was goes on until this is mended", after=mark)
    dev.signal(signal.SIGTERM)
    assert dev.end() == 0


def test_changed_code_that_does_not_fit_an_open_run_makes_it_stand_still(segue: Folder) -> None:
    code = """
        from segue import signal, step, workflow

        @step
        async def one() -> int:
            return 1

        @workflow
        async def flow() -> str:
            {call}
            return await signal("go", str)
    """
    segue.write("flows.py", code.format(call="await one()"))
    dev = segue.begin("dev", "flows.py")
    dev.until("serving flow")
    segue("start", "flow", "--id", "a")
    while not segue("show", "a", "--json").json["steps"]:
        assert dev.process.poll() is None

    mark = len(dev.text)
    segue.write("flows.py", code.format(call="pass"))
    dev.until("serving flow", after=mark)  # before, the signal would still meet the code as it was
    segue("signal", "a", "go", "home")
    dev.until(r"incident  flow a  non-determinism: the outcome of step 'one' \(key '/one'\) is recorded")
    mark = len(dev.text)
    segue.write("flows.py", code.format(call="await one()"))
    dev.until("serving flow", after=mark)
    segue("retry", "a")
    dev.until("completed  flow a")


def test_the_child_ends_with_its_parent(segue: Folder) -> None:
    dev = segue.begin("dev", ".")
    dev.until("serving ")
    (child,) = children(dev)
    gone = os.pidfd_open(child)  # readable once the process has ended
    try:
        dev.signal(signal.SIGKILL)
        dev.process.wait()
        assert select.select([gone], [], [], PATIENCE)[0], "it goes on without its parent"
    finally:
        os.close(gone)
    assert segue("run", "flows.py:plain", "1", "--json").json["result"] == 4  # and nobody owns the runs


def test_dev_tells_where_a_definition_is_wrong(segue: Folder) -> None:
    dev = segue.begin("dev", ".")
    dev.until("serving ")
    segue.write("wrong.py", "from segue import workflow\n\n@workflow\ndef f():\n    pass\n")
    dev.until(r"wrong\.py:3: @workflow needs an `async def`.*; 'f' is not one")
    dev.until("the code as it was goes on until this is mended")


def test_dev_stops_while_code_is_imported(segue: Folder) -> None:
    segue.write("slow.py", "from segue import workflow\nprint('importing')\nimport time\ntime.sleep(60)\n")
    dev = segue.begin("dev", "slow.py")
    dev.until("importing")
    dev.signal(signal.SIGINT)
    assert dev.end() == 0


def test_dev_that_is_told_twice_to_stop_does_not_call_it_an_accident(segue: Folder) -> None:
    dev = segue.begin("dev", "flows.py", "--port", "0")
    dev.until("serving ")
    dev.signal(signal.SIGINT)
    dev.signal(signal.SIGTERM)
    assert dev.end() == 0
    assert "ended by itself" not in dev.text


def test_dev_says_that_code_ended_the_process_that_imported_it(segue: Folder) -> None:
    segue.write("ends.py", "import os\nfrom segue import workflow\nos._exit(7)\n")
    dev = segue.begin("dev", "ends.py", "--port", "0")
    dev.until(r"the code ended the process that imported it \(exit code 7\)")
    dev.until("waiting for a change")
    dev.signal(signal.SIGINT)
    assert dev.end() == 0


def test_dev_of_nothing(segue: Folder) -> None:
    assert "there is no file or folder nope" in segue("dev", "nope", code=2).err


def ask(address: str, path: str) -> Any:
    with urllib.request.urlopen(f"{address}/api/v1{path}", timeout=PATIENCE) as answer:
        return json.load(answer)


def test_dev_serves_the_api_beside_the_runs_and_goes_on_after_a_change(segue: Folder) -> None:
    segue.write("flows.py", GREET)
    dev = segue.begin("dev", "flows.py", "--port", "0")
    address = re.search(r"dashboard (http://\S+)", dev.until(r"dashboard http://\S+\s"))[1]
    segue("start", "greet", "ann", "--id", "a")
    dev.until("greet a")
    assert [run["id"] for run in ask(address, "/runs")["runs"]] == ["a"]
    mark = len(dev.text)
    segue.write("flows.py", GREET + "\n    # a comment\n")
    address = re.search(r"dashboard (http://\S+)", dev.until(r"dashboard http://\S+\s", after=mark)[mark:])[1]
    assert [run["state"] for run in ask(address, "/runs")["runs"]] == ["waiting"]


def test_a_server_beside_a_worker_starts_and_shows_runs(segue: Folder) -> None:
    worker = segue.begin("worker", "flows.py")
    worker.until("serving ")
    server = segue.begin("server", "flows.py", "--port", "0")
    address = re.search(r"http://\S+", server.until(r"dashboard http://\S+\s"))[0]
    body = json.dumps({"workflow": "plain", "input": [3], "id": "over-http"}).encode()
    request = urllib.request.Request(f"{address}/api/v1/runs", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        assert answer.status == 201
    worker.until("completed  plain over-http")
    assert ask(address, "/overview")["counts"] == {"completed": 1}
    server.signal(signal.SIGTERM)
    assert server.end() == 0


def test_a_worker_tells_machines_how_it_is(segue: Folder) -> None:
    worker = segue.begin("worker", "flows.py", "--metrics-port", "0")
    address = re.search(r"http://\S+", worker.until(r"metrics http://\S+/metrics"))[0]
    segue("start", "flows.py:plain", "1", "--id", "a")
    worker.until("completed  plain a")
    with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
        text = answer.read().decode()
    assert 'segue_runs_ended_total{namespace="default",state="completed",workflow="plain"} 1.0' in text
    assert "segue_event_loop_lag_seconds_count" in text
    with urllib.request.urlopen(address.replace("/metrics", "/ready"), timeout=PATIENCE) as answer:
        assert json.load(answer) == {"status": "ready", "owner": True}
    worker.signal(signal.SIGTERM)
    worker.end()
    # As in a container: another address, and nobody has an account. It works, and keeps its figures to itself.
    elsewhere = segue.begin("worker", "flows.py", "--metrics-port", "0", "--metrics-host", "127.0.0.2")
    address = re.search(r"http://\S+", elsewhere.until(r"metrics http://\S+/metrics"))[0]
    assert status(address) == 401
    assert status(address.replace("/metrics", "/ready")) == 200


def status(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_a_server_on_another_address_lets_nobody_in_before_there_is_an_account(segue: Folder) -> None:
    segue("run", "flows.py:plain", "1")
    server = segue.begin("server", "--host", "127.0.0.2", "--port", "7993")
    server.until("nobody is let in, until there is one: segue user add NAME --role admin --everywhere")
    address = re.search(r"http://\S+", server.until(r"dashboard http://\S+"))[0]
    assert status(f"{address}/health") == status(f"{address}/ready") == 200
    assert status(f"{address}/api/v1/runs") == 401
    assert "ports are 1 to 65535" in segue("server", "--port", "99999", code=2).err


def test_a_server_with_a_provider_has_everybody_log_in_from_the_start(segue: Folder) -> None:
    segue("run", "flows.py:plain", "1")
    oidc = '[oidc]\nissuer = "https://id.example"\nurl = "https://segue.example"\nclient_id = "segue"\n'
    segue.write("segue.toml", oidc + 'client_secret = "$NO_SUCH_SECRET"\n')
    assert "NO_SUCH_SECRET, which is not set" in segue("server", code=2).err
    segue.write("segue.toml", oidc + 'roles = { team = { default = "boss" } }\n')
    assert "the setting oidc cannot be used: Invalid enum value 'boss'" in segue("server", code=2).err
    segue.write("segue.toml", oidc)
    server = segue.begin("server", "--port", "0", "--host", "0.0.0.0")
    address = re.search(r"http://\S+", server.until(r"dashboard http://\S+\s"))[0]
    with pytest.raises(urllib.error.HTTPError, match="401"):
        ask(address, "/runs")
    with urllib.request.urlopen(f"{address}/login", timeout=PATIENCE) as answer:
        assert "Sign in with your organisation" in answer.read().decode()


def test_dev_ends_as_others_do_where_a_setting_is_wrong(segue: Folder) -> None:
    for words in (("dev", ".", "--port", "0"), ("worker", "flows.py")):
        ended = segue(*words, code=2, SEGUE_CACHE="many")
        assert "the setting cache is 'many'" in ended.err
        assert "nothing is lost" not in ended.err
