"""``segue version``: what is installed."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from segue import __version__
from segue.cli.output import print_json
from segue.cli.scope import Scope

PACKAGES = ("apsw", "lxml", "msgspec", "cyclopts", "rich")


def show_version(*, scope: Scope = Scope()) -> int:  # noqa: B008 (immutable)
    """Show the versions of segue, Python and what segue stands on."""
    found = {"segue": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    if scope.json:
        print_json(found)
    else:
        print("\n".join(f"{name:<9} {number}" for name, number in found.items()))
    return 0
