"""Runs are found by words. As ``stores.search_rows`` promises it."""

from __future__ import annotations

from typing import Any

import pytest
from store_kit import Owner, StoreFactory, start

from segue.errors import InvalidArgument
from segue.stores.base import RESIDENT, Append, GoOn, RunFilter, Status, Store
from segue.stores.sql import search
from segue.stores.sql.statements import Statement, numbers


def failed(error: str, at: int = 500) -> Status:
    return Status("failed", None, at, error)


def kept(store: Any, *runs: int) -> set[str]:
    """Words that stand in the database of runs."""
    with store._readers.reading() as connection:
        return {word for _, word in Statement("words_of_runs").one(connection, (numbers(runs),))}


def found(store: Store, text: str, **where: Any) -> list[str]:
    """Ids that a search finds, page by page; the list of the same filter says the same."""
    rows, after, limit = [], None, where.pop("limit", 50)
    while True:
        page = store.search(RunFilter(text=text, after=after, limit=limit, **where))
        assert len(page.rows) <= limit
        rows += page.rows
        if page.next is None:
            break
        assert after is None or page.next < after
        after = page.next
    assert rows == store.list(RunFilter(text=text, limit=1_000, **where))
    assert [row.run for row in rows] == sorted({row.run for row in rows}, reverse=True)
    return [row.id for row in rows]


@pytest.fixture
def runs(owner: Owner) -> dict[str, int]:
    """Runs by id, of which several things are said."""
    numbers = {
        "order-1": owner.start("order-1", tags={"team": "sales"}, workflow="orders.fulfil"),
        "order-2": owner.start("order-2", workflow="orders.fulfil"),
        "Import/7": owner.start("Import/7", summary="Customers of Acme", workflow="import_crm"),
        "plain": owner.start("plain"),
    }
    owner.commit(
        Append(numbers["order-1"], 2, (b"e",), status=failed("TimeoutError: db-3 said nothing")),
        Append(numbers["order-2"], 2, (b"e",), attributes={"customer": "Acme Ltd", "host": "db-3.acme.com"}),
    )
    return numbers


FOUND = {
    "timeout": ["order-1"],
    "TIMEOUTERROR": ["order-1"],
    "timeout db-3": ["order-1"],
    "db-3": ["order-2", "order-1"],
    "db 3": ["order-2", "order-1"],
    "acme": ["Import/7", "order-2"],
    "ac": ["Import/7", "order-2"],
    "ac ": [],
    "acme ltd": ["order-2"],
    "ltd ac": ["order-2"],
    "lt acme": [],
    "customer": ["Import/7", "order-2"],
    "customers of": ["Import/7"],
    "sales": ["order-1"],
    "team": ["order-1"],
    "fulfil": ["plain", "order-2", "order-1"],
    "orders.fulfil": ["order-2", "order-1"],
    "orders timeout": ["order-1"],
    "crm": ["Import/7"],
    "order-": ["order-2", "order-1"],
    "ORDER-2": ["order-2"],
    "order acme": ["order-2"],
    "2": ["order-2"],
    "pla": ["plain"],
    "lain": [],
    "import": ["Import/7"],
    "Import/7": ["Import/7"],
    "Import/": ["Import/7"],
    "zebra": [],
    "timeout zebra": [],
}


@pytest.mark.parametrize("text", FOUND)
def test_runs_are_found_by_every_word_of_a_text(store: Store, runs: dict[str, int], text: str) -> None:
    assert found(store, text) == FOUND[text]
    assert found(store, text, limit=1) == FOUND[text]


def test_a_search_is_narrowed_by_the_rest_of_the_filter(owner: Owner, runs: dict[str, int]) -> None:
    store = owner.store
    owner.start("other", namespace="other", tags={"team": "sales"})
    assert found(store, "db-3", states=("failed",)) == ["order-1"]
    assert found(store, "db-3", states=("running", "waiting")) == ["order-2"]
    assert found(store, "fulfil", workflow="fulfil") == ["plain"]
    assert found(store, "acme", attributes={"customer": "Acme Ltd"}) == ["order-2"]
    assert found(store, "order", tags={"team": "sales"}) == ["order-1"]
    assert found(store, "acme", id_prefix="Imp") == ["Import/7"]
    assert found(store, "acme", started_from=101) == []
    assert found(store, "sales", namespace="other") == ["other"]
    assert found(store, "order", parent=runs["plain"]) == []


def test_words_follow_what_is_said_of_a_run(owner: Owner, runs: dict[str, int]) -> None:
    store, run = owner.store, runs["order-2"]
    owner.commit(Append(run, 3, (b"e",), attributes={"customer": "Blue", "host": None}))
    assert found(store, "acme") == ["Import/7"]
    assert "acme" not in kept(store, run)
    assert found(store, "blue") == ["order-2"]
    owner.commit(Append(run, 4, (b"e",), status=Status("incident", None, 9, "ValueError: seven")))
    assert found(store, "seven value blue") == ["order-2"]
    owner.commit(Append(run, 5, (b"e",), status=Status("running", RESIDENT, 10), summary="Green"))
    assert found(store, "seven") == [], "it is past"
    assert found(store, "green blue") == ["order-2"]


def test_an_error_that_is_past_is_not_found_by_the_words_that_it_left_behind(owner: Owner) -> None:
    stays = owner.start("stays")
    gone = [owner.start(f"gone-{n}") for n in range(3)]
    owner.commit(*[Append(run, 2, (b"e",), status=Status("incident", None, 9, "lost")) for run in [stays, *gone]])
    owner.commit(*[Append(run, 3, (b"e",), status=Status("running", RESIDENT, 10)) for run in gone])
    last = owner.start("last")
    owner.commit(Append(last, 2, (b"e",), status=Status("incident", None, 9, "lost")))
    assert found(owner.store, "lost") == ["last", "stays"]
    assert found(owner.store, "lost", limit=1) == ["last", "stays"]


