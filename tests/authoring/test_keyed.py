"""Keyed state that is asked for by something that is no name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from segue import state
from segue.errors import InvalidArgument

ASKING: list[Callable[[Any, Any], Any]] = [
    state.get,
    state.get_sync,
    lambda scope, key: state.set(scope, key, 1),
    lambda scope, key: state.set_sync(scope, key, 1),
]


@pytest.mark.parametrize("ask", ASKING, ids=["get", "get_sync", "set", "set_sync"])
@pytest.mark.parametrize(
    ("scope", "key", "what"), [("cursor", int | None, r"key .* not int \| None"), (7, "orders", "scope .* not 7")]
)
async def test_what_is_no_name_is_told(ask: Callable[[Any, Any], Any], scope: Any, key: Any, what: str) -> None:
    with pytest.raises(InvalidArgument, match=rf'the {what}.*state\.get\("cursor", "orders"\)'):
        await _asked(ask, scope, key)


async def _asked(ask: Callable[[Any, Any], Any], scope: Any, key: Any) -> None:
    found = ask(scope, key)
    if isinstance(found, Awaitable):
        await found
