"""Letters for streams whose encoding lacks ours: what a terminal of another time shows instead of a question mark."""

from __future__ import annotations

import codecs

REPLACEMENTS = "segue-plain"
"""Name of the error handler, for ``reconfigure(errors=…)``."""

_PLAIN = {"·": "-", "…": "...", "×": "x", "–": "-", "—": "-", "→": "->", "≥": ">=", "≤": "<=", "µ": "u", "✗": "x"}


def _replace(error: UnicodeError) -> tuple[str, int]:
    """What stands in for the letters that cannot be written."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(_PLAIN.get(letter, "?") for letter in text), error.end


codecs.register_error(REPLACEMENTS, _replace)
