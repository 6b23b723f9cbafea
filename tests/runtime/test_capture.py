"""What steps print and log is kept with their run, wherever they run, and goes where it went before."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextvars import Context
from pathlib import Path
from typing import Any

import pytest

from segue import Engine, step, workflow
from segue.kernel.attempt import CURRENT, Attempt
from segue.owner import capture
from segue.runtime.process_frames import Run

log = logging.getLogger("shop")


class Recorder:
    """A host that remembers lines."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, str]] = []
        self.aside: Callable[[], None] = lambda: None

    def log(self, attempt: Attempt, level: str, stream: str, line: str) -> None:
        self.lines.append((level, stream, line))
        self.aside()

    def report(self, attempt: Attempt, progress: Any) -> None: ...

    def read_state(self, attempt: Attempt, scope: str, key: str) -> Any: ...

    def secrets_of(self, attempt: Attempt) -> Any: ...


class Speaker:
    """An attempt in which functions can be run."""

    def __init__(self) -> None:
        self.host = Recorder()
        self.attempt = Attempt(Run(1, "run", "uid", "default", "w"), "/say", "say", 1, self.host)
        self._context = Context()
        self._context.run(CURRENT.set, self.attempt)
        self._begun = False

    def run(self, function: Callable[..., Any], *args: Any, **options: Any) -> None:
        if not self._begun:  # between a test's fixtures and the test itself, pytest changes the streams
            capture.watch()
            self._begun = True
        self._context.run(function, *args, **options)

    def say(self, *args: Any, **options: Any) -> None:
        self.run(print, *args, **options)

    @property
    def lines(self) -> list[tuple[str, str, str]]:
        return self.host.lines


@pytest.fixture
def speaker() -> Iterator[Speaker]:
    with capture.kept():
        yield Speaker()


def texts(speaker: Speaker) -> list[str]:
    return [line for _, _, line in speaker.lines]


# --- print ----------------------------------------------------------------------------------------------------


def test_whole_lines_are_kept_and_written_where_they_went_before(
    capsys: pytest.CaptureFixture[str], speaker: Speaker
) -> None:
    speaker.say("hello", "world")
    speaker.run(lambda: print("two\nlines", file=sys.stderr))
    speaker.run(lambda: sys.stdout.writelines(["a\n", "b\n"]))

    assert speaker.lines == [
        ("INFO", "stdout", "hello world"),
        ("WARNING", "stderr", "two"),
        ("WARNING", "stderr", "lines"),
        ("INFO", "stdout", "a"),
        ("INFO", "stdout", "b"),
    ]
    assert capsys.readouterr() == ("hello world\na\nb\n", "two\nlines\n")


def test_a_line_is_kept_when_it_ends_or_when_the_attempt_does(speaker: Speaker) -> None:
    speaker.say("begin", end=" ")
    assert speaker.lines == []
    speaker.say("end")
    speaker.say("no end", end="")
    assert texts(speaker) == ["begin end"]

    capture.flush(speaker.attempt)
    capture.flush(speaker.attempt)

    assert texts(speaker) == ["begin end", "no end"]


def test_lines_of_two_attempts_do_not_mix(speaker: Speaker) -> None:
    other = Speaker()
    for one, text in [(speaker, "a"), (other, "1"), (speaker, "b\n"), (other, "2\n")]:
        one.say(text, end="")
    assert (texts(speaker), texts(other)) == (["ab"], ["12"])


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("10 %\r20 %\r30 %\n", ["30 %"]),
        ("one\r\ntwo\r\n", ["one", "two"]),
        ("10 %\r20 %\r", ["20 %"]),
        ("\n\n", ["", ""]),
    ],
)
@pytest.mark.parametrize("piece", [1, 5, 100])
def test_a_progress_bar_is_one_line(speaker: Speaker, written: str, kept: list[str], piece: int) -> None:
    for start in range(0, len(written), piece):
        speaker.say(written[start : start + piece], end="")
    capture.flush(speaker.attempt)
    assert texts(speaker) == kept


def test_a_line_without_end_is_cut_into_pieces(speaker: Speaker) -> None:
    for _ in range(5):
        speaker.say("x" * 40_000, end="")
    assert [len(text) for text in texts(speaker)] == [80_000, 80_000]


