"""A decision and how it came about, for people: its value, and a table of the rules that matched."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from segue.kernel.payload import JSON
from segue.kernel.plain import plain_value
from segue.kernel.timeline import Call


def verdict(call: Call) -> str:
    """A recorded decision in few words: what it gave, and by which rules of its own tables."""
    if call.result is None:
        return ""
    text = shown(plain_value(call.result))
    text = text if len(text) <= 60 else f"{text[:57]}..."
    made = _told(call).get("decisions", [])
    own = made[-1]["tables"] if made else []
    rules = [str(hit["rule"]) for table in own if table["place"] == made[-1]["name"] for hit in table["hits"]]
    if not rules:
        return text
    return f"{text} by {'rule' if len(rules) == 1 else 'rules'} {', '.join(rules)}"


def print_recorded(out: Console, call: Call) -> None:
    """A recorded decision with its tables, as far as they can be read."""
    told = _told(call)
    if call.result is not None and told:
        print_outcome(out, call.name, {"value": plain_value(call.result), **told})


def _told(call: Call) -> dict[str, Any]:
    """How it came about; nothing where that is erased, sealed or kept elsewhere."""
    found = call.explanation
    readable = found is not None and found.encoding == JSON and found.ref is None
    return plain_value(found) if found is not None and readable else {}


def print_outcome(out: Console, name: str, outcome: dict[str, Any]) -> None:
    """An outcome as plain data: its value, and every decision on the way to it."""
    out.print(Text(f"{name} = ").append(shown(outcome["value"]), style="bold"), soft_wrap=True)
    for made in outcome["decisions"]:
        if len(outcome["decisions"]) > 1 or made["name"] != name:
            out.print()
            line = Text(made["name"], style="bold").append(f" = {shown(made['value'])}", style="not bold")
            out.print(line, soft_wrap=True)
        for asked in made["tables"]:
            _print_table(out, asked, made["name"])
    for warning in outcome["warnings"]:
        out.print(Text(f"null because: {warning}"), style="dim", soft_wrap=True)


def _print_table(out: Console, asked: dict[str, Any], decision: str) -> None:
    """One row per rule that matched; what was asked stands in each, so that a row can be read by itself."""
    title = asked["hit_policy"] if asked["place"] == decision else f"{asked['place']}, {asked['hit_policy']}"
    outputs = list(dict.fromkeys(name for hit in asked["hits"] for name in hit["outputs"]))
    notes = list(dict.fromkeys(name for hit in asked["hits"] for name in hit["annotations"]))
    table = Table("rule", *asked["inputs"], *outputs, *notes)
    for hit in asked["hits"]:
        table.add_row(
            str(hit["rule"]),
            *map(shown, asked["inputs"].values()),
            *(shown(hit["outputs"].get(name)) for name in outputs),
            *(hit["annotations"].get(name, "") for name in notes),
        )
    if not asked["hits"]:
        table.add_row("none", *map(shown, asked["inputs"].values()))
    out.print(Text(title, style="dim"), soft_wrap=True)
    out.print(table)


def shown(value: Any) -> str:
    """A value in one line, as a table has it."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case list():
            return "[" + ", ".join(map(shown, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{name}: {shown(item)}" for name, item in value.items()) + "}"
    return str(value)
