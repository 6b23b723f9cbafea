"""What every command takes: which database or server, whose code, whose runs, and for whom to print."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from cyclopts import Parameter

from segue.configuration.opening import shown, without_password
from segue.configuration.settings import app_name, database_url, is_postgres, namespace_name, server_url, sqlite_path
from segue.errors import InvalidArgument, StoreUnavailable

_KEY = re.compile("[!-~]+")
"""What may be an API key: one word, in a header of HTTP."""
_HOST = re.compile(r"[^\s/\\%]+")


@Parameter(name="*", group="Everywhere")
@dataclass(frozen=True)
class Scope:
    url: Annotated[
        str | None, Parameter(help="The database, sqlite:///… or postgresql://…. Or: SEGUE_URL, segue.toml.")
    ] = None
    app: Annotated[str | None, Parameter(help="The app whose runs they are. Or: SEGUE_APP, segue.toml.")] = None
    namespace: Annotated[str | None, Parameter(help="Whose runs. Or: SEGUE_NAMESPACE, segue.toml.")] = None
    json: Annotated[bool, Parameter(negative=(), show_default=False, help="Print JSON, for machines.")] = False

    @property
    def database(self) -> str:
        """The database's URL, from wherever it is set."""
        return database_url(self.url)

    @property
    def shown_database(self) -> str:
        """The database's URL, for people: without a password."""
        return shown(self.database) if is_postgres(self.database) else self.database

    @property
    def app_name(self) -> str:
        return app_name(self.app)

    @property
    def namespace_name(self) -> str:
        return namespace_name(self.namespace)

    def require_database(self) -> None:
        """Looking must not make an empty database.

        Raises:
            StoreUnavailable: there is none.
        """
        if is_postgres(self.database):
            return  # it is there, or connecting to it says why not
        path = sqlite_path(self.database)
        if not path.exists():
            raise StoreUnavailable(
                f"there is no database {path} yet; `segue run FILE.py` makes one, --url names another one"
            )

    def require_no_server(self) -> None:
        """What works on a database itself must not take another one than is meant.

        Raises:
            InvalidArgument: a server is set, and no database is named.
        """
        address = None if self.url is not None else server_url(None)
        if address is not None:
            raise InvalidArgument(
                "SEGUE_SERVER or segue.toml names a server, and this command works on a database itself: "
                "name that with --url"
            )

    def command(self, *words: str) -> str:
        """A command line for the same database, app and namespace, to be copied by a person: without a password, since
        it is printed and logged."""
        given = [part for flag, value in self._flags() if value for part in (flag, value)]
        return shlex.join(["segue", *words, *given])

    def _flags(self) -> tuple[tuple[str, str | None], ...]:
        url = None if self.url is None else without_password(self.url)
        return ("--url", url), ("--app", self.app), ("--namespace", self.namespace)


@Parameter(name="*", group="Everywhere")
@dataclass(frozen=True)
class Reach(Scope):
    """For commands that may ask a server instead of a database."""

    server: Annotated[
        str | None, Parameter(help="Ask this server, http://… or https://…. Or: SEGUE_SERVER, segue.toml.")
    ] = None
    key_file: Annotated[
        str | None, Parameter(help="A file with the API key for it. Or the key itself: SEGUE_API_KEY.")
    ] = None

    @property
    def server_address(self) -> str | None:
        """Where the server is that is asked; None if a database is opened.

        Raises:
            InvalidArgument: it is no address of one, or both are named.
        """
        if self.url is not None and self.server is not None:
            raise InvalidArgument("--url opens a database, --server asks a server; give one of them")
        address = None if self.url is not None else server_url(self.server)
        if address is None:
            return None
        if "@" in address or "?" in address:
            raise InvalidArgument("the address of a server holds no key; give it by SEGUE_API_KEY or --key-file")
        if not _is_address(address):
            raise InvalidArgument(f"{address!r} is no address of a server; write https://host or http://127.0.0.1:7733")
        return address

    @property
    def api_key(self) -> str:
        """The key for the server, empty if there is none.

        Raises:
            InvalidArgument: it is none, or the file that should hold it cannot be read.
        """
        if self.key_file is None:
            key = os.environ.get("SEGUE_API_KEY", "").strip()
            if key and not _KEY.fullmatch(key):
                raise InvalidArgument(
                    "SEGUE_API_KEY holds no API key: that is one word of ASCII, as `segue key add` prints it"
                )
            return key
        try:
            key = Path(self.key_file).read_text(encoding="utf-8", errors="replace").strip()
        except OSError as error:
            raise InvalidArgument(f"the key file {self.key_file!r} cannot be read: {error.strerror}") from error
        if not _KEY.fullmatch(key):  # what it holds may be secret, and is not shown
            raise InvalidArgument(
                f"the key file {self.key_file!r} holds {'something else than an' if key else 'no'} API key: it has to "
                "hold the key alone, as `segue key add` prints it"
            )
        return key

    def _flags(self) -> tuple[tuple[str, str | None], ...]:
        return *super()._flags(), ("--server", self.server), ("--key-file", self.key_file)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        named = parts.scheme in ("http", "https") and not parts.fragment and parts.port != 0
        return named and _HOST.fullmatch(parts.hostname or "") is not None
    except ValueError:  # a port or an IPv6 address that is none
        return False


Lines = Annotated[
    Literal["text", "json"],
    Parameter(help="How it says what goes on: for people, or as one JSON object a line on standard error."),
]
"""The flag ``--log-format`` of commands that serve."""
