"""Reads a regular expression as XPath has it: XML Schema part 2, appendix F, with anchors and references."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Final

import msgspec

from segue.feel.lexer import NAME_PART, NAME_START
from segue.feel.nothing import Null
from segue.feel.regex_blocks import BLOCKS

Matches = Callable[[str], bool]
GREATEST_REPEAT: Final = 1000
DEEPEST: Final = 50


class Part(msgspec.Struct, frozen=True):
    """Part of a regular expression."""


class One(Part, frozen=True):
    """A character of a kind."""

    matches: Matches


class Anchor(Part, frozen=True):
    """`^` or `$`."""

    end: bool


class Reference(Part, frozen=True):
    """What a group has matched, once more."""

    group: int


class Group(Part, frozen=True):
    """Parts in parentheses; ``number`` is ``None`` where nothing is remembered."""

    body: Part
    number: int | None


class Sequence(Part, frozen=True):
    """Parts one after the other."""

    parts: tuple[Part, ...]


class Choice(Part, frozen=True):
    """The first of several that matches."""

    branches: tuple[Part, ...]


class Repeat(Part, frozen=True):
    """A part several times; ``greatest`` is ``None`` for any number."""

    body: Part
    least: int
    greatest: int | None
    greedy: bool


class Pattern(msgspec.Struct, frozen=True):
    """A regular expression, and how many groups it remembers."""

    root: Part
    groups: int
    references: bool


SPACES: Final = " \t\n\r"
ESCAPED: Final = {**{char: char for char in "\\|.?*+(){}$-[]^"}, "n": "\n", "r": "\r", "t": "\t"}
CATEGORIES: Final = frozenset(
    (
        *("L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No"),
        *("P", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Z", "Zs", "Zl", "Zp"),
        *("S", "Sm", "Sc", "Sk", "So", "C", "Cc", "Cf", "Co", "Cn"),
    )
)


def _ranges(text: str) -> list[tuple[str, str]]:
    """The ranges that a character class such as ``a-zA-Z_`` spells."""
    found: list[tuple[str, str]] = []
    index = 0
    while index < len(text):
        if text[index + 1 : index + 2] == "-" and index + 2 < len(text):
            found.append((text[index], text[index + 2]))
            index += 3
        else:
            found.append((text[index], text[index]))
            index += 1
    return found


_START = [*_ranges(NAME_START.removeprefix("?")), (":", ":")]
_PART = [*_ranges(NAME_PART.removeprefix("?")), ("-", "-"), (".", "."), (":", ":")]
KINDS: Final[dict[str, Matches]] = {
    "s": lambda char: char in SPACES,
    "d": lambda char: unicodedata.category(char) == "Nd",
    "w": lambda char: unicodedata.category(char)[0] not in "PZC",
    "i": lambda char: any(first <= char <= last for first, last in _START),
    "c": lambda char: any(first <= char <= last for first, last in _PART),
}


def _not(matches: Matches) -> Matches:
    return lambda char: not matches(char)


def folded(char: str) -> str:
    """A character without its case."""
    lower = char.upper().lower()
    return lower if len(lower) == 1 else char.lower()


class RegexParser:
    """Reads one pattern under its flags."""

    def __init__(self, text: str, flags: str) -> None:
        for flag in flags:
            if flag not in "smixq":
                raise Null(f"there is no flag {flag!r} for regular expressions; there are s, m, i, x, q")
        self.ignore_case = "i" in flags
        self.all_chars = "s" in flags
        self.literal = "q" in flags
        self.text = _without_spaces(text) if "x" in flags and not self.literal else text
        self.index = 0
        self.groups = 0
        self.closed: set[int] = set()
        self.references = False
        self.depth = 0

    def read(self) -> Pattern:
        """The pattern.

        Raises:
            Null: the text is no regular expression.
        """
        if self.literal:
            return Pattern(Sequence(tuple(self._char(char) for char in self.text)), 0, False)
        root = self._choice()
        if self.index < len(self.text):
            raise self._error("unexpected )")
        return Pattern(root, self.groups, self.references)

    def _error(self, reason: str) -> Null:
        return Null(f"{reason} at {self.index + 1} in the regular expression {self.text[:60]!r}")

    def _peek(self) -> str:
        return self.text[self.index : self.index + 1]

    def _next(self) -> str:
        char = self._peek()
        if not char:
            raise self._error("it ends too early")
        self.index += 1
        return char

    def _take(self, text: str) -> bool:
        if self.text.startswith(text, self.index):
            self.index += len(text)
            return True
        return False

    # --- structure ----------------------------------------------------------------------------------------------

    def _choice(self) -> Part:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._error(f"groups nested more than {DEEPEST} deep")
        branches = [self._sequence()]
        while self._take("|"):
            branches.append(self._sequence())
        self.depth -= 1
        return branches[0] if len(branches) == 1 else Choice(tuple(branches))

    def _sequence(self) -> Part:
        parts: list[Part] = []
        while (char := self._peek()) and char not in "|)":
            parts.append(self._repeated(self._atom()))
        return Sequence(tuple(parts))

    def _repeated(self, body: Part) -> Part:
        char = self._peek()
        if not char or char not in "?*+{":
            return body
        self.index += 1
        least: int = 0
        greatest: int | None = None
        match char:
            case "?":
                least, greatest = 0, 1
            case "*":
                least, greatest = 0, None
            case "+":
                least, greatest = 1, None
            case _:
                least, greatest = self._counts()
        if isinstance(body, Anchor):
            raise self._error("an anchor cannot be repeated")
        greedy = not self._take("?")
        if self._peek() and self._peek() in "?*+{":
            raise self._error("a repetition of a repetition")
        return Repeat(body, least, greatest, greedy)

    def _counts(self) -> tuple[int, int | None]:
        least = self._count()
        greatest: int | None = least
        if self._take(","):
            greatest = None if self._peek() == "}" else self._count()
        if not self._take("}"):
            raise self._error("expected }")
        if greatest is not None and greatest < least:
            raise self._error("a repetition whose greatest number is below its least")
        return least, greatest

    def _count(self) -> int:
        begin = self.index
        while self._peek().isascii() and self._peek().isdigit():
            self.index += 1
        digits = self.text[begin : self.index]
        if not digits or len(digits) > 4 or int(digits) > GREATEST_REPEAT:
            raise self._error(f"a repetition needs a number up to {GREATEST_REPEAT}")
        return int(digits)

    def _atom(self) -> Part:
        char = self._next()
        match char:
            case "(":
                return self._group()
            case "[":
                return One(self._class())
            case "\\":
                return self._escape()
            case ".":
                return One((lambda char: True) if self.all_chars else (lambda char: char not in "\n\r"))
            case "^" | "$":
                return Anchor(char == "$")
            case "?" | "*" | "+" | "{" | "}" | "]":
                self.index -= 1
                raise self._error(f"unexpected {char}")
        return self._char(char)

    def _group(self) -> Part:
        number: int | None = None
        if self._take("?"):
            if not self._take(":"):
                raise self._error("only (?: is known of what begins with (?")
        else:
            self.groups += 1
            number = self.groups
        body = self._choice()
        if not self._take(")"):
            raise self._error("a group that is not closed")
        if number is not None:
            self.closed.add(number)
        return Group(body, number)

    def _escape(self) -> Part:
        char = self._peek()
        if char and char in "123456789":
            self.index += 1
            number = int(char)
            while self._peek() and self._peek() in "0123456789" and number * 10 + int(self._peek()) <= self.groups:
                number = number * 10 + int(self._next())
            if number not in self.closed:
                self.index -= 1
                raise self._error(f"there is no group {number} before")
            self.references = True
            return Reference(number)
        matches = self._kind()
        return One(matches) if not isinstance(matches, str) else self._char(matches)

    def _char(self, char: str) -> Part:
        if self.ignore_case:
            wanted = folded(char)
            return One(lambda char: folded(char) == wanted)
        return One(char.__eq__)

    def _kind(self) -> Matches | str:
        """What stands after a backslash: a kind of characters, or a character."""
        char = self._next()
        if char in ESCAPED:
            return ESCAPED[char]
        if char.lower() in KINDS:
            return KINDS[char] if char.islower() else _not(KINDS[char.lower()])
        if char in "pP":
            matches = self._property()
            return matches if char == "p" else _not(matches)
        raise self._error(f"there is no escape \\{char}")

    def _property(self) -> Matches:
        end = self.text.find("}", self.index)
        if not self._take("{") or end < 0:
            raise self._error("\\p wants a name in braces")
        name = self.text[self.index : end]
        self.index = end + 1
        if name in CATEGORIES:
            return lambda char: unicodedata.category(char).startswith(name)
        if name.startswith("Is") and name[2:] in BLOCKS:
            first, last = BLOCKS[name[2:]]
            return lambda char: first <= ord(char) <= last
        raise self._error(f"there is no category or block {name!r}")

    # --- classes ------------------------------------------------------------------------------------------------

    def _class(self) -> Matches:
        """What stands between brackets, with what is taken out of it by `-[…]`."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._error(f"classes nested more than {DEEPEST} deep")
        negated = self._take("^")
        singles: list[Matches] = []
        ranges: list[tuple[str, str]] = []
        minus: Matches | None = None
        while not self._take("]"):
            if self._take("-["):
                minus = self._class()
                if not self._take("]"):
                    raise self._error("nothing may follow what is taken out of a class")
                break
            self._member(singles, ranges)
        self.depth -= 1
        if not singles and not ranges:
            raise self._error("an empty class")
        inside = self._any_of(singles, ranges)
        kept = _not(inside) if negated else inside
        if minus is None:
            return kept
        taken = minus
        return lambda char: kept(char) and not taken(char)

    def _member(self, singles: list[Matches], ranges: list[tuple[str, str]]) -> None:
        first = self._class_char()
        if not isinstance(first, str):
            singles.append(first)
            return
        follows = self.text[self.index : self.index + 2]
        if follows[:1] == "-" and follows not in ("-]", "-["):
            self.index += 1
            last = self._class_char()
            if not isinstance(last, str) or last < first:
                raise self._error("a range of characters that is none")
            ranges.append((first, last))
        else:
            ranges.append((first, first))

    def _class_char(self) -> Matches | str:
        char = self._next()
        if char == "\\":
            return self._kind()
        if char == "[":
            raise self._error("[ must be written \\[ in a class")
        return char

    def _any_of(self, singles: list[Matches], ranges: list[tuple[str, str]]) -> Matches:
        def inside(char: str) -> bool:
            return any(first <= char <= last for first, last in ranges) or any(matches(char) for matches in singles)

        if not self.ignore_case:
            return inside
        return lambda char: any(
            inside(each) for each in {char, char.lower(), char.upper(), folded(char)} if len(each) == 1
        )


def _without_spaces(text: str) -> str:
    """The pattern under the flag x: white space counts only within a class."""
    kept: list[str] = []
    depth, index = 0, 0
    while index < len(text):
        char = text[index]
        if char == "\\" and text[index + 1 : index + 2] and text[index + 1] not in SPACES:
            kept.append(text[index : index + 2])
            index += 2
            continue
        depth += {"[": 1, "]": -1}.get(char, 0)
        if depth > 0 or char not in SPACES:
            kept.append(char)
        index += 1
    return "".join(kept)
