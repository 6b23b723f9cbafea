"""``segue namespaces``: which namespaces a database, or a server, has for whoever asks."""

from __future__ import annotations

import asyncio

from rich.table import Table
from rich.text import Text

from segue.cli.lookup import reached
from segue.cli.output import console, print_json
from segue.cli.scope import Reach
from segue.server import namespaces as answering
from segue.server.namespaces import NamespaceList


def namespaces(*, scope: Reach = Reach()) -> int:  # noqa: B008 (immutable)
    """List namespaces, with how many runs are open in each, and how many of these stand still."""
    return asyncio.run(_list(scope))


async def _list(scope: Reach) -> int:
    async with reached(scope) as answers:
        found = await answers.ask(answering.list_namespaces)
    if scope.json:
        print_json(found.namespaces)
    else:
        console().print(_table(found))
    return 0


def _table(found: NamespaceList) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("namespace", overflow="fold")
    table.add_column("open", justify="right")
    table.add_column("incidents", justify="right")
    for each in found.namespaces:
        table.add_row(Text(each.name), _count(each.open, found.most), _count(each.incidents, found.most))
    return table


def _count(number: int, most: int) -> str:
    return f"{number:,}" if number < most else f"{most:,}+"
