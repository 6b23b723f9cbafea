"""Where things are, and how much of everything: flag > environment > ``segue.toml`` or ``[tool.segue]`` > default."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable
from difflib import get_close_matches
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal, cast

import msgspec

from segue.errors import InvalidArgument
from segue.kernel.names import checked_namespace
from segue.kernel.notice import NotifyRule
from segue.notifying.rules import checked
from segue.runtime.keeping import rules_of
from segue.runtime.settings import Settings

Durability = Literal["full", "relaxed"]

DEFAULT_FILE = ".segue/segue.db"
DEFAULT_PORT = 7733
KNOWN = (
    "url",
    "server",
    "app",
    "namespace",
    "port",
    "durability",
    "encodings",
    "oidc",
    "secrets",
    *Settings.__struct_fields__,
)
"""Keys that the file may have; in the environment they are ``SEGUE_URL`` and so on."""


def database_url(url: str | None) -> str:
    """The URL to use when the caller gave ``url``."""
    return str(_setting("url", url or None) or "") or f"sqlite:///{DEFAULT_FILE}"


def server_url(server: str | None) -> str | None:
    """The server that the command line asks when the caller gave ``server``; None if it opens a database."""
    return str(_setting("server", server or None) or "") or None


def app_name(app: str | None) -> str:
    """The app to use when the caller gave ``app``."""
    return said_app(app) or "default"


def said_app(app: str | None) -> str | None:
    """As ``app_name``; None where nobody says anything."""
    return str(_setting("app", app or None) or "") or None


def namespace_name(namespace: str | None) -> str:
    """The namespace to use when the caller gave ``namespace``. Raises ``InvalidArgument``: that is no name of one."""
    return said_namespace(namespace) or "default"


def said_namespace(namespace: str | None) -> str | None:
    """As ``namespace_name``; None where nobody says anything, and a server that is asked takes its own."""
    name = str(_setting("namespace", namespace or None) or "")
    return checked_namespace(name) if name else None


def port_number(port: int | None) -> int:
    """The port of the HTTP server to use when the caller gave ``port``.

    Raises:
        InvalidArgument: it is no port.
    """
    value = _setting("port", port)
    try:
        number = DEFAULT_PORT if value in (None, "") else int(value)
    except (TypeError, ValueError):
        raise InvalidArgument(f"the setting port is {value!r}; it is a number", path="port") from None
    if not 0 <= number <= 65_535:
        raise InvalidArgument(
            f"the setting port is {number}; ports are 1 to 65535, and 0 takes any free one", path="port"
        )
    return number


def durability_name(durability: Durability | None) -> Durability:
    """The durability to use when the caller gave ``durability``."""
    name = _setting("durability", durability) or "full"
    if name not in ("full", "relaxed"):
        raise InvalidArgument(f"durability is {name!r}; it is 'full' (the default) or 'relaxed'", path="durability")
    return cast(Durability, name)


def encodings_factory() -> str | None:
    """``module:function`` that makes the encodings, if surroundings name one."""
    name = _setting("encodings", None)
    return None if name is None else str(name)


def secret_places() -> tuple[str, ...]:
    """Folders and files in which secrets are, in the order in which they are asked; in the environment ``:`` is between
    them.

    Raises:
        InvalidArgument: it is no list of places. What it is is not repeated: it may be the secrets themselves.
    """
    found = _setting("secrets", None)
    if found is None:
        return ()
    if isinstance(found, str):
        found = found.split(os.pathsep)
    if not isinstance(found, list) or not all(isinstance(place, str) for place in found):
        raise InvalidArgument(
            "the setting secrets cannot be used: it is a place, or a list of places (folders, files .toml and .enc), "
            "not the secrets themselves",
            path="secrets",
        )
    return tuple(place for place in found if place)


def provider_table() -> dict[str, Any] | None:
    """What is set about the provider at which people log in (docs/access.md); in the environment as JSON.

    Raises:
        InvalidArgument: it is no table. What it is is not repeated: it may hold a secret.
    """
    found = _setting("oidc", None)
    if found is None:
        return None
    try:
        return msgspec.convert(msgspec.json.decode(found) if isinstance(found, str) else found, dict[str, Any])
    except msgspec.MsgspecError as error:
        raise InvalidArgument(
            f"the setting oidc cannot be used: it is a table, in the environment as JSON ({error})", path="oidc"
        ) from error


def read_settings(**given: Any) -> Settings:
    """``Settings`` of what is given, and, for the rest, of what environment and file say: ``threads`` is
    ``SEGUE_THREADS``, then ``threads`` in the file, then the default.

    Raises:
        InvalidArgument: a value cannot be used; the text says where it stands.
    """
    found: dict[str, Any] = {}
    file = configured()
    for field in msgspec.structs.fields(Settings):
        value = _setting(field.name, given.get(field.name), file)
        if value is None:
            continue
        try:
            found[field.name] = _LISTS.get(field.name, partial(_convert, kind=field.type))(value)
        except (msgspec.MsgspecError, InvalidArgument, TypeError) as error:
            # Where notices go is often a secret.
            told = "cannot be used" if field.name == "notify" else f"is {value!r}"
            raise InvalidArgument(f"the setting {field.name} {told}: {error}", path=field.name) from error
    return Settings(**found)


def _setting(name: str, given: Any, file: dict[str, Any] | None = None) -> Any:
    """What was given, else what the environment says, else the file; None if nobody says anything."""
    if given is not None:
        return given
    said = os.environ.get(f"SEGUE_{name.upper()}")
    return said or (configured() if file is None else file).get(name)


def _convert(value: Any, kind: Any) -> Any:
    return msgspec.convert(value, kind, strict=not isinstance(value, str))


def _notify(value: Any) -> tuple[NotifyRule, ...]:
    """Rules, as objects or as tables; ``when`` may be one word. In the environment: the tables as JSON."""
    given = msgspec.json.decode(value) if isinstance(value, str) else value
    return checked(
        rule if isinstance(rule, NotifyRule) else msgspec.convert(_table(rule), NotifyRule) for rule in given
    )


def _table(rule: Any) -> dict[str, Any]:
    if not isinstance(rule, dict):
        raise TypeError("it is a list of tables, in the environment as JSON")
    return {**rule, "when": [rule["when"]]} if isinstance(rule.get("when"), str) else rule


_LISTS: dict[str, Callable[[Any], Any]] = {"retention": rules_of, "notify": _notify}
"""Settings that are a list of tables."""


def configured() -> dict[str, Any]:
    """What ``segue.toml``, or ``[tool.segue]`` in ``pyproject.toml``, says in the current folder.

    Raises:
        InvalidArgument: it is not TOML, or has a key that no setting goes by.
    """
    for name, table in (("segue.toml", ()), ("pyproject.toml", ("tool", "segue"))):
        path = Path(name)
        if not path.is_file():
            continue
        found: Any = _parsed(name, path.read_bytes())
        for part in table:
            found = found.get(part, {})
        for key in found:
            _check_known(name, key)
        if found:
            return dict(found)
    return {}


@lru_cache(2)
def _parsed(name: str, content: bytes) -> dict[str, Any]:
    """Each setting looks into the file, and parsing takes a hundred times as long as reading."""
    try:
        return tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidArgument(f"{name} is not valid TOML: {error}") from error


def _check_known(file: str, key: str) -> None:
    if key not in KNOWN:
        near = get_close_matches(key, KNOWN, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(KNOWN)}"
        raise InvalidArgument(f"{file} sets {key!r}, which is no setting; {hint}", path=key)


_LOGIN = re.compile(r"^postgres(ql)?:|:[^/]*@|password=")
"""What looks like the login of a server, in what is no URL of one."""
_WRITE = "write sqlite:///path/to/file.db or postgresql://user:password@host/database"


def is_postgres(url: str) -> bool:
    """Whether a URL names a PostgreSQL database."""
    return url.startswith(("postgresql://", "postgres://"))


def sqlite_path(url: str) -> Path:
    """The file that a URL names: ``sqlite:///relative``, ``sqlite:////absolute``, or a plain path.

    Raises:
        InvalidArgument: another kind of URL. What may be a password in it is not repeated.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        if _LOGIN.search(url):
            raise InvalidArgument(f"this is neither a file nor the URL of a database; {_WRITE}")
        return Path(url)
    if scheme != "sqlite":
        raise InvalidArgument(
            f"{scheme!r} is not a database that segue can use; write sqlite:///path/to/file.db or "
            "postgresql://user@host/database"
        )
    if not rest.startswith("/") or len(rest) < 2:
        shown = "this URL" if _LOGIN.search(rest) else repr(url)
        raise InvalidArgument(f"{shown} names no file; write sqlite:///relative.db or sqlite:////absolute.db")
    return Path(rest[1:])