def test_code_outside_steps_is_not_touched(capsys: pytest.CaptureFixture[str], speaker: Speaker) -> None:
    print("hello")
    log.warning("oh")
    assert speaker.lines == []
    assert capsys.readouterr().out == "hello\n"


def test_a_stream_is_still_what_it_was(capsys: pytest.CaptureFixture[str], speaker: Speaker) -> None:
    capture.watch()
    assert sys.stdout.encoding.lower() == "utf-8"
    with pytest.raises(TypeError):
        speaker.run(sys.stdout.write, b"bytes")


# --- other people's hands on the same streams -----------------------------------------------------------------


def test_installing_twice_and_taking_it_out_twice_leaves_everything_as_it_was() -> None:
    before = sys.stdout, sys.stderr, logging.Logger.callHandlers

    with capture.kept():
        inner = sys.stdout
        with capture.kept():
            assert sys.stdout is inner
        assert sys.stdout is inner

    assert (sys.stdout, sys.stderr, logging.Logger.callHandlers) == before


def test_a_stream_that_somebody_has_put_in_place_meanwhile_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = io.StringIO()
    speaker = Speaker()
    with capture.kept():
        ours = sys.stdout
        monkeypatch.setattr(sys, "stdout", theirs)
    assert sys.stdout is theirs

    monkeypatch.setattr(sys, "stdout", ours)  # as who restores what was there before
    speaker.say("quiet")

    assert speaker.lines == []


def test_a_stream_put_in_place_meanwhile_is_heard_from_the_next_attempt_on(monkeypatch: pytest.MonkeyPatch) -> None:
    speaker, theirs = Speaker(), io.StringIO()
    with capture.kept():
        speaker.run(int)
        monkeypatch.setattr(sys, "stdout", theirs)
        speaker.say("before")
        capture.watch()
        speaker.say("after")

    assert texts(speaker) == ["after"]
    assert theirs.getvalue() == "before\nafter\n"
    assert sys.stdout is theirs


def test_a_stream_around_ours_is_not_heard_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    class Coloured:
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def write(self, text: str) -> int:
            return int(self.inner.write(text))

    speaker = Speaker()
    with capture.kept(), monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", Coloured(sys.stdout))
        capture.watch()
        speaker.say("once")

    assert texts(speaker) == ["once"]


def test_what_a_step_redirects_is_its_own_business(speaker: Speaker) -> None:
    aside = io.StringIO()

    def work() -> None:
        with contextlib.redirect_stdout(aside):
            print("aside")
        print("aloud")

    speaker.run(work)
    assert (texts(speaker), aside.getvalue()) == (["aloud"], "aside\n")


def test_no_stream_at_all_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with capture.kept():
        Speaker().say("into the void")


def test_what_keeping_a_line_prints_is_not_kept(speaker: Speaker) -> None:
    def aside() -> None:
        print("kept")
        log.warning("kept")

    speaker.host.aside = aside
    speaker.say("hello")
    speaker.run(log.warning, "oh")
    assert texts(speaker) == ["hello", "oh"]


# --- logging --------------------------------------------------------------------------------------------------


def test_a_record_is_kept_once_also_where_a_handler_writes_it_to_stderr(
    capsys: pytest.CaptureFixture[str], speaker: Speaker
) -> None:
    handler = logging.StreamHandler()  # holds the sys.stderr of this moment
    log.addHandler(handler)
    try:
        speaker.run(log.warning, "%d left", 2)
    finally:
        log.removeHandler(handler)

    assert speaker.lines == [("WARNING", "log", "2 left")]
    assert capsys.readouterr().err == "2 left\n"


def test_a_record_is_kept_with_its_exception(speaker: Speaker) -> None:
    def work() -> None:
        try:
            {}["k"]  # type: ignore[index]
        except KeyError:
            log.exception("not there")

    speaker.run(work)

    ((level, stream, text),) = speaker.lines
    assert (level, stream) == ("ERROR", "log")
    assert text.startswith("not there\nTraceback (most recent call last):\n")
    assert text.endswith("KeyError: 'k'")


