"""The program's log for machines: one JSON object a line on standard error, each with the run that it is about.

What a step logs itself is known by where it logs: its lines name run, step and attempt without its author's doing.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from segue.cli.output import real
from segue.kernel import events as e
from segue.kernel.attempt import CURRENT
from segue.kernel.failures import summary
from segue.runtime.resident import Resident
from segue.runtime.telling import ABOUT, about, about_attempt
from segue.runtime.witness import Witness

LogFormat = Literal["text", "json"]

log = logging.getLogger("segue.runs")
here = logging.getLogger("segue.cli")
"""For what a serving command says of itself."""


def write_json() -> None:
    """Has every log record of the process, from ``INFO`` on, written as a line of JSON."""
    handler = logging.StreamHandler(real(sys.stderr))
    handler.setFormatter(JsonLines())
    handler.addFilter(_note_attempt)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(min(root.level or logging.INFO, logging.INFO))


def _note_attempt(record: logging.LogRecord) -> bool:
    """Called where the line is logged: in the context of the step, if it is one's."""
    attempt = CURRENT.get(None)
    if attempt is not None and not hasattr(record, ABOUT):
        record.__dict__.update(about_attempt(attempt))
    return True


class JsonLines(logging.Formatter):
    """A record as one JSON object; what ``extra=`` holds beside it stands under its own names."""

    def format(self, record: logging.LogRecord) -> str:
        found: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, ABOUT, {}),
            **_trace(),
        }
        if record.exc_info and record.exc_info[0] is not None:
            found["exception"] = "".join(traceback.format_exception(*record.exc_info))
        return msgspec.json.encode(found, enc_hook=str).decode()


def _trace() -> dict[str, str]:
    """The span that is current where the line is logged, for whoever looks for the lines of a trace."""
    module = sys.modules.get("opentelemetry.trace")
    if module is None:
        return {}
    span = module.get_current_span().get_span_context()
    return {"trace_id": f"{span.trace_id:032x}", "span_id": f"{span.span_id:016x}"} if span.is_valid else {}


class RunLines(Witness):
    """Logs what becomes of runs and of attempts that fail. Incidents are logged by the runtime itself."""

    def recorded(self, run: Resident, seq: int, since: int, events: Sequence[e.Event]) -> None:
        for event in events:
            match event:
                case e.RunStarted():
                    log.info("run %s of %s started", run.id, run.workflow, extra=about(run))
                case e.StepFailed():
                    self._failed(run, event)
                case e.RunFailed():
                    why = summary(event.failure)
                    log.error("run %s failed: %s", run.id, why, extra=about(run, state="failed", seconds=_took(run)))
                case _ if type(event) in e.ENDS:
                    state = e.ENDS[type(event)]
                    log.info("run %s %s", run.id, state, extra=about(run, state=state, seconds=_took(run)))

    def _failed(self, run: Resident, event: e.StepFailed) -> None:
        more = "" if event.retry_at is None else f"; tried again in {(event.retry_at - event.at) / 1e6:.3g} s"
        log.warning(
            "attempt %d of step %s of run %s failed: %s%s", event.attempt, event.name, run.id, summary(event.failure),
            more, extra=about(run, step=event.name, key=event.key, attempt=event.attempt),
        )  # fmt: skip


def _took(run: Resident) -> float | None:
    return None if run.started is None else (run.at - (run.started.begin or run.started.at)) / 1e6
