"""Whatever is said of runs and asked for, a search finds what a look at each of them finds."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_kit import Owner

from segue.stores.base import RESIDENT, Append, Operation, RunFilter, RunRow, Status, Store
from segue.stores.run_words import words
from segue.stores.sql import search

WORDS = ["acme", "Acme", "ac", "db-3", "db", "3", "TimeoutError", "timeout", "x.y@z", "y", "node12", "12"]
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
ids = st.sampled_from(["order-", "Order/", "db-3:", "x", "12-"])
namespaces = itertools.count()
numbers = itertools.count()


@st.composite
def sayings(draw: st.DrawFn) -> dict[str, Any]:
    """What is said of a run, all in all."""
    return {
        "id": draw(ids) + str(next(numbers)),
        "workflow": draw(st.sampled_from(["fulfil", "db_sync", "Acme.Import"])),
        "tags": draw(st.dictionaries(st.sampled_from(["team", "db"]), texts, max_size=1)),
        "summary": draw(st.sampled_from(["", "", "timeout"]) | texts),
        "changes": draw(st.lists(changes(), max_size=3)),
    }


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    """What is said of it later."""
    error = draw(st.none() | texts)
    state = draw(st.sampled_from(["incident", "paused"])) if error else draw(st.sampled_from(["running", "waiting"]))
    said: dict[str, Any] = {"status": draw(st.none() | st.just(Status(state, RESIDENT, 9, error)))}
    said["attributes"] = draw(
        st.dictionaries(st.sampled_from(["host", "db"]), st.none() | texts | st.just(3), max_size=2)
    )
    return said


filters = st.fixed_dictionaries(
    {},
    optional={
        "states": st.sampled_from([("incident",), ("running", "waiting")]),
        "workflow": st.sampled_from(["fulfil", "db_sync"]),
        "id_prefix": st.just("order"),
    },
)
asked = st.tuples(texts, st.sampled_from(["", " "])).map("".join) | ids | st.sampled_from(["a", "o", "t", "order-1"])


def is_meant(row: RunRow, text: str) -> bool:
    """By the words of the documentation, with no index and no bound."""
    said = [*itertools.chain(*row.tags.items()), *row.attributes, *map(str, row.attributes.values())]
    said += [each for each in (row.summary, row.error) if each]
    known = set(words(" ; ".join([*said, row.id] if said else [])))
    known |= set(words(row.workflow))
    typed = text.replace("/", " ").replace(":", " ").split()
    for place, word in enumerate(typed):
        word = word.strip("-")
        unfinished = place == len(typed) - 1 and not text.endswith(" ")
        cases = (word, word.lower(), word.upper(), word.capitalize())
        if not (
            word.casefold() in known
            or row.id.startswith(cases)
            or (unfinished and any(each.startswith(word.casefold()) for each in known))
        ):
            return row.id.startswith(text.strip())
    return True


def written(owner: Owner, namespace: str, said: list[dict[str, Any]]) -> None:
    runs = [
        owner.start(each["id"], namespace=namespace, uid=f"{namespace}{each['id']}", **{
            name: each[name] for name in ("workflow", "tags", "summary")
        })
        for each in said
    ]  # fmt: skip
    for seq in range(3):
        batch: list[Operation] = [
            Append(run, seq + 2, (b"e",), **each["changes"][seq])
            for run, each in zip(runs, said, strict=True)
            if seq < len(each["changes"])
        ]
        owner.commit(*batch)


def pages(store: Store, where: dict[str, Any], text: str, limit: int) -> Iterator[RunRow]:
    after = None
    while True:
        page = store.search(RunFilter(**where, text=text, after=after, limit=limit))
        yield from page.rows
        if page.next is None:
            return
        after = page.next


@pytest.mark.parametrize("bounds", ["as they are", "small"])
def test_a_search_finds_what_a_look_at_every_run_finds(
    owner: Owner, bounds: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if bounds == "small":
        for name, value in {
            "ORDERED": 3,
            "UNORDERED": 2,
            "MOST_BRANCHES": 1,
            "LOOKS": 5,
            "ROUND": 2,
            "AT_ONCE": 2,
        }.items():
            monkeypatch.setattr(search, name, value)

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        said=st.lists(sayings(), min_size=1, max_size=12),
        searches=st.lists(st.tuples(asked, filters, st.integers(1, 5)), min_size=1, max_size=6),
    )
    def holds(said: list[dict[str, Any]], searches: list[tuple[str, dict[str, Any], int]]) -> None:
        namespace = f"n{next(namespaces)}"
        written(owner, namespace, said)
        for text, narrowed, limit in searches:
            where = {"namespace": namespace, **narrowed}
            every = owner.store.list(RunFilter(**where, limit=1_000))
            expected = [row.run for row in every if is_meant(row, text)]
            assert [row.run for row in pages(owner.store, where, text, limit)] == expected, (text, narrowed)
            assert [row.run for row in owner.store.list(RunFilter(**where, text=text, limit=1_000))] == expected

    holds()
