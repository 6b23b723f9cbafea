"""Code of the user's that ends the program, does not end, or keeps it from ending."""

from __future__ import annotations

import signal

from cli_kit import Folder

GREETS = "from segue import workflow\n@workflow\nasync def greet() -> str:\n    return 'hello'\n"


def test_a_step_that_ends_the_program(segue: Folder) -> None:
    code = """
        import sys
        from segue import step, workflow

        @step
        async def leaves() -> None:
            sys.exit(0)

        @workflow
        async def leaver() -> None:
            await leaves()
    """
    segue.write("leaver.py", code)
    for words, state in (
        (("run", "leaver.py", "--id", "a"), "running"),
        (("worker", "leaver.py"), "failed"),
        (("run", "leaver.py", "--no-record"), "failed"),
    ):
        ended = segue(*words, code=1)
        assert segue("show", "a", "--json").json["state"] == state
        assert 'leaver.py", line 7, in leaves' in ended.err
        assert "code on the event loop ended this program by SystemExit: 0" in ended.err


def test_dev_shows_where_an_import_was_broken_off(segue: Folder) -> None:
    segue.write("breaks.py", "from segue import workflow\nraise KeyboardInterrupt\n")
    dev = segue.begin("dev", "breaks.py", "--port", "0")
    dev.until("breaks.py cannot be loaded: KeyboardInterrupt\n")
    dev.until("waiting for a change")
    assert 'breaks.py", line 2, in <module>' in dev.text
    assert "importlib" not in dev.text


def test_dev_does_not_wait_for_threads_of_code_that_did_not_load(segue: Folder) -> None:
    thread = (
        "import threading, time\nfrom segue import workflow\nthreading.Thread(target=time.sleep, args=(600,)).start()\n"
    )
    segue.write("threads.py", thread + "1 / 0\n")
    dev = segue.begin("dev", "threads.py", "--port", "0")
    dev.until("threads.py cannot be loaded: ZeroDivisionError")
    dev.until("waiting for a change")
    segue.write("threads.py", GREETS)
    dev.until("serving greet")
    dev.signal(signal.SIGTERM)
    assert dev.end() == 0


def test_no_command_waits_for_threads_of_code_that_it_has_imported(segue: Folder) -> None:
    code = (
        "import threading, time\nfrom segue import workflow\n"
        "threading.Thread(target=time.sleep, args=(600,)).start()\n" + GREETS
    )
    segue.write("greets.py", code)
    segue.write("fails.py", code + "1 / 0\n")
    for words in (("run", "fails.py"), ("worker", "fails.py"), ("start", "fails.py:greet")):
        assert "fails.py cannot be loaded: ZeroDivisionError" in segue(*words, code=2).err
    assert "started a" in segue("start", "greets.py:greet", "--id", "a").out


def test_dev_does_not_wait_for_an_import_that_has_been_mended(segue: Folder) -> None:
    segue.write(
        "waits.py", "import time\nfrom segue import workflow\nprint('importing', flush=True)\ntime.sleep(600)\n"
    )
    dev = segue.begin("dev", "waits.py", "--port", "0")
    dev.until("importing")
    dev.until("the code is still being imported: something at the top of a file takes long")
    segue.write("waits.py", GREETS)
    dev.until("waits.py changed")
    dev.until("serving greet")
    dev.signal(signal.SIGTERM)
    assert dev.end() == 0
