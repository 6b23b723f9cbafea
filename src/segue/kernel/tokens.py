"""Tokens: text by which whoever completes a step from outside names its attempt, and proves that they were given it."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

from segue.errors import InvalidArgument
from segue.kernel.attempt import derive_key


class Token(NamedTuple):
    """What a token says: the run's row, the call's key, the attempt, the proof, and the number of the attempt's
    activation, 0 for none."""

    run: int
    key: str
    attempt: int
    proof: str
    claim: int = 0


def token_of(run: int, uid: str, key: str, attempt: int, claim: int = 0) -> str:
    """The token of an attempt: letters, digits, ``-`` and ``_``, safe in a URL. The proof comes of the run's uid, which
    only the database knows."""
    number = f"{attempt}.{claim}" if claim else str(attempt)
    text = f"{run}\n{number}\n{proof(uid, key, attempt, claim)}\n{key}"
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_token(text: str) -> Token:
    """What a token says; whether its proof is right is for whoever knows the uid to see.

    Raises:
        InvalidArgument: it is none.
    """
    try:
        data = text.encode("ascii")
        run, number, proof, key = urlsafe_b64decode(data + b"=" * (-len(data) % 4)).decode().split("\n", 3)
        attempt, _, claim = number.partition(".")
        return Token(_number(run), key, _number(attempt), proof, _number(claim or "0"))
    except (ValueError, AttributeError):
        raise InvalidArgument(
            "this is no token of a step; pass on what segue.complete_later() gave, whole and unchanged"
        ) from None


def _number(text: str) -> int:
    """A number that every database holds. Raises ``ValueError``."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise ValueError(text)
    return int(text)


def proof(uid: str, key: str, attempt: int, claim: int = 0) -> str:
    """32 hexadecimal digits that nobody guesses who does not know the uid."""
    which = f"{attempt}.{claim}" if claim else str(attempt)
    return derive_key(uid, f"complete\n{which}\n{key}")