def test_the_next_run_of_a_chain_is_found_by_what_it_is_about(owner: Owner) -> None:
    run = owner.start("a", tags={"team": "sales"}, summary="Green")
    following = GoOn("uid-next", 600, b"e")
    owner.commit(Append(run, 2, (b"e",), status=Status("continued", None, 600), goes_on=following))
    assert found(owner.store, "green sales") == ["a", "a"]


def test_a_fork_is_found_by_what_it_has_from_the_start(owner: Owner) -> None:
    rest = Append(0, 2, (b"e",), attributes={"color": "red"})
    owner.commit(start("fork", tags={"team": "sales"}, rest=rest))
    assert found(owner.store, "red sales fork") == ["fork"]


def test_words_go_with_the_run_and_with_what_is_erased_of_it(owner: Owner, runs: dict[str, int]) -> None:
    store = owner.store
    assert "timeout" in kept(store, runs["order-1"])
    assert store.redact(runs["order-1"], [], b"erased")
    assert kept(store, runs["order-1"]) == set()
    assert found(store, "timeout") == []
    assert found(store, "sales") == []
    owner.commit(Append(runs["order-2"], 3, (b"e",), status=failed("Broken")))
    assert found(store, "broken") == ["order-2"]
    assert {"broken", "acme"} <= kept(store, runs["order-2"])
    assert store.retain(10_000, 10) == 2
    assert kept(store, runs["order-1"], runs["order-2"]) == set()
    assert found(store, "acme") == ["Import/7"]
    assert found(store, "order") == []


def test_a_run_of_which_nothing_is_said_has_no_words(owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hot path: neither a read nor a row more."""
    monkeypatch.setattr("segue.stores.sql.words.keep", None)
    monkeypatch.setattr("segue.stores.sql.words.keep_of_new", None)
    run = owner.start("a")
    owner.commit(Append(run, 2, (b"e",), status=Status("completed", None, 9)))
    assert found(owner.store, "fulfil a") == ["a"]
    assert kept(owner.store, run) == set()


@pytest.mark.parametrize("text", ["", "---", "x" * 10_000])
def test_what_is_no_search_is_refused(store: Store, text: str) -> None:
    with pytest.raises(InvalidArgument):
        store.search(RunFilter(text=text))
    with pytest.raises(InvalidArgument):
        store.list(RunFilter(text=text))


def test_a_search_is_in_one_namespace(store: Store) -> None:
    with pytest.raises(InvalidArgument, match="one namespace"):
        store.search(RunFilter(namespace=None, text="a"))


def test_a_search_is_counted_over_time(owner: Owner, runs: dict[str, int]) -> None:
    def counted(text: str) -> dict[str, int]:
        given = {"now": 1_000, "widths": (1_000,), "bars": 10, "most": 100}
        bars = owner.store.count_started(RunFilter(text=text), **given)  # type: ignore[arg-type]
        return {} if bars is None else {state: number for (_, state), number in bars.bars.items()}

    assert counted("db-3") == {"failed": 1, "running": 1}
    assert counted("fulfil") == {"failed": 1, "running": 2}
    assert counted("zebra") == {}


# --- bounds ---------------------------------------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that a few dozen runs reach."""
    for name, value in {
        "ORDERED": 6,
        "UNORDERED": 4,
        "MOST_BRANCHES": 2,
        "LOOKS": 12,
        "ROUND": 3,
        "AT_ONCE": 3,
    }.items():
        monkeypatch.setattr(search, name, value)


def test_a_page_ends_after_so_many_looks_and_the_cursor_goes_on(owner: Owner, small: None) -> None:
    for n in range(40):
        owner.start(f"r{n}", tags={"even" if n % 2 == 0 else "odd": "x"})
    page = owner.store.search(RunFilter(text="even odd "))
    assert page.rows == []
    assert page.next is not None, "it has not looked at everything"
    assert found(owner.store, "even odd ") == []


def test_what_is_bounded_finds_the_same(owner: Owner, small: None) -> None:
    for n in range(60):
        tags = {"all": f"v{n}", "mod": f"m{n % 3}-{n % 5}"} if n % 4 else {}
        owner.start(f"r{n}", tags=tags, workflow=f"flow_{n % 7}")
    asked_for = {
        "all": [n for n in range(60) if n % 4],
        "v1": [n for n in range(60) if n % 4 and str(n).startswith("1")],
        "v": [n for n in range(60) if n % 4],
        "m1 all": [n for n in range(60) if n % 4 and n % 3 == 1],
        "m1-2 flow": [n for n in range(60) if n % 4 and n % 3 == 1 and n % 5 == 2],
        "flow r": list(range(60)),
        "flow_3": [n for n in range(60) if n % 7 == 3],
        "r5": [n for n in range(60) if str(n).startswith("5")],
        "v7 m1": [7],
        "m0 m1": [],
    }
    for text, expected in asked_for.items():
        assert found(owner.store, text, limit=4) == [f"r{n}" for n in reversed(expected)], text


def test_whoever_opens_the_database_finds_what_is_there(store_factory: StoreFactory) -> None:
    Owner(store_factory()).start("a", tags={"team": "sales"})
    assert found(store_factory(), "sales") == ["a"]
