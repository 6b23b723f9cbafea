"""References to secrets: a name that travels, a value that exists only inside the executing step.

A ``SecretRef`` stands in payloads, journals and logs as its name. Its value comes from the ``SecretScope`` of the
attempt that runs just now, which remembers what it revealed, so that logs and errors can be scrubbed and a payload that
carries a value out of the step can be refused.
"""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from urllib.parse import quote

from segue.errors import NotInWorkflow
from segue.kernel.attempt import CURRENT

HIDDEN = "***"
_SHORTEST = 4
"""Values shorter than this are not looked for: hiding every ``1`` makes a log unreadable and protects nothing."""

_SHORTEST_BASE64 = 6


class SecretScope:
    """Resolves secrets for one attempt of a step and remembers what it revealed."""

    def __init__(self, resolve: Callable[[str], str]) -> None:
        """``resolve`` gives the value for a name and raises ``SecretNotFound``; it is asked once per name."""
        self._resolve = resolve
        self._revealed: dict[str, str] = {}
        self._needles: tuple[str, ...] = ()

    def resolve(self, name: str) -> str:
        """The value of the secret ``name``. Raises ``SecretNotFound``."""
        if name not in self._revealed:
            self._revealed[name] = self._resolve(name)
            self._needles = _needles(self._revealed.values())
        return self._revealed[name]

    def scrub(self, text: str) -> str:
        """``text`` with every revealed value replaced by ``***``, also where JSON or ``repr`` escaped it."""
        for needle in self._needles:
            if needle in text:
                text = text.replace(needle, HIDDEN)
        return text

    def leaks(self, data: bytes) -> bool:
        """Whether a revealed value stands in ``data``, plain, escaped or as base64."""
        return any(needle.encode("utf-8", "surrogatepass") in data for needle in self._needles)

    @contextmanager
    def active(self) -> Iterator[SecretScope]:
        """Makes this the scope of the code within, and of the tasks and threads that copy its context."""
        token = _scope.set(self)
        try:
            yield self
        finally:
            _scope.reset(token)

    def __repr__(self) -> str:
        return f"SecretScope(revealed={sorted(self._revealed)})"


def _needles(values: Iterable[str]) -> tuple[str, ...]:
    """The texts to look for, longest first, so that no part of a longer one stays behind."""
    found = {form for value in values for whole in (value, *value.splitlines()) for form in _forms(whole)}
    return tuple(sorted(found, key=lambda text: (-len(text), text)))


def _forms(value: str) -> Iterator[str]:
    """The ways in which a value is likely to appear: as it is, escaped, in a URL, in base64."""
    if len(value.strip()) < _SHORTEST:
        return
    yield value
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield json.dumps(value)[1:-1]
    yield repr(value)[1:-1]
    yield quote(value, safe="")
    yield from _in_base64(value.encode("utf-8", "surrogatepass"))


def _in_base64(data: bytes) -> Iterator[str]:
    """What base64 of any longer text (``user:password``) has for ``data``.

    It may begin at one of three offsets. Characters whose six bits it shares with its neighbours are left out.
    """
    for offset in range(3):
        first, last = -(-8 * offset // 6), 8 * (offset + len(data)) // 6
        for encode in (b64encode, urlsafe_b64encode):
            core = encode(bytes(offset) + data + bytes(2)).decode()[first:last]
            if len(core) >= _SHORTEST_BASE64:
                yield core


_scope: ContextVar[SecretScope | None] = ContextVar("segue_secret_scope", default=None)


def current_scope() -> SecretScope | None:
    """The scope of the attempt that runs in this context, or None outside a step."""
    scope = _scope.get()
    if scope is None and (attempt := CURRENT.get(None)) is not None:
        # Made for the attempt only when it asks: most never do.
        scope = attempt.host.secrets_of(attempt)
    return scope


class SecretRef:
    """The name of a secret. It may be passed to steps and stored anywhere; its value may not.

    In JSON it is ``{"$secret": name}``. It is no ``msgspec.Struct``, which would be written like a dict of the user's.
    """

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def name(self) -> str:
        """The secret's name."""
        return self._name

    def value(self) -> str:
        """The secret itself, inside an executing step only.

        Raises:
            NotInWorkflow: there is no executing step here.
            SecretNotFound: no back end has it.
        """
        scope = current_scope()
        if scope is None:
            raise NotInWorkflow(
                f"the value of secret {self.name!r} exists only inside an executing step; "
                "pass the SecretRef to a step and call .value() there"
            )
        return scope.resolve(self.name)

    def __eq__(self, other: object) -> bool:
        return self._name == other._name if isinstance(other, SecretRef) else NotImplemented

    def __hash__(self) -> int:
        return hash(("SecretRef", self._name))

    def __repr__(self) -> str:
        return f"SecretRef({self._name!r})"
