"""What the screens know of the API is what the API says."""

from __future__ import annotations

import ui_types
from build_ui import SOURCE


def test_types_are_those_of_the_api() -> None:
    assert ui_types.TARGET.read_text(encoding="utf-8") == ui_types.generate(), "run scripts/ui_types.py"


def test_lock_file_names_no_host() -> None:
    text = (SOURCE / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in text
    assert '"integrity"' in text
