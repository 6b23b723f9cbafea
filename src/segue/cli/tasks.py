"""``segue task``: what people are asked, who sees to it, and what they tell each other about it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter
from rich.table import Table
from rich.text import Text

from segue.cli.lookup import reached
from segue.cli.output import ROOMY, console, print_json, share, short_id
from segue.cli.paging import at_least_one, paged, print_more
from segue.cli.payloads import brief_value
from segue.cli.scope import Reach
from segue.cli.words import ago, iso
from segue.client.claiming import TaskNote
from segue.client.handles import HumanTask
from segue.server import people, repairs
from segue.server.answers import Answers

task = App(name="task", help="Human tasks: what people are asked.", version_flags=())


@task.command(name="list")
def list_tasks(
    *,
    assignee: Annotated[str | None, Parameter(help="Only for this person, group or role.")] = None,
    claimed_by: Annotated[str | None, Parameter(help="Only those that this person sees to.")] = None,
    overdue: Annotated[bool, Parameter(help="Only those past their time.", negative=(), show_default=False)] = False,
    all: Annotated[bool, Parameter(help="Answered and withdrawn ones too.", negative=(), show_default=False)] = False,
    limit: Annotated[int, Parameter(help="How many at most.")] = 100,
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """List open human tasks, what is due first before the others; with --all, the newest first."""
    query = people.TaskQuery("all" if all else "open", assignee, None, claimed_by, overdue)
    return asyncio.run(_list(scope, query, at_least_one(limit)))


async def _list(scope: Reach, query: people.TaskQuery, limit: int) -> int:
    async with reached(scope) as answers:
        found, now, more = await find_tasks(answers, query, limit)
    if scope.json:
        print_json([_task_json(task) for task in found])
    elif found:
        _print_tasks(found, now)
        if more:
            print_more(len(found))
    else:
        console().print("nobody is asked anything" + (f" of {query.assignee}" if query.assignee else ""))
    return 0


Number = Annotated[int, Parameter(help="The task's number; `segue task list` has it.")]
By = Annotated[str | None, Parameter(help="Who does it; by default the user of this machine.")]


@task.command
def show(number: Number, /, *, scope: Reach = Reach()) -> int:  # noqa: B008 (immutable)
    """Show one task: whom it is for, who sees to it, and what people have said about it."""

    async def act(answers: Answers, found: HumanTask) -> None:
        notes = await answers.ask(people.list_task_notes, task=number)
        now = (await answers.ask(people.list_tasks, query=people.TaskQuery(limit=1))).now
        if scope.json:
            print_json(_task_json(found) | {"notes": [_note_json(note) for note in notes]})
        else:
            _print_task(found, notes, now)

    return _with(scope, None, number, act)


@task.command
def claim(number: Number, /, *, by: By = None, scope: Reach = Reach()) -> int:  # noqa: B008 (immutable)
    """Say that you see to a task, so that no other begins on it too."""

    async def act(answers: Answers, found: HumanTask) -> None:
        await answers.ask(people.claim_task, task=number, body=people.ClaimBody())
        await _tell(answers, scope, found)

    return _with(scope, by, number, act)


@task.command(name="take-over")
def take_over(number: Number, /, *, by: By = None, scope: Reach = Reach()) -> int:  # noqa: B008 (immutable)
    """See to a task that somebody else has claimed."""

    async def act(answers: Answers, found: HumanTask) -> None:
        await answers.ask(people.claim_task, task=number, body=people.ClaimBody(found.claimed_by))
        await _tell(answers, scope, found)

    return _with(scope, by, number, act)


@task.command
def hand(
    number: Number,
    to: Annotated[str, Parameter(help="Who is to see to it.")],
    /,
    *,
    by: By = None,
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """Have somebody else see to a task."""

    async def act(answers: Answers, found: HumanTask) -> None:
        await answers.ask(people.hand_task, task=number, body=people.HandBody(to, found.claimed_by))
        await _tell(answers, scope, found)

    return _with(scope, by, number, act)


@task.command
def release(number: Number, /, *, by: By = None, scope: Reach = Reach()) -> int:  # noqa: B008 (immutable)
    """Leave a task that you have claimed to others."""

    async def act(answers: Answers, found: HumanTask) -> None:
        await answers.ask(people.release_task, task=number, body=repairs.Bare())
        await _tell(answers, scope, found)

    return _with(scope, by, number, act)


@task.command
def comment(
    number: Number,
    text: Annotated[str, Parameter(help="What whoever sees to it should know.")],
    /,
    *,
    by: By = None,
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """Comment on a task."""

    async def act(answers: Answers, found: HumanTask) -> None:
        await answers.ask(people.comment_on_task, task=number, body=people.CommentBody(text))
        if scope.json:
            print_json(_task_json(found))
        else:
            console().print(f"commented on {found.name} of run {found.run_id}", soft_wrap=True)

    return _with(scope, by, number, act)


def _with(scope: Reach, by: str | None, number: int, act: Callable[[Answers, HumanTask], Awaitable[None]]) -> int:
    """Acts on the task of a number."""

    async def acted() -> None:
        async with reached(scope, by=by, me=True) as answers:
            await act(answers, await answers.ask(people.show_task, task=number))

    asyncio.run(acted())
    return 0


async def _tell(answers: Answers, scope: Reach, before: HumanTask) -> None:
    """Says who sees to the task now, and from whom it was taken."""
    found = await answers.ask(people.show_task, task=before.task)
    if scope.json:
        print_json(_task_json(found))
        return
    who = found.claimed_by or "nobody"
    had = before.claimed_by
    from_whom = f", and no more {had}" if had is not None and found.claimed_by not in (None, had) else ""
    console().print(f"{who} sees to {found.name} of run {found.run_id}{from_whom}", soft_wrap=True)


def _print_task(found: HumanTask, notes: list[TaskNote], now: int) -> None:
    out = console()
    word = found.state if found.closed_by is None else f"{found.state} by {found.closed_by}"
    out.print(Text(found.name, style="bold").append(f"  {word}", style="not bold"), soft_wrap=True)
    claimed = "" if found.claimed_by is None else f"{found.claimed_by}, since {ago(found.claimed_at or now, now)}"
    lines = [
        ("run", found.run_id), ("for", found.assignee), ("asked", ago(found.opened_at, now)),
        ("due", "" if found.due is None else ago(found.due, now)), ("claimed by", claimed),
        ("about", "" if found.subject is None else brief_value(found.subject, 2_000)),
        ("answer", "" if found.outcome is None else brief_value(found.outcome, 2_000)),
    ]  # fmt: skip
    for title, text in lines:
        if text:
            out.print(Text(f"  {title:<11}", style="dim").append(text, style="not dim"), soft_wrap=True)
    for note in notes:
        said = Text(f"  {ago(note.at, now):<11}", style="dim").append(f"{note.actor} {_said(note)}", style="not dim")
        out.print(said, soft_wrap=True)


def _said(note: TaskNote) -> str:
    match note.kind:
        case "commented":
            return f"said: {note.text}"
        case "handed":
            return f"handed it to {note.text}"
        case done:
            return f"{done} it"


def _note_json(note: TaskNote) -> dict[str, Any]:
    return {"at": iso(note.at), "actor": note.actor, "kind": note.kind, "text": note.text}


async def find_tasks(
    answers: Answers, query: people.TaskQuery, limit: int | None = None
) -> tuple[list[HumanTask], int, bool]:
    """The first tasks (all of them without a limit), the time there, and whether there are more."""
    now = 0

    async def page(after: str | None, most: int) -> tuple[list[HumanTask], str | None]:
        nonlocal now
        got = await answers.ask(people.list_tasks, query=msgspec.structs.replace(query, after=after, limit=most))
        now = got.now
        return got.tasks, got.next

    tasks, more = await paged(page, limit)
    return tasks, now, more


def _print_tasks(tasks: list[HumanTask], now: int) -> None:
    out = console()
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False, expand=out.is_terminal)
    roomy = out.width >= ROOMY
    for title in ("task", "name", "for", "run", "state", "claimed by", "asked", "due")[: None if roomy else 4]:
        part = {"run": 3, "name": 5, "for": 5, "claimed by": 5}.get(title)
        table.add_column(
            title, no_wrap=title != "run", overflow="fold" if title == "run" else "ellipsis",
            max_width=None if part is None else share(out, part),
        )  # fmt: skip
    if roomy:
        table.add_column("about", no_wrap=True, overflow="ellipsis", ratio=1 if out.is_terminal else None)
    for task in tasks:
        about = "" if task.subject is None else brief_value(task.subject, 200)
        due = "" if task.due is None else ago(task.due, now)
        cells = (str(task.task), task.name, task.assignee, short_id(task.run_id, out))
        more = (task.state, task.claimed_by or "", ago(task.opened_at, now), due, Text(about))
        table.add_row(*cells, *(more if roomy else ()))
    out.print(table)


def _task_json(task: HumanTask) -> dict[str, Any]:
    return {
        "task": task.task,
        "run": task.run_id,
        "name": task.name,
        "assignee": task.assignee,
        "state": task.state,
        "opened_at": iso(task.opened_at),
        "due": iso(task.due),
        "form": task.form,
        "subject": task.subject,
        "closed_at": iso(task.closed_at),
        "closed_by": task.closed_by,
        "outcome": task.outcome,
        "claimed_by": task.claimed_by,
        "claimed_at": iso(task.claimed_at),
    }
