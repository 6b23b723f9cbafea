"""The numbered ``.sql`` files that bring a database to the schema of this release."""

from __future__ import annotations

import re
from pathlib import Path


def numbered(folder: Path) -> dict[int, Path]:
    """The migrations of a dialect, by number."""
    named = ((re.match(r"(\d{4})_\w+\.sql$", path.name), path) for path in folder.iterdir())
    files = {int(match[1]): path for match, path in named if match}
    assert sorted(files) == list(range(1, len(files) + 1)), "migrations are numbered without a gap"
    return files
