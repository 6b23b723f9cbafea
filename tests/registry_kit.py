"""What the registries hold for a while: tests that define workflows and steps leave each other's alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from segue.authoring.python.definitions import STEPS, WORKFLOWS

REGISTRIES: tuple[Any, ...] = (STEPS, WORKFLOWS)
Names = tuple[dict[str, Any], ...]
"""What each of them holds, by name."""


def held() -> Names:
    """What they hold now."""
    return tuple(dict(registry._by_name) for registry in REGISTRIES)


def hold(names: Sequence[Mapping[str, Any]]) -> None:
    """Has them hold these definitions and no others."""
    for registry, each in zip(REGISTRIES, names, strict=True):
        mine = dict(each)
        registry._by_name.clear()  # in place: a registry's versions are kept beside the same names
        registry._by_name.update(mine)


@contextmanager
def holding(names: Sequence[Mapping[str, Any]]) -> Iterator[None]:
    """As ``hold``, for a while."""
    before = held()
    hold(names)
    try:
        yield
    finally:
        hold(before)
