"""Answers a run's human tasks from the keyboard, until the run has its result.

The dashboard and ``segue approve`` do the same from elsewhere; the run neither knows nor cares who asks the person.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any, TypeVar

from segue import Engine, Handle

R = TypeVar("R")


async def conclude(engine: Engine, handle: Handle[R]) -> R:
    """The result of a run, whose questions are put to whoever sits at the terminal."""
    result = asyncio.ensure_future(handle.result())
    seen: set[int] = set()
    while not result.done():
        for task in await engine.tasks(run=handle.run):
            if task.task in seen:
                continue
            seen.add(task.task)
            print(f"\n{task.name} ({task.assignee} is asked)\n{_indented(task.subject)}")
            if not sys.stdin.isatty():
                print(f"  (nobody at the keyboard; answer with: segue approve {task.run_id})")
                continue
            answer = await asyncio.to_thread(_fill_in, task.form or {})
            await engine.complete_task(task, answer, by="terminal")
        await asyncio.wait([result], timeout=0.1)
    return result.result()


def _fill_in(form: dict[str, Any]) -> dict[str, Any]:
    """Asks for every field of a form, as its JSON Schema describes it."""
    while "$ref" in form:
        form = form["$defs"][form["$ref"].rpartition("/")[2]] | {"$defs": form["$defs"]}
    answer: dict[str, Any] = {}
    for name, field in form.get("properties", {}).items():
        kind = field.get("type")
        said = input(f"  {name}{' [y/n]' if kind == 'boolean' else ''}: ").strip()
        if kind == "boolean":
            answer[name] = said.lower() in ("y", "yes")
        elif kind in ("integer", "number"):
            answer[name] = json.loads(said)
        elif said or "default" not in field:
            answer[name] = said
    return answer


def _indented(subject: Any) -> str:
    if not isinstance(subject, dict):
        return f"  {subject}" if subject is not None else ""
    return "\n".join(f"  {name}: {value}" for name, value in subject.items())
