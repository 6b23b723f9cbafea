"""Finds runs by words, newest first, without ever looking through all of them.

Each word of a search is asked for a few thousand runs that have it: in the words that are kept, in the names of
workflows and at the beginnings of ids. Either these are all there are, or they are the newest, down to some run, or,
where a beginning fits too much to be put into order, nothing is known of the word yet. The word that is known furthest
down leads: its runs are held against the conditions of all words and of the filter, newest first. Where nothing is
known of any word, each of them fits many runs, and the newest runs themselves are held against the conditions. After
so many looks a page ends, and its cursor goes on from there (``docs/adr/0036``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import msgspec

from segue.errors import InvalidArgument
from segue.stores.base import RunFilter, RunRow
from segue.stores.run_words import asked, words
from segue.stores.search_rows import FoundRuns
from segue.stores.sql.conditions import Conditions, filtered, with_prefix
from segue.stores.sql.rows import run_row, words_of_row
from segue.stores.sql.statements import Connection, Statement, numbers, texts

ORDERED = 2_000
"""Runs of one word that are asked for at a time, where they come newest first."""
UNORDERED = 5_000
"""Runs of one beginning that are put into order; of more, nothing is known."""
MOST_BRANCHES = 32
"""Words, or workflows, that a beginning may stand for to be followed one by one, newest first."""
MOST_WORKFLOWS = 2_000
"""Workflows of a namespace whose names are looked at."""
LOOKS = 10_000
"""What a page may cost: as much as holding so many runs that follow one another against the conditions."""
ROUND = 2_500
"""What it costs to ask for the runs of each word."""
APART = 2
"""What it costs to hold one run against the conditions that does not follow the one before."""
AT_ONCE = 500
"""Runs that one statement holds against them, at most; the first one fewer, since mostly they are enough."""
LATEST = 2**63 - 1

_with_word = Statement("newest_with_word")
_with_words = Statement("some_with_words")
_words = Statement("words_between")
_workflows = Statement("workflows_with_runs")
_of_workflow = Statement("newest_of_workflow")
_of_state = Statement("newest_of_state")
_of_ids = Statement("some_of_ids")
_choose = Statement("choose_runs")
_runs = Statement("runs_by_row")
_numbers = Statement("run_numbers")


class _Known(NamedTuple):
    """Runs of which something holds: all there are from ``floor`` on; None where nothing is known."""

    runs: frozenset[int]
    floor: int | None

    def may_have(self, run: int) -> bool:
        return self.floor is None or run < self.floor or run in self.runs


_NOTHING_KNOWN = _Known(frozenset(), None)


class _Part(NamedTuple):
    """Runs that may be meant, newest first: these, or, if None, all from ``low`` (included) to ``high`` (not
    included)."""

    runs: list[int] | None
    low: int
    high: int


class Search:
    """One search over one connection.

    Raises:
        InvalidArgument: the text has no word, or too many; the filter is for no namespace.
    """

    def __init__(self, connection: Connection, where: RunFilter, dialect: Conditions) -> None:
        if where.namespace is None:
            raise InvalidArgument("a text is searched for in one namespace; name it", path="$.namespace")
        self._connection = connection
        self._where = where
        self._dialect = dialect
        self._namespace = where.namespace
        self._asked = asked(where.text or "")
        self._unordered: dict[tuple[str, str], _Known] = {}

    def page(self) -> FoundRuns:
        """See ``SearchReads.search``."""
        rows: list[RunRow] = []
        limit, before, looks = self._where.limit, self._where.after, LOOKS
        if before is None:
            before = (_numbers.one(self._connection)[0][1] or 0) + 1
        while before > 0 and looks > 0:
            looks -= ROUND
            floor, parts = self._candidates(before)
            for part in parts:
                rows += self._fitting(part, limit + 1 - len(rows))
                if len(rows) > limit:
                    return FoundRuns(rows[:limit], rows[limit - 1].run)
                looks -= part.high - part.low if part.runs is None else APART * len(part.runs)
                before = part.low
                if looks <= 0:
                    break
            else:
                before = floor
        return FoundRuns(rows, before if before > 0 else None)

    def few(self) -> list[int] | None:
        """All runs that are meant, if a word is known to be in few runs."""
        known = [each for each in self._known(LATEST) if each.floor == 0]
        if not known or self._whole.floor is None:
            return None
        fewest = min(known, key=lambda each: len(each.runs))
        found = {run for run in fewest.runs if all(each.may_have(run) for each in known)} | self._whole.runs
        parts = _parts(sorted(found, reverse=True), LATEST)
        return [run for part in parts for run in self._choose(part, part.high, AT_ONCE)]

    def condition(self) -> tuple[str, list[Any]]:
        """The text as a condition in SQL, with its values."""
        said: list[str] = []
        values: list[Any] = []
        for nth, word in enumerate(self._asked.words):
            ways: list[tuple[str, Sequence[Any]]] = []
            if self._asked.is_beginning(nth):
                ways.append((self._dialect.has_word_from, with_prefix(word)))
            else:
                ways.append((self._dialect.has_word, (word,)))
            if self._names[nth]:
                ways.append((self._dialect.has_workflow, (texts(self._names[nth]),)))
            ways += [self._begins(beginning) for beginning in self._asked.beginnings[nth]]
            said.append("(" + " OR ".join(f"({way})" for way, _ in ways) + ")")
            values += [value for _, given in ways for value in given]
        whole, given = self._begins(self._asked.text)
        return f"({' AND '.join(said)} OR ({whole}))", [*values, *given]

    def _begins(self, text: str) -> tuple[str, Sequence[Any]]:
        return "runs.id >= ? AND runs.id < ?", with_prefix(text)

    # --- which runs may be meant ------------------------------------------------------------------------------

    def _candidates(self, before: int) -> tuple[int, Iterator[_Part]]:
        """Runs before one that may be meant, newest first, in parts: all there are from the first answer on."""
        known = self._known(before)
        leads = min(known, key=lambda each: (each.floor, len(each.runs)), default=None)
        if leads is None or leads.floor is None or self._whole.floor is None:
            return self._all(before)
        floor = leads.floor
        found = {run for run in leads.runs if all(each.may_have(run) for each in known)} | self._whole.runs
        return floor, _parts(sorted((run for run in found if floor <= run < before), reverse=True), before)

    def _all(self, before: int) -> tuple[int, Iterator[_Part]]:
        floor = max(0, before - LOOKS)
        return floor, (_Part(None, max(floor, high - AT_ONCE), high) for high in range(before, floor, -AT_ONCE))

    def _known(self, before: int) -> list[_Known]:
        """What is known of runs before one: of each word, and of what else narrows the list; nothing else is in it."""
        known = [self._of_word(nth, before) for nth in range(len(self._asked.words))]
        if self._where.workflow is not None:
            known.append(self._newest(_of_workflow, [self._where.workflow], before))
        if self._where.states:
            known.append(self._newest(_of_state, self._where.states, before))
        return [each for each in known if each.floor is not None]

    def _of_word(self, nth: int, before: int) -> _Known:
        return _any(self._ways(nth, before))

    def _ways(self, nth: int, before: int) -> Iterator[_Known]:
        """Where a run may have the word: what is known of each."""
        word, names = self._asked.words[nth], self._names[nth]
        for beginning in self._asked.beginnings[nth]:
            yield self._some(_of_ids, beginning)
        yield self._newest(_of_workflow, names, before) if len(names) <= MOST_BRANCHES else _NOTHING_KNOWN
        yield self._from_words(word, before) if self._asked.is_beginning(nth) else self._with([word], before)

    def _from_words(self, beginning: str, before: int) -> _Known:
        """Runs with a word that begins so."""
        found = self._some(_with_words, beginning)
        if found.floor is not None:
            return found
        branches = self._branches
        return self._with(branches, before) if len(branches) <= MOST_BRANCHES else _NOTHING_KNOWN

    def _with(self, said: Sequence[str], before: int) -> _Known:
        return self._newest(_with_word, said, before)

    def _newest(self, statement: Statement, of: Sequence[str], before: int) -> _Known:
        """The newest runs of several kinds, down to where all of the kinds are known."""
        most = ORDERED // max(1, len(of))
        ways: list[_Known] = []
        for each in of:
            rows = [run for (run,) in statement.one(self._connection, (self._namespace, each, before, most))]
            ways.append(_Known(frozenset(rows), rows[-1] if len(rows) == most else 0))
        return _any(ways)

    def _some(self, statement: Statement, beginning: str) -> _Known:
        """Runs of whatever begins so, whatever their numbers are."""
        key = statement.name, beginning
        if key not in self._unordered:
            rows = statement.one(self._connection, (self._namespace, *with_prefix(beginning), UNORDERED + 1))
            known = len(rows) <= UNORDERED
            self._unordered[key] = _Known(frozenset(run for (run,) in rows), 0) if known else _NOTHING_KNOWN
        return self._unordered[key]

    @cached_property
    def _whole(self) -> _Known:
        """Runs whose id begins with the text as it was typed."""
        return self._some(_of_ids, self._asked.text)

    @cached_property
    def _branches(self) -> list[str]:
        """Words that begin as the last one does, a few of them."""
        values = self._namespace, *with_prefix(self._asked.words[-1]), MOST_BRANCHES + 1
        return [word for (word,) in _words.one(self._connection, values)]

    @cached_property
    def _names(self) -> list[list[str]]:
        """For each word, the workflows that have it in their name."""
        rows = _workflows.one(self._connection, (self._namespace, MOST_WORKFLOWS))
        said = {name: set(words(name)) for (name,) in rows}
        return [[name for name in said if self._asked.names(nth, said[name])] for nth in range(len(self._asked.words))]

    # --- what they are held against ---------------------------------------------------------------------------

    def _fitting(self, part: _Part, limit: int) -> list[RunRow]:
        """Those of the runs that are meant, newest first, up to a number."""
        fitting: list[RunRow] = []
        high = part.high
        while len(fitting) < limit:
            most = limit - len(fitting)
            chosen = self._choose(part, high, most)
            fitting += self._read(chosen)
            if len(chosen) < most:
                break
            high = chosen[-1]
        return fitting

    def _choose(self, part: _Part, high: int, limit: int) -> list[int]:
        """Those that the conditions hold for, before one of them."""
        conditions, values = self._conditions
        if part.runs is not None:
            conditions, values = [self._dialect.is_one_of, *conditions], [numbers(part.runs), *values]
        sql = self._connection.text(_choose.name).replace("AND true", " AND ".join(["AND true", *conditions]))
        return [run for (run,) in self._connection.execute(sql, (part.low, high, *values, limit))]

    def _read(self, chosen: Sequence[int]) -> list[RunRow]:
        """The rows, without those that only once had all the words: an error that is past leaves its words behind."""
        rows = map(run_row, _runs.one(self._connection, (numbers(chosen),))) if chosen else ()
        fitting = [row for row in rows if self._asked.fits(row.id, row.workflow, words_of_row(row))]
        return sorted(fitting, key=lambda row: row.run, reverse=True)

    @cached_property
    def _conditions(self) -> tuple[list[str], list[Any]]:
        conditions, values = filtered(msgspec.structs.replace(self._where, after=None), self._dialect, many=True)
        condition, given = self.condition()
        return [*conditions, condition], [*values, *given]


def listed(connection: Connection, where: RunFilter, dialect: Conditions) -> list[RunRow]:
    """The newest runs of a filter that has a text, however many looks it takes."""
    rows: list[RunRow] = []
    page = FoundRuns(rows, where.after)
    while len(rows) < where.limit:
        asked_for = msgspec.structs.replace(where, after=page.next, limit=where.limit - len(rows))
        page = Search(connection, asked_for, dialect).page()
        rows += page.rows
        if page.next is None:
            break
    return rows


def _any(ways: Iterable[_Known]) -> _Known:
    """Runs of which one of several things holds; where nothing is known of one, the others are not looked at."""
    runs: set[int] = set()
    highest = 0
    for known in ways:
        if known.floor is None:
            return _NOTHING_KNOWN
        runs |= known.runs
        highest = max(highest, known.floor)
    return _Known(frozenset(runs), highest)


def _parts(runs: Sequence[int], high: int) -> Iterator[_Part]:
    start, count = 0, max(1, AT_ONCE // 4)
    while start < len(runs):
        part = list(runs[start : start + count])
        yield _Part(part, part[-1], high)
        high, start, count = part[-1], start + count, min(AT_ONCE, 2 * count)
