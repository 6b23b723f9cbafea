"""Ranges of numbers as a sorted row of borders, so that the rules that a number leaves are found by bisection."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from decimal import Decimal

from segue.feel.values import Interval


class Spans:
    """Which of many sets of ranges hold a number; a set is a bit.

    Between two borders, and on each border, the answer is the same for all numbers, and is worked out beforehand.
    """

    __slots__ = ("_borders", "_on", "_under")

    def __init__(self, sets: Iterable[tuple[int, Iterable[Interval]]]) -> None:
        rows = [(bit, interval) for bit, intervals in sets for interval in intervals]
        ends = {end for _, interval in rows for end in (interval.low, interval.high) if end is not None}
        self._borders: list[Decimal] = sorted(ends)
        place = {border: index for index, border in enumerate(self._borders)}
        count = len(self._borders)
        # A range is a run of places: 2n is what lies under border n, 2n + 1 the border itself.
        begins: list[list[int]] = [[] for _ in range(2 * count + 2)]
        stops: list[list[int]] = [[] for _ in range(2 * count + 2)]
        for bit, interval in rows:
            first = 0 if interval.low is None else 2 * place[interval.low] + (1 if interval.low_included else 2)
            last = (
                2 * count if interval.high is None else 2 * place[interval.high] + (1 if interval.high_included else 0)
            )
            if first <= last:
                begins[first].append(bit)
                stops[last].append(bit)
        answers = self._swept(begins, stops, 2 * count + 1)
        self._under, self._on = answers[0::2], answers[1::2]

    @staticmethod
    def _swept(begins: list[list[int]], stops: list[list[int]], places: int) -> list[int]:
        """The sets at each place. Ranges of one set may overlap, so it is counted how many of them are open."""
        answers: list[int] = []
        open_: dict[int, int] = {}
        here = 0
        for place in range(places):
            for bit in begins[place]:
                open_[bit] = open_.get(bit, 0) + 1
                here |= bit
            answers.append(here)
            for bit in stops[place]:
                open_[bit] -= 1
                if not open_[bit]:
                    here &= ~bit
        return answers

    def at(self, number: Decimal) -> int:
        """The sets that hold a number."""
        index = bisect_left(self._borders, number)
        if index < len(self._borders) and self._borders[index] == number:
            return self._on[index]
        return self._under[index]
