"""Bytes at a URL outside the database, through whatever fsspec knows: a folder, S3, GCS, Azure, SFTP and others.

All of it may take its time, and some systems never answer: it belongs into a thread (see ``runtime.fetching``).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from segue.errors import InvalidArgument, StoreUnavailable
from segue.stores.place_rows import Placed

log = logging.getLogger("segue.store")

INSTALL = "fsspec is not here to reach it: pip install 'segue[files]'"
FILES = ("file", "local")


def check(base: str) -> None:
    """Whether values can be kept under a URL. Nothing is asked of a place that is not a folder: it may be away.

    Raises:
        InvalidArgument: it is none that is known here; what to do is said, and no password repeated.
    """
    scheme, known, rest = base.partition("://")
    if not known:
        raise InvalidArgument("large values cannot be kept at what is no URL; a folder is file:///path/of/it")
    shown = f"{scheme}://…"
    if _holds_password(base):
        raise InvalidArgument(
            f"the URL {shown} for large values has a password in it, which would stand beside every value; leave it to "
            "fsspec's own configuration, see docs/data.md"
        )
    if "?" in rest or "#" in rest or "::" in base:
        raise InvalidArgument(f"the URL {shown} for large values has more in it than a path; leave out ?, # and ::")
    if scheme == "memory":
        raise InvalidArgument(
            "large values cannot be kept in memory://, which ends with its process; a folder is file:///path/of/it"
        )
    if scheme in FILES and not rest.startswith("/"):
        raise InvalidArgument(
            f"{base} depends on where a process was started; write the whole path: file:///path/of/it"
        )
    try:
        from fsspec import get_filesystem_class
    except ImportError as error:
        raise InvalidArgument(f"values are to be kept at {base}, and {INSTALL}") from error
    try:
        get_filesystem_class(scheme)
    except (ImportError, ValueError) as error:  # a protocol whose package is missing, or none
        raise InvalidArgument(f"values cannot be kept at {base!r}: {error}") from error
    if scheme in FILES and not os.path.isdir(rest):
        raise InvalidArgument(
            f"large values cannot be kept at {base}: there is no folder {rest}; make it, or mount its disk"
        )


def place_under(base: str, name: str) -> str:
    """The URL of an object under another one: in one of 256 folders, since many systems list long ones slowly."""
    return f"{base.rstrip('/')}/{name[:2]}/{name}"


def put(place: str, data: bytes) -> None:
    """Writes an object of a new name, and returns once it is durable.

    Raises:
        StoreUnavailable: it may be there, in part or whole.
    """
    system, path = _system(place)
    try:
        if _in_folder(system):
            _write(path, data)
        else:
            _pipe(system, path, data)
    except Exception as error:
        raise _unavailable(place, error, system) from error


def get(place: str) -> bytes | None:
    """The bytes of an object; None, and a line in the log, if there is none. Raises ``StoreUnavailable``."""
    found = find(place)
    if found is None:
        log.error("there is nothing at %s, where a large value has to be: it was removed by somebody else", place)
    return found


def find(place: str) -> bytes | None:
    """The bytes of an object; None if there is none, for the caller to say so. Raises ``StoreUnavailable``."""
    system, path = _system(place)
    for _ in range(
        2 if _in_folder(system) else 1
    ):  # a disk may have come back between the look and that for its folder
        try:
            return bytes(system.cat_file(path))
        except FileNotFoundError as error:
            # A folder of objects is never removed: where it is missing, a disk is, which may come back.
            if _in_folder(system) and not os.path.isdir(os.path.dirname(path)):
                raise _unavailable(place, error, system) from error
        except Exception as error:
            raise _unavailable(place, error, system) from error
    return None


def fetch(placed: Iterable[Placed]) -> dict[str, bytes | None]:
    """The bytes of values, by content address; None for those that are not there. Raises ``StoreUnavailable``."""
    places = {value.ref: value.place for value in placed}
    return {ref: get(place) for ref, place in places.items()}


def remove(place: str) -> None:
    """Removes an object, if it is there. Raises ``StoreUnavailable``."""
    system, path = _system(place)
    try:
        system.rm_file(path)
    except FileNotFoundError:
        pass
    except Exception as error:
        raise _unavailable(place, error, system) from error


def _holds_password(url: str) -> bool:
    try:
        return urlsplit(url).password is not None
    except ValueError:
        return "@" in url


def _system(url: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise StoreUnavailable(f"a value is kept at {url}, and {INSTALL}") from error
    try:
        found: tuple[Any, str] = url_to_fs(url)
    except Exception as error:  # some connect at once; or a package is missing, and its name is said
        raise _unavailable(url, error) from error
    return found


def _in_folder(system: Any) -> bool:
    protocol = system.protocol
    return "file" in ((protocol,) if isinstance(protocol, str) else protocol)


def _pipe(system: Any, path: str, data: bytes) -> None:
    """Anywhere else. Some systems have folders, and each says in its own words that one is not there."""
    folder = path.rpartition("/")[0]
    was_made = folder in _made
    try:
        system.pipe_file(path, data)
    except Exception:
        if not _is_new(system, folder, was_made):
            raise
        system.pipe_file(path, data)


_made: set[str] = set()
"""Folders that this process has made."""


def _is_new(system: Any, folder: str, was_made: bool) -> bool:
    """Makes a folder if it is not there. Whether it was made, by whatever thread, since ``was_made`` was found."""
    if system.exists(folder):
        return folder in _made and not was_made
    try:
        system.mkdir(folder, create_parents=False)
    except Exception:
        if not system.exists(folder):  # otherwise somebody else has made it
            raise
    _made.add(folder)
    return True


def _write(path: str, data: bytes) -> None:
    """In a folder: on disk, its name included, which fsspec does not wait for.

    Only the folder of the object is made, never one above it: where that is missing, a disk is, and would hide later
    what was written in its place.
    """
    folder = os.path.dirname(path)
    with suppress(FileExistsError):
        os.mkdir(folder)
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    for each in (folder, os.path.dirname(folder)):  # another owner may have made the folder a moment ago
        _sync(each)


def _sync(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unavailable(place: str, error: Exception, system: Any = None) -> StoreUnavailable:
    if system is not None:
        system.clear_instance_cache()  # it may keep a connection that is dead; the next try makes a new one
    return StoreUnavailable(f"{place} does not answer: {type(error).__name__}: {error}")
