"""``segue show``: one run whole. Where it stands and why first, then its steps, then everything on request."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from segue.cli import calls, tree
from segue.cli.deciding import print_recorded
from segue.cli.ending import call_json, failure_json, failure_text
from segue.cli.folding import fold_name
from segue.cli.history import event_json, event_rows
from segue.cli.listing import run_json
from segue.cli.lookup import journal, lookup, reached, watched
from segue.cli.messages import RunId
from segue.cli.output import badge, console, print_json
from segue.cli.payloads import brief, cut, one_line, readable
from segue.cli.scope import Reach
from segue.cli.words import absolute, ago, clock, count, iso, length, state
from segue.kernel import events as e
from segue.kernel.failures import summary
from segue.kernel.payload import Payload
from segue.kernel.plain import arguments, plain_value
from segue.kernel.timeline import Call, Incident
from segue.server import logs
from segue.server.answers import Answers
from segue.server.views import run_view
from segue.stores.base import Task
from segue.watching import Watch


def show(
    run: RunId,
    /,
    *,
    values: Annotated[bool, Parameter(help="Input and result of every step.", negative=(), show_default=False)] = False,
    events: Annotated[bool, Parameter(help="The whole journal.", negative=(), show_default=False)] = False,
    logs: Annotated[bool, Parameter(help="What steps printed and logged.", negative=(), show_default=False)] = False,
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """Show one run: where it stands, its steps on a time axis, errors, input, result, open tasks."""
    return asyncio.run(_show(scope, run, values=values, events=events, logs=logs))


async def _show(scope: Reach, id: str, *, values: bool, events: bool, logs: bool) -> int:
    async with reached(scope) as answers:
        watch = await watched(answers, (await lookup(answers, id)).run)
        recorded = await journal(answers, watch.run) if events else None
        lines = await _logs(answers, watch) if logs else None
    if scope.json:
        print_json(_as_json(watch, recorded, lines))
    else:
        _print(watch, scope, recorded, lines, values=values)
    return 0


Events = list[tuple[int, e.Event]]
Lines = list[tuple[str, logs.LogView]]
"""What was printed, each line with what its call is called."""


async def _logs(answers: Answers, watch: Watch) -> Lines:
    """All lines that the steps of a run and of its children printed."""
    lines: Lines = []
    after: int | None = 0
    while after is not None:
        page = await answers.ask(logs.list_logs, query=logs.LogQuery(after=after), run=watch.run)
        lines += [(watch.timeline.label(line.key), line) for line in page.lines]
        after = page.next
    for child in watch.children.values():
        lines += await _logs(answers, child)
    return lines


# --- for people -----------------------------------------------------------------------------------------------


def _print(watch: Watch, scope: Reach, events: Events | None, lines: Lines | None, *, values: bool) -> None:
    out = console()
    now = watch.now
    _print_head(out, watch, now)
    _print_trouble(out, watch, scope, now)
    if watch.timeline.calls or watch.waits():
        out.print()
        out.print(calls.table(out, watch, now))
    _print_tasks(out, watch, scope, now)
    _print_values(out, watch)
    if values:
        _print_step_values(out, watch)
    if events is not None:
        _print_events(out, events)
    if lines is not None:
        _print_logs(out, lines)


def _print_head(out: Console, watch: Watch, now: int) -> None:
    row, started = watch.row, watch.timeline.started
    out.print(badge(watch.state).append(f"  {row.workflow} ", style="default bold").append(row.id, style="not bold"))
    facts = [f"started {ago(row.started_at, now)} ({absolute(row.started_at)})"]
    if row.closed_at is not None:
        facts.append(f"took {length(row.closed_at - row.started_at)}")
    else:
        facts.append(f"open for {length(now - row.started_at)}")
    if started is not None and started.parent is not None:
        facts.append(f"child of {(started.actor or '').removeprefix('run:')}")
    if started is not None and started.continued is not None:
        facts.append(f"number {started.continued.number + 1} of its chain")
    if started is not None and started.timeout is not None:
        facts.append(f"may take {length(started.timeout)}")
    if watch.timeline.undone:
        facts.append(f"{count(watch.timeline.undone, 'step')} undone")
    handled = sum(call.state == "failed" for call in watch.timeline.calls.values())
    if handled and watch.timeline.state == "completed":
        facts.append(f"{count(handled, 'failed step')} handled")
    if watch.timeline.erased is not None:
        by = (watch.timeline.erased.actor or "").removeprefix("user:")
        facts.append(f"erased {ago(watch.timeline.erased.at, now)}" + (f" by {by}" if by else ""))
    if row.summary:
        out.print(Text(row.summary))
    out.print(Text(" · ".join(facts), style="dim"))
    named = {**row.tags, **row.attributes}
    if named:
        out.print(Text("  ".join(f"{name}={_plain(value)}" for name, value in named.items()), style="dim"))


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else one_line(value)


def _print_trouble(out: Console, watch: Watch, scope: Reach, now: int) -> None:
    closing = watch.timeline.closing
    if isinstance(closing, e.RunFailed):
        out.print()
        out.print(Text(summary(closing.failure), style=state("failed").colour))
        out.print(Padding(failure_text(closing.failure), (1, 0, 0, 2), expand=False))
    if isinstance(closing, (e.RunCancelled, e.RunTerminated)) and closing.reason:
        out.print(f"reason: {closing.reason}")
    if watch.timeline.paused is not None and closing is None:
        paused = watch.timeline.paused
        by = (paused.actor or "").removeprefix("user:")
        said = f"paused for {length(now - paused.at)}" + (f" by {by}" if by else "")
        out.print()
        out.print(Text(said + (f": {paused.reason}" if paused.reason else ""), style=state("paused").colour))
        out.print(f"To go on: `{scope.command('resume', watch.id)}`")
    alike: dict[tuple[str, str, str], list[Incident]] = {}
    for incident in watch.timeline.open_incidents if closing is None else ():
        alike.setdefault((incident.cause, incident.message, incident.remedy), []).append(incident)
    for first, *others in alike.values():
        out.print()
        text = Text(f"stands still for {length(now - first.at)}: {first.cause}: {first.message}")
        text.stylize(state("incident").colour)
        out.print(text)
        if first.failure is not None:
            out.print(Padding(failure_text(first.failure), (1, 0, 1, 2), expand=False))
        if others:
            out.print(f"The same of {count(len(others), 'more call')}.")
        out.print(f"To go on: {first.remedy}")


def _calls(watch: Watch, level: int = 0) -> Iterator[tuple[Call, int]]:
    for entry, depth in tree.rows(watch, level):
        for call in entry:
            yield call, depth


def _print_tasks(out: Console, watch: Watch, scope: Reach, now: int) -> None:
    tasks = [task for task in watch.look.tasks() if task.state == "open"]
    if not tasks:
        return
    _section(out, "asks")
    for task in tasks:
        due = f", due {ago(task.due, now)}" if task.due is not None else ""
        out.print(f"  {task.name} for {task.assignee}, since {ago(task.opened_at, now)}{due}")
        if task.subject:
            value = readable(msgspec.json.decode(task.subject, type=Payload))
            out.print(Padding(Text(value, style="dim"), (0, 0, 0, 4), expand=False))
        flags = ("--task", str(task.task)) if len(tasks) > 1 else ()
        out.print(Text(f"  {scope.command('approve', watch.id, *flags)}", style="bold"), soft_wrap=True)


def _print_values(out: Console, watch: Watch) -> None:
    started, closing = watch.timeline.started, watch.timeline.closing
    if started is not None and arguments(started.input) not in ({}, []):
        _print_value(out, "input", readable(started.input, arguments))
    if isinstance(closing, e.RunCompleted):
        _print_value(out, "result", readable(closing.result))
    published = watch.look.published()
    if published:
        _section(out, "published")
        for name, payload in published.items():
            out.print(Text(f"  {name}: {brief(payload, 200)}"), soft_wrap=True)


def _print_step_values(out: Console, watch: Watch) -> None:
    _section(out, "steps")
    for call, level in _calls(watch):
        out.print(Padding(fold_name([call]) + Text("  ") + badge(call.state), (0, 0, 0, 2 + 2 * level), expand=False))
        for title, payload in (("input", call.input or call.subject), ("result", call.result)):
            if payload is not None:
                value_of = arguments if call.kind == "update" and title == "input" else plain_value
                text = Text(f"{title}: ", style="dim").append(readable(payload, value_of), style="default not dim")
                out.print(Padding(text, (0, 0, 0, 4 + 2 * level), expand=False))
        if call.kind == "decision":
            print_recorded(out, call)
        if call.failure is not None:
            out.print(Padding(failure_text(call.failure), (0, 0, 0, 4 + 2 * level), expand=False))


def _print_value(out: Console, title: str, text: str) -> None:
    _section(out, title)
    out.print(Padding(Text(cut(text) if out.is_terminal else text), (0, 0, 0, 2), expand=False))


def _print_events(out: Console, events: Events) -> None:
    _section(out, "events")
    table = Table.grid(padding=(0, 2))
    for justify in ("right", "left", "left"):
        table.add_column(no_wrap=True, justify=justify)
    table.add_column(overflow="fold")
    for seq, at, kind, text in event_rows(events):
        table.add_row(str(seq), clock(at), kind, Text(text))
    out.print(table)


def _print_logs(out: Console, lines: Lines) -> None:
    _section(out, "logs")
    for name, line in sorted(lines, key=lambda found: (found[1].at, found[1].row)):
        out.print(_log_line(name, line), soft_wrap=True)
    if not lines:
        out.print(Text("  its steps printed nothing", style="dim"))


def _log_line(name: str, line: logs.LogView) -> Text:
    style = {"WARNING": state("retrying").colour, "ERROR": state("failed").colour}.get(line.level, "default")
    attempt = f" ({line.attempt})" if line.attempt > 1 else ""
    return Text(f"  {clock(line.at)[-8:]}  {name or 'workflow'}{attempt}  ", style="dim").append(
        line.text, style=f"{style} not dim"
    )


def _section(out: Console, title: str) -> None:
    out.print()
    out.print(Text(title, style="bold"))


# --- for machines ---------------------------------------------------------------------------------------------


def _as_json(watch: Watch, events: Events | None, lines: Lines | None) -> dict[str, Any]:
    timeline = watch.timeline
    found = run_json(run_view(watch.row)) | {"state": watch.state}
    started, closing = timeline.started, timeline.closing
    if started is not None:
        found["input"] = arguments(started.input)
        found["parent"] = None if started.parent is None else (started.actor or "").removeprefix("run:")
    if isinstance(closing, e.RunCompleted):
        found["result"] = plain_value(closing.result)
    if isinstance(closing, e.RunFailed):
        found["failure"] = failure_json(closing.failure)
    found["steps"] = [_step_json(call) for call in timeline.calls.values()]
    if timeline.paused is not None:
        by = (timeline.paused.actor or "").removeprefix("user:")
        found["paused"] = {"by": by, "reason": timeline.paused.reason, "at": iso(timeline.paused.at)}
    if started is not None:
        found["timeout_s"] = None if started.timeout is None else started.timeout / 1_000_000
        found["chain"] = None if started.continued is None else started.continued.number + 1
    if timeline.erased is not None:
        by = (timeline.erased.actor or "").removeprefix("user:")
        found["erased"] = {"by": by, "reason": timeline.erased.reason, "at": iso(timeline.erased.at)}
    found["incidents"] = [_incident_json(incident) for incident in timeline.open_incidents]
    found["asks"] = [_ask_json(task) for task in watch.look.tasks() if task.state == "open"]
    found["waits"] = [
        {"kind": wait.kind, "name": wait.name, "until": iso(wait.until), "summary": wait.summary}
        for wait in watch.waits()
    ]
    found["published"] = {name: plain_value(payload) for name, payload in watch.look.published().items()}
    if events is not None:
        found["events"] = [event_json(seq, event) for seq, event in events]
    if lines is not None:
        found["logs"] = [
            {"at": line.at, "step": line.key, "attempt": line.attempt, "level": line.level, "text": line.text}
            for _, line in lines
        ]
    return found


def _incident_json(incident: Incident) -> dict[str, Any]:
    return {
        "cause": incident.cause,
        "message": incident.message,
        "remedy": incident.remedy,
        "key": incident.key,
        "failure": None if incident.failure is None else failure_json(incident.failure),
    }


def _ask_json(task: Task) -> dict[str, Any]:
    """What a person is asked; ``segue task show`` has its form."""
    return {
        "task": task.task,
        "key": task.key,
        "name": task.name,
        "assignee": task.assignee,
        "opened_at": iso(task.opened_at),
        "due": iso(task.due),
        "subject": _subject(task),
    }


def _subject(task: Task) -> Any:
    return plain_value(msgspec.json.decode(task.subject, type=Payload)) if task.subject else None


def _step_json(call: Call) -> dict[str, Any]:
    found = call_json(call)
    parts = {
        "input": call.input,
        "subject": call.subject,
        "result": call.result,
        "explanation": call.explanation,
    }
    for name, payload in parts.items():
        if payload is not None:
            found[name] = plain_value(payload)
    if call.summary:
        found["summary"] = call.summary
    if call.open and call.queue:
        found["queue"] = {"name": call.queue, "worker": call.holder or None}
    if call.open and call.beaten_at is not None:
        details = None if call.heartbeat is None else plain_value(call.heartbeat)
        found["heartbeat"] = {"at": iso(call.beaten_at), "details": details}
    return found
