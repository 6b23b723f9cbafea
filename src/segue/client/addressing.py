"""How a message is addressed: by its name, or by the method of a workflow's class that takes it, which types it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, TypeVar, get_type_hints, overload

from segue.authoring.python.handlers import MARK, Update
from segue.errors import InvalidArgument
from segue.kernel.canonical import Call
from segue.kernel.encoding import Encodings
from segue.kernel.names import checked_name

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
T = TypeVar("T")
Coro = Coroutine[Any, Any, T]


class Address(NamedTuple):
    """The name of a message, and the function that takes it, where it is known here."""

    name: str
    function: Callable[..., Any] | None = None

    @property
    def returns(self) -> Any:
        """The declared type of the answer."""
        return Any if self.function is None else get_type_hints(self.function).get("return", Any)

    def check_value(self, value: Any, encodings: Encodings) -> None:
        """The same for a signal, which has one value or none."""
        if self.function is not None:
            types = Call.of(self.function, encodings, name=self.name, method=True).types
            self.check((value,) if types else (), encodings)

    def check(self, args: tuple[Any, ...], encodings: Encodings) -> None:
        """Raises ``InvalidArgument`` if the arguments are not what the function takes."""
        if self.function is not None:
            Call.of(self.function, encodings, name=self.name, method=True).encode(args, {})


def address(kind: str, message: Any) -> Address:
    """Where a message goes.

    Raises:
        InvalidArgument: it is neither a name nor a method that takes messages of this kind.
    """
    if isinstance(message, str) or not (callable(message) or isinstance(message, Update)):
        return Address(checked_name(message, f"the name of a run's {kind}"))
    if isinstance(message, Update) and kind == "update":
        return Address(message.name, message.function)
    if kind != "update" and getattr(message, MARK, None) == kind:
        return Address(message.__name__, message)
    raise InvalidArgument(
        f"{message!r} takes no {kind}s: give the name of one, or a method of the workflow's class that is marked "
        f"@{kind}"
    )


class Addressee:
    """What takes signals and updates: a run, or one that is started if it is not there."""

    async def _signal(self, to: Address, value: Any, message: str | None) -> Any:
        raise NotImplementedError

    async def _update(self, to: Address, args: tuple[Any, ...], id: str | None) -> Any:
        raise NotImplementedError

    @overload
    async def update(self, update: str, /, *args: Any, id: str | None = None) -> Any: ...
    @overload
    async def update(self, update: Callable[[Any], Coro[T]], /, *, id: str | None = None) -> T: ...
    @overload
    async def update(self, update: Callable[[Any, A], Coro[T]], a: A, /, *, id: str | None = None) -> T: ...
    @overload
    async def update(self, update: Callable[[Any, A, B], Coro[T]], a: A, b: B, /, *, id: str | None = None) -> T: ...
    @overload
    async def update(
        self, update: Callable[[Any, A, B, C], Coro[T]], a: A, b: B, c: C, /, *, id: str | None = None
    ) -> T: ...
    @overload
    async def update(self, update: Callable[[Any], T], /, *, id: str | None = None) -> T: ...
    @overload
    async def update(self, update: Callable[[Any, A], T], a: A, /, *, id: str | None = None) -> T: ...
    @overload
    async def update(self, update: Callable[[Any, A, B], T], a: A, b: B, /, *, id: str | None = None) -> T: ...
    async def update(self, update: Any, /, *args: Any, id: str | None = None) -> Any:
        """Asks the run to do something and awaits the answer.

        Args:
            update: its name, or the method that answers it (``Cart.checkout``).
            id: the same again is the same update, whoever asks: it is carried out once, and answered to all of them.

        Raises:
            UpdateRejected: the validator refused it, the arguments do not fit, or the run answers no such update.
            UpdateFailed: the handler raised; its ``type`` and ``details`` are those of the exception.
            RunClosed: the run has ended.
            Incident: the run stands still; once it goes on, the same ``id`` gets the answer.
        """
        return await self._update(address("update", update), args, id)


class Addressed(Addressee):
    """A run that is there: it takes signals, and is asked."""

    async def _query(self, to: Address, args: tuple[Any, ...]) -> Any:
        raise NotImplementedError

    @overload
    async def signal(self, signal: str, value: Any = None, /, *, message: str | None = None) -> None: ...
    @overload
    async def signal(self, signal: Callable[[Any], Any], /, *, message: str | None = None) -> None: ...
    @overload
    async def signal(self, signal: Callable[[Any, A], Any], value: A, /, *, message: str | None = None) -> None: ...
    async def signal(self, signal: Any, value: Any = None, /, *, message: str | None = None) -> None:
        """Sends a signal. Acknowledged once it is on disk.

        Args:
            signal: its name, or the method that takes it (``Cart.add``).
            message: an id under which it is taken only once.

        Raises:
            SignalRefused: the run takes no such signal, or not this value; nothing was recorded. Only its owner can
                tell; from another process one that does not fit is accepted, and the run stands still over it.
            RunClosed: the run has ended.
        """
        await self._signal(address("signal", signal), value, message)

    @overload
    async def query(self, query: str, /, *args: Any) -> Any: ...
    @overload
    async def query(self, query: Callable[[Any], T], /) -> T: ...
    @overload
    async def query(self, query: Callable[[Any, A], T], a: A, /) -> T: ...
    @overload
    async def query(self, query: Callable[[Any, A, B], T], a: A, b: B, /) -> T: ...
    @overload
    async def query(self, query: Callable[[Any, A, B, C], T], a: A, b: B, c: C, /) -> T: ...
    async def query(self, query: Any, /, *args: Any) -> Any:
        """Asks a read-only question of the run's state, in any process that has its code, also after its end.

        Raises:
            CallerError: the code is not known here, or the run answers no such query.
            Incident: the run stands still, and its journal does not replay with the code that is here.
            NotDeterministic: the query's function tried to change something.
            QueryFailed: the query's function raised.
        """
        return await self._query(address("query", query), args)
