"""Serves workflows until asked to stop, and prints the start and end of each run: what ``worker`` and ``dev`` share."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from rich.text import Text

from segue.authoring.python.definitions import WORKFLOWS
from segue.cli import target
from segue.cli.entrance import Entrance
from segue.cli.interrupts import Interrupts, leave
from segue.cli.log_lines import LogFormat, RunLines, here, write_json
from segue.cli.output import badge, console
from segue.cli.person import person
from segue.cli.scope import Scope
from segue.cli.target import CodeDoesNotLoad
from segue.cli.words import clock, count, length
from segue.engine import Engine
from segue.errors import InvalidArgument
from segue.kernel import events as e
from segue.kernel.failures import summary
from segue.metrics.meter import meter_of
from segue.runtime.resident import Resident
from segue.runtime.telling import ABOUT
from segue.server.access import Loopback
from segue.server.app import application, machine_application
from segue.server.listening import Listening, listen
from segue.stores.base import OPEN, RunFilter


def load_all(places: Iterable[str], *, without: Collection[str] | None = ()) -> dict[str, CodeDoesNotLoad]:
    """Imports modules, files, and folders of files.

    ``without``: files of folders that may lack a module, and are left out then; None: all may, as long as one does not.

    Returns:
        The files that were left out, and why.

    Raises:
        InvalidArgument: one is not there, or all of them together define no workflow.
        CodeDoesNotLoad: one raised.
    """
    left: dict[str, CodeDoesNotLoad] = {}

    def leave(file: Path, error: CodeDoesNotLoad) -> bool:
        if not error.lacks or (without is not None and str(file) not in without):
            return False
        left[str(file)] = error
        return True

    load(places, leave)
    if not WORKFLOWS.names():
        for error in left.values():
            raise error
        raise InvalidArgument(f"{', '.join(places)} define no workflow; decorate an `async def` with @workflow")
    return left


def load(places: Iterable[str], leave: Callable[[Path, CodeDoesNotLoad], bool] = lambda file, error: False) -> None:
    """Imports modules, files, and folders of files, but for those files of folders that ``leave`` says may be left out.

    Raises:
        InvalidArgument, CodeDoesNotLoad: as ``load_all``.
    """
    for place in places:
        if Path(place).is_dir():
            target.load_folder(place, leave)
        else:
            target.load(place)


async def serve(
    scope: Scope, interrupts: Interrupts, *, grace: float, port: int | None = None,
    machines: tuple[str, int] | None = None, lines: LogFormat = "text",
) -> None:  # fmt: skip
    """Owns the runs of the app until it is asked to stop, then hands over: attempts under way get ``grace`` seconds.

    With a ``port``, the API and the dashboard are served beside it, to this machine only; with ``machines``, at that
    address and port, figures and whether it is alive and ready. ``lines``: how it says what goes on.
    """
    asked = interrupts.asked
    engine = Engine(scope.url, app=scope.app, namespace=scope.namespace)
    printer = _Printer(engine) if lines == "text" else _Logger(engine)
    printer.begin()
    meter = meter_of(engine, counting=port is not None or machines is not None)
    await engine.open()
    listening = heard = None
    try:
        if meter.counts is not None:
            meter.start()
        if port is not None:
            listening = listen(application(engine, Loopback(person())), port=port, next_free=True)
        if machines is not None:
            heard = _listen_to_machines(engine, scope, *machines)
            printer.note(f"metrics {heard.url}/metrics")
        printer.show_served(scope, None if listening is None else listening.url)
        if not engine.owner:
            await _stand_by(engine, printer, asked)
        if engine.owner:
            printer.show_open_runs()
        await asked.wait()
        attempts = engine.attempts_under_way
        if attempts and grace:
            printer.note(
                f"handing over; {count(attempts, 'attempt')} may take up to {length(round(grace * 1e6))} to end"
            )
    finally:
        for each in (listening, heard):
            if each is not None:
                await each.close()
        meter.close()
        await engine.close(grace=grace)
    leave(0)


def _listen_to_machines(engine: Engine, scope: Scope, host: str, port: int) -> Listening:
    entrance = Entrance(engine, scope, host)
    return listen(machine_application(engine, entrance.access, accounts=entrance.accounts), host=host, port=port)


async def _stand_by(engine: Engine, printer: _Logger, asked: asyncio.Event) -> None:
    owner = engine.store.owner(engine.app)
    printer.note(f"standing by: {owner.worker if owner else 'another process'} owns the runs of app {engine.app!r}")
    while not engine.owner and not asked.is_set():
        await asyncio.wait([asyncio.ensure_future(asked.wait())], timeout=0.1)
    if engine.owner:
        printer.note("took over")


class _Logger:
    """Lines for machines."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def begin(self) -> None:
        """Hears of runs from now on."""
        write_json()
        self._engine.witness(RunLines())

    def show_served(self, scope: Scope, address: str | None) -> None:
        more = {"workflows": WORKFLOWS.names(), "app": self._engine.app, "database": scope.shown_database}
        here.info("serving", extra={ABOUT: more | ({"dashboard": address} if address else {})})

    def show_open_runs(self) -> None:
        found = self._engine.store.list(RunFilter(namespace=None, states=OPEN, limit=1000))
        if found:
            self.note(f"goes on with {count(len(found), 'open run')}" + (" or more" if len(found) == 1000 else ""))

    def note(self, text: str) -> None:
        """Says something of the process itself."""
        here.info("%s", text)


