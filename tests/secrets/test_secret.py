"""References and scopes: a value is there inside a step, and nowhere afterwards."""

from __future__ import annotations

import asyncio
import contextvars
import json
import pickle
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import NotInWorkflow, SecretNotFound
from segue.kernel.encoding import Encodings
from segue.kernel.secret import SecretRef, SecretScope, current_scope
from segue.secrets import SecretChain

VALUES = {"db": "s3cr3t-pässword", "other": "hunter22", "multi": "-----BEGIN KEY-----\nMIIabcdef\n-----END KEY-----\n"}


def scope() -> SecretScope:
    return SecretScope(VALUES.__getitem__)


# --- references -----------------------------------------------------------------------------------------------


def test_a_value_exists_inside_the_scope_only() -> None:
    reference = SecretRef("db")
    with pytest.raises(NotInWorkflow, match=r"secret 'db' exists only inside an executing step.*\.value\(\) there"):
        reference.value()
    with scope().active() as active:
        assert current_scope() is active
        assert reference.value() == VALUES["db"]
    assert current_scope() is None
    with pytest.raises(NotInWorkflow):
        reference.value()


def test_the_inner_scope_counts_and_the_outer_comes_back() -> None:
    with scope().active() as outer:
        with SecretScope(lambda name: "inner").active():
            assert SecretRef("db").value() == "inner"
        assert current_scope() is outer


async def test_tasks_and_threads_that_copy_the_context_see_the_scope() -> None:
    with scope().active():
        assert await asyncio.create_task(asyncio.to_thread(SecretRef("db").value)) == VALUES["db"]
        context = contextvars.copy_context()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(context.run, SecretRef("db").value).result() == VALUES["db"]
        with pytest.raises(NotInWorkflow):
            pool.submit(SecretRef("db").value).result()


def test_a_reference_is_its_name_wherever_it_is_shown() -> None:
    reference = SecretRef("db")
    with scope().active():
        reference.value()
        assert (repr(reference), str(reference), reference.name) == ("SecretRef('db')", "SecretRef('db')", "db")
        assert repr(current_scope()) == "SecretScope(revealed=['db'])"
        assert b"s3cr3t" not in Encodings().encode({"r": reference}).raw() + pickle.dumps(reference)
    assert reference == SecretRef("db") != SecretRef("other")
    assert {reference, SecretRef("db")} == {reference}
    assert reference != "db"


def test_a_reference_does_not_change() -> None:
    with pytest.raises(AttributeError):
        SecretRef("db").name = "other"  # type: ignore[misc]


# --- scopes ---------------------------------------------------------------------------------------------------


def test_each_secret_is_asked_for_once() -> None:
    asked: list[str] = []

    def resolve(name: str) -> str:
        asked.append(name)
        return VALUES[name]

    active = SecretScope(resolve)
    assert [active.resolve(name) for name in ("db", "db", "other", "db")] == [
        VALUES[n] for n in ("db", "db", "other", "db")
    ]
    assert asked == ["db", "other"]


def test_a_secret_that_is_missing_is_named_with_where_it_was_looked_for() -> None:
    with SecretScope(SecretChain([]).get).active(), pytest.raises(SecretNotFound, match="'db' is not set"):
        SecretRef("db").value()


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("nothing here", "nothing here"),
        ("url=postgres://u:s3cr3t-pässword@h/d", "url=postgres://u:***@h/d"),
        ("s3cr3t-pässwords3cr3t-pässword", "******"),
        ("hunter22 and s3cr3t-pässword", "*** and ***"),
        ("hunter2", "hunter2"),
        (repr({"p": "s3cr3t-pässword"}), "{'p': '***'}"),
        (json.dumps({"p": "s3cr3t-pässword"}), '{"p": "***"}'),
        (quote("s3cr3t-pässword"), "***"),
        (b64encode("s3cr3t-pässword".encode()).decode(), None),
        ("key: MIIabcdef", "key: ***"),
        (VALUES["multi"], "***"),
        (json.dumps(VALUES["multi"]), '"***"'),
    ],
)
def test_revealed_values_are_scrubbed(text: str, scrubbed: str | None) -> None:
    active = scope()
    assert active.scrub(text) == text
    for name in VALUES:
        active.resolve(name)
    assert active.scrub(text) == scrubbed or (scrubbed is None and "czNjcjN0" not in active.scrub(text))


@pytest.mark.parametrize("prefix", ["", "u:", "user:", "xyz"])
def test_basic_authentication_leaks(prefix: str) -> None:
    active = scope()
    active.resolve("other")
    header = b64encode(f"{prefix}hunter22 and more".encode())
    assert active.leaks(b"Authorization: Basic " + header)
    assert "***" in active.scrub(header.decode())


@pytest.mark.parametrize(
    ("data", "leaks"),
    [
        (b'{"password":"hunter22"}', True),
        (b"hunter2", False),
        ("s3cr3t-pässword".encode(), True),
        (json.dumps("s3cr3t-pässword").encode(), True),
        (msgspec.json.encode({"a": ["s3cr3t-pässword"]}), True),
        (msgspec.json.encode(VALUES["multi"]), True),
        (msgspec.json.encode(b"hunter22"), True),
        (b"", False),
        (Encodings().encode(SecretRef("other")).raw(), False),
    ],
)
def test_a_payload_that_carries_a_value_out_leaks(data: bytes, leaks: bool) -> None:
    active = scope()
    assert active.leaks(data) is False
    for name in VALUES:
        active.resolve(name)
    assert active.leaks(data) is leaks


@pytest.mark.parametrize("value", ["", "a", "abc", "   ", "\n\n"])
def test_values_too_short_to_be_told_from_other_text_are_not_looked_for(value: str) -> None:
    active = SecretScope(lambda name: value)
    active.resolve("x")
    assert active.scrub("a b abc    ") == "a b abc    "
    assert active.leaks(b"a abc     ") is False


@given(st.text(st.characters(codec="utf-8"), min_size=4), st.text(st.characters(codec="utf-8")), st.text())
def test_a_value_is_never_left_in_any_text(value: str, before: str, after: str) -> None:
    active = SecretScope(lambda name: value)
    active.resolve("x")
    if len(value.strip()) < 4:
        return
    for shown in (value, repr(value)[1:-1], json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]):
        assert shown not in active.scrub(before + shown + after).replace("***", "\0") or shown in "***\0"
    assert active.leaks(before.encode() + msgspec.json.encode(value) + after.encode("utf-8", "surrogatepass"))