def test_levels_and_loggers_that_do_not_propagate_count_as_ever(
    speaker: Speaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = logging.getLogger("shop.private")
    monkeypatch.setattr(private, "propagate", False)
    monkeypatch.setattr(private, "level", logging.ERROR)
    monkeypatch.setattr(private, "handlers", [logging.NullHandler()])

    speaker.run(private.warning, "below")
    speaker.run(private.error, "above")

    assert texts(speaker) == ["above"]


def test_a_record_that_cannot_be_formatted_does_not_fail_the_step(
    speaker: Speaker, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "propagate", False)  # pytest's own handler would raise
    monkeypatch.setattr(log, "handlers", [logging.NullHandler()])
    speaker.run(log.warning, "%d", "three")
    assert speaker.lines == []
    assert "--- Logging error ---" in capsys.readouterr().err


def test_logging_can_still_be_configured(monkeypatch: pytest.MonkeyPatch, speaker: Speaker) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(logging.root, "level", logging.WARNING)
    stream = io.StringIO()

    logging.basicConfig(level="INFO", stream=stream)
    speaker.run(log.info, "hello")

    assert stream.getvalue() == "INFO:shop:hello\n"
    assert texts(speaker) == ["hello"]


def test_a_hook_put_over_ours_keeps_working_and_is_not_hooked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    speaker = Speaker()
    with monkeypatch.context() as patch:
        with capture.kept():
            below: Any = logging.Logger.callHandlers

            def theirs(logger: logging.Logger, record: logging.LogRecord) -> None:
                seen.append(record.getMessage())
                below(logger, record)

            patch.setattr(logging.Logger, "callHandlers", theirs)
        speaker.run(log.warning, "not kept")
        with capture.kept():
            speaker.run(log.warning, "kept")
        assert logging.Logger.callHandlers is theirs
    assert seen == ["not kept", "kept"]
    assert texts(speaker) == ["kept"]
    with capture.kept():  # theirs is gone, ours is on top again
        pass
    assert logging.Logger.callHandlers is not below


# --- with an engine -------------------------------------------------------------------------------------------


@step
async def say_on_loop() -> None:
    print("loop", end=" ")
    await asyncio.sleep(0)
    log.warning("between")
    print("done")
    print("open end", end="")


@step
def say_in_thread() -> None:
    print("thread")
    threading.Thread(target=print, args=("a thread of its own",)).start()


@step(executor="process")
def say_in_process() -> None:
    print("process")
    log.error("from afar")


@step
async def say_and_fail() -> None:
    print("last words", end="")
    raise ValueError


@workflow
async def say_it_all() -> None:
    await say_on_loop()
    await say_in_thread()
    await say_in_process()
    with contextlib.suppress(Exception):
        await say_and_fail()
    print("not in a step")


@workflow
async def say_once() -> None:
    await say_in_thread()


async def kept_lines(engine: Engine, run: int, count: int) -> list[tuple[str, str, str, str]]:
    """The lines in the store, when there are as many; a thread writes them now and then."""
    async with asyncio.timeout(30):
        while len(lines := engine.store.logs.read(run)) < count:  # noqa: ASYNC110 (nothing tells of it)
            await asyncio.sleep(0.01)
    return [(line.key, line.level, line.stream, line.text) for line in lines]


async def test_an_engine_keeps_what_steps_say_in_every_executor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sys.stdout

    async with Engine(f"sqlite:///{tmp_path / 'runs.db'}") as engine:
        run = await engine.start(say_it_all)
        await run.result()
        kept = await kept_lines(engine, run.run, 7)

    assert sys.stdout is before
    assert kept == [
        ("/say_on_loop", "WARNING", "log", "between"),
        ("/say_on_loop", "INFO", "stdout", "loop done"),
        ("/say_on_loop", "INFO", "stdout", "open end"),
        ("/say_in_thread", "INFO", "stdout", "thread"),
        ("/say_in_process", "INFO", "stdout", "process"),
        ("/say_in_process", "ERROR", "log", "from afar"),
        ("/say_and_fail", "INFO", "stdout", "last words"),
    ]
    assert "loop done\n" in capsys.readouterr().out


async def test_an_engine_hears_steps_whose_streams_were_replaced_after_it_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Engine(f"sqlite:///{tmp_path / 'runs.db'}") as engine:
        monkeypatch.setattr(sys, "stdout", io.StringIO())
        run = await engine.start(say_once)
        await run.result()
        assert await kept_lines(engine, run.run, 1) == [("/say_in_thread", "INFO", "stdout", "thread")]
