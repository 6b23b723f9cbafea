"""``segue namespaces``: which namespaces a database, or a server, has for whoever asks, and what is said of them."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from segue.cli.lookup import reached
from segue.cli.output import ROOMY, console, print_json
from segue.cli.person import person
from segue.cli.scope import Reach
from segue.errors import InvalidArgument
from segue.runtime.keeping import RetentionRule
from segue.server import namespaces as answering
from segue.server.answers import Here
from segue.server.namespaces import NamespaceChange, NamespaceList, NamespaceView
from segue.stores.account_rows import AuditRow

namespaces = App(
    name="namespaces", help="List namespaces; say what each is for, and how long its runs are kept.", version_flags=()
)

FOR_EVER, SETTINGS = "forever", "settings"
"""Words for how long runs are kept, beside a length of time and rules."""


@namespaces.default
def list_namespaces(*, scope: Reach = Reach()) -> int:  # noqa: B008 (immutable)
    """List namespaces: what each is for, how long its runs are kept, how many are open and stand still."""
    return asyncio.run(_list(scope))


async def _list(scope: Reach) -> int:
    async with reached(scope) as answers:
        found = await answers.ask(answering.list_namespaces)
    if scope.json:
        print_json([_told(each) for each in found.namespaces])
    else:
        out = console()
        out.print(_table(found, out))
    return 0


@namespaces.command(name="set")
def set_namespace(
    name: Annotated[str, Parameter(help="The namespace.")],
    /,
    *,
    description: Annotated[str | None, Parameter(help="What it is for; an empty text for nothing.")] = None,
    retention: Annotated[
        str | None,
        Parameter(
            help="How long its runs are kept after their end: 30d, rules as a JSON list, `forever`, or `settings`."
        ),
    ] = None,
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """Say what a namespace is for, and how long its runs are kept. What is not named stays as it was."""
    if description is None and retention is None:
        raise InvalidArgument("nothing is said of the namespace; give --description, --retention or both")
    change = NamespaceChange(
        msgspec.UNSET if description is None else description, msgspec.UNSET if retention is None else _rules(retention)
    )
    return asyncio.run(_set(scope, name, change))


async def _set(scope: Reach, name: str, change: NamespaceChange) -> int:
    async with reached(scope) as answers:
        found = await answers.ask(answering.change_namespace, body=change, name=name)
        if isinstance(answers, Here):  # a server notes it itself
            at, actor = answers.engine.clock.now(), f"cli:{person()}"
            entry = AuditRow(0, at, name, actor, answering.change_namespace.__name__, name, 200, "", "")
            await asyncio.to_thread(answers.engine.store.accounts.audit, entry)
    if scope.json:
        print_json(_told(found))
    else:
        what = f" ({found.description})" if found.description else ""
        console().print(f"{name}{what}: runs are kept {kept(found)}", soft_wrap=True)
    return 0


def _rules(text: str) -> list[RetentionRule] | str | None:
    """What ``--retention`` says. Raises ``InvalidArgument``."""
    if text in (FOR_EVER, SETTINGS):
        return [] if text == FOR_EVER else None
    if not text.lstrip().startswith("["):
        return text
    try:
        return msgspec.json.decode(text, type=list[RetentionRule])
    except msgspec.DecodeError as error:
        raise InvalidArgument(
            f'--retention is no list of rules ({error}); write for example [{{"keep": "30d"}}, {{"keep": "365d", '
            '"state": "failed"}]'
        ) from error


def kept(namespace: NamespaceView) -> str:
    """How long runs are kept after their end, in words."""
    if namespace.retention is None:
        return "as the settings say"
    return ", ".join(map(_words, namespace.retention)) or "for ever"


def _words(rule: RetentionRule) -> str:
    """``365d if failed``, ``7d of poll_feed``."""
    return rule.keep + (f" of {rule.workflow}" if rule.workflow else "") + (f" if {rule.state}" if rule.state else "")


def _told(namespace: NamespaceView) -> dict[str, object]:
    """What is said of it, without what only a program that changes it asks for."""
    said = msgspec.structs.asdict(namespace)
    return {name: value for name, value in said.items() if name not in ("may_change", "etag")}


def _table(found: NamespaceList, out: Console) -> Table:
    """A narrow terminal gets what tells most of them."""
    roomy = out.width >= ROOMY
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("namespace", overflow="fold", min_width=9)
    table.add_column("open", justify="right", no_wrap=True)
    table.add_column("incidents", justify="right", no_wrap=True)
    if roomy:
        table.add_column("kept", overflow="fold")
        table.add_column("description", overflow="fold", min_width=11)
    for each in found.namespaces:
        counts = _count(each.open, found.most), _count(each.incidents, found.most)
        more = (Text(kept(each)), Text(each.description)) if roomy else ()
        table.add_row(Text(each.name), *counts, *more)
    return table


def _count(number: int, most: int) -> str:
    return f"{number:,}" if number < most else f"{most:,}+"
