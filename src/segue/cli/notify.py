"""``segue notify``: the rules by which somebody outside is told of something, and a try whether they get it."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

from cyclopts import App, Parameter
from rich.table import Table
from rich.text import Text

from segue.cli.output import console, print_json
from segue.cli.scope import Scope
from segue.configuration.settings import read_settings
from segue.errors import InvalidArgument
from segue.kernel.attempt import derive_key
from segue.kernel.notice import Notice, NotifyRule
from segue.notifying.rules import address

notify = App(name="notify", help="Rules by which somebody outside is told of something.", version_flags=())


@notify.command(name="list")
def list_rules(*, scope: Scope = Scope()) -> int:  # noqa: B008 (immutable)
    """List the rules of this folder's settings. Addresses are not shown: they may be passwords."""
    rules = read_settings().notify
    if scope.json:
        print_json(
            [
                {field: getattr(rule, field) for field in ("name", "when", "workflow", "namespace", "tags")}
                for rule in rules
            ]
        )
    elif not rules:
        console().print("nobody is told of anything; put [[notify]] into segue.toml, see docs/notify.md")
    else:
        table = Table("rule", "when", "workflow", "namespace", "tags", box=None, pad_edge=False)
        for rule in rules:
            tags = ", ".join(f"{name}={value}" for name, value in rule.tags.items())
            table.add_row(rule.name, ", ".join(rule.when), rule.workflow or "all", rule.namespace or "all", tags)
        console().print(table)
    return 0


@notify.command
def test(
    name: Annotated[str, Parameter(help="The rule's name.")],
    /,
    *,
    scope: Scope = Scope(),  # noqa: B008, PT028 (immutable, and no test)
) -> int:
    """Send a notice by a rule now, and say whether it got there. No run is needed, nothing is recorded."""
    rule = _rule(name)
    address(rule)
    asyncio.run(_send(rule, scope.namespace_name))
    console().print(Text(f"sent by {name}; whoever got it has answered that they have"), soft_wrap=True)
    return 0


def _rule(name: str) -> NotifyRule:
    rules = {rule.name: rule for rule in read_settings().notify}
    if name not in rules:
        raise InvalidArgument(f"there is no rule {name!r}; there are: {', '.join(sorted(rules)) or 'none'}")
    return rules[name]


async def _send(rule: NotifyRule, namespace: str) -> None:
    from segue.notifying.sending import send  # what it needs is loaded by whoever sends

    at = time.time_ns() // 1_000
    notice = Notice(
        id=derive_key(rule.name, f"test-{at}"), when=rule.when[0], workflow=rule.workflow or "test", run="test",
        namespace=namespace, at=at, state="test", message="This is a test of the rule; no run is meant.",
        tags=rule.tags,
    )  # fmt: skip
    await send(rule, notice)
