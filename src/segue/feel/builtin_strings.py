"""The built-in functions on strings (DMN 1.5, 10.3.4.3)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from segue.feel.builtin import Family
from segue.feel.nothing import Null
from segue.feel.numbers import whole
from segue.feel.regex import LONGEST_PROGRAM, Regex, regex, replaced
from segue.feel.run import Run
from segue.feel.values import Value
from segue.feel.writing import write

STRINGS: Final = Family()


def _regex(run: Run, pattern: str, flags: str) -> Regex:
    """A regular expression; what compiling it costs is paid each time, as if it were not kept."""
    run.step((len(pattern) + len(flags)) >> 3)
    try:
        compiled = regex(pattern, flags)
    except Null:
        run.step(LONGEST_PROGRAM)  # what is refused is not kept, and may have been compiled for long
        raise
    run.step(len(compiled.program))
    return compiled


@STRINGS.add("string(from: any)")
def string(run: Run, value: Value) -> str | None:
    return None if value is None else write(value, run)


@STRINGS.add("substring(string: string, start position: number, length?: number)")
def substring(run: Run, text: str, start: Decimal, length: Decimal | None = None) -> str:
    first = whole(start)
    if first == 0:
        raise Null("positions begin at 1, or at -1 from the end")
    begin = first - 1 if first > 0 else max(len(text) + first, 0)
    run.produce(max(len(text) - begin, 0))
    if length is None:
        return text[begin:]
    count = whole(length)
    if count < 0:
        raise Null("a length below 0")
    return text[begin : begin + count]


@STRINGS.add("string length(string: string)")
def string_length(run: Run, text: str) -> Decimal:
    return Decimal(len(text))


@STRINGS.add("upper case(string: string)")
def upper_case(run: Run, text: str) -> str:
    run.produce(len(text))
    return text.upper()


@STRINGS.add("lower case(string: string)")
def lower_case(run: Run, text: str) -> str:
    run.produce(len(text))
    return text.lower()


@STRINGS.add("substring before(string: string, match: string)")
def substring_before(run: Run, text: str, match: str) -> str:
    run.produce(len(text))
    before, found, _ = text.partition(match) if match else ("", "", "")
    return before if found else ""


@STRINGS.add("substring after(string: string, match: string)")
def substring_after(run: Run, text: str, match: str) -> str:
    run.produce(len(text))
    return text.partition(match)[2] if match else text


@STRINGS.add("contains(string: string, match: string)")
def contains(run: Run, text: str, match: str) -> bool:
    run.step(len(text) >> 8)
    return match in text


@STRINGS.add("starts with(string: string, match: string)")
def starts_with(run: Run, text: str, match: str) -> bool:
    return text.startswith(match)


@STRINGS.add("ends with(string: string, match: string)")
def ends_with(run: Run, text: str, match: str) -> bool:
    return text.endswith(match)


@STRINGS.add("matches(input: string, pattern: string, flags?: string?)")
def matches(run: Run, text: str, pattern: str, flags: str | None = None) -> bool:
    return _regex(run, pattern, flags or "").search(text, run) is not None


@STRINGS.add("replace(input: string, pattern: string, replacement: string, flags?: string?)")
def replace(run: Run, text: str, pattern: str, replacement: str, flags: str | None = None) -> str:
    return replaced(text, _regex(run, pattern, flags or ""), replacement, run)


@STRINGS.add("split(string: string, delimiter: string)")
def split(run: Run, text: str, delimiter: str) -> list[Value]:
    parts: list[Value] = []
    last = 0
    for spans in _regex(run, delimiter, "").matches(text, run):
        if spans[1] > spans[0]:
            parts.append(text[last : spans[0]])
            last = spans[1]
    run.produce(len(parts) + len(text))
    return [*parts, text[last:]]


@STRINGS.add("string join(list: list, delimiter?: string?)")
def string_join(run: Run, parts: list[Value], delimiter: str | None = None) -> str:
    run.step(len(parts))
    given = [part for part in parts if part is not None]
    if not all(isinstance(part, str) for part in given):
        raise Null("only strings can be joined")
    run.produce(sum(map(len, given)) + len(delimiter or "") * len(given))
    return (delimiter or "").join(given)
