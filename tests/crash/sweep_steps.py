"""What the workflows of the crash sweep do outside: steps whose every effect leaves a line in a file."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import segue
from segue import Cache, NonRetryable, Ref, Retry, Transaction, step
from segue.kernel.attempt import current_attempt


def world() -> Path:
    """The folder that stands for everything outside the database. In the environment, for worker processes."""
    return Path(os.environ["SEGUE_TEST_WORLD"])


def act(what: str = "") -> int:
    """A side effect: one line that names the run, the step and the attempt. Returns the attempt's number."""
    attempt = current_attempt("act()")
    line = f"{segue.idempotency_key()} {attempt.run_id} {attempt.key} {attempt.attempt} {what}\n"
    file = os.open(world() / "effects", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, line.encode())
    os.close(file)
    return attempt.attempt


def happened(what: str) -> bool:
    """Whether something outside is so."""
    return (world() / what).exists()


def make_happen(what: str) -> None:
    (world() / what).touch()


# --- one way to run each --------------------------------------------------------------------------------------


@step
async def fetch(n: int) -> int:
    act()
    return n + 1


@step
async def hooked() -> None:
    act()


@step
def press(n: int) -> int:
    act()
    print(f"pressed {n}")
    return n * 10


@step(executor="process")
def crunch(n: int) -> int:
    act()
    return n * n


# --- failing --------------------------------------------------------------------------------------------------


@step(retry=Retry(attempts=10, initial="10ms", backoff=1, jitter=0))
async def flaky(name: str) -> str:
    """Works once the world has seen it fail twice, whatever process it failed in."""
    act()
    for n in (1, 2):
        if not happened(f"{name}-failed-{n}"):
            make_happen(f"{name}-failed-{n}")
            raise ConnectionError(f"failure {n}")
    return name


@step(retry=Retry(attempts=2, initial="10ms", jitter=0))
def hopeless(text: str) -> str:
    act()
    raise ValueError(text)


@step
async def refused(text: str) -> None:
    act()
    raise NonRetryable(text)


@step(on_exhausted="incident")
async def needs_repair(what: str) -> str:
    act()
    if not happened(what):
        raise RuntimeError(f"{what} is broken")
    return what


@step
async def broken_until(what: str) -> str:
    """For policies that ask a person, and for undoing: fails until the world has been mended."""
    act(what)
    if not happened(what):
        raise RuntimeError(f"{what} is broken")
    return what


@step
async def undo_until_mended(what: str, done: str | None) -> None:
    act(f"{what}, {done}")
    if not happened(what):
        raise RuntimeError(f"{what} cannot be undone")


@step(retry=Retry(attempts=10, initial="1ms", backoff=1, jitter=0))
async def brittle(what: str) -> str:
    """Fails at once, and for good when what goes on beside it is done, until the world has been mended."""
    if act() == 1:
        raise ConnectionError("not yet")
    while not happened(f"{what}-beside"):  # noqa: ASYNC110 - other processes make it happen
        await asyncio.sleep(0.002)
    if not happened(what):
        raise NonRetryable(f"{what} is broken")
    return what


@step
async def large(n: int) -> str:
    """More than stands in a row of the journal."""
    act()
    return str(n) * 200_000


@step
async def measure(text: str) -> int:
    act()
    return len(text)


# --- slow, and told to stop -----------------------------------------------------------------------------------


@step
async def forever() -> None:
    act()
    await asyncio.sleep(3600)


@step(grace="1s")
def stubborn() -> None:
    act()
    while not segue.cancelled():
        time.sleep(0.002)


@step(timeout="20ms")
async def too_slow() -> None:
    act()
    await asyncio.sleep(3600)


# --- at most once, and keyed state ------------------------------------------------------------------------------


@step(at_most_once=True)
async def launch(n: int) -> int:
    act()
    return n


