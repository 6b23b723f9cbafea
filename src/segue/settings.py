"""Where things are: flag > environment > ``segue.toml`` or ``[tool.segue]`` > default."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from segue.errors import InvalidArgument

DEFAULT_FILE = ".segue/segue.db"


def database_url(url: str | None) -> str:
    """The URL to use when the caller gave ``url``."""
    return url or os.environ.get("SEGUE_URL") or str(configured().get("url", "")) or f"sqlite:///{DEFAULT_FILE}"


def app_name(app: str | None) -> str:
    """The app to use when the caller gave ``app``."""
    return app or os.environ.get("SEGUE_APP") or str(configured().get("app", "")) or "default"


def namespace_name(namespace: str | None) -> str:
    """The namespace to use when the caller gave ``namespace``."""
    return namespace or os.environ.get("SEGUE_NAMESPACE") or str(configured().get("namespace", "")) or "default"


def configured() -> dict[str, Any]:
    """What ``segue.toml``, or ``[tool.segue]`` in ``pyproject.toml``, says in the current folder."""
    for name, table in (("segue.toml", ()), ("pyproject.toml", ("tool", "segue"))):
        path = Path(name)
        if not path.is_file():
            continue
        try:
            found: Any = tomllib.loads(path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise InvalidArgument(f"{name} is not valid TOML: {error}") from error
        for part in table:
            found = found.get(part, {})
        if found:
            return dict(found)
    return {}


def sqlite_path(url: str) -> Path:
    """The file that a URL names: ``sqlite:///relative``, ``sqlite:////absolute``, or a plain path.

    Raises:
        InvalidArgument: another kind of URL.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return Path(url)
    if scheme != "sqlite":
        raise InvalidArgument(
            f"{scheme!r} is not a database that this release can use; write sqlite:///path/to/file.db"
        )
    if not rest.startswith("/") or len(rest) < 2:
        raise InvalidArgument(f"{url!r} names no file; write sqlite:///relative.db or sqlite:////absolute.db")
    return Path(rest[1:])
