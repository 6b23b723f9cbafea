"""The commands by name, each loaded when it is called, and the one place where errors become exit codes."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from segue.cli.commands import COMMANDS, NOT_THERE, overview
from segue.cli.exits import BROKEN_PIPE, DATABASE, FAILED, INTERRUPTED, USAGE
from segue.cli.letters import REPLACEMENTS

EVERYWHERE = {"--url": 1, "--server": 1, "--key-file": 1, "--app": 1, "--namespace": 1, "--json": 0}
"""Flags that may stand before the command too, and how many words follow them."""
HELP = {"--help", "-h"}
SERVING = {"worker", "dev", "server"}
"""Commands that print no JSON: what they say goes on while they do."""


def main() -> None:
    """Runs the command line and exits."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started it, as by `>&-`: what is said goes nowhere
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (for as long as the process)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=REPLACEMENTS)  # a terminal that lacks a character is no reason to stop
    code = call(sys.argv[1:])
    if threading.active_count() > 1:
        from segue.cli.interrupts import leave

        leave(code)  # code that was imported may have started threads before it failed
    sys.exit(code)


def call(words: list[str]) -> int:
    """Runs a command line; returns the exit code."""
    try:
        code = _called(words)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # `segue list | head`
        _drop_output()
        return BROKEN_PIPE
    except OSError as error:  # `segue list > full.txt`
        if error.errno != errno.ENOSPC or error.filename is not None:
            raise
        _drop_output()
        from segue.cli.output import print_error
        from segue.errors import SegueError

        with suppress(OSError):  # `segue list > full.txt 2>&1`
            print_error(SegueError(f"the output cannot be written where it is sent: {error.strerror}"))
        return DATABASE


def _called(words: list[str]) -> int:
    if not words or words[0] in ("--help", "-h", "help"):
        print(overview())
        return 0
    if words == ["--version"]:
        words = ["version"]
    return _dispatch(_command_first(words))


def _drop_output() -> None:
    """What Python still holds for it goes nowhere, instead of into an error at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _ended_by_ctrl_c() -> Iterator[None]:
    """While nothing has begun, Ctrl-C ends the process as it ends any program, without a word."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:  # whoever started this one wants it otherwise, such as nohup
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _command_first(words: list[str]) -> list[str]:
    """Global flags that stand before the command, moved behind it."""
    taken = 0
    while taken < len(words) and (flag := words[taken].partition("="))[0] in EVERYWHERE:
        taken += 1 if flag[1] else 1 + EVERYWHERE[flag[0]]
    return [*words[taken : taken + 1], *words[:taken], *words[taken + 1 :]]


def _not_here(words: list[str]) -> Exception | None:
    """Why no command works where this one was called, or this one does not ask the server that is named."""
    from segue.errors import InvalidArgument

    try:
        os.getcwd()
    except FileNotFoundError:  # by another shell, or by a checkout that has made it anew under the same name
        return InvalidArgument(
            "the current folder has been deleted; go to another one and call segue again (where it was made anew under "
            "the same name, `cd .` does)"
        )
    why = NOT_THERE.get(words[0])
    flags = {word.partition("=")[0] for word in words}
    if why is None or flags.isdisjoint(("--server", "--key-file")) or (words[0] == "worker" and "--queue" in flags):
        return None
    return InvalidArgument(f"`segue {words[0]}` does not work with --server: {why}")


def _not_text(words: list[str]) -> Exception | None:
    """Why a command line with bytes in it that are no text is not taken: no run, name or value can have them."""
    from segue.errors import InvalidArgument

    for word in words:
        if any("\ud800" <= letter <= "\udfff" for letter in word):
            given = repr(os.fsencode(word))[1:]
            return InvalidArgument(
                f"{given} is no text in {sys.getfilesystemencoding()}; write it in that (a file that is called so has "
                "to be renamed)"
            )
    return None


def _dispatch(words: list[str]) -> int:
    # Only here: the overview must not wait for them.
    with _ended_by_ctrl_c():
        from cyclopts import App, CycloptsError

        from segue.cli.output import nothing_beside, print_error
        from segue.cli.refusals import refusal
        from segue.cli.target import CodeEndsProgram
        from segue.errors import CallerError, SegueError

    app = App(name="segue", help_format="markdown", version_flags=(), suppress_keyboard_interrupt=False)
    for command in COMMANDS:
        app.command(f"segue.cli.{command.place}", name=command.name)
    as_json = "--json" in words
    with nothing_beside(as_json and words[0] not in SERVING and HELP.isdisjoint(words)):
        if (refused := _not_here(words) or _not_text(words)) is not None:
            print_error(refused, as_json=as_json)
            return USAGE
        try:
            code = app(words, exit_on_error=False, print_error=False, result_action="return_value")
        except CycloptsError as error:
            print_error(refusal(error, words), as_json=as_json)
            return USAGE
        except SegueError as error:
            print_error(error, as_json=as_json)
            return USAGE if isinstance(error, CallerError) else DATABASE
        except KeyboardInterrupt:  # commands that have something to hand over take the signal themselves
            print(file=sys.stderr)  # ends the line that a question, or the terminal's own ^C, stands on
            return INTERRUPTED
        except SystemExit as error:
            print_error(CodeEndsProgram(error), as_json=as_json)
            return FAILED
        return code if isinstance(code, int) else 0
