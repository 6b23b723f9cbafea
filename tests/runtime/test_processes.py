"""Steps in processes of their own: results, errors, deaths, cancellation, and what a worker may ask of its engine."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from segue.encodings import default_encodings
from segue.errors import NonRetryable, SecretNotFound
from segue.kernel.attempt import Attempt
from segue.kernel.commands import RunStep
from segue.kernel.failures import describe
from segue.kernel.payload import Payload
from segue.kernel.retry import Retry, next_attempt
from segue.kernel.secret import SecretRef, SecretScope
from segue.runtime.process_child import _BOOT
from segue.runtime.process_errors import ProcessDied, StepNotFound
from segue.runtime.process_frames import Place, Prepare, Ready, Run, Start, pack
from segue.runtime.processes import Processes

ROOT = Path(__file__).parents[2]
ENCODINGS = default_encodings()
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def load(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Under a name by which no other process can import it: a worker takes it from its file.
steps = load("process_steps", Path(__file__).parent / "process_steps.py")


class Recorder:
    """A host that remembers."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, str]] = []
        self.progress: list[Any] = []
        self.state: dict[tuple[str, str], bytes] = {}
        self.secrets: dict[str, str] = {}
        self.changed = asyncio.Event()

    def log(self, attempt: Attempt, level: str, stream: str, line: str) -> None:
        self.lines.append((level, stream, self.secrets_of(attempt).scrub(line)))
        self.changed.set()

    def report(self, attempt: Attempt, progress: Any) -> None:
        self.progress.append(progress)

    def read_state(self, attempt: Attempt, scope: str, key: str) -> bytes | None:
        return self.state.get((scope, key))

    def secrets_of(self, attempt: Attempt) -> SecretScope:
        if attempt.secrets is None:
            attempt.secrets = SecretScope(self.secret)
        return attempt.secrets  # type: ignore[no-any-return]

    def secret(self, name: str) -> str:
        if name not in self.secrets:
            raise SecretNotFound(name, ["a drawer"])
        return self.secrets[name]

    async def line(self, pattern: str) -> re.Match[str]:
        """The first line that matches, when it is there."""
        while True:
            for _, _, line in self.lines:
                if found := re.search(pattern, line):
                    return found
            self.changed.clear()
            await asyncio.wait_for(self.changed.wait(), 60)


class Pool(Processes):
    """A pool with a host, and steps called like functions."""

    def __init__(self, **options: Any) -> None:
        super().__init__(ENCODINGS, **{"factory": default_encodings, **options})
        self.host = Recorder()
        self.attempt: Attempt

    def start(self, step: Any, *args: Any) -> asyncio.Future[Payload]:
        bound = step.bind(ENCODINGS)
        payload, hash = bound.call_site.encode(args, {})
        self.attempt = Attempt(Run(1, "run", "uid", "default", "w"), f"/{step.name}", step.name, 3, self.host)
        command = RunStep(self.attempt.key, step.spec, payload, hash)
        return self.run(bound, command, self.attempt, lambda: None, lambda begin: begin())

    async def call(self, step: Any, *args: Any) -> Any:
        return step.bind(ENCODINGS).decode_result(await self.start(step, *args))

    async def failure(self, step: Any, *args: Any) -> Any:
        future = self.start(step, *args)
        await asyncio.wait([future])
        return future.exception()


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    pool = Pool(size=1)
    yield pool
    await pool.close()


def poll(done: Callable[[], bool], seconds: float = 30) -> None:
    """Waits for what only the system knows."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.002)


def exists(pid: int) -> bool:
    """Whether there is such a process, be it a zombie."""
    return Path(f"/proc/{pid}").exists()


def alive(pid: int) -> bool:
    """Whether there is such a process that is no zombie."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


# --- results --------------------------------------------------------------------------------------------------


async def test_a_step_runs_in_another_process_with_its_declared_types(pool: Pool) -> None:
    assert await pool.call(steps.double, steps.Order("tea", 3)) == steps.Order("tea", 6)
    assert await pool.call(steps.pid) != os.getpid()


async def test_a_worker_is_used_again_and_there_are_never_too_many() -> None:
    pool = Pool(size=2)

    pids = [await pool.call(steps.pid)]
    pids += await asyncio.gather(*[pool.call(steps.pid) for _ in range(200)])

    assert len(pool.pids) == 2
    assert set(pids) == set(pool.pids)
    await pool.close()


async def test_large_values_pass_both_ways(pool: Pool) -> None:
    text = "ü" * 3_000_000
    assert await asyncio.gather(*[pool.call(steps.echo, text) for _ in range(3)]) == [text] * 3


