"""Large values elsewhere: each call is one transaction, or one look."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from segue.stores.place_rows import Held, Placed
from segue.stores.sql.statements import Readers, Statement, Writer, texts

_any = Statement("any_placed")
_sum = Statement("sum_placed")
_large = Statement("large_payloads")
_of_run = Statement("placed_payloads_of_run")
_announce = Statement("add_leftovers")
_place = Statement("place_payload")
_list = Statement("list_leftovers")
_condemn = Statement("condemn_leftovers")
_lock = Statement("lock_leftovers")
_delete = Statement("delete_leftovers")
_by_ref = Statement("payloads_by_ref")


class Places:
    """Fulfils ``PlaceRows``, where the docstrings stand."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    def any(self) -> bool:
        with self._readers.reading() as connection:
            return bool(_any.one(connection))

    def held(self) -> list[Held]:
        with self._readers.reading() as connection:
            return [Held(*row) for row in _sum.one(connection)]

    def look(self, refs: Iterable[str]) -> tuple[dict[str, bytes], list[Placed]]:
        with self._readers.reading() as connection:
            rows = _by_ref.one(connection, (texts(refs),))
        here = {ref: data for ref, data, place in rows if place is None}
        return here, [Placed(ref, place) for ref, _, place in rows if place is not None]

    def large(self, least: int, limit: int) -> dict[str, int]:
        with self._readers.reading() as connection:
            return dict(_large.one(connection, (least, limit)))

    def of_run(self, run: int) -> list[Placed]:
        with self._readers.reading() as connection:
            return [Placed(*row) for row in _of_run.one(connection, (run,))]

    def announce(self, places: Iterable[str], at: int) -> None:
        with self._writer.transaction() as connection:
            _announce.one(connection, (texts(places), at))

    def settle(self, placed: Iterable[Placed]) -> list[Placed]:
        in_order = sorted(placed, key=attrgetter("ref"))  # in which all who hold several values have them
        there: list[Placed] = []
        with self._writer.transaction() as connection:
            announced = {place for (place,) in _lock.one(connection, (texts(each.place for each in in_order),))}
            for each in in_order:
                if each.place in announced:
                    _place.one(connection, (each.place, each.ref))
                    if connection.changes() == 1:
                        there.append(each)
            _delete.one(connection, (texts(each.place for each in there),))
        return there

    def leftovers(self, before: int, limit: int) -> list[str]:
        with self._readers.reading() as connection:
            return [place for (place,) in _list.one(connection, (before, limit))]

    def condemn(self, places: Iterable[str]) -> list[str]:
        with self._writer.transaction() as connection:
            return [place for (place,) in _condemn.one(connection, (texts(places),))]

    def cleared(self, places: Iterable[str]) -> None:
        with self._writer.transaction() as connection:
            _delete.one(connection, (texts(places),))
