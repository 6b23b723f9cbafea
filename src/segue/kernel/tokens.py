"""Tokens: text by which whoever completes a step from outside names its attempt, and proves that they were given it."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

from segue.errors import InvalidArgument
from segue.kernel.attempt import derive_key


class Token(NamedTuple):
    """What a token says: the run's row, the call's key, the attempt, and the proof."""

    run: int
    key: str
    attempt: int
    proof: str


def token_of(run: int, uid: str, key: str, attempt: int) -> str:
    """The token of an attempt: letters, digits, ``-`` and ``_``, safe in a URL. The proof comes of the run's uid, which
    only the database knows."""
    text = f"{run}\n{attempt}\n{proof(uid, key, attempt)}\n{key}"
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_token(text: str) -> Token:
    """What a token says; whether its proof is right is for whoever knows the uid to see.

    Raises:
        InvalidArgument: it is none.
    """
    try:
        data = text.encode("ascii")
        run, attempt, proof, key = urlsafe_b64decode(data + b"=" * (-len(data) % 4)).decode().split("\n", 3)
        return Token(int(run), key, int(attempt), proof)
    except (ValueError, AttributeError):
        raise InvalidArgument(
            "this is no token of a step; pass on what segue.complete_later() gave, whole and unchanged"
        ) from None


def proof(uid: str, key: str, attempt: int) -> str:
    """32 hexadecimal digits that nobody guesses who does not know the uid."""
    return derive_key(uid, f"complete\n{attempt}\n{key}")
