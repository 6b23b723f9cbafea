"""When a step's recorded result may stand for another call of it: the policy, and its terms for one call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from segue.errors import InvalidArgument
from segue.kernel.duration import Duration, microseconds
from segue.kernel.names import checked_name

REFERENCE = "ref:"
"""Before the key of a result that is a reference: a call that wants the value itself must not find it."""


class Cache(msgspec.Struct, frozen=True):
    """A caching policy: ``@step(cache=Cache(expires="1d"))``.

    Attributes:
        by: ``inputs``: the same arguments; ``code``: the same arguments and the same code of the step's function.
        key: what stands in place of that: a text, or a function of the step's arguments that gives one.
        expires: how long a result may be used after it was recorded; by default as long as its run is kept.
    """

    by: Literal["inputs", "code"] = "inputs"
    key: Callable[..., str] | str | None = None
    expires: Duration | None = None

    def __post_init__(self) -> None:
        if self.by not in ("inputs", "code"):
            raise InvalidArgument(f"Cache(by=…) is 'inputs' or 'code'; it is {self.by!r}", path="by")
        if self.key is not None and not isinstance(self.key, str) and not callable(self.key):
            raise InvalidArgument("Cache(key=…) is a text, or a function of the step's arguments", path="key")
        if self.expires is not None and microseconds(self.expires) <= 0:
            raise InvalidArgument("Cache(expires=…) is a length of time, such as '1d'", path="expires")

    def terms(self, hash: str, fingerprint: Callable[[], str], args: Any, kwargs: Any) -> CacheTerms:
        """The policy for one call. Raises ``InvalidArgument`` if the key is no text."""
        expires = None if self.expires is None else microseconds(self.expires)
        if isinstance(self.key, str):
            key = self.key
        elif self.key is not None:
            key = self.key(*args, **kwargs)
        else:
            return CacheTerms(hash if self.by == "inputs" else f"{fingerprint()}/{hash}", expires, exact=True)
        return CacheTerms(checked_name(key, "a cache key"), expires)


class CacheTerms(msgspec.Struct, frozen=True, gc=False):
    """Caching for one call.

    Attributes:
        key: under which the result is found, beside the step's name.
        expires: µs for which it may be used.
        exact: only a result of the very same arguments counts; the key is a hash of them.
        refresh: what is there is not used, but replaced.
    """

    key: str
    expires: int | None = None
    exact: bool = False
    refresh: bool = False