@step
async def count_up(scope: str) -> int:
    act()
    n = int(await segue.state.get(scope, "count", 0)) + 1
    await segue.state.set(scope, "count", n)
    return n


# --- done and undone --------------------------------------------------------------------------------------------


@step
async def book(what: str) -> str:
    act(what)
    return f"booking of {what}"


@step
async def unbook(what: str, booking: str | None) -> None:
    act(f"{what}, {booking}")


@step
def hold(what: str) -> str:
    """Runs until it is told to stop, and has taken effect all the same."""
    act(what)
    while not segue.cancelled():
        time.sleep(0.002)
    return f"hold on {what}"


# --- heartbeats, and outcomes from outside ----------------------------------------------------------------------


@step(retry=Retry(attempts=10, initial="10ms", backoff=1, jitter=0), heartbeat_timeout="30s", schedule_to_close="1h")
async def beats(name: str) -> str:
    """Fails once, and goes on from what it said before, whichever process it failed in."""
    act()
    before = segue.last_heartbeat(str)
    segue.heartbeat(name)
    if not happened(f"{name}-failed"):
        make_happen(f"{name}-failed")
        raise ConnectionError("no beat")
    return f"beats, {before in (name, None)}"


@step
async def handed_over(name: str) -> str:
    """Whoever completes it finds the newest token in a file."""
    act()
    token = segue.complete_later()
    (world() / f"{name}.token").write_text(token)
    return "ignored"


@step(schedule_to_close="40ms")
def never_completed(name: str) -> None:
    act()
    segue.complete_later()


@step
async def pausable(n: int) -> int:
    act()
    return n + 1


# --- in the database's own transactions -------------------------------------------------------------------------


@step.transaction
def open_account(db: Transaction, name: str, balance: int) -> None:
    act(name)
    db.execute("CREATE TABLE IF NOT EXISTS bank (name TEXT PRIMARY KEY, balance INTEGER NOT NULL CHECK (balance >= 0))")
    db.execute("INSERT INTO bank VALUES (?, ?)", (name, balance))


@step.transaction
def transfer(db: Transaction, source: str, target: str, amount: int) -> int:
    """Takes effect once: twice would be seen in the balances."""
    act(f"{source} {target}")
    db.execute("UPDATE bank SET balance = balance + ? WHERE name = ?", (amount, target))
    db.execute("UPDATE bank SET balance = balance - ? WHERE name = ?", (amount, source))
    segue.state.set_sync("bank", target, segue.state.get_sync("bank", target, 0) + amount)
    return balance_of(db, source)


def balance_of(db: Transaction, name: str) -> int:
    row = db.execute("SELECT balance FROM bank WHERE name = ?", (name,)).fetchone()
    assert row is not None
    return int(row[0])


@step.transaction(retry=Retry(attempts=2, initial="1ms", jitter=0))
def overdraw(db: Transaction, name: str) -> None:
    """Leaves nothing. No effect outside either: a failure is not in the commit whose acknowledgement is lost, and is
    found by running the code again."""
    db.execute("UPDATE bank SET balance = balance + 1000 WHERE name <> ?", (name,))
    db.execute("UPDATE bank SET balance = balance - 1000 WHERE name = ?", (name,))


@step.transaction
def place_order(db: Transaction, n: int) -> str:
    """Starts a workflow with what it writes."""
    act()
    db.execute("INSERT INTO bank VALUES ('orders', ?)", (n,))
    return segue.outbox.start(db, "ordered", n, id="from-a-step")


# --- for data teams ---------------------------------------------------------------------------------------------


@step(cache=Cache(expires="1d"))
async def slow_sum(n: int) -> int:
    act()
    return sum(range(n))


@step
async def weigh(texts: list[Ref[str]]) -> int:
    """Loads what the workflow only refers to."""
    act()
    segue.artifact.table("texts", [{"size": text.size} for text in texts])
    return sum([len(await text.load()) for text in texts])
