"""Files as values: content, header, and names that lead nowhere."""

from __future__ import annotations

import dataclasses
import os
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.encodings import File, default_encodings
from segue.encodings.file import Header
from segue.errors import InvalidArgument, PayloadError
from segue.kernel.payload import from_bytes

ENCODINGS = default_encodings()


def round_trip(value: Any, annotation: Any = Any) -> Any:
    return ENCODINGS.decode(ENCODINGS.encode(value), annotation)


def test_a_file_knows_its_header(tmp_path: Path) -> None:
    (tmp_path / "plot.png").write_bytes(b"\x89PNG\n\n")
    file = File.from_path(tmp_path / "plot.png")
    assert (file.name, file.media_type, file.size, file.read()) == ("plot.png", "image/png", 6, b"\x89PNG\n\n")
    assert file.hash == blake2b(b"\x89PNG\n\n", digest_size=32).hexdigest()
    assert repr(file) == "File('plot.png', 'image/png', 6 bytes)"
    assert File.from_path(tmp_path / "plot.png", name="other.txt").media_type == "text/plain"
    assert File.from_path(tmp_path / "plot.png", media_type="x/y").media_type == "x/y"
    assert File.from_bytes(b"", "unknown.zzz").media_type == "application/octet-stream"
    assert File.from_bytes("☃".encode(), "a.txt").text() == "☃"


@given(st.binary(), st.text("abc ☃.", min_size=1).filter(lambda name: name.strip(" .")))
def test_any_file_comes_back(content: bytes, name: str) -> None:
    file = File.from_bytes(content, name)
    back = round_trip(file)
    assert back == file
    assert hash(back) == hash(file)
    assert (back.read(), back.header) == (content, file.header)


@dataclasses.dataclass
class Mail:
    text: str
    attachments: list[File]


def test_files_inside_values_come_back() -> None:
    mail = Mail("t", [File.from_bytes(b"1", "a"), File.from_bytes(b"2\n", "b")])
    assert round_trip(mail, Mail) == mail
    assert round_trip(File.from_bytes(b"1", "a"), File | None) == File.from_bytes(b"1", "a")
    assert File.from_bytes(b"1", "a") != File.from_bytes(b"1", "b")
    assert File.from_bytes(b"1", "a") != "a"


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "...",
        " ",
        "a/b",
        "/etc/passwd",
        "../x",
        "a\\b",
        "..\\x",
        "C:x",
        "a\0b",
        "a\nb",
        "x" * 256,
        "é" * 128,
    ],
)
def test_a_name_that_is_no_bare_file_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgument, match="not a bare file name"):
        File.from_bytes(b"", name)
    data = b'{"name":%s,"media_type":"a/b","size":0,"hash":"%s"}\n' % (
        __import__("json").dumps(name).encode(),
        blake2b(b"", digest_size=32).hexdigest().encode(),
    )
    with pytest.raises(PayloadError, match="not a bare file name"):
        ENCODINGS.decode(from_bytes("file", data))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("at 12:30.csv", "it holds ':'"),
        ("../a\n", r"it holds '\\n', '/'"),
        ("é" * 128, "it has 256 bytes, and may have 255"),
        ("\udcff.txt", "it is not Unicode"),
        ("", "there is nothing in it but dots and spaces"),
    ],
)
def test_what_is_wrong_with_a_name_is_said(name: str, why: str) -> None:
    with pytest.raises(InvalidArgument, match=f"is not a bare file name: {why}; give another one with name="):
        File.from_bytes(b"", name)


def test_saves_into_a_folder_under_its_name_or_as_what_is_said(tmp_path: Path) -> None:
    file = File.from_bytes(b"new", "a.txt")
    assert file.save(tmp_path) == tmp_path / "a.txt"
    assert file.save(str(tmp_path / "b.txt")) == tmp_path / "b.txt"
    assert (tmp_path / "a.txt").read_bytes() == (tmp_path / "b.txt").read_bytes() == b"new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b.txt"]


def test_saving_replaces_in_one_go_and_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("untouched")
    (tmp_path / "a.txt").symlink_to(tmp_path / "outside")
    File.from_bytes(b"new", "a.txt").save(tmp_path)
    assert (tmp_path / "a.txt").read_bytes() == b"new"
    assert (tmp_path / "outside").read_text() == "untouched"
    with pytest.raises(FileNotFoundError):
        File.from_bytes(b"new", "a.txt").save(tmp_path / "missing" / "a.txt")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.txt").mkdir()
    with pytest.raises(IsADirectoryError):
        File.from_bytes(b"new", "a.txt").save(tmp_path / "folder")
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["a.txt"]


def test_saved_files_have_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    saved = File.from_bytes(b"x", "a").save(tmp_path)
    assert os.stat(saved).st_mode == os.stat(tmp_path / "usual").st_mode


def test_damaged_content_is_refused() -> None:
    good = ENCODINGS.encode(File.from_bytes(b"abc", "a")).raw()
    for data in (good[:-1], good[:-1] + b"d", good + b"x", b"junk", b"{}\n", b""):
        with pytest.raises(PayloadError, match="no readable file"):
            ENCODINGS.decode(from_bytes("file", data))
    with pytest.raises(InvalidArgument, match="damaged"):
        File(Header("a", "a/b", 3, "00"), b"abc")


class Picture:
    """Saves itself as Pillow's images do."""

    def save(self, buffer: Any, format: str) -> None:
        buffer.write(format.encode())


class Figure:
    """Saves itself as Matplotlib's figures do."""

    def savefig(self, buffer: Any, format: str) -> None:
        buffer.write(b"figure " + format.encode())


@pytest.mark.parametrize(
    ("image", "name", "content", "media_type"),
    [
        (Picture(), "image.png", b"png", "image/png"),
        (Picture(), "a.JPG", b"jpeg", "image/jpeg"),
        (Figure(), "a.svg", b"figure svg", "image/svg+xml"),
    ],
)
def test_images_are_files(image: Any, name: str, content: bytes, media_type: str) -> None:
    file = File.from_image(image, name)
    assert (file.name, file.read(), file.media_type) == (name, content, media_type)


@pytest.mark.parametrize(("image", "name"), [(object(), "a.png"), (Picture(), "noextension")])
def test_what_is_no_image_is_refused(image: Any, name: str) -> None:
    with pytest.raises(InvalidArgument, match=r"an image with \.save"):
        File.from_image(image, name)
