"""``segue approve`` and ``segue task``: what people are asked, and their answers."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from segue.cli import values
from segue.cli.asking import ask
from segue.cli.lookup import lookup, reached
from segue.cli.messages import RunId
from segue.cli.output import ROOMY, console, print_json, short_id
from segue.cli.payloads import brief_value
from segue.cli.scope import Reach, Scope
from segue.cli.words import ago, iso
from segue.errors import CallerError, InvalidArgument
from segue.handles import HumanTask
from segue.kernel import forms
from segue.server import people

task = App(name="task", help="Human tasks: what people are asked.", version_flags=())


def approve(
    run: RunId,
    /,
    *,
    task: Annotated[str | None, Parameter(help="Which task, by name or number, when the run has several.")] = None,
    yes: Annotated[bool, Parameter(help="Say yes.", negative=(), show_default=False)] = False,
    no: Annotated[bool, Parameter(help="Say no.", negative=(), show_default=False)] = False,
    answer: Annotated[str | None, Parameter(help="The whole answer: JSON, or @file.json.")] = None,
    comment: Annotated[str, Parameter(help="A comment beside yes or no.", show_default=False)] = "",
    by: Annotated[str | None, Parameter(help="Who answers; by default the user of this machine.")] = None,
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """Answer a human task of a run. Without an answer it is asked for, on a terminal."""
    if yes + no + (answer is not None) > 1:
        raise InvalidArgument("--yes, --no and --answer exclude each other; give one of them")
    given = values.untyped(answer) if answer is not None else None
    said = True if yes else False if no else None
    return asyncio.run(_approve(scope, run, task, said, given, answer is not None, comment, by))


async def _approve(
    scope: Reach,
    id: str,
    wanted: str | None,
    said: bool | None,
    given: Any,
    has_answer: bool,
    comment: str,
    by: str | None,
) -> int:
    async with reached(scope, by=by, me=True) as answers:
        row = await lookup(answers, id)
        asked = await answers.ask(people.list_tasks, query=people.TaskQuery(run=row.run))
        found = _choose(asked.tasks, wanted, row.id)
        form = found.form or {}
        if has_answer:
            answer = given
        elif said is not None:
            answer = forms.yes_or_no(form, said, comment) if form else said
        else:
            answer = _ask(found, form, asked.now, scope)
        await answers.ask(people.complete_task, task=found.task, body=people.AnswerBody(answer))
        answered = await answers.ask(people.show_task, task=found.task)
    if scope.json:
        told = {"id": row.id, "task": found.task, "name": found.name, "answer": answer, "by": answered.closed_by}
        print_json(told)
    else:
        text = msgspec.json.encode(answer).decode()
        console().print(f"{found.name} of run {row.id} is answered by {answered.closed_by}: {text}")
    return 0


def _choose(tasks: list[HumanTask], wanted: str | None, id: str) -> HumanTask:
    if wanted is not None:
        chosen = [task for task in tasks if wanted in (task.name, str(task.task), task.key)]
        if len(chosen) == 1:
            return chosen[0]
        tasks = chosen or tasks
        if not chosen:
            raise CallerError(f"run {id!r} has no open task {wanted!r}; it has: {_named(tasks) or 'none'}")
    if not tasks:
        raise CallerError(f"run {id!r} has no open task; `segue show {id}` says what it waits for")
    if len(tasks) > 1:
        raise InvalidArgument(f"run {id!r} has {len(tasks)} open tasks; choose one with --task: {_named(tasks)}")
    return tasks[0]


def _named(tasks: list[HumanTask]) -> str:
    return ", ".join(f"{task.task} ({task.name} for {task.assignee})" for task in tasks)


def _ask(task: HumanTask, form: dict[str, Any], now: int, scope: Scope) -> Any:
    if not sys.stdin.isatty() or scope.json:
        raise InvalidArgument(f"no answer was given; pass --yes, --no or --answer with {forms.outline(form)}")
    out = Console(highlight=False)
    out.print(Text(task.name, style="bold").append(f" for {task.assignee}", style="not bold"))
    if task.due is not None:
        out.print(f"due {ago(task.due, now)}", style="dim")
    if task.subject is not None:
        out.print_json(data=task.subject)
    try:
        return _ask_fields(form)
    except EOFError as error:  # Ctrl-D
        raise CallerError("no answer was given; nothing was sent") from error


def _ask_fields(form: dict[str, Any]) -> Any:
    found = forms.fields(form)
    if not found:
        return values.untyped(ask(f"{forms.outline(form)}: "))
    answer = {}
    needed = forms.required(form)
    for name, field in found.items():
        kind = (
            "yes or no" if field.get("type") == "boolean" else forms.outline(field | {"$defs": form.get("$defs", {})})
        )
        text = ask(f"{name} ({kind}{'' if name in needed else ', may be empty'}): ")
        if not text and name not in needed:
            continue
        answer[name] = _entered(text, field)
    return answer


def _entered(text: str, field: dict[str, Any]) -> Any:
    match field.get("type"):
        case "boolean":
            if text.lower() not in ("y", "yes", "true", "n", "no", "false"):
                raise InvalidArgument(f"{text!r} is neither yes nor no; nothing was sent")
            return text.lower() in ("y", "yes", "true")
        case "string":
            return text
    return values.untyped(text)


@task.command(name="list")
def list_tasks(
    *,
    assignee: Annotated[str | None, Parameter(help="Only for this person, group or role.")] = None,
    all: Annotated[bool, Parameter(help="Answered and withdrawn ones too.", negative=(), show_default=False)] = False,
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """List open human tasks, the oldest first."""
    return asyncio.run(_list(scope, assignee, "all" if all else "open"))


async def _list(scope: Reach, assignee: str | None, state: str) -> int:
    async with reached(scope) as answers:
        found = await answers.ask(people.list_tasks, query=people.TaskQuery(state, assignee))
    if scope.json:
        print_json([_task_json(task) for task in found.tasks])
    elif found.tasks:
        _print_tasks(found.tasks, found.now)
    else:
        console().print("nobody is asked anything" + (f" of {assignee}" if assignee else ""))
    return 0


def _print_tasks(tasks: list[HumanTask], now: int) -> None:
    out = console()
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False, expand=out.is_terminal)
    roomy = out.width >= ROOMY
    for title in ("task", "name", "for", "run", "state", "asked", "due")[: None if roomy else 4]:
        table.add_column(title, no_wrap=True)
    if roomy:
        table.add_column("about", no_wrap=True, overflow="ellipsis", ratio=1 if out.is_terminal else None)
    for task in tasks:
        about = "" if task.subject is None else brief_value(task.subject, 200)
        due = "" if task.due is None else ago(task.due, now)
        cells = (str(task.task), task.name, task.assignee, short_id(task.run_id, out))
        more = (task.state, ago(task.opened_at, now), due, Text(about))
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
    }
