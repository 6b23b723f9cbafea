"""``segue worker --queue``: carries out the steps of a queue that a server keeps, with no database."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

from rich.text import Text

from segue.authoring.python.definitions import STEPS
from segue.cli.interrupts import Interrupts, leave
from segue.cli.log_lines import LogFormat, write_json
from segue.cli.lookup import reached
from segue.cli.output import badge, console
from segue.cli.scope import Reach
from segue.cli.serving import Warnings, load
from segue.cli.words import clock, count, length
from segue.errors import InvalidArgument
from segue.kernel.attempt import Attempt
from segue.kernel.failures import message_of
from segue.queues import QueueWorker
from segue.queues.worker import steps_of
from segue.runtime.attempts import Outcome
from segue.runtime.telling import ABOUT, about_attempt
from segue.server.client import ServerClient

log = logging.getLogger("segue.queues")


def serve(
    modules: Sequence[str], queue: str, *, slots: int, lease: int, grace: int, scope: Reach, lines: LogFormat
) -> int:  # fmt: skip
    """Works until it is told to stop; the exit code. Times are in µs.

    Raises:
        InvalidArgument: no server is named, or no step of the queue is in the modules.
    """
    if scope.server_address is None:
        raise InvalidArgument(
            "a queue's worker asks a server for its work: name that with --server, SEGUE_SERVER or segue.toml"
        )
    load(modules)
    if not steps_of(queue):
        known = sorted({step.spec.queue for step in STEPS.all() if step.spec.queue})
        has = f"they have {', '.join(known)}" if known else "none of their steps has a queue"
        raise InvalidArgument(f"no step in {', '.join(modules)} waits in queue {queue!r}; {has}")
    asyncio.run(_serve(queue, slots, lease / 1_000_000, grace / 1_000_000, scope, lines))
    return 0


async def _serve(queue: str, slots: int, lease: float, grace: float, scope: Reach, lines: LogFormat) -> None:
    interrupts = Interrupts()
    printer = _Printer() if lines == "text" else _Logger()
    async with reached(scope) as server:
        assert isinstance(server, ServerClient)
        worker = QueueWorker(server, queue, slots=slots, lease=lease, witness=printer.show)
        printer.show_served(worker, server.url)
        telling = asyncio.ensure_future(_tell_of_end(worker, interrupts.asked, printer, grace))
        try:
            await worker.serve(interrupts.asked, grace=grace)
        finally:
            telling.cancel()
    leave(0)


async def _tell_of_end(worker: QueueWorker, asked: asyncio.Event, printer: _Logger, grace: float) -> None:
    await asked.wait()
    if worker.under_way and grace:
        attempts = count(worker.under_way, "attempt")
        printer.note(f"stopping; {attempts} may take up to {length(round(grace * 1e6))} to end")


def _told(attempt: Attempt, error: BaseException) -> str:
    """What is wrong, without the values of secrets."""
    text = message_of(error)
    return text if attempt.secrets is None else attempt.secrets.scrub(text)


class _Logger:
    """Lines for machines."""

    def __init__(self) -> None:
        write_json()

    def show_served(self, worker: QueueWorker, address: str) -> None:
        more = {"queue": worker.queue, "steps": sorted(worker.steps), "server": address, "worker": worker.name}
        log.info("serving", extra={ABOUT: more})

    def note(self, text: str) -> None:
        log.info("%s", text)

    def show(self, attempt: Attempt, outcome: Outcome | None) -> None:
        what = f"attempt {attempt.attempt} of step {attempt.name} of run {attempt.run_id}"
        if outcome is None:
            log.info("%s began", what, extra=about_attempt(attempt))
        elif outcome.error is None:
            log.info("%s completed", what, extra=about_attempt(attempt))
        elif outcome.cancelled:
            log.info("%s was stopped", what, extra=about_attempt(attempt))
        else:
            log.warning("%s failed: %s", what, _told(attempt, outcome.error), extra=about_attempt(attempt))


class _Printer(_Logger):
    """A line for each attempt that begins or ends, for people."""

    def __init__(self) -> None:
        logging.getLogger("segue").addHandler(Warnings())
        self._out = console()

    def show_served(self, worker: QueueWorker, address: str) -> None:
        text = Text("serving queue ").append(worker.queue, style="bold")
        steps = ", ".join(sorted(worker.steps))
        text.append(f"  {steps}, {worker.slots} at a time, for {address}", style="not bold dim")
        self._out.print(text, soft_wrap=True)

    def note(self, text: str) -> None:
        self._out.print(Text(text, style="dim"), soft_wrap=True)

    def show(self, attempt: Attempt, outcome: Outcome | None) -> None:
        if outcome is None:
            state = "running"
        else:
            state = "completed" if outcome.error is None else "cancelled" if outcome.cancelled else "failed"
        number = f" attempt {attempt.attempt}" if attempt.attempt > 1 else ""
        line = Text(f"{clock(time.time_ns() // 1_000)[-8:]}  ", style="dim").append(badge(state))
        line.append(f"  {attempt.name} {attempt.run_id}{number}", style="default not dim")
        if outcome is not None and state == "failed":
            assert outcome.error is not None
            said = f"  {type(outcome.error).__name__}: {_told(attempt, outcome.error)}".removesuffix(": ")
            line.append(said.partition("\n")[0], style="dim")
        self._out.print(line, soft_wrap=True)
