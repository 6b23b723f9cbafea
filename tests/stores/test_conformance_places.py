"""Large values whose bytes are outside the database, as ``stores.place_rows`` promises it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from store_kit import Owner, StoreFactory, closed

from segue.errors import StoreUnavailable
from segue.stores import objects
from segue.stores.base import Append, Blob
from segue.stores.place_rows import Held, Placed

pytest.importorskip("fsspec")


def place(tmp_path: Path, name: str, data: bytes) -> str:
    """The URL of a file with these bytes."""
    found = objects.place_under(tmp_path.as_uri(), name)
    objects.put(found, data)
    return found


def settle(owner: Owner, ref: str, place: str, at: int = 1) -> bool:
    """A value moves."""
    owner.store.places.announce([place], at)
    return bool(owner.store.places.settle([Placed(ref, place)]))


def test_what_is_large_is_found_once_it_is_there(owner: Owner) -> None:
    run = owner.start("a", blobs=(Blob("small", b"x" * 10), Blob("large", b"x" * 100)))
    owner.commit(Append(run, 2, (b"e",), blobs=(Blob("larger", b"x" * 101),)))
    places = owner.store.places
    assert places.large(100, 10) == {"large": 100, "larger": 101}
    assert len(places.large(100, 1)) == 1
    assert not places.any()


def test_a_value_is_read_from_its_place(owner: Owner, tmp_path: Path) -> None:
    run, other = owner.start("a", blobs=(Blob("ref", b"bytes"),)), owner.start("b")
    places = owner.store.places
    there = place(tmp_path, "ref-1", b"bytes")
    places.announce([there], 5)
    assert places.leftovers(6, 10) == [there]

    assert places.settle([Placed("ref", there)])
    assert places.leftovers(6, 10) == []
    assert places.large(0, 10) == {}
    assert (places.any(), places.of_run(run), places.of_run(other)) == (True, [Placed("ref", there)], [])
    assert owner.store.blobs(["ref"]) == {"ref": b"bytes"}

    # Whoever brings the same value again refers to what is there.
    owner.commit(Append(other, 2, (b"e",), blobs=(Blob("ref", b"bytes"),)))
    assert places.of_run(other) == [Placed("ref", there)]
    assert places.large(0, 10) == {}


def test_a_value_has_one_place_and_the_other_is_a_leftover(owner: Owner) -> None:
    owner.start("a", blobs=(Blob("ref", b"bytes"),))
    places = owner.store.places
    for name, at in (("memory://one", 1), ("memory://two", 2), ("memory://gone", 3)):
        places.announce([name], at)
    assert places.settle([Placed("ref", "memory://one")])
    assert not places.settle([Placed("ref", "memory://two")])
    assert not places.settle([Placed("dropped", "memory://gone")])
    assert places.leftovers(3, 10) == ["memory://two"], "those of before the time, the oldest first"
    assert places.leftovers(4, 10) == ["memory://two", "memory://gone"]
    places.cleared(["memory://two", "memory://gone"])
    assert places.leftovers(4, 10) == []


def test_several_that_got_there_are_told_from_those_that_did_not(owner: Owner) -> None:
    refs = [f"ref-{n}" for n in range(5)]
    owner.start("a", blobs=[Blob(ref, b"bytes") for ref in refs])
    places = owner.store.places
    placed = [Placed(ref, f"memory://{ref}") for ref in [*refs, "dropped"]]
    places.announce([each.place for each in placed], 5)
    assert places.leftovers(6, 10) == sorted(each.place for each in placed)
    assert places.condemn([placed[1].place]) == [placed[1].place]
    assert places.settle([placed[2]]) == [placed[2]]

    again = Placed(placed[2].ref, "memory://again")
    assert places.settle([*placed[::-1], again]) == [placed[0], placed[3], placed[4]]
    assert places.large(0, 10) == {refs[1]: 5}
    assert places.leftovers(6, 10) == [placed[1].place, placed[5].place], "that which was condemned comes first"
    assert (places.settle([]), places.look(refs)[0]) == ([], {refs[1]: b"bytes"})


def test_owners_that_have_moved_the_same_values_do_not_block_each_other(
    owner: Owner, store_factory: StoreFactory
) -> None:
    refs = [f"ref-{n:02}" for n in range(40)]
    owner.start("a", blobs=[Blob(ref, b"bytes") for ref in refs])
    other = store_factory()
    of_one, of_other = ([Placed(ref, f"memory://{ref}-{who}") for ref in refs] for who in ("one", "other"))
    owner.store.places.announce([each.place for each in [*of_one, *of_other]], 5)
    with ThreadPoolExecutor(2) as threads:
        found = [threads.submit(owner.store.places.settle, of_one), threads.submit(other.places.settle, of_other[::-1])]
        settled = [each for future in found for each in future.result()]
    assert sorted(each.ref for each in settled) == refs


def test_a_place_is_removed_or_a_value_gets_there_but_never_both(owner: Owner) -> None:
    owner.start("a", blobs=(Blob("ref", b"bytes"),))
    places = owner.store.places
    places.announce(["memory://late"], 1)
    places.announce(["memory://soon"], 2)
    assert places.condemn(["memory://late"]) == ["memory://late"]
    assert not places.settle([Placed("ref", "memory://late")]), "what is there may be gone by now"
    assert places.leftovers(1, 10) == ["memory://late"]

    assert places.settle([Placed("ref", "memory://soon")])
    assert places.condemn(["memory://late", "memory://soon"]) == ["memory://late"], "a value is at the other one"
    assert places.look(["ref"]) == ({}, [Placed("ref", "memory://soon")])

    places.cleared(["memory://late"])
    assert not places.settle([Placed("ref", "memory://late")]), "nobody has announced it"


def test_what_is_where_is_counted(owner: Owner, tmp_path: Path) -> None:
    run = owner.start("a", blobs=[Blob(f"re-{n}", b"x" * n) for n in range(1, 6)])
    places = owner.store.places
    assert places.held() == []
    base = "s3://bucket/of the shop"
    for n, under in ((1, base), (2, base), (3, tmp_path.as_uri()), (4, "s3://bucket")):
        assert settle(owner, f"re-{n}", objects.place_under(under, f"re-{n}-0"))
    assert places.held() == [Held(tmp_path.as_uri(), 1, 3), Held("s3://bucket", 1, 4), Held(base, 2, 3)]
    owner.commit(Append(run, 2, (b"e",), status=closed(at=10)))
    assert owner.store.redact(run, [], b"told", ["re-1"])
    assert places.held()[-1] == Held(base, 1, 2)


def test_a_look_leaves_values_where_they_are(owner: Owner) -> None:
    owner.start("a", blobs=(Blob("here", b"1"), Blob("there", b"2")))
    assert settle(owner, "there", "memory://nowhere/at/all")
    assert owner.store.places.look(["here", "there", "unknown"]) == (
        {"here": b"1"},
        [Placed("there", "memory://nowhere/at/all")],
    )


def test_a_place_is_left_over_when_the_last_run_that_refers_to_it_goes(owner: Owner, tmp_path: Path) -> None:
    first = owner.start("a", blobs=(Blob("ref", b"bytes"),))
    second = owner.start("b", blobs=(Blob("ref", b"bytes"),))
    there = place(tmp_path, "ref-1", b"bytes")
    assert settle(owner, "ref", there)
    owner.commit(Append(first, 2, (b"e",), status=closed(at=10)), Append(second, 2, (b"e",), status=closed(at=20)))
    owner.start("newest")

    assert owner.store.retain(11, 10) == 1
    assert owner.store.places.leftovers(1, 10) == []
    assert owner.store.redact(second, [], b"told", ["ref"])
    assert owner.store.places.leftovers(1, 10) == [there]
    assert owner.store.blobs(["ref"]) == {}


def test_what_somebody_else_has_removed_is_missing(
    owner: Owner, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    owner.start("a", blobs=(Blob("ref", b"bytes"),))
    there = place(tmp_path, "ref-1", b"bytes")
    assert settle(owner, "ref", there)
    objects.remove(there)
    objects.remove(there)
    assert owner.store.blobs(["ref"]) == {}
    assert f"there is nothing at {there}" in caplog.text


def test_a_place_that_does_not_answer_is_no_place_without_the_value(owner: Owner, tmp_path: Path) -> None:
    owner.start("a", blobs=(Blob("ref", b"bytes"),))
    folder = tmp_path / "re" / "ref-1"
    folder.mkdir(parents=True)
    assert settle(owner, "ref", folder.as_uri())
    with pytest.raises(StoreUnavailable, match=r"ref-1 does not answer: IsADirectoryError"):
        owner.store.blobs(["ref"])