async def test_tables_and_arrays_pass_in_their_own_encodings(pool: Pool) -> None:
    numpy = pytest.importorskip("numpy")
    assert (await pool.call(steps.echo, numpy.arange(1000)) == numpy.arange(1000)).all()


async def test_a_worker_knows_which_attempt_it_runs(pool: Pool) -> None:
    assert await pool.call(steps.identity) == (pool.attempt.idempotency_key, 3)


async def test_a_worker_has_the_engines_path_folder_and_environment(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEGUE_TEST_MARK", "here")

    seen = await pool.call(steps.surroundings)

    assert seen == {"path": sys.path, "cwd": os.getcwd(), "env": "here", "main": "process_steps"}


# --- errors ---------------------------------------------------------------------------------------------------


async def test_an_error_is_recorded_like_one_of_this_process(pool: Pool) -> None:
    failure = describe(await pool.failure(steps.decline, "4711"), ENCODINGS)

    assert (failure.type, failure.message) == ("process_steps.Declined", "card 4711 was declined")
    assert failure.details == ENCODINGS.encode({"card": "4711"})
    assert failure.cause is not None
    assert (failure.cause.type, failure.cause.message) == ("KeyError", "'4711'")
    assert re.fullmatch(
        r"Traceback \(most recent call last\):\n"
        r'  File ".*process_steps\.py", line \d+, in decline\n'
        r"    raise Declined\(card, 402\) from error\n"
        r"process_steps\.Declined: card 4711 was declined\n",
        failure.traceback,
    )


@pytest.mark.parametrize(
    "listed",
    ["Declined", "process_steps.Declined", "Refused", "ValueError", "Exception", ValueError, steps.Refused],
)
async def test_a_policy_lists_an_error_by_class_base_class_or_name(pool: Pool, listed: Any) -> None:
    error = await pool.failure(steps.decline, "4711")

    def retryable(*listed: Any) -> bool:
        return next_attempt(Retry(attempts=9, non_retryable=listed), 1, error, now=0, draw=0)[1]

    assert not retryable(listed)
    assert retryable("TypeError", KeyError, steps.Final)


async def test_a_policy_decides_by_plain_attributes_of_an_error(pool: Pool) -> None:
    error = await pool.failure(steps.decline, "4711")
    policy = Retry(attempts=9, decide=lambda error, _: getattr(error, "code", 0) != 402)
    assert next_attempt(policy, 1, error, now=0, draw=0) == (None, False)


async def test_what_is_not_retryable_stays_so(pool: Pool) -> None:
    error = await pool.failure(steps.give_up)

    assert next_attempt(Retry(attempts=9), 1, error, now=0, draw=0) == (None, False)
    assert isinstance(error, NonRetryable)
    assert isinstance(error, steps.Final)


async def test_a_result_that_does_not_encode_fails_the_step_with_the_reason(pool: Pool) -> None:
    failure = describe(await pool.failure(steps.unreadable))
    assert failure.type == "segue.errors.PayloadError"
    assert "object" in failure.message


async def test_sys_exit_fails_the_step_and_not_its_worker(pool: Pool) -> None:
    pid = await pool.call(steps.pid)

    assert describe(await pool.failure(steps.leave, 3)).type == "SystemExit"
    assert await pool.call(steps.pid) == pid


async def test_text_that_is_no_unicode_is_replaced(pool: Pool) -> None:
    assert str(await pool.failure(steps.odd_text)) == "half a character: ?"
    assert ("INFO", "stdout", "a name: ?") in pool.host.lines


# --- deaths ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "args", "says"),
    [
        (steps.crash, (), r"killed by SIGSEGV \(11\); native code in it crashed"),
        (steps.die, (signal.SIGKILL,), r"killed by SIGKILL \(9\); .*memory"),
        (steps.die, (signal.SIGTERM,), r"killed by SIGTERM \(15\); somebody"),
        (steps.quit_at_once, (7,), r"ended with exit code 7; it was left by os\._exit"),
    ],
    ids=["segfault", "sigkill", "sigterm", "exit"],
)
async def test_a_death_fails_one_step_and_says_how(pool: Pool, step: Any, args: Any, says: str) -> None:
    failing, next_one = pool.failure(step, *args), pool.call(steps.pid)

    error, pid = await asyncio.gather(failing, next_one)

    assert isinstance(error, ProcessDied)
    assert error.step == step.name
    assert re.match(rf"the process that ran step '{step.name}' (was )?{says}", str(error))
    assert pid in pool.pids


