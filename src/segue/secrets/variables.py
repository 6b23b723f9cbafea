"""Texts in settings that stand for what the environment holds, so that no file has to hold a secret."""

from __future__ import annotations

import os
import re

from segue.errors import InvalidArgument

_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
"""What is the name of a variable to every reader. Anything else may be a secret that begins with a dollar sign."""


def resolved(text: str) -> str:
    """The text, or what the environment holds for ``$NAME``. Raises ``InvalidArgument`` if that is nothing."""
    if not text.startswith("$"):
        return text
    found = os.environ.get(text[1:])
    if not found:
        name = f" {text[1:]}" if _NAME.fullmatch(text[1:]) else ""
        raise InvalidArgument(f"the settings refer to the environment variable{name}, which is not set")
    return found
