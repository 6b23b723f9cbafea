"""What every command takes: which database, whose code, whose runs, and for whom to print."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import Parameter

from segue.errors import StoreUnavailable
from segue.opening import shown
from segue.settings import app_name, database_url, is_postgres, namespace_name, sqlite_path


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

    def command(self, *words: str) -> str:
        """A command line for the same database, app and namespace, to be copied by a person."""
        flags = (("--url", self.url), ("--app", self.app), ("--namespace", self.namespace))
        given = [part for flag, value in flags if value for part in (flag, value)]
        return shlex.join(["segue", *words, *given])


EVERYWHERE = ("--url", "--app", "--namespace", "--json")
"""Flags that may stand before the command as well."""

Lines = Annotated[
    Literal["text", "json"],
    Parameter(help="How it says what goes on: for people, or as one JSON object a line on standard error."),
]
"""The flag ``--log-format`` of commands that serve."""
