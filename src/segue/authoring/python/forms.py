"""A type as a form: what people are shown who are to give a value of it."""

from __future__ import annotations

from typing import Any

import msgspec


def json_schema(form: Any) -> dict[str, Any]:
    """JSON Schema (2020-12) of a type, as msgspec sees it; of anything for types it does not know."""
    try:
        return msgspec.json.schema(form)
    except (TypeError, NotImplementedError):
        return {}
