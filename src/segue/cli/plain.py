"""A run as lines, one for each thing that happens: for files, pipes and logs."""

from __future__ import annotations

from collections.abc import Iterator

from segue.cli.deciding import verdict
from segue.cli.payloads import asked
from segue.cli.words import ago, clock, count, length
from segue.engine import Engine
from segue.kernel import events as e
from segue.kernel.failures import summary
from segue.kernel.timeline import Call
from segue.watching import Change, Watch


def line(change: Change) -> str | None:
    """What an event says; None for events that say nothing to people."""
    watch, event, call = change
    text = _run_line(watch, event) if call is None else _call_line(watch, event, call)
    if text is None:
        return None
    return f"{clock(event.at)[-8:]}  {'  ' * watch.level}{text}"


def logs(engine: Engine, watch: Watch, seen: dict[int, int]) -> Iterator[tuple[int, str]]:
    """Lines that steps printed since the last call, and when; ``seen`` remembers."""
    while True:
        lines = engine.logs(watch.run, after=seen.get(watch.run, 0))
        for entry in lines:
            seen[watch.run] = entry.row
            name = watch.timeline.label(entry.key) or watch.row.workflow
            yield entry.at, f"{clock(entry.at)[-8:]}  {name} | {entry.text}"
        if len(lines) < 1000:
            break
    for child in watch.children.values():
        yield from logs(engine, child, seen)


def _run_line(watch: Watch, event: e.Event) -> str | None:
    match event:
        case e.RunStarted():
            return f"started      {event.workflow} {event.id}"
        case e.RunCompleted() | e.RunFailed() | e.RunCancelled() | e.RunTerminated() if not watch.level:
            return f"{watch.timeline.state:<12} {watch.row.workflow} {watch.id}"
        case e.CancelRequested():
            return "cancelling   " + (event.reason or "asked to stop")
        case e.IncidentOpened():
            return f"incident     {event.cause}: {event.message}"
        case e.IncidentResolved():
            return "resolved     goes on"
    return None


def _call_line(watch: Watch, event: e.Event, call: Call) -> str | None:
    name = call.label
    took = f"  {length(call.ended_at - call.began_at)}" if call.ended_at is not None else ""
    match event:
        case e.StepCached():
            return f"{'cached':<12} {name}  by {event.source}"
        case e.StepCompleted():
            attempts = f"  {count(call.attempts, 'attempt')}" if call.attempts > 1 else ""
            return f"{call.state:<12} {name}{took}{attempts}"
        case e.StepFailed() if event.retry_at is not None:
            due = length(max(0, event.retry_at - event.at))
            return f"retrying     {name}  attempt {event.attempt} failed, next in {due}: {summary(event.failure)}"
        case e.StepFailed():
            attempts = f"  {count(call.attempts, 'attempt')}" if call.attempts > 1 else ""
            return f"{call.state:<12} {name}{took}{attempts}  {summary(event.failure)}"
        case e.StepStarted():
            return f"running      {name}  attempt {event.attempt}"
        case e.TaskOpened():
            due = f", due {ago(event.due, event.at)}" if event.due is not None else ""
            return f"waiting      {name} for {event.assignee}{due}"
        case e.TaskCompleted():
            return f"completed    {name}{took}" + (f"  answered by {call.by}" if call.by else "")
        case e.SignalReceived():
            return f"received     signal {name}"
        case e.UpdateAccepted():
            return f"received     update {name}  {asked(call)}"
        case e.UpdateCompleted():
            error = f"  {summary(call.failure)}" if call.failure is not None else ""
            return f"{call.state:<12} update {name}{took}{error}"
        case e.MessageSent():
            return f"not sent     {name}: it is {event.state}" if event.state else f"sent         {name}"
        case e.DecisionEvaluated():
            said = verdict(call) if event.failure is None else summary(event.failure)
            return f"{'decided' if event.failure is None else 'failed':<12} {name}: {said}"
        case e.ChildStarted() if event.failure is None:
            return f"started      child run {call.name} {call.child_id}"
        case e.ChildStarted() | e.ChildCompleted():
            error = f"  {summary(call.failure)}" if call.failure is not None else ""
            return f"{call.state:<12} child run {call.name} {call.child_id}{took}{error}"
        case e.IncidentOpened():
            return f"incident     {name}: {event.message}"
        case e.IncidentResolved():
            return f"resolved     {name} goes on"
    return None
