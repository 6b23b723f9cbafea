"""Connecting to the server, and what its errors mean to us."""

from __future__ import annotations

import math
import select
from functools import cache
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit

import psycopg
from psycopg import conninfo, errors
from psycopg.pq import Conninfo

from segue.errors import InvalidArgument, StoreCorrupt, StoreError, StoreUnavailable
from segue.stores.postgres.columns import send_columns

OLDEST_SERVER = 140_000
"""``server_version`` from which on everything used here is there."""

PLANNING = "SET enable_seqscan = off; SET jit = off"
"""Every statement of ours has its index. Without this, one that is prepared while a table is small (in a new database,
or after a quiet night) reads all of that table until the server has counted its rows again: a minute or more of a
storm. What has no index is read all the same, at a cost for which it would be compiled first."""

OWN_PLANNING = "SET LOCAL enable_seqscan TO DEFAULT; SET LOCAL jit TO DEFAULT"
"""For statements of the user's own, whose tables are not ours, in the middle of a transaction."""

PLANNING_AGAIN = "SET LOCAL enable_seqscan = off; SET LOCAL jit = off"
"""After them, for the rest of the transaction: the session may be a pooler's, and somebody else's next."""

Connection = psycopg.Connection[tuple[Any, ...]]

CONFLICTS: tuple[type[Exception], ...] = (
    errors.UniqueViolation,
    errors.ForeignKeyViolation,
    errors.DeadlockDetected,
    errors.SerializationFailure,
)
"""Two transactions met; nothing was written, and the next try sees what the other one did."""

OUT_OF_REACH: tuple[type[Exception], ...] = (errors.UndefinedTable, errors.InsufficientPrivilege)
"""A partition is not there any more under its name, or this user may reach it by the whole table only."""

UNFIT: tuple[type[Exception], ...] = (
    psycopg.DataError,
    psycopg.IntegrityError,
    errors.ProgramLimitExceeded,
    errors.CannotCoerce,
    errors.DatatypeMismatch,
    TypeError,
    ValueError,
    OverflowError,
)
"""What a value raises that does not fit, on its way to the server or in it."""

_ADVICE: dict[type[Exception], str] = {
    errors.DiskFull: "the server's disk is full; free some space, work goes on by itself",
    errors.TooManyConnections: "the server takes no more connections; raise max_connections or put a pooler before it",
    errors.ReadOnlySqlTransaction: "the server is read-only (a standby?); name the primary in the URL",
    errors.AdminShutdown: "the server is shutting down",
    errors.CrashShutdown: "the server has crashed and restarts",
    errors.CannotConnectNow: "the server is starting up",
    errors.InvalidPassword: "the server refuses the password",
    errors.InvalidAuthorizationSpecification: "the server refuses the user",
    errors.InvalidCatalogName: "there is no such database; make it with createdb",
    errors.InsufficientPrivilege: "the user lacks a right; grant CREATE on the database, or all on schema segue",
}
_UNREADABLE = (
    "the URL of the database cannot be read; write postgresql://user:password@host:5432/database?sslmode=require, with "
    "special characters of user and password in percent-encoding (% is %25, @ is %40, / is %2F, # is %23, ? is %3F)"
)
_DAMAGED: tuple[type[Exception], ...] = (errors.DataCorrupted, errors.IndexCorrupted)


class Address:
    """Where the database is, as its URL says.

    ``postgresql://user@host/database?prepare=off`` keeps from preparing statements, which PgBouncer before 1.21 needs
    in transaction mode; every other parameter goes to libpq.

    Attributes:
        shown: the URL without its password, for messages.

    Raises:
        InvalidArgument: it cannot be read. What stands in it is not repeated: a password that is not encoded may be
            taken for any part of it.
    """

    def __init__(self, url: str) -> None:
        parts = _parts(url)
        # To libpq a plus is a plus, not the space that it is in a form.
        given = dict(parse_qsl(parts.query.replace("+", "%2B"), keep_blank_values=True))
        prepare = given.pop("prepare", "on")
        if prepare not in ("on", "off"):
            raise InvalidArgument(f"prepare={prepare} in the database's URL: it is on or off")
        self.prepares = prepare == "on"
        for name in given:
            if name.isidentifier() and name not in _parameters():
                if "@" in parts.query:  # a question mark in the password, and this is the rest of it
                    raise InvalidArgument(_UNREADABLE)
                raise InvalidArgument(f"{name}=… in the database's URL is no parameter of a PostgreSQL connection")
        # By hand: urlunsplit leaves the slashes of an empty host out, which a URL that names a socket has.
        query = urlencode(given, quote_via=quote)
        self.target = f"postgresql://{parts.netloc}{parts.path}{'?' if query else ''}{query}"
        try:
            conninfo.conninfo_to_dict(self.target)
        except psycopg.ProgrammingError:
            raise InvalidArgument(_UNREADABLE) from None
        place = parts.netloc.rpartition("@")[2]
        user = f"{parts.username}@" if parts.username else ""
        self.shown = f"postgresql://{user}{place}{parts.path}"


