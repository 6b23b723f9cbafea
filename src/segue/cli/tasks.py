"""``segue task``: what people are asked."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter
from rich.table import Table
from rich.text import Text

from segue.cli.lookup import reached
from segue.cli.output import ROOMY, console, print_json, short_id
from segue.cli.paging import at_least_one, paged, print_more
from segue.cli.payloads import brief_value
from segue.cli.scope import Reach
from segue.cli.words import ago, iso
from segue.handles import HumanTask
from segue.server import people
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
        table.add_column(title, no_wrap=True)
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
