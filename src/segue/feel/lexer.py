"""Cuts the text of an expression into tokens (DMN 1.5, 10.3.1.2, rules 27 to 37 and 62 to 66)."""

from __future__ import annotations

import re

import msgspec

from segue.feel.source import Source

NAME_START = (
    "?A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
NAME_PART = NAME_START + "0-9\u00b7\u0300-\u036f\u203f\u2040"
SPACE = "\\x09-\\x0d\\x20\\x85\\xa0\u1680\u180e\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"

TOKEN = re.compile(
    rf"""
      (?P<skip>    [{SPACE}]+ | //[^\n\r]* | /\*(?s:.*?)\*/ )
    | (?P<word>    [{NAME_START}][{NAME_PART}]* )
    | (?P<number>  (?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)? )
    | (?P<string>  "(?:[^"\\]|\\.)*" )
    | (?P<at>      @[{SPACE}]*"(?:[^"\\]|\\.)*" )
    | (?P<symbol>  \.\. | -> | \*\* | <= | >= | != | [-+*/=<>(){{}}\[\],:.'] )
    """,
    re.VERBOSE | re.DOTALL,
)

KEYWORDS = frozenset(
    (
        *("and", "or", "if", "then", "else", "for", "in", "return", "some", "every", "satisfies", "between"),
        *("instance", "true", "false", "null", "function"),
    )
)


class Token(msgspec.Struct, frozen=True):
    """A piece of the text. ``gap``, whether space stands before it, tells names like `a-b` and `a - b` apart."""

    kind: str
    text: str
    start: int
    end: int
    gap: bool


def tokenize(source: Source) -> list[Token]:
    """The tokens of a text, closed by one of kind ``end``.

    Raises:
        FeelSyntaxError: a character that begins no token, a string or comment that does not end.
    """
    text = source.text
    tokens: list[Token] = []
    position, gap = 0, False
    match = TOKEN.match
    while position < len(text):
        found = match(text, position)
        if found is None or (found[0] == "/" and text.startswith("/*", position)):
            raise source.syntax_error(_why_not(text, position), position)
        kind = found.lastgroup
        assert kind is not None
        if kind == "skip":
            gap = True
        else:
            tokens.append(Token(kind, found[0], position, found.end(), gap))
            gap = False
        position = found.end()
    tokens.append(Token("end", "", len(text), len(text), gap))
    return tokens


def _why_not(text: str, position: int) -> str:
    if text.startswith("/*", position):
        return "a comment that is not closed"
    if text[position] in '"@':
        return "a string that is not closed" if '"' in text[position : position + 2] else "a string must follow @"
    return f"unexpected character {text[position]!r}"


# --- strings ----------------------------------------------------------------------------------------------------

ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{6}|.)", re.DOTALL)
SIMPLE = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "'": "'"}
SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]")
HALF = re.compile("[\ud800-\udfff]")


def unescape(quoted: str) -> str:
    """The value of a string literal. An unknown escape such as `\\d` stays: regular expressions rely on it.

    Raises:
        ValueError: half of a surrogate pair, which is no character.
    """
    body = quoted[1:-1]
    if "\\" not in body:
        return body
    joined = SURROGATES.sub(_joined, ESCAPE.sub(_escaped, body))
    if HALF.search(joined):
        raise ValueError("half of a surrogate pair is no character")
    return joined


def _joined(pair: re.Match[str]) -> str:
    return pair[0].encode("utf-16", "surrogatepass").decode("utf-16")


def _escaped(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) > 1:
        point = int(code[1:], 16)
        return chr(point) if point <= 0x10FFFF else match[0]
    return SIMPLE.get(code, match[0])
