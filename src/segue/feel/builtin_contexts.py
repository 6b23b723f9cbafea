"""The built-in functions on contexts (DMN 1.5, 10.3.4.10)."""

from __future__ import annotations

from typing import Any, Final

from segue.feel.builtin import Family
from segue.feel.nothing import Null
from segue.feel.run import Run
from segue.feel.values import Value, kind

CONTEXTS: Final = Family()
Context = dict[str, Any]


@CONTEXTS.add("get value(m: context, key: string)")
def get_value(run: Run, context: Context, key: str) -> Value:
    if key not in context:
        raise Null(f"there is no entry {key[:40]!r}")
    return context[key]


@CONTEXTS.add("get entries(m: context)")
def get_entries(run: Run, context: Context) -> list[Value]:
    run.produce(3 * len(context))
    return [{"key": key, "value": value} for key, value in context.items()]


@CONTEXTS.add("context(entries: list)")
def context(run: Run, entries: list[Value]) -> Context:
    run.produce(len(entries))
    made: Context = {}
    for entry in entries:
        if not isinstance(entry, dict) or "value" not in entry or not isinstance(entry.get("key"), str):
            raise Null("an entry must be a context with a key, which is a string, and a value")
        if entry["key"] in made:
            raise Null(f"the key {entry['key'][:40]!r} stands there twice")
        made[entry["key"]] = entry["value"]
    return made


@CONTEXTS.add(
    "context put(context: context, key: string, value: any)",
    "context put(context: context, keys: list, value: any)",
)
def context_put(run: Run, into: Context, keys: str | list[Value], value: Value) -> Context:
    path = [keys] if isinstance(keys, str) else keys
    run.step(len(path))
    if not path or not all(isinstance(key, str) for key in path):
        raise Null("the keys must be strings, and at least one")
    made: Value = value
    for key, place in reversed(list(zip(path, _down(into, path), strict=True))):
        run.produce(len(place) + 1)
        made = {**place, key: made}
    result: Context = made
    return result


def _down(context: Context, path: list[str]) -> list[Context]:
    """The contexts that a path leads through."""
    places: list[Context] = [context]
    for key in path[:-1]:
        inner = places[-1].get(key)
        if not isinstance(inner, dict):
            raise Null(f"there is no context under {key[:40]!r}")
        places.append(inner)
    return places


@CONTEXTS.add("context merge(contexts: list)")
def context_merge(run: Run, contexts: list[Value]) -> Context:
    merged: Context = {}
    run.step(len(contexts))
    for each in contexts:
        if not isinstance(each, dict):
            raise Null(f"all must be contexts, got {kind(each)}")
        run.produce(len(each))
        merged |= each
    return merged