def _parts(url: str) -> SplitResult:
    """The URL, taken apart where that can be done in one way only."""
    place = url.partition("://")[2].partition("?")[0]
    host = place.rpartition("@")[2]
    if place.count("@") > 1 or "#" in url or "/" in place.removesuffix(host):
        raise InvalidArgument(_UNREADABLE)
    try:
        return urlsplit(url)
    except ValueError:  # a bracket without the other one
        raise InvalidArgument(_UNREADABLE) from None


@cache
def _parameters() -> frozenset[str]:
    return frozenset(option.keyword.decode() for option in Conninfo.get_defaults())


def connect(address: Address, *, patience: float, reads: bool = False) -> Connection:
    """A connection in autocommit. A server that is silent for ``patience`` seconds counts as gone, and a transaction
    that does nothing for as long, not less, is ended by the server.

    Raises:
        StoreUnavailable: there is no server, or it refuses.
    """
    seconds = max(1, math.ceil(patience))
    try:
        connection = psycopg.connect(
            address.target,
            autocommit=True,
            prepare_threshold=5 if address.prepares else None,
            cursor_factory=psycopg.RawCursor,
            connect_timeout=seconds,
            tcp_user_timeout=seconds * 1000,
            keepalives_idle=seconds,
            keepalives_interval=max(1, seconds // 3),
            keepalives_count=3,
            application_name="segue",
        )
    except psycopg.OperationalError as error:
        raise _refusal(error, address) from error
    except psycopg.Error as error:
        raise meaning(error, address) from error
    send_columns(connection)
    try:
        _set_up(connection, address, seconds, reads)
    except psycopg.Error as error:
        connection.close()
        raise meaning(error, address) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _refusal(error: psycopg.OperationalError, address: Address) -> StoreUnavailable:
    """Why there is no connection. The server's words have no code that one could tell them by."""
    told = str(error).strip().replace("\n", "; ")
    if error.pgconn is not None and error.pgconn.needs_password:
        advice = "the server asks for a password and none was given; write postgresql://user:password@host/database"
    else:
        advice = (
            "see whether it runs and takes connections from here, and whether host, port, user, password and database "
            "in the URL are right"
        )
    return StoreUnavailable(f"{address.shown}: the server cannot be reached or refuses ({told}); {advice}")


def beginning(address: Address, patience: float) -> bytes:
    """How a transaction begins."""
    if address.prepares:
        return b"BEGIN"
    return f"BEGIN; SET LOCAL idle_in_transaction_session_timeout = '{max(1, math.ceil(patience))}s'".encode()


def _set_up(connection: Connection, address: Address, seconds: int, reads: bool) -> None:
    if connection.info.server_version < OLDEST_SERVER:
        found = connection.info.parameter_status("server_version")
        raise StoreError(f"{address.shown} is PostgreSQL {found}; segue needs 14 or later: update the server")
    if not address.prepares:
        return  # a pooler would have somebody else's next transaction find what is set here
    # The server, too, has to notice that nobody is there any more, or it keeps locks for hours.
    settings = (
        f"SET idle_in_transaction_session_timeout = '{seconds}s'; SET client_min_messages = warning; "
        f"SET tcp_keepalives_idle = {seconds}; SET tcp_keepalives_interval = {max(1, seconds // 3)}; "
        f"SET tcp_keepalives_count = 3; SET tcp_user_timeout = '{seconds}s'; {PLANNING}"
    )
    if reads:
        settings += "; SET default_transaction_read_only = on"
    connection.execute(settings)


def is_stale(connection: Connection) -> bool:
    """Whether an idle connection has something to read: nobody has asked, so it is the server's farewell."""
    if connection.closed:
        return True
    look = select.poll()
    look.register(connection.fileno(), select.POLLIN)
    return bool(look.poll(0))


def is_gone(error: Exception) -> bool:
    """Whether the connection is of no more use, or may not be."""
    if isinstance(error, (*CONFLICTS, errors.QueryCanceled)):
        return False
    return isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))


def meaning(error: Exception, address: Address) -> StoreError:
    """The error of our tree for an error of the server's or the driver's."""
    where = address.shown
    told = str(error).strip().replace("\n", "; ")
    for kind, advice in _ADVICE.items():
        if isinstance(error, kind):
            return StoreUnavailable(f"{where}: {advice} ({told})")
    if isinstance(error, _DAMAGED):
        return StoreCorrupt(f"{where}: the server reports damage ({told}); restore a backup")
    if isinstance(error, errors.UndefinedTable):
        return StoreCorrupt(f"{where}: a table of segue's is gone ({told}); restore a backup, or drop schema segue")
    if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError)):
        return StoreUnavailable(f"{where}: the server cannot be reached or cannot work just now ({told})")
    return StoreError(
        f"{where}: the server refused a statement of segue's ({type(error).__name__}: {told}); report this"
    )
