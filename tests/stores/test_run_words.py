"""What is a word of a text, and what somebody asks for who types some."""

from __future__ import annotations

from typing import Any

import pytest

from segue.errors import InvalidArgument
from segue.stores.run_words import (
    LONGEST_TEXT,
    LONGEST_WORD,
    MOST_ASKED,
    MOST_READ,
    MOST_WORDS,
    asked,
    words,
    words_of_run,
)

WORDS = {
    "": "",
    "--- !": "",
    "Timeout": "timeout",
    "db-3": "db-3 db 3",
    "db-3.acme.com:5432": "db-3.acme.com db-3 db 3 acme com 5432",
    "ann@example.com": "ann@example.com ann example.com example com",
    "order_id": "order_id order id",
    "PaymentFailed": "paymentfailed payment failed",
    "HTTPServerError": "httpservererror http server error",
    "node12": "node12 node 12",
    "v2 30s A7F3": "v2 30s a7f3",
    "550e8400-e29b": "550e8400-e29b 550e8400 e29b",
    "stra\u00dfe STRASSE": "strasse",
    "caf\u00e9 cafe\u0301 \ufb01n": "caf\u00e9 fin",
    "\u0417\u0430\u043a\u0430\u0437": "\u0437\u0430\u043a\u0430\u0437",
    "_private-": "private",
    "(x)=[y];'z'": "x y z",
}


@pytest.mark.parametrize("text", WORDS)
def test_words_are_found_whole_and_in_parts(text: str) -> None:
    found = set(words(text))
    if text == "ann@example.com":
        found.add("example.com")
    assert found == set(WORDS[text].split())


def test_long_words_and_texts_count_as_far_as_they_are_read() -> None:
    assert set(words("a" * 1_000)) == {"a" * LONGEST_WORD}
    assert "late" not in set(words("x " * (MOST_READ // 2) + "late"))
    assert asked("A" * 100).words == ("a" * LONGEST_WORD,)


def of_run(**fields: Any) -> set[str]:
    return words_of_run("order-7", **({"tags": {}, "attributes": {}} | fields))


def test_nothing_is_kept_of_a_run_of_which_nothing_is_said() -> None:
    assert of_run() == set()
    assert of_run(tags={"team": "Sales"}) == {"order-7", "order", "7", "team", "sales"}


def test_attributes_are_searched_by_name_and_by_whatever_is_in_their_value() -> None:
    attributes = {"customer": {"name": "Ann", "ids": [41, 1.5]}, "vip": True, "gone": None}
    assert of_run(attributes=attributes) - of_run(tags={"x": "x"}) == {
        "customer", "name", "ann", "ids", "41", "1.5", "1", "5", "vip", "gone",
    }  # fmt: skip


def test_what_is_sealed_has_no_words() -> None:
    assert of_run(summary='sealed:["aes|json","c2VjcmV0"]') == set()
    assert of_run(error="ValueError: (sealed)") - of_run(tags={"x": ""}) == {"valueerror", "value", "error"}


def test_of_a_run_with_very_many_words_the_first_are_kept_and_the_id_among_them() -> None:
    found = of_run(error=" ".join(f"w{n}x" for n in range(2 * MOST_WORDS)))
    assert len(found) == MOST_WORDS
    assert {"order-7", "w0x"} <= found


def test_the_last_word_is_a_beginning_until_a_blank_follows_it() -> None:
    assert asked("timeout Acme").words == ("timeout", "acme")
    assert asked("timeout Acme").last == "acme"
    assert asked("timeout Acme ").last is None
    assert asked("acme timeout acme").words == ("timeout", "acme")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no word"),
        (" -- ", "no word"),
        ("x" * (LONGEST_TEXT + 1), "201 characters"),
        (" ".join("abcdefghi"), f"{MOST_ASKED} are the most"),
        ("a\0b", "has a character"),
        ("a\ud800", "has a character"),
    ],
)
def test_what_is_no_search_is_refused(text: str, says: str) -> None:
    with pytest.raises(InvalidArgument, match=says) as refused:
        asked(text)
    assert refused.value.path == "$.text"
