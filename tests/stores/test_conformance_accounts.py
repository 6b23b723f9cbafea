"""Who may use the server. As ``stores.account_rows`` promises it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from store_kit import StoreFactory

from segue.stores.account_rows import AuditRow, KeptAnswer, KeyRow, SessionRow, UserRow
from segue.stores.base import Store

DAY = 86_400_000_000
ANN = UserRow("ann", "hash", {"*": "admin"}, None, 100)
BOB = UserRow("bob", "", {"default": "viewer", "prod": "operator"}, "https://id.example|7", 200)


def key(id: str, owner: str = "ann", at: int = 100, **more: object) -> KeyRow:
    return msgspec.structs.replace(KeyRow(id, f"digest {id}", owner, "ci", "*", ("runs:read",), at, None), **more)


def entry(actor: str, at: int, namespace: str = "default") -> AuditRow:
    return AuditRow(0, at, namespace, actor, "cancel_run", "/runs/7", 204, "10.0.0.7", "abc")


def test_a_user_is_made_once_found_and_changed(store: Store) -> None:
    accounts = store.accounts
    assert (accounts.add_user(BOB), accounts.add_user(ANN), accounts.add_user(ANN)) == (True, True, False)
    assert accounts.list_users() == [ANN, BOB]
    assert (accounts.user("bob"), accounts.user("eve")) == (BOB, None)
    assert (accounts.user_of("https://id.example|7"), accounts.user_of("")) == (BOB, None)
    assert not accounts.add_user(msgspec.structs.replace(BOB, name="rob")), "the subject is taken"
    less = msgspec.structs.replace(ANN, roles={})
    assert (accounts.change_user(less, ANN), accounts.user("ann")) == (True, less)
    assert not accounts.change_user(msgspec.structs.replace(ANN, name="eve"), ANN)


@pytest.mark.parametrize("other", [{"roles": {"*": "viewer"}}, {"password": "another"}])
def test_nobody_writes_over_what_they_have_not_read(store: Store, other: Any) -> None:
    accounts = store.accounts
    accounts.add_user(ANN)
    changed = msgspec.structs.replace(ANN, **other)
    accounts.change_user(changed, ANN)
    session = SessionRow("s", "ann", 100, 200)
    accounts.add_session(session)
    late = msgspec.structs.replace(ANN, roles={}, password="late")
    assert (accounts.change_user(late, ANN), accounts.user("ann")) == (False, changed)
    assert accounts.session("s") == session, "no session ends by a change that was not made"


def test_sessions_end_with_their_time_their_password_and_their_user(store: Store) -> None:
    accounts = store.accounts
    accounts.add_user(ANN)
    one, two, three = (SessionRow(f"s{n}", "ann", 100 * n, 100 * n + 150) for n in (1, 2, 3))
    accounts.add_session(one)
    accounts.add_session(two)
    assert (accounts.session("s1"), accounts.session("s2")) == (one, two)
    accounts.add_session(three)
    assert accounts.session("s1") is None, "it had expired when the third one began"
    accounts.end_session("s2")
    assert (accounts.session("s2"), accounts.session("s3")) == (None, three)
    viewer = msgspec.structs.replace(ANN, roles={"*": "viewer"})
    accounts.change_user(viewer, ANN)
    assert accounts.session("s3") == three
    accounts.change_user(msgspec.structs.replace(viewer, password="another"), viewer)
    assert accounts.session("s3") is None
    accounts.add_session(three)
    accounts.end_sessions_of("bob")
    assert accounts.session("s3") == three
    accounts.end_sessions_of("ann")
    assert accounts.session("s3") is None


def test_keys_are_revoked_once_and_go_with_their_owner(store: Store) -> None:
    accounts = store.accounts
    accounts.add_user(ANN)
    accounts.add_key(key("a"))
    accounts.add_key(key("b", at=200, expires_at=900, permissions=("runs:read", "runs:act")))
    accounts.add_key(key("c", "bob", at=300))
    assert [found.id for found in accounts.list_keys()] == ["c", "b", "a"]
    assert accounts.key("b") == key("b", at=200, expires_at=900, permissions=("runs:read", "runs:act"))
    assert (accounts.revoke_key("a", 500), accounts.revoke_key("a", 600), accounts.revoke_key("x", 1)) == (
        True, False, False,
    )  # fmt: skip
    assert accounts.key("a") == key("a", revoked_at=500)
    assert (accounts.remove_user("ann"), accounts.remove_user("ann")) == (True, False)
    assert [found.id for found in accounts.list_keys()] == ["c"]


def test_the_audit_log_is_read_from_its_end_and_never_changed(store: Store) -> None:
    accounts = store.accounts
    for row in (entry("ann", 1), entry("bob", 2), entry("ann", 3), entry("ann", 4, "prod")):
        accounts.audit(row)
    found = accounts.audited("default")
    assert [row.at for row in found] == [3, 2, 1]
    assert msgspec.structs.replace(found[0], entry=0) == entry("ann", 3)
    assert [row.at for row in accounts.audited("default", actor="ann")] == [3, 1]
    assert [row.at for row in accounts.audited("default", before=found[0].entry, limit=1)] == [2]
    assert [row.at for row in accounts.audited("prod")] == [4]


def test_an_idempotency_key_is_for_one_request(store_factory: StoreFactory) -> None:
    accounts, others = store_factory().accounts, store_factory().accounts
    assert accounts.begin_answer("default", "ann", "k", "request", 100, stale=0)
    assert not others.begin_answer("default", "ann", "k", "request", 110, stale=90), "it is being carried out"
    assert not others.begin_answer("default", "ann", "k", "other", 110, stale=105), "another request has it"
    assert others.begin_answer("default", "bob", "k", "other", 110, stale=0), "keys of others are others"
    assert others.answer("default", "ann", "k") == KeptAnswer("request", 100, None, None)
    assert others.begin_answer("default", "ann", "k", "request", 120, stale=105), "whoever began it is gone"
    accounts.keep_answer("default", "ann", "k", 201, b"{}")
    assert others.answer("default", "ann", "k") == KeptAnswer("request", 120, 201, b"{}")
    assert not others.begin_answer("default", "ann", "k", "request", 999, stale=999)
    accounts.drop_answer("default", "ann", "k")
    assert others.answer("default", "ann", "k") is not None, "what was answered stays"
    accounts.drop_answer("default", "bob", "k")
    assert others.answer("default", "bob", "k") is None
    assert accounts.begin_answer("default", "ann", "new", "request", 121 + DAY, stale=0)
    assert others.answer("default", "ann", "k") is None, "after a day it is dropped"
