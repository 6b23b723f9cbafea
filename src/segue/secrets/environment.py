"""Secrets in environment variables: ``SEGUE_SECRET_NAME``, or names of one's own choice."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

_PREFIX = "SEGUE_SECRET_"


class Environment:
    """The secret ``db.password`` is ``SEGUE_SECRET_DB_PASSWORD``, unless ``names`` says otherwise."""

    def __init__(self, names: Mapping[str, str] | None = None, *, environ: Mapping[str, str] | None = None) -> None:
        """
        Args:
            names: environment variable by secret, for variables that are there already (``{"db": "DATABASE_URL"}``).
            environ: where to look instead of the process's environment.
        """
        self._names = dict(names or {})
        self._environ = os.environ if environ is None else environ

    def find(self, name: str) -> str | None:
        """The value, or None when the variable is not set."""
        return self._environ.get(self._variable(name))

    def way(self, name: str) -> str:
        """How a secret gets there."""
        return f"export {self._variable(name)}=…"

    def _variable(self, name: str) -> str:
        return self._names.get(name) or variable(name)

    def __str__(self) -> str:
        return f"environment ({_PREFIX}…)"


def variable(name: str) -> str:
    """The environment variable of a secret: upper case, every run of other characters one underscore."""
    return _PREFIX + re.sub(r"[^A-Z0-9]+", "_", name.upper())
