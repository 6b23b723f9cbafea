"""Texts in settings that stand for what the environment holds, so that no file has to hold a secret."""

from __future__ import annotations

import os

from segue.errors import InvalidArgument


def resolved(text: str) -> str:
    """The text, or what the environment holds for ``$NAME``. Raises ``InvalidArgument`` if that is nothing."""
    if not text.startswith("$"):
        return text
    found = os.environ.get(text[1:])
    if not found:
        raise InvalidArgument(f"the settings refer to the environment variable {text[1:]}, which is not set")
    return found
