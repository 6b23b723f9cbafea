"""The public API is typed end to end: right code passes a strict checker, wrong code is flagged where it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


def check(name: str) -> dict[int, set[str]]:
    """Error codes by line, as mypy --strict reports them."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--show-error-codes", str(HERE / name)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "MYPYPATH": str(ROOT / "src")},
    )
    found: dict[int, set[str]] = {}
    for line in done.stdout.splitlines():
        match = re.match(rf".*{re.escape(name)}:(\d+): error: .*\[([a-z-]+)\]$", line)
        if match:
            found.setdefault(int(match[1]), set()).add(match[2])
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return found


def test_what_is_right_passes() -> None:
    assert check("right.py") == {}


def test_what_is_wrong_is_flagged() -> None:
    found = check("wrong.py")
    lines = (HERE / "wrong.py").read_text().splitlines()
    for number, line in enumerate(lines, 1):
        match = re.search(r"# E: ([a-z|-]+)$", line)
        if match:
            assert found.get(number, set()) & set(match[1].split("|")), f"line {number} is not flagged: {line.strip()}"
        else:
            assert number not in found, f"line {number} is flagged {found[number]}: {line.strip()}"