@LINUX
async def test_what_a_step_started_dies_with_its_process(pool: Pool) -> None:
    await pool.failure(steps.leave_a_helper)
    helper = int((await pool.host.line(r"left (\d+)"))[1])
    poll(lambda: not alive(helper))


@LINUX
async def test_a_worker_that_died_while_idle_costs_no_step(pool: Pool) -> None:
    pid = await pool.call(steps.pid)
    os.kill(pid, signal.SIGKILL)
    poll(lambda: not exists(pid))  # blocking the loop: the pool has had no turn to hear of it

    assert await pool.call(steps.pid) != pid


async def test_a_worker_that_cannot_start_fails_its_step(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(ProcessDied, match="ended with exit code 1 before it began; what it wrote to stderr says why"):
        await pool.start(steps.pid)


async def test_no_interpreter_fails_the_step(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "")
    assert "sys.executable" in str(await pool.failure(steps.pid))
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert isinstance(await pool.failure(steps.pid), FileNotFoundError)


async def test_code_that_writes_into_the_line_is_found_out(pool: Pool) -> None:
    error = await pool.failure(steps.write_anywhere)
    assert "wrote to an open file that was not its own" in str(error)


# --- cancellation ---------------------------------------------------------------------------------------------


@LINUX
async def test_cancelling_kills_the_process_and_what_it_started(pool: Pool) -> None:
    future = pool.start(steps.wait_with_a_helper)
    pids = [int(n) for n in (await pool.host.line(r"waiting in (\d+) for (\d+)")).groups()]

    future.cancel()
    successor = await pool.call(steps.pid)

    assert successor not in pids
    poll(lambda: not any(map(alive, pids)))


async def test_cancelling_a_step_that_waits_for_a_worker_disturbs_nobody(pool: Pool) -> None:
    first = pool.start(steps.echo, 1)
    second = pool.start(steps.echo, 2)
    third = pool.start(steps.pid)

    second.cancel()

    assert (await first).raw() == b"1"
    assert [int((await third).raw())] == pool.pids


async def test_an_error_of_the_host_is_the_steps(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError("no room")

    monkeypatch.setattr(pool.host, "log", full)
    assert str(await pool.failure(steps.wait_forever)) == "no room"
    monkeypatch.undo()
    assert await pool.call(steps.echo, 1) == 1


# --- closing --------------------------------------------------------------------------------------------------


@LINUX
async def test_closing_leaves_no_process_no_zombie_and_no_open_file() -> None:
    pool = Pool(size=3)
    files = os.listdir("/proc/self/fd")
    await asyncio.gather(*[pool.call(steps.echo, n) for n in range(20)])
    running = pool.start(steps.wait_forever)
    await pool.host.line("waiting")
    waiting = [pool.start(steps.wait_forever) for _ in range(5)]
    pids = pool.pids

    await pool.close()

    assert all(future.cancelled() for future in [running, *waiting])
    assert not any(map(exists, pids))
    assert os.listdir("/proc/self/fd") == files


async def test_an_idle_worker_does_what_was_left_for_its_exit(pool: Pool, tmp_path: Path) -> None:
    await pool.call(steps.clean_up_later, str(tmp_path / "done"))
    await pool.close()
    assert await asyncio.to_thread((tmp_path / "done").read_text) == "cleaned up"


@LINUX
async def test_a_worker_held_up_by_a_thread_is_killed_at_the_end() -> None:
    pool = Pool(size=1, patience=0.05)
    await pool.call(steps.leave_a_thread)
    (pid,) = pool.pids

    await pool.close()

    assert pool.pids == []
    assert not exists(pid)


# --- talking --------------------------------------------------------------------------------------------------


async def test_what_a_step_prints_logs_and_reports_is_kept(pool: Pool, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        await pool.call(steps.talk)

    lines = pool.host.lines
    assert lines[:3] == [
        ("INFO", "stdout", "hello world"),
        ("WARNING", "stderr", "to stderr"),
        ("INFO", "log", "3 sold"),
    ]
    assert lines[3][:2] == ("ERROR", "log")
    assert re.fullmatch(r"no good\nTraceback .*ZeroDivisionError: division by zero", lines[3][2], re.DOTALL)
    assert lines[4:] == [("INFO", "stdout", "no end")]
    assert pool.host.progress == [{"done": 1, "total": 2, "message": "half"}]


async def test_many_lines_arrive_in_order_and_before_the_result(pool: Pool) -> None:
    assert await pool.call(steps.talk_much, 5000) == 5000
    assert [line for _, _, line in pool.host.lines] == [str(n) for n in range(5000)]


@LINUX
async def test_the_last_words_of_a_process_are_heard(pool: Pool) -> None:
    pid = await pool.call(steps.pid)
    future = pool.start(steps.talk_and_quit, 100)
    poll(lambda: not exists(pid))  # blocking the loop: the news of its end comes together with what it said

    await asyncio.wait([future])

    assert isinstance(future.exception(), ProcessDied)
    assert [line for _, _, line in pool.host.lines] == [str(n) for n in range(100)]


async def test_a_secret_comes_from_the_engine_which_can_hide_it(pool: Pool) -> None:
    pool.host.secrets["db"] = "corr€ct horse"

    assert await pool.call(steps.reveal, SecretRef("db")) == len("corr€ct horse")

    assert pool.host.lines == [("INFO", "stdout", "the password is ***")]
    assert pool.attempt.secrets.leaks("corr€ct horse".encode())


async def test_a_missing_secret_can_be_caught_by_its_class(pool: Pool) -> None:
    assert await pool.call(steps.missing, SecretRef("db")) == ["a drawer"]


async def test_keyed_state_is_read_from_the_engine_and_written_with_the_outcome(pool: Pool) -> None:
    assert await pool.call(steps.next_number) == 1
    pool.host.state.update(pool.attempt.state_writes or {})

    assert await pool.call(steps.next_number) == 2
    assert list(pool.attempt.state_writes or {}) == [("numbers", "next")]


async def test_an_attempt_that_fails_writes_nothing(pool: Pool) -> None:
    assert str(await pool.failure(steps.fail_after_writing)) == "too late"
    assert not pool.attempt.state_writes


# --- where steps stand ----------------------------------------------------------------------------------------


async def test_a_step_that_importing_its_module_does_not_define_is_refused_with_advice(pool: Pool) -> None:
    error = await pool.failure(steps.make())

    assert isinstance(error, StepNotFound)
    assert isinstance(error, NonRetryable)
    assert "step 'remote.hidden' is not defined by importing process_steps" in str(error)
    assert "move it there" in str(error)


async def test_a_step_made_by_a_function_on_import_is_found(pool: Pool) -> None:
    assert await pool.call(steps.on_import) == "remote.on_import"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of modules that can be imported by name."""
    monkeypatch.syspath_prepend(tmp_path)
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        del sys.modules[name]


STEP = "from segue import step\n@step(name=__name__, executor='process')\ndef where():\n    return __name__, __file__\n"


async def test_a_module_is_imported_by_its_name(pool: Pool, project: Path) -> None:
    (project / "shop").mkdir()
    (project / "shop" / "__init__.py").write_text("")
    (project / "shop" / "stock.py").write_text(STEP)
    module = importlib.import_module("shop.stock")

    assert await pool.call(module.where) == ["shop.stock", str(project / "shop" / "stock.py")]


async def test_a_module_that_does_not_import_there_fails_with_its_own_error(pool: Pool, project: Path) -> None:
    guard = "import os\nif os.getpid() != {}:\n    print('importing')\n    import no_such_module\n"
    (project / "fragile.py").write_text(guard.format(os.getpid()) + STEP)
    module = importlib.import_module("fragile")

    failure = describe(await pool.failure(module.where))

    assert (failure.type, failure.message) == ("ModuleNotFoundError", "No module named 'no_such_module'")
    assert 'fragile.py", line 4, in <module>' in failure.traceback
    assert pool.host.lines == [("INFO", "stdout", "importing")]


async def test_a_file_that_does_not_import_there_fails_the_same_way_each_time(pool: Pool, tmp_path: Path) -> None:
    guard = "import os\nif os.getpid() != {}:\n    import no_such_module\n"
    (tmp_path / "odd.py").write_text(guard.format(os.getpid()) + STEP)
    module = load("odd_steps", tmp_path / "odd.py")

    failures = [describe(await pool.failure(module.where)).message for _ in range(2)]

    assert failures == ["No module named 'no_such_module'"] * 2


RUNNER = """
import asyncio, ctypes, os, signal, sys
from segue import step
from segue.encodings import default_encodings
from segue.kernel.attempt import Attempt
from segue.kernel.commands import RunStep
from segue.runtime.process_frames import Run
from segue.runtime.processes import Processes

class Host:
    def log(self, attempt, level, stream, line): print("kept:", line, flush=True)

@step(executor="process")
def where():
    return __name__

@step(executor="process")
def wait():
    print(os.getpid())
    while True:
        signal.pause()

@step(executor="process")
def wait_without_a_breath():
    print(os.getpid())
    ctypes.PyDLL(None).pause()  # keeps the interpreter lock

def start(pool, step):
    bound = step.bind(encodings)
    payload, hash = bound.call_site.encode((), {})
    attempt = Attempt(Run(1, "r", "u", "default", "w"), "/k", step.name, 1, Host())
    return pool.run(bound, RunStep("/k", step.spec, payload, hash), attempt, lambda: None, lambda begin: begin())

async def main(step):
    pool = Processes(encodings, size=1, factory=default_encodings)
    try:
        print(bytes((await start(pool, step)).data).decode())
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
    await pool.close()

encodings = default_encodings()
"""
GUARDED = RUNNER + "if __name__ == '__main__':\n    asyncio.run(main(where))\n"


def python(*args: str | Path, cwd: Path | None = None, input: str | None = None) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, *args]
    done = subprocess.run(command, cwd=cwd, env=environment, input=input, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_script_is_run_again_under_another_name(tmp_path: Path) -> None:
    (tmp_path / "script").write_text(GUARDED)
    assert python(tmp_path / "script") == '"__segue_main__"\n'


def test_a_module_started_by_name_is_imported_by_that_name(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("")
    (tmp_path / "shop" / "__main__.py").write_text(GUARDED)
    assert python("-m", "shop", cwd=tmp_path) == '"shop.__main__"\n'


def test_steps_typed_in_are_refused_with_advice(tmp_path: Path) -> None:
    said = python("-", input=RUNNER + "asyncio.run(main(where))\n")
    assert said.startswith("StepNotFound: where was typed in (a notebook, an interactive session)")


def test_a_script_that_starts_an_engine_when_imported_is_told_what_to_do(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import segue\n"
        "@segue.step(executor='process')\n"
        "def one(): return 1\n"
        "@segue.workflow\n"
        "async def w():\n"
        "    try:\n"
        "        return await one()\n"
        "    except segue.StepFailed as error:\n"
        "        return error.failure.message\n"
        "print(segue.run(w, url='sqlite:///runs.db'))\n"
    )
    said = python(script, cwd=tmp_path)
    assert said.startswith(f"{script} starts an engine as soon as it is imported")
    assert '`if __name__ == "__main__":`' in said


def test_a_program_that_reaps_its_children_by_itself_hears_of_their_end(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    ignore = "    signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
    script.write_text(GUARDED.replace("    asyncio.run", ignore + "    asyncio.run"))
    assert python(script) == '"__segue_main__"\n'


# --- when the engine dies -------------------------------------------------------------------------------------


@LINUX
@pytest.mark.parametrize("step", ["wait", "wait_without_a_breath"])
def test_a_worker_ends_with_its_engine(tmp_path: Path, step: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(RUNNER + f"if __name__ == '__main__':\n    asyncio.run(main({step}))\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, script], env=environment, stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        worker = next(int(line.split()[1]) for line in engine.stdout if line.startswith("kept:"))
        assert alive(worker)
        engine.kill()
    poll(lambda: not alive(worker))


@contextmanager
def lone_worker() -> Iterator[tuple[socket.socket, subprocess.Popen[bytes]]]:
    """A worker that has been prepared, and the other end of its line."""
    ours, theirs = socket.socketpair()
    worker = subprocess.Popen(
        [sys.executable, "-c", _BOOT, str(theirs.fileno()), *sys.path],
        pass_fds=[theirs.fileno()],
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    theirs.close()
    with ours, worker:
        ours.sendall(pack(Prepare(Place("segue.encodings", "default_encodings", None), 30)))
        assert ours.recv(4096, socket.MSG_PEEK) == pack(Ready())
        yield ours, worker


@pytest.mark.parametrize("unread", [False, True], ids=["hangs up", "vanishes"])
def test_an_idle_worker_ends_in_silence_when_its_engine(unread: bool) -> None:
    with lone_worker() as (line, worker):
        if not unread:
            line.recv(4096)

        line.close()

        assert worker.communicate(timeout=30)[1] == b""
        assert worker.returncode == 0


def test_a_busy_worker_ends_at_once_when_its_engine_hangs_up() -> None:
    place = Place("process_steps", "wait_forever", steps.__file__)
    run = Run(1, "run", "uid", "default", "w")
    with lone_worker() as (line, worker):
        line.recv(4096)
        line.sendall(pack(Start(place, run, "/k", "remote.wait_forever", 1, ENCODINGS.encode_arguments(()))))
        assert b"waiting" in line.recv(4096)

        line.close()

        assert worker.wait(30) == -signal.SIGKILL
