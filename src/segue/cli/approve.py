"""``segue approve``: answers what people are asked."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated, Any

from cyclopts import Parameter
from rich.text import Text

from segue.cli import values
from segue.cli.asking import ask
from segue.cli.awaiting import sent
from segue.cli.lookup import lookup, reached
from segue.cli.messages import RunId, tell_if_nobody_works
from segue.cli.output import console, print_json
from segue.cli.payloads import one_line
from segue.cli.scope import Reach, Scope
from segue.cli.tasks import find_tasks
from segue.cli.words import ago
from segue.client.handles import HumanTask
from segue.errors import CallerError, InvalidArgument
from segue.kernel import forms
from segue.server import people


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
        tasks, now, _ = await find_tasks(answers, people.TaskQuery(run=row.run))
        found = _choose(tasks, wanted, row.id)
        form = found.form or {}
        if has_answer:
            answer = given
        elif said is not None:
            answer = forms.yes_or_no(form, said, comment) if form else said
        else:
            answer = _ask(found, form, now, scope)
        with sent(scope, "the answer", row.id):
            await answers.ask(people.complete_task, task=found.task, body=people.AnswerBody(answer))
        answered = await answers.ask(people.show_task, task=found.task)
        if scope.json:
            told = {"id": row.id, "task": found.task, "name": found.name, "answer": answer, "by": answered.closed_by}
            print_json(told)
        else:
            line = f"{found.name} of run {row.id} is answered by {answered.closed_by}: {one_line(answer)}"
            console().print(line, soft_wrap=True)
            await tell_if_nobody_works(answers, row.app)
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
    out = console()
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
        return _ask_value("", form)
    answer = {}
    needed = forms.required(form)
    for name, field in found.items():
        value = _ask_value(name, field | {"$defs": form.get("$defs", {})}, optional=name not in needed)
        if value is not _NOTHING:
            answer[name] = value
    return answer


_NOTHING = object()
"""No value, for a field that may be without one."""


def _ask_value(name: str, schema: dict[str, Any], *, optional: bool = False) -> Any:
    """What is typed for a field, or for the whole answer; asked again until it fits."""
    kind = "yes or no" if schema.get("type") == "boolean" else forms.outline(schema)
    note = f"{kind}, may be empty" if optional else kind
    question = f"{name} ({note}): " if name else f"{note}: "
    while True:
        text = ask(question)
        if not text and optional:
            return _NOTHING
        try:
            value = _entered(text, schema)
            forms.check(value, schema)
            return value
        except InvalidArgument as error:
            said = str(error).removeprefix("$: ")
            console(sys.stderr).print(Text(f"{said}; try again, or end with Ctrl-D"), style="dim", soft_wrap=True)


def _entered(text: str, field: dict[str, Any]) -> Any:
    kinds = {choice.get("type") for choice in field.get("anyOf", ())}
    if kinds == {"string", "null"}:  # `str | None`: what is typed is text, also where it looks like a number
        return None if text == "null" else text
    if text in field.get("enum", ()):
        return text
    match field.get("type"):
        case "boolean":
            if text.lower() not in ("y", "yes", "true", "n", "no", "false"):
                raise InvalidArgument(f"{text!r} is neither yes nor no; what is understood: y, yes, true, n, no, false")
            return text.lower() in ("y", "yes", "true")
        case "string":
            return text
    return values.untyped(text)
