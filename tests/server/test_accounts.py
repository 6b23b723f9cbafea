"""Accounts without a server: what is kept of a password, and how often somebody may ask."""

from __future__ import annotations

import pytest
from api_kit import PASSWORD, Time

from segue import Engine
from segue.errors import CallerError, InvalidArgument
from segue.server import limits
from segue.server.accounts import Accounts
from segue.server.limits import Limit


async def test_a_password_is_kept_as_argon2id_and_verified(engine: Engine, time: Time) -> None:
    accounts = Accounts(engine.store.accounts, time)  # as it is in earnest
    accounts.add_user("ann", PASSWORD, {"*": "admin"})
    kept = accounts.user("ann").password
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert PASSWORD not in kept
    found = await accounts.verified("ann", PASSWORD)
    assert found is not None
    assert found.name == "ann"
    for name, password in (("ann", "wrong"), ("ann", ""), ("ann", "x" * 1_001), ("eve", PASSWORD)):
        assert await accounts.verified(name, password) is None


async def test_whoever_logs_in_elsewhere_has_no_password_here(engine: Engine, time: Time) -> None:
    accounts = Accounts(engine.store.accounts, time)
    made = accounts.add_user("ann", None, {"*": "viewer"}, subject="https://id.example|7")
    assert made.elsewhere
    assert await accounts.verified("ann", "") is None


def test_a_key_has_an_owner_a_purpose_and_an_end_to_come(accounts: Accounts, time: Time) -> None:
    may = frozenset({"runs:read"})
    for label, permissions, expires_at in (("", may, None), ("x", frozenset(), None), ("x", may, time.at)):
        with pytest.raises(InvalidArgument):
            accounts.add_key("root", label, permissions, namespace="default", expires_at=expires_at)
    with pytest.raises(CallerError):
        accounts.add_key("eve", "x", may, namespace="default", expires_at=None)
    assert accounts.list_keys() == []


def test_a_limit_lets_a_burst_through_and_then_so_many_a_second() -> None:
    time = Time()
    limit = Limit(2.0, 3, time)
    assert [limit.take("ann") for _ in range(4)] == [0, 0, 0, 0.5]
    assert limit.take("bob") == 0
    time.at += 500_000
    assert [limit.take("ann") for _ in range(2)] == [0, 0.5]
    time.at -= 10_000_000  # a clock that is put back gives nothing, and takes nothing
    assert limit.take("ann") == 0.5
    time.at += 60_000_000
    assert [limit.take("ann") for _ in range(4)] == [0, 0, 0, 0.5]


def test_a_limit_remembers_so_many_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST", 2)
    limit = Limit(1.0, 1, Time())
    assert [limit.take(name) for name in ("a", "b", "c", "a", "c")] == [0, 0, 0, 0, 1]
