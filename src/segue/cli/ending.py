"""How a run ended, for people and for machines, and the exit code that says so."""

from __future__ import annotations

from typing import Any

import msgspec
from rich.console import Console, Group, RenderableType
from rich.json import JSON
from rich.padding import Padding
from rich.text import Text

from segue.cli import tree
from segue.cli.exits import CANCELLED, FAILED, INCIDENT, OK
from segue.cli.output import badge, console, print_json
from segue.cli.payloads import LONGEST, cut, readable
from segue.cli.scope import Scope
from segue.cli.words import count, iso, length, state
from segue.errors import PayloadError
from segue.kernel import events as e
from segue.kernel.erasure import GONE
from segue.kernel.failures import summary
from segue.kernel.plain import plain_value
from segue.kernel.timeline import Call
from segue.watching import LiveWatch, Watch

EXITS = {
    "completed": OK,
    "failed": FAILED,
    "incident": INCIDENT,
    "cancelled": CANCELLED,
    "terminated": CANCELLED,
    "continued": OK,
}


def conclude(watch: Watch, event: e.Event, *, scope: Scope, again: str = "") -> int:
    """Prints how a run ended, or why it stands still; returns the exit code. ``again``: the command that goes on with
    it."""
    word = "incident" if isinstance(event, e.IncidentOpened) else watch.timeline.state
    if scope.json:
        print_json(as_json(watch, event))
        return EXITS[word]
    out = console()
    now = watch.now
    if watch.timeline.calls:
        out.print(tree.final(watch, now=now, width=out.width))
        out.print()
    out.print(_headline(watch, word, now))
    _print_details(out, watch, event, scope, again)
    return EXITS[word]


def as_json(watch: Watch, event: e.Event) -> dict[str, Any]:
    """The same for machines."""
    row = watch.row
    found: dict[str, Any] = {
        "id": row.id,
        "workflow": row.workflow,
        "state": "incident" if isinstance(event, e.IncidentOpened) else watch.timeline.state,
        "ended": not isinstance(event, e.IncidentOpened),
        "started_at": iso(row.started_at),
        "closed_at": iso(row.closed_at),
        "steps": [call_json(call) for call in watch.timeline.calls.values()],
    }
    match event:
        case e.RunCompleted():
            found["result"] = plain_value(event.result)
        case e.RunFailed():
            found["error"] = failure_json(event.failure)
        case e.IncidentOpened():
            found["incident"] = {"cause": event.cause, "message": event.message, "remedy": event.remedy}
        case e.RunCancelled() | e.RunTerminated():
            found["reason"] = event.reason
    return found


def call_json(call: Call) -> dict[str, Any]:
    """A call for machines."""
    found: dict[str, Any] = {
        "kind": call.kind,
        "name": call.name,
        "key": call.key,
        "state": call.state,
        "attempts": call.attempts,
        "started_at": iso(call.began_at),
        "ended_at": iso(call.ended_at),
    }
    if call.retry_at is not None:
        found["retry_at"] = iso(call.retry_at)
    if call.failure is not None:
        found["error"] = failure_json(call.failure)
    if call.source:
        found["source"] = call.source
    if call.child_id:
        found["run"] = call.child_id
    if call.model:
        found["model"] = call.model
    if call.kind == "task":
        found |= {"assignee": call.assignee, "due": iso(call.due), "by": call.by}
    return found


def failure_json(failure: e.Failure) -> dict[str, Any]:
    """A failure for machines, with its causes."""
    found: dict[str, Any] = {"type": failure.type, "message": failure.message, "traceback": failure.traceback}
    if failure.cause is not None:
        found["cause"] = failure_json(failure.cause)
    return found


def failure_text(failure: e.Failure) -> RenderableType:
    """The user's traceback, the innermost cause first: that is what has to be mended."""
    chain = [failure]
    while chain[-1].cause is not None:
        chain.append(chain[-1].cause)
    parts: list[RenderableType] = []
    for index, part in enumerate(reversed(chain)):
        if index:
            parts.append(Text("which led to", style="dim"))
        parts.append(Text(part.traceback.rstrip() or f"{part.type}: {part.message}", style="" if not index else "dim"))
    return Group(*parts)


def _headline(watch: Watch, word: str, now: int) -> Text:
    row = watch.row
    text = badge(word).append(f"  {row.workflow} ", style="default bold").append(row.id, style="not bold dim")
    text.append(f"  {length((row.closed_at or now) - row.started_at)}", style="default not bold")
    if watch.timeline.undone:
        text.append(f"  {count(watch.timeline.undone, 'step')} undone", style=state("compensated").colour)
    return text


def _in_its_own_words(watch: Watch, event: e.RunCompleted) -> str | None:
    """What ``str()`` makes of the result, if its type says so itself: a receipt, a report, a table."""
    if not isinstance(watch, LiveWatch):  # its types are not here
        return None
    definition = watch.engine.definitions.workflow(watch.row.workflow)
    if definition is None or event.result == GONE:
        return None
    encodings = watch.engine.encodings
    try:
        value = encodings.decode(event.result, definition.bind(encodings).call_site.returns)
    except PayloadError:  # it was written by other code; as JSON it can be read all the same
        return None
    own = any("__str__" in vars(kind) for kind in type(value).__mro__[:-1])
    return str(value) if own and not isinstance(value, (str, bytes)) else None


def _again(watch: Watch) -> tuple[tuple[str, ...], str]:
    """Flags of ``segue retry`` for a failed run, and what that does. What was undone is to be done again."""
    calls = [call for call in watch.timeline.calls.values() if not call.undo]
    failed = any(call.kind in ("step", "child") and call.state == "failed" for call in calls)
    if watch.timeline.undone or not failed:
        return ("--from", "start"), "from its start"
    return (), "from where it failed"


def _print_details(out: Console, watch: Watch, event: e.Event, scope: Scope, again: str) -> None:
    match event:
        case e.RunCompleted():
            out.print(_result(out, watch, event))
        case e.RunFailed():
            out.print(Text(summary(event.failure), style=state("failed").colour))
            out.print(Padding(failure_text(event.failure), (1, 0, 1, 2), expand=False))
            out.print("The run has ended. What it did:")
            out.print(Text(f"  {scope.command('show', watch.id)}", style="bold"), soft_wrap=True)
            flags, place = _again(watch)
            out.print(f"To run it again {place}, once the cause is mended:")
            out.print(Text(f"  {scope.command('retry', watch.id, *flags)}", style="bold"), soft_wrap=True)
        case e.IncidentOpened():
            out.print(Text(f"{event.cause}: {event.message}", style=state("incident").colour))
            if event.failure is not None:
                out.print(Padding(failure_text(event.failure), (1, 0, 1, 2), expand=False))
            out.print(f"To go on: {event.remedy}")
            if again:
                out.print("and, if no worker serves it then:")
                out.print(Text(f"  {again}", style="bold"), soft_wrap=True)
        case e.RunCancelled() | e.RunTerminated() if event.reason:
            out.print(f"reason: {event.reason}")


def _result(out: Console, watch: Watch, event: e.RunCompleted) -> RenderableType:
    own = _in_its_own_words(watch, event)
    if own is not None:
        return Text(own)
    text = readable(event.result)
    if not out.is_terminal:
        return Text(text)
    if len(text) > LONGEST:
        return Text(cut(text))
    try:
        return JSON(text)
    except (ValueError, msgspec.DecodeError):
        return Text(text)
