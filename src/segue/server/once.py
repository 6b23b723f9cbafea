"""Idempotency keys: a request that is sent again under its key is answered as the first time, and carried out once.

A request whose server died in the middle is carried out again when it is repeated a minute later. Where the engine can
tell a repetition by itself (a start, a signal, an update, a fork), it does so by ``Call.once``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hashlib import blake2b

import msgspec

from segue.kernel.codec import Codec, open_text, seal_text
from segue.runtime.beside import beside
from segue.server.problems import Refused
from segue.stores.account_rows import AccountRows

HEADER = "idempotency-key"
LONGEST = 255
PATIENCE = 60_000_000
"""µs after which a request that never was answered counts as lost."""


class Answered(msgspec.Struct, frozen=True):
    """An answer: status and body. ``again``: it is that of an earlier request."""

    status: int
    body: bytes
    again: bool = False


class Repeatable(msgspec.Struct, frozen=True):
    """A request under an idempotency key.

    Attributes:
        actor: whose key it is: keys of others are others.
        asked: what was asked, as a hash, keyed by the codec where there is one.
    """

    namespace: str
    actor: str
    key: str
    asked: str

    @property
    def token(self) -> str:
        """A name for what the request makes."""
        return blake2b("\0".join((self.namespace, self.actor, self.key)).encode(), digest_size=16).hexdigest()


def repeatable(
    key: str, *, namespace: str, actor: str, method: str, target: str, body: bytes, codec: Codec | None
) -> Repeatable:
    """The request under its key. Raises ``Refused``: that is no key."""
    if not 0 < len(key) <= LONGEST or not key.isprintable():
        raise Refused(
            422, "invalid-argument", "Invalid argument", f"an idempotency key has 1 to {LONGEST} characters", HEADER
        )
    hash_key = (codec.hash_key if codec else None) or b""
    asked = blake2b(f"{method} {target}\0".encode() + body, digest_size=16, key=hash_key).hexdigest()
    return Repeatable(namespace, actor, key, asked)


async def once(
    rows: AccountRows, request: Repeatable, now: int, carry_out: Callable[[], Awaitable[Answered]], codec: Codec | None
) -> Answered:
    """Carries a request out, or gives the answer that it had before, which is kept as the codec seals it.

    Raises:
        Refused: the key is that of another request, or the first one is still under way.
    """
    place = request.namespace, request.actor, request.key
    if not await beside(rows.begin_answer, *place, request.asked, now, stale=now - PATIENCE):
        kept = rows.answer(*place)
        if kept is not None and kept.request != request.asked:
            raise Refused(
                422, "key-used", "Key used", f"the idempotency key {request.key!r} was used for another request", HEADER
            )
        if kept is None or kept.status is None or kept.body is None:
            raise Refused(
                409, "under-way", "Under way", "a request under this idempotency key is being carried out; ask again",
                headers={"retry-after": "1"},
            )  # fmt: skip
        return Answered(kept.status, open_text(kept.body.decode(), codec).encode(), again=True)
    try:
        answered = await carry_out()
    except BaseException:  # nothing was acknowledged: whoever repeats it may try
        await beside(rows.drop_answer, *place)
        raise
    sealed = seal_text(answered.body.decode(), codec).encode()
    await beside(rows.keep_answer, *place, answered.status, sealed)
    return answered
