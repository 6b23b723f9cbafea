"""Steps that run in processes of their own, for ``test_processes``; importing this does nothing else."""

from __future__ import annotations

import atexit
import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, TypeVar

from segue import (
    NonRetryable,
    SecretRef,
    attempt_number,
    idempotency_key,
    progress,
    state,
    step,
)
from segue.authoring.python.definitions import Step
from segue.errors import SecretNotFound

P = ParamSpec("P")
R = TypeVar("R")


def remote(function: Callable[P, R]) -> Step[P, R]:
    """A step in a process, by a name that no other test has."""
    return step(name=f"remote.{function.__name__}", executor="process")(function)


@dataclass
class Order:
    item: str
    amount: int = 1


class Refused(ValueError):
    pass


class Declined(Refused):
    """An error of the author's, with a constructor and attributes of its own."""

    def __init__(self, card: str, code: int) -> None:
        super().__init__(f"card {card} was declined")
        self.code = code
        self.details = {"card": card}


class Final(NonRetryable):
    pass


@remote
def double(order: Order) -> Order:
    return Order(order.item, order.amount * 2)


@remote
def echo(data: Any) -> Any:
    return data


@remote
def pid() -> int:
    return os.getpid()


@remote
def identity() -> tuple[str, int]:
    return idempotency_key(), attempt_number()


@remote
def surroundings() -> dict[str, Any]:
    return {"path": sys.path, "cwd": os.getcwd(), "env": os.environ.get("SEGUE_TEST_MARK"), "main": __name__}


# --- errors ---------------------------------------------------------------------------------------------------


@remote
def decline(card: str) -> None:
    try:
        {}[card]  # type: ignore[index]
    except KeyError as error:
        raise Declined(card, 402) from error


@remote
def give_up() -> None:
    raise Final("of no use")


@remote
def unreadable() -> Any:
    return object()


@remote
def leave(code: int) -> None:
    sys.exit(code)


@remote
def odd_text() -> None:
    print("a name: \udcff")
    raise RuntimeError("half a character: \udcff")


# --- ends -----------------------------------------------------------------------------------------------------


@remote
def crash() -> None:
    ctypes.string_at(0)


@remote
def die(number: int) -> None:
    os.kill(os.getpid(), number)
    signal.pause()


@remote
def quit_at_once(code: int) -> None:
    os._exit(code)


@remote
def wait_forever() -> NoReturn:
    print(f"waiting in {os.getpid()}")
    while True:
        signal.pause()


@remote
def wait_with_a_helper() -> NoReturn:
    helper = subprocess.Popen(["sleep", "3600"])
    print(f"waiting in {os.getpid()} for {helper.pid}")
    while True:
        signal.pause()


@remote
def write_anywhere() -> None:
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"\0\0\0\1x")
        except OSError:
            continue
    signal.pause()


# --- talking --------------------------------------------------------------------------------------------------


@remote
def talk() -> None:
    print("hello", "world")
    print("to stderr", file=sys.stderr)
    logging.getLogger("shop").info("%d sold", 3)
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError:
        logging.getLogger("shop").exception("no good")
    progress(1, 2, "half")
    print("no end", end="")


@remote
def talk_and_quit(lines: int) -> None:
    for n in range(lines):
        print(n)
    os._exit(0)


@remote
def talk_much(lines: int) -> int:
    for n in range(lines):
        print(n)
    return lines


@remote
def reveal(secret: SecretRef) -> int:
    print(f"the password is {secret.value()}")
    return len(secret.value())


@remote
def missing(secret: SecretRef) -> list[str]:
    try:
        secret.value()
    except SecretNotFound as error:
        return error.looked_in
    raise AssertionError


@remote
def next_number() -> int:
    number: int = state.get_sync("numbers", "next", 0)
    state.set_sync("numbers", "next", number + 1)
    return int(state.get_sync("numbers", "next"))


@remote
def fail_after_writing() -> None:
    state.set_sync("numbers", "next", 99)
    raise ValueError("too late")


@remote
def clean_up_later(path: str) -> None:
    atexit.register(Path(path).write_text, "cleaned up")


@remote
def leave_a_helper() -> None:
    helper = subprocess.Popen(["sleep", "3600"])
    print(f"left {helper.pid}")
    os._exit(0)


@remote
def leave_a_thread() -> None:
    threading.Thread(target=threading.Event().wait).start()


# --- where they stand -----------------------------------------------------------------------------------------


def make() -> Step[[], int]:
    @remote
    def hidden() -> int:
        return 1

    return hidden


def made(name: str) -> Step[[], str]:
    @step(name=name, executor="process")
    def inner() -> str:
        return name

    return inner


on_import = made("remote.on_import")
