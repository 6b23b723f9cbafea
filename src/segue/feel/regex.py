"""Matches regular expressions in bounded time: what has failed once at a place is never tried there again (docs/adr).

A pattern becomes a program of few instructions. Without references to groups, whether an instruction can succeed at a
position depends on nothing else, so each pair is tried once and a match takes at most length x program steps. With
references the groups' contents belong to the pair; then only the budget bounds the steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from segue.feel.nothing import Null
from segue.feel.regex_parser import (
    Anchor,
    Choice,
    Group,
    Matches,
    One,
    Part,
    Reference,
    RegexParser,
    Repeat,
    Sequence,
    folded,
)
from segue.feel.run import Run

LONGEST_PROGRAM: Final = 5_000
ONE, SPLIT, JUMP, SAVE, AT_START, AT_END, AGAIN, MATCH = range(8)
Instruction = tuple[int, "int | Matches", int]


class Regex:
    """A compiled regular expression."""

    def __init__(self, text: str, flags: str) -> None:
        parser = RegexParser(text, flags)
        pattern = parser.read()
        self.groups = pattern.groups
        self.references = pattern.references
        self.many_lines = "m" in flags
        self.ignore_case = parser.ignore_case
        self.program: list[Instruction] = []
        self._emit(pattern.root)
        self._add(MATCH)

    # --- compiling ----------------------------------------------------------------------------------------------

    def _add(self, code: int, first: int | Matches = 0, second: int = 0) -> int:
        if len(self.program) >= LONGEST_PROGRAM:
            raise Null("a regular expression that is too large")
        self.program.append((code, first, second))
        return len(self.program) - 1

    def _emit(self, part: Part) -> None:
        match part:
            case One():
                self._add(ONE, part.matches)
            case Anchor():
                self._add(AT_END if part.end else AT_START)
            case Reference():
                self._add(AGAIN, part.group)
            case Sequence():
                for each in part.parts:
                    self._emit(each)
            case Group():
                if part.number is not None:
                    self._add(SAVE, 2 * part.number)
                self._emit(part.body)
                if part.number is not None:
                    self._add(SAVE, 2 * part.number + 1)
            case Choice():
                self._emit_choice(part)
            case Repeat():
                self._emit_repeat(part)

    def _emit_choice(self, part: Choice) -> None:
        ends: list[int] = []
        for branch in part.branches[:-1]:
            split = self._add(SPLIT)
            self._emit(branch)
            ends.append(self._add(JUMP))
            self.program[split] = (SPLIT, split + 1, len(self.program))
        self._emit(part.branches[-1])
        for end in ends:
            self.program[end] = (JUMP, len(self.program), 0)

    def _emit_repeat(self, part: Repeat) -> None:
        for _ in range(part.least):
            self._emit(part.body)
        if part.greatest is None:
            split = self._add(SPLIT)
            self._emit(part.body)
            self._add(JUMP, split)
            self._set_split(split, part.greedy)
            return
        splits: list[int] = []
        for _ in range(part.greatest - part.least):
            splits.append(self._add(SPLIT))
            self._emit(part.body)
        for split in splits:
            self._set_split(split, part.greedy)

    def _set_split(self, split: int, greedy: bool) -> None:
        end = len(self.program)
        self.program[split] = (SPLIT, split + 1, end) if greedy else (SPLIT, end, split + 1)

    # --- matching -----------------------------------------------------------------------------------------------

    def search(self, text: str, run: Run, start: int = 0) -> list[int] | None:
        """Where the first match is at or after ``start``: begin and end of the whole and of each group, -1 for none."""
        failed: set[object] = set()
        for position in range(start, len(text) + 1):
            spans = self._match(text, position, failed, run)
            if spans is not None:
                return spans
        return None

    def matches(self, text: str, run: Run) -> Iterator[list[int]]:
        """All matches, one after the other, without overlap."""
        position = 0
        while position <= len(text):
            spans = self.search(text, run, position)
            if spans is None:
                return
            yield spans
            position = spans[1] if spans[1] > spans[0] else spans[1] + 1

    def _match(self, text: str, start: int, failed: set[object], run: Run) -> list[int] | None:
        program = self.program
        spans = [-1] * (2 * self.groups + 2)
        length = len(text)
        width = length + 1
        # What is left to try: a place in the program and the text, or (-1 - slot, old value) to put back a group's end.
        stack: list[tuple[int, int]] = [(0, start)]
        steps = 0
        while stack:
            place, position = stack.pop()
            if place < 0:
                spans[-1 - place] = position
                continue
            while True:
                steps += 1
                if steps & 255 == 0:
                    run.step(64 if self.references else 16)
                    run.produce(4096 if self.references else 1024)  # what has failed is kept in memory
                key: object = place * width + position
                if self.references:
                    key = (key, tuple(spans))
                if key in failed:
                    break
                failed.add(key)
                code, first, second = program[place]
                if code == ONE:
                    if position >= length or not first(text[position]):  # type: ignore[operator]
                        break
                    place += 1
                    position += 1
                elif code == SPLIT:
                    stack.append((second, position))
                    place = first  # type: ignore[assignment]
                elif code == JUMP:
                    place = first  # type: ignore[assignment]
                elif code == SAVE:
                    stack.append((-1 - first, spans[first]))  # type: ignore[operator, index]
                    spans[first] = position  # type: ignore[index]
                    place += 1
                elif code == MATCH:
                    spans[0], spans[1] = start, position
                    run.step(1 + (steps >> 4))
                    return spans
                elif code == AGAIN:
                    size = self._again(text, position, spans[2 * first], spans[2 * first + 1])  # type: ignore[operator]
                    if size < 0:
                        break
                    position += size
                    place += 1
                elif self._anchored(text, position, at_end=code == AT_END):
                    place += 1
                else:
                    break
        run.step(1 + (steps >> 4))
        return None

    def _again(self, text: str, position: int, begin: int, end: int) -> int:
        """The length of what a group has matched, if it stands here once more; -1 if not. None is empty."""
        if begin < 0 or end < begin:
            return 0
        wanted, found = text[begin:end], text[position : position + end - begin]
        if self.ignore_case:
            wanted, found = "".join(map(folded, wanted)), "".join(map(folded, found))
        return end - begin if wanted == found else -1

    def _anchored(self, text: str, position: int, *, at_end: bool) -> bool:
        if at_end:
            return position == len(text) or (self.many_lines and text[position] == "\n")
        return position == 0 or (self.many_lines and text[position - 1] == "\n")


@lru_cache(maxsize=128)
def regex(text: str, flags: str) -> Regex:
    """A regular expression, compiled once.

    Raises:
        Null: the text or the flags are none.
    """
    return Regex(text, flags)


def replaced(text: str, pattern: Regex, replacement: str, run: Run) -> str:
    """The text with each match replaced; in the replacement `$1` is a group, `$0` the match, `\\$` a dollar.

    Raises:
        Null: the replacement refers to nothing.
    """
    pieces = _replacement(replacement, pattern.groups)
    made: list[str] = []
    last = 0
    for spans in pattern.matches(text, run):
        made.append(text[last : spans[0]])
        for piece in pieces:
            if isinstance(piece, str):
                made.append(piece)
            elif spans[2 * piece] >= 0:
                made.append(text[spans[2 * piece] : spans[2 * piece + 1]])
        last = spans[1]
        run.produce(len(replacement) + sum(len(part) for part in made[-len(pieces) :]) + 1)
    made.append(text[last:])
    return "".join(made)


def _replacement(text: str, groups: int) -> list[str | int]:
    pieces: list[str | int] = []
    index = 0
    while index < len(text):
        char = text[index]
        index += 1
        if char == "\\":
            if text[index : index + 1] not in ("\\", "$"):
                raise Null("in a replacement \\ must be followed by \\ or $")
            pieces.append(text[index])
            index += 1
        elif char == "$":
            if not ("0" <= text[index : index + 1] <= "9"):
                raise Null("in a replacement $ must be followed by a digit; write \\$ for a dollar")
            number = int(text[index])
            index += 1
            while "0" <= text[index : index + 1] <= "9" and number * 10 + int(text[index]) <= groups:
                number = number * 10 + int(text[index])
                index += 1
            if number <= groups:  # a group that does not exist is empty
                pieces.append(number)
        else:
            pieces.append(char)
    return pieces
