"""Bytes at URLs: which URLs are fit, what is on disk when a call returns, and what a failure says."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from segue.errors import InvalidArgument, StoreUnavailable
from segue.stores import objects
from segue.stores.place_rows import Placed

fsspec = pytest.importorskip("fsspec")


@pytest.mark.parametrize(("url", "why"), [
    ("values", "what is no URL; a folder is file:///"),
    ("nowhere://bucket", "cannot be kept at 'nowhere://bucket'"),
    ("file://values", "depends on where a process was started"),
    ("memory://values", "ends with its process"),
    ("file:///no/such%20folder", "there is no folder /no/such%20folder; make it, or mount its disk"),
    ("simplecache::s3://bucket", r"more in it than a path; leave out \?, # and ::"),
    ("https://host/path?token=abc", "more in it than a path"),
])  # fmt: skip
def test_a_url_that_is_not_fit_is_refused(url: str, why: str) -> None:
    with pytest.raises(InvalidArgument, match=why) as refused:
        objects.check(url)
    assert "abc" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["sftp://ann:hunter2@host/path", "ftp://:hunter2@host", "sftp://ann:hunter2@[host/path"]
)
def test_a_password_in_a_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(InvalidArgument, match=r"has a password in it, .* see docs/data.md") as refused:
        objects.check(url)
    assert "hunter2" not in str(refused.value)


def test_a_folder_and_a_place_that_is_away_are_fit(tmp_path: Path) -> None:
    objects.check(tmp_path.as_uri())
    objects.check("ftp://ann@nobody.invalid/path")


def test_what_is_put_is_on_disk_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    place = objects.place_under(tmp_path.as_uri(), "ab-1")
    objects.put(place, b"bytes")
    assert synced == [str(tmp_path / "ab" / "ab-1"), str(tmp_path / "ab"), str(tmp_path)]
    assert objects.get(place) == b"bytes"
    objects.put(objects.place_under(tmp_path.as_uri(), "ab-2"), b"more")


def test_what_is_gone_is_told_from_a_folder_that_is_away(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    base = tmp_path / "disk"
    base.mkdir()
    place = objects.place_under(base.as_uri(), "ab-1")
    objects.put(place, b"bytes")
    base.rename(tmp_path / "away")
    for call in (lambda: objects.get(place), lambda: objects.put(place, b"bytes")):
        with pytest.raises(StoreUnavailable, match="does not answer: FileNotFoundError"):
            call()
    assert not base.exists(), "what was written now would be hidden by the disk that comes back"
    (tmp_path / "away").rename(base)
    assert objects.get(place) == b"bytes"
    objects.remove(place)
    objects.remove(place)
    assert objects.fetch([Placed("ab", place)]) == {"ab": None}
    assert "removed by somebody else" in caplog.text


def test_a_folder_that_comes_back_during_a_look_has_what_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder := tmp_path / "values").mkdir()
    place = objects.place_under(folder.as_uri(), "abcd")
    objects.put(place, b"data")
    away = folder.rename(tmp_path / "away")
    is_there = os.path.isdir

    def comes_back(path: str) -> bool:
        if away.exists():
            away.rename(folder)
        return is_there(path)

    monkeypatch.setattr(os.path, "isdir", comes_back)
    assert objects.find(place) == b"data"
    assert objects.find(objects.place_under(folder.as_uri(), "abce")) is None


class Cranky(fsspec.AbstractFileSystem):  # type: ignore[misc, name-defined]
    """A system whose connection breaks, and stays broken until a new one is made."""

    protocol = "cranky"
    objects: ClassVar[dict[str, bytes]] = {}
    connections = 0

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        Cranky.connections += 1
        if Cranky.connections == 1:
            raise ConnectionRefusedError("not yet")
        self.broken = Cranky.connections == 2

    def _use(self) -> None:
        if self.broken:
            raise EOFError("the connection is dead")

    def pipe_file(self, path: str, value: bytes, **options: Any) -> None:
        self._use()
        self.objects[path] = value

    def cat_file(self, path: str, **options: Any) -> bytes:
        self._use()
        return self.objects[path]


class Shelves(Cranky):
    """A system that has folders, as FTP and SFTP have."""

    protocol = "shelves"
    folders: ClassVar[set[str]] = {"host"}

    def _use(self) -> None:
        pass

    def pipe_file(self, path: str, value: bytes, **options: Any) -> None:
        if path.rpartition("/")[0] not in self.folders:
            raise OSError("550 no")
        super().pipe_file(path, value)

    def exists(self, path: str, **options: Any) -> bool:
        return path in self.folders

    def mkdir(self, path: str, create_parents: bool = True, **options: Any) -> None:
        if path.rpartition("/")[0] not in self.folders:
            raise FileNotFoundError(path)
        if path in self.folders:
            raise OSError("550 it is there")
        self.folders.add(path)


@pytest.fixture
def cranky() -> Iterator[str]:
    fsspec.register_implementation("cranky", Cranky, clobber=True)
    fsspec.register_implementation("shelves", Shelves, clobber=True)
    yield "cranky://host/ab-1"
    Cranky.connections = 0
    Cranky.clear_instance_cache()
    Shelves.clear_instance_cache()


def test_a_connection_that_is_dead_is_made_anew(cranky: str) -> None:
    for why in ("ConnectionRefusedError: not yet", "EOFError: the connection is dead"):
        with pytest.raises(StoreUnavailable, match=f"{cranky} does not answer: {why}"):
            objects.put(cranky, b"bytes")
    objects.put(cranky, b"bytes")
    assert objects.get(cranky) == b"bytes"


def test_a_system_that_has_folders_gets_those_below_the_base(cranky: str) -> None:
    Cranky.connections = 5  # none of them breaks
    for name in ("ab-1", "ab-2", "cd-1"):
        place = objects.place_under("shelves://host", name)
        objects.put(place, name.encode())
        assert objects.get(place) == name.encode()
    with pytest.raises(StoreUnavailable, match="FileNotFoundError: elsewhere/ab"):
        objects.put(objects.place_under("shelves://elsewhere", "ab-1"), b"bytes")


@pytest.mark.parametrize("at", ["pipe_file", "exists"])
def test_somebody_else_makes_the_folder_meanwhile(cranky: str, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    """Between a look and what follows from it."""
    Cranky.connections = 5
    place, other = (objects.place_under("shelves://host", f"{at[:2]}-{n}") for n in (1, 2))
    looks = getattr(Shelves, at)
    tries: list[str] = []

    def looked(system: Any, path: str, *more: Any) -> Any:
        tries.append(path)
        try:
            return looks(system, path, *more)
        finally:
            if len(tries) == 1:
                objects.put(other, b"more")

    monkeypatch.setattr(Shelves, at, looked)
    objects.put(place, b"bytes")
    assert (objects.get(place), objects.get(other)) == (b"bytes", b"more")


def test_what_a_folder_does_not_take_is_tried_once(cranky: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Cranky.connections = 5
    objects.put(objects.place_under("shelves://host", "ef-1"), b"bytes")
    tries: list[str] = []

    def full(system: Any, path: str, value: bytes) -> None:
        tries.append(path)
        raise OSError("552 it is full")

    monkeypatch.setattr(Shelves, "pipe_file", full)
    with pytest.raises(StoreUnavailable, match="552 it is full"):
        objects.put(objects.place_under("shelves://host", "ef-2"), b"bytes")
    assert len(tries) == 1


def test_without_fsspec_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("fsspec", "fsspec.core"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InvalidArgument, match=r"fsspec is not here to reach it: pip install 'segue\[files\]'"):
        objects.check(tmp_path.as_uri())
    with pytest.raises(StoreUnavailable, match=r"file:///a/b, .*: pip install 'segue\[files\]'"):
        objects.get("file:///a/b")
