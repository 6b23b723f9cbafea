"""Runs ``segue`` command lines in processes forked from an interpreter that has imported all of it: what a command
imports takes several times as long as what it does.

Run as a program, with the path of a socket to listen at; it ends with its standard input. Each connection is one
command: its folder, environment and words as JSON, with its three standard streams; the answer is its process id, then
its exit code.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import sys
import time
from importlib import import_module
from typing import TypedDict

LONGEST = 1 << 17
"""Bytes of an order."""


class Order(TypedDict):
    """A command to be run."""

    folder: str
    environment: dict[str, str]
    words: list[str]


def serve(path: str) -> list[str] | None:
    """Forks a process for each command. Returns in it, with its words; in the server None, at the end."""
    waking, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asked: dict[int, socket.socket] = {}
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(path)
        listening.listen(16)
        print("ready", flush=True)
        while True:
            ready, _, _ = select.select([0, listening, waking], [], [])
            if waking in ready:
                os.read(waking, 4096)
                _answer(asked)
            if listening in ready:
                connection, _ = listening.accept()
                data, streams, _, _ = socket.recv_fds(connection, LONGEST, 3)
                if (pid := os.fork()) == 0:
                    for each in (connection, *asked.values()):
                        each.close()
                    for pipe in (waking, woken):
                        os.close(pipe)
                    break
                for stream in streams:
                    os.close(stream)
                asked[pid] = connection
                connection.send(f"{pid}".encode())
            elif 0 in ready:
                return None
    return _become(json.loads(data), streams)


def _answer(asked: dict[int, socket.socket]) -> None:
    """Tells how the processes ended that have."""
    for pid in list(asked):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            with asked.pop(pid) as connection:
                connection.send(f"{os.waitstatus_to_exitcode(status)}".encode())


def _become(order: Order, streams: list[int]) -> list[str]:
    """Has this process be as a new one would be."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = sys.__stdin__ = open(0, closefd=False)  # noqa: SIM115 (for as long as the process)
    sys.stdout = sys.__stdout__ = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(2, "w", 1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    sys.path[0] = order["folder"]
    return order["words"]


def warm_up() -> None:
    """Imports what commands import."""
    from segue.cli.commands import COMMANDS

    for place in ("app", "dev_child", *(command.place.partition(":")[0] for command in COMMANDS)):
        import_module(f"segue.cli.{place}")
    for name in ("cyclopts", "segue.engine", "segue.stores.sqlite.store", "zoneinfo"):
        import_module(name)
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    warm_up()
    words = serve(sys.argv[1])
    if words is not None:
        from segue.cli import app

        sys.argv = [app.__file__.replace("app.py", "__main__.py"), *words]
        app.main()
