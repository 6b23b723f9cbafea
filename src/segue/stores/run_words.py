"""The words by which a run is found: what a text is made of, in a run's row as in what somebody types.

A word is a stretch of letters and digits with ``-``, ``_``, ``.`` and ``@`` between them. It counts as it is, and in
its parts: ``db-3.acme.com`` is also ``db-3``, ``db``, ``3``, ``acme`` and ``com``; ``PaymentFailed`` also ``payment``
and ``failed``; ``node12`` also ``node`` and ``12``. Upper and lower case are the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

import msgspec

from segue.errors import InvalidArgument
from segue.kernel.codec import HIDDEN, SEALED

MOST_WORDS = 200
"""Words that are kept of one run: the first of its id, labels, attributes, summary and error, in this order."""
LONGEST_WORD = 64
"""Characters of a word that count."""
MOST_READ = 4_000
"""Characters of one text that are looked at."""
LONGEST_TEXT = 200
MOST_ASKED = 8
"""Characters, and words, of what is searched for."""

_WHOLE = re.compile(r"[^\W_](?:[\w.@-]*[^\W_])?")
_MIDDLE = re.compile(r"[.@]+")
_PART = re.compile(r"[-_.@]+")
_HUMP = re.compile(r"(?<=[^\W\d_])(?=[^\W\d_])")
_UNKEPT = re.compile("[\0\ud800-\udfff]")
_NUMBERED = re.compile(r"([^\W\d_]{2,})(\d+)")


def words(text: str) -> Iterator[str]:
    """The words of a text, whole and in parts; one may come more than once."""
    for found in _WHOLE.finditer(unicodedata.normalize("NFKC", text[:MOST_READ])):
        whole = found[0]
        yield _folded(whole)
        for middle in _MIDDLE.split(whole):
            yield _folded(middle)
        for part in _PART.split(whole):
            yield _folded(part)
            for hump in _humps(part):
                yield _folded(hump)
                if numbered := _NUMBERED.fullmatch(hump):
                    yield _folded(numbered[1])
                    yield numbered[2][:LONGEST_WORD]


def _humps(part: str) -> Iterator[str]:
    """``HTTPServerError`` is ``HTTP``, ``Server``, ``Error``: a hump begins behind a small letter, and at the last of
    several capitals before a small one."""
    begins = 0
    for place in (found.start() for found in _HUMP.finditer(part)):
        before, here, after = part[place - 1], part[place], part[place + 1 : place + 2]
        if here.isupper() and (before.islower() or (before.isupper() and after.islower())):
            yield part[begins:place]
            begins = place
    yield part[begins:]


def _folded(word: str) -> str:
    return word.casefold()[:LONGEST_WORD]


def words_of_run(
    id: str, *, tags: Mapping[str, str], attributes: Mapping[str, Any], summary: str = "", error: str | None = None
) -> set[str]:
    """The words that are kept of a run, none of one of which nothing is said but its id: that is found by its beginning
    alone, so that a run that nobody describes costs nothing. What a codec has sealed has no words."""
    texts = [*_said(tags), *_said(attributes)]
    texts += [text for text in (summary, error) if text and not text.startswith(SEALED)]
    found: dict[str, None] = {}
    for text in (id, *texts) if texts else ():
        found.update(dict.fromkeys(words(text.replace(HIDDEN, " "))))
        if len(found) >= MOST_WORDS:
            break
    return set(list(found)[:MOST_WORDS])


def _said(values: Any) -> Iterator[str]:
    """The texts in a value of JSON, names included; numbers as they are written."""
    match values:
        case dict() | Mapping():
            for name, value in values.items():
                yield name
                yield from _said(value)
        case list() | tuple():
            for value in values:
                yield from _said(value)
        case str():
            yield values
        case bool() | None:
            pass
        case _:
            yield msgspec.json.encode(values).decode()


class Asked(msgspec.Struct, frozen=True):
    """What somebody searches for.

    Attributes:
        words: each is to be there; ``last`` is the last one where that is a beginning, to which more may be typed.
        beginnings: of each word, how an id may begin that it stands for: as it was typed, or in other case.
        text: as it was typed: the beginning of an id as well, whatever is in it.
    """

    words: tuple[str, ...]
    last: str | None
    beginnings: tuple[tuple[str, ...], ...]
    text: str

    def fits(self, id: str, workflow: str, said: Iterable[str]) -> bool:
        """Whether a run is meant: of this id and workflow, of which these words are kept."""
        if id.startswith(self.text):
            return True
        known = {*said, *words(workflow)}
        return all(self.names(nth, known) or id.startswith(self.beginnings[nth]) for nth in range(len(self.words)))

    def names(self, nth: int, known: Set[str]) -> bool:
        """Whether one of its words is among those."""
        word = self.words[nth]
        return word in known or (self.is_beginning(nth) and any(each.startswith(word) for each in known))

    def is_beginning(self, nth: int) -> bool:
        return self.last is not None and nth == len(self.words) - 1


def asked(text: str) -> Asked:
    """Reads a search: words that are all to be there; the last one is the beginning of a word, unless a blank follows.

    Raises:
        InvalidArgument: there is no word in it, or too much.
    """
    if len(text) > LONGEST_TEXT:
        raise InvalidArgument(
            f"the text that is searched for has {len(text):,} characters; {LONGEST_TEXT} are the most", path="$.text"
        )
    if _UNKEPT.search(text):
        raise InvalidArgument(f"the text {text!r} has a character that no text in the database has", path="$.text")
    found = [each[0] for each in _WHOLE.finditer(unicodedata.normalize("NFKC", text))]
    typed = list(dict.fromkeys(reversed(found)))[::-1]
    if not typed:
        raise InvalidArgument(f"there is no word in the text {text!r}: no letter and no digit", path="$.text")
    if len(typed) > MOST_ASKED:
        raise InvalidArgument(f"{len(typed)} words are searched for; {MOST_ASKED} are the most", path="$.text")
    folded = tuple(_folded(word) for word in typed)
    last = None if text[-1:].isspace() else folded[-1]
    return Asked(folded, last, tuple(_cases(word) for word in typed), text.strip())


def _cases(word: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((word, word.lower(), word.upper(), word[:1].upper() + word[1:].lower())))
