"""Names that users give."""

from __future__ import annotations

from typing import Any

import pytest

from segue.errors import InvalidArgument
from segue.kernel.names import LONGEST, checked_name, checked_namespace, checked_text


@pytest.mark.parametrize("name", ["", "order-42", "Größe", "😀", "a b\n", "x" * LONGEST, "é" * (LONGEST // 2)])
def test_text_is_a_name(name: str) -> None:
    assert checked_name(name, "an id") == name


@pytest.mark.parametrize("name", ["x" * (LONGEST + 1), "é" * (LONGEST // 2 + 1), "😀" * LONGEST])
def test_a_key_is_no_longer_than_an_index_takes(name: str) -> None:
    with pytest.raises(InvalidArgument, match="a key may have 1,000: shorten it"):
        checked_name(name, "an id")
    assert checked_text(name, "a reason") == name


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (5, "an id must be text; 5 is a int"),
        (None, "an id must be text; None is a NoneType"),
        (b"x", "an id must be text; b'x' is a bytes"),
        ("a\0b", r"an id 'a\\x00b' holds a NUL character"),
        ("a\ud800", r"an id 'a\\ud800' holds a lone surrogate"),
    ],
)
def test_what_a_database_would_refuse_is_none(name: Any, says: str) -> None:
    with pytest.raises(InvalidArgument, match=says):
        checked_name(name, "an id")


@pytest.mark.parametrize("name", ["default", "eu", "EU-2", "0", "a.b_c-d", "x" * 63])
def test_a_namespace_is_named_as_addresses_and_labels_can_hold_it(name: str) -> None:
    assert checked_namespace(name) == name


@pytest.mark.parametrize("name", ["", "*", "-a", ".", "..", "_a", "a b", "a/b", "ä", "a\n", '"a"', "x" * 64, None, 7])
def test_what_is_no_namespace_is_refused(name: Any) -> None:
    with pytest.raises(InvalidArgument, match="is no name of a namespace: that is 1 to 63 letters"):
        checked_namespace(name)


def test_what_is_shown_of_it_is_short_and_prints_anywhere() -> None:
    with pytest.raises(InvalidArgument) as caught:
        checked_name("é" * 10_000 + "\0", "an id")
    assert len(str(caught.value)) < 200
    assert str(caught.value).isascii()


class _Loud(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "loud"


def test_a_name_of_a_subclass_of_text_is_the_text() -> None:
    checked = checked_name(_Loud("quiet"), "a name")
    assert (checked, type(checked)) == ("quiet", str)