class _Printer(_Logger):
    """A line for each run that starts, stands still or ends."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._out = console()
        self._began: dict[int, int] = {}

    def begin(self) -> None:
        logging.getLogger("segue").addHandler(Warnings())
        self._engine.watch_runs(self.show)

    def show_served(self, scope: Scope, address: str | None) -> None:
        names = WORKFLOWS.names()
        text = Text("serving ").append(", ".join(names), style="bold")
        text.append(f"  app {self._engine.app}, {scope.shown_database}", style="not bold dim")
        if address is not None:
            text.append("\ndashboard ", style="default not bold not dim").append(address, style="bold not dim")
        self._out.print(text, soft_wrap=True)

    def note(self, text: str) -> None:
        self._out.print(Text(text, style="dim"), soft_wrap=True)

    def show(self, run: Resident, event: e.Event) -> None:
        line = Text(f"{clock(event.at)[-8:]}  ", style="dim")
        match event:
            case e.RunStarted():
                self._began[run.run] = event.at
                line.append(badge("running")).append(self._name(run, "  started"))
            case e.IncidentOpened():
                line.append(badge("incident")).append(self._name(run, f"  {event.cause}: {event.message}"))
                line.append(f"\n          {event.remedy}", style="default not dim")
            case _:
                word = e.ENDS[type(event)]
                line.append(badge(word)).append(self._name(run, self._took(run, event)))
                if isinstance(event, e.RunFailed):
                    line.append(f"  {summary(event.failure)}", style="default not dim")
        self._out.print(line, soft_wrap=True)

    def _name(self, run: Resident, more: str) -> Text:
        return Text(f"  {run.workflow} {run.id}", style="default not dim").append(more, style="dim")

    def _took(self, run: Resident, event: e.Event) -> str:
        began = self._began.pop(run.run, None)
        if began is None:
            row = self._engine.store.run(run.run)
            began = row.started_at if row is not None else event.at
        return f"  {length(event.at - began)}"


class Warnings(logging.Handler):
    """What segue warns of, as lines; incidents have lines of their own."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._out = console()

    def emit(self, record: logging.LogRecord) -> None:
        if "stands still" not in record.msg:
            self._out.print(Text(f"{clock(round(record.created * 1e6))[-8:]}  {record.getMessage()}", style="dim"))
