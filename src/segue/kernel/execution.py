"""The one protocol between a run's logic and everything around it: an event in, commands out.

Two implementations share it (and with it the journal and the runtime): ``authoring.python`` runs a coroutine on a
deterministic loop, ``authoring.process`` moves tokens through a graph.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from segue.kernel.adoption import Past
from segue.kernel.commands import Command
from segue.kernel.events import Event
from segue.kernel.payload import Payload


class Deadline(NamedTuple):
    """The earliest timer: µs since the epoch, and its number within the run. Ties fire in order of creation.
    ``summary``: what it is about, if its author has said."""

    at: int
    timer: int
    summary: str | None = None


class Form(NamedTuple):
    """How an update or a query is asked.

    Attributes:
        parameters: names of its arguments, in order; ``*name`` takes all that come from there on.
        schema: JSON Schema of the arguments by name.
        summary: the first line of its documentation.
    """

    parameters: list[str]
    schema: dict[str, Any]
    summary: str


class Execution(Protocol):
    """A run in memory. Its state is a pure function of the events applied to it."""

    commands: list[Command]
    """Filled by ``apply``; whoever applies takes them out and leaves it empty."""

    replaying: bool
    """True while the journal is being replayed."""

    expected_markers: frozenset[str]
    """Ids of the patches of which the journal has markers right behind the event being replayed."""

    past: Past | None
    """What other code has recorded of the run, while and after it is replayed."""

    @property
    def version(self) -> str:
        """Of the code or model at hand."""

    @property
    def deadline(self) -> Deadline | None:
        """The earliest timer that is set, or None."""

    @property
    def closed(self) -> bool:
        """True once the run has asked to complete, fail or be cancelled."""

    def apply(self, event: Event) -> None:
        """Applies one event and drains to quiescence.

        Raises:
            NonDeterminism: the event does not fit what the execution asked for.
        """

    def within(self, function: Callable[..., None], *args: Any) -> None:
        """Calls ``function``, which applies several events. Coming in once for all of them is cheaper."""

    def check_moved(self) -> None:
        """What other code has recorded is replayed. Raises ``NonDeterminism`` if a call would be made twice."""

    def check_takeover(self) -> None:
        """The code at hand is about to take the run over. Raises ``NonDeterminism`` if an outcome would be dropped."""

    def unclaimed(self) -> list[str]:
        """Names of the steps with outcomes that other code has recorded and this code has not asked for up to now."""

    def outstanding(self) -> list[Command]:
        """The commands whose answer has not come: steps to run (not those waiting for a retry), children to start.

        What a new owner has to carry out again after replay, in order of issue.
        """

    def signals_awaited(self) -> list[str]:
        """Names of the signals that it waits for now."""

    def signal_forms(self) -> dict[str, dict[str, Any]]:
        """The signals that it takes by name, with the JSON Schema of their values; of anything where that is open."""

    def update_forms(self) -> dict[str, Form]:
        """The updates that it has a handler for by name, each with its form."""

    def query_forms(self) -> dict[str, Form]:
        """The queries that it answers by name, each with its form."""

    def query(self, name: str, arguments: list[Any]) -> Any:
        """Answers a read-only question from the present state."""

    def validate_update(self, name: str, payload: Payload) -> None:
        """Lets the run refuse an update before anything is recorded. Raises ``UpdateRejected``."""

    def knows_update(self, update: str) -> bool:
        """Whether an update of this id has been accepted."""

    def updates_behind(self, key: str) -> list[str]:
        """Ids of the updates whose answer waits for the call of this key."""

    def validate_signal(self, name: str, payload: Payload) -> None:
        """Lets the run refuse a signal before anything is recorded. Raises ``SignalRefused``."""

    def modifiable(self, action: str) -> list[str]:
        """Keys of the calls to which a person may do this: ``skip`` them, change the ``input`` of their attempts."""

    def validate_result(self, key: str, payload: Payload) -> None:
        """Lets the run refuse what a person answers a call with. Raises ``PayloadError`` if it is of another type."""

    def close(self) -> None:
        """Drops the execution: closes what is suspended, in a fixed order, unable to act."""
