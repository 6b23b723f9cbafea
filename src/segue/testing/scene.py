"""What surrounds a simulated run: messages, people and new releases of its code, at any moment, and the mocks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar

import msgspec

from segue.authoring.python.classes import HasRun
from segue.authoring.python.definitions import Step, Workflow
from segue.authoring.python.registry import definition_of
from segue.client.handles import Handle, HumanTask
from segue.encodings import default_encodings
from segue.errors import InvalidArgument
from segue.kernel.duration import Duration, microseconds
from segue.testing.mocks import UNSET, Mock, Mocks, Unset

P = ParamSpec("P")
R = TypeVar("R")

Errand = Callable[[Handle[Any]], object]
"""Its result is awaited if it can be."""
Reply = Callable[[HumanTask], Any]


class Message(msgspec.Struct, frozen=True):
    """Something that somebody does to the run, within so many seconds of its beginning. Done again after a crash that
    came before its acknowledgement."""

    name: str
    errand: Errand
    within: float
    update: str = ""
    """Of an update, its name."""


class Person(msgspec.Struct, frozen=True):
    """Somebody who answers tasks, each within so many seconds."""

    reply: Reply
    within: float


class Release(msgspec.Struct, frozen=True):
    """Other code, with which the process is replaced within so many seconds of the run's beginning.

    Attributes:
        workflows: they take the place of all that had one of their names.
    """

    name: str
    workflows: tuple[Workflow[..., Any], ...]
    within: float


class Scene:
    """Set before each simulated run. When its messages come is drawn for each plan."""

    def __init__(self) -> None:
        self.mocks = Mocks()
        self.messages: dict[str, Message] = {}
        self.people: dict[str, Person] = {}
        self.releases: dict[str, Release] = {}

    def mock(
        self,
        step: Step[P, R],
        *,
        returns: R | Unset = UNSET,
        raises: BaseException | type[BaseException] | None = None,
        side_effect: Callable[P, R | Awaitable[R]] | None = None,
        times: int | None = None,
    ) -> Mock[P, R]:
        """Has something else stand in for a step's function; see ``World.mock``."""
        return self.mocks.mock(
            step, returns=returns, raises=raises, side_effect=side_effect, times=times, encodings=default_encodings()
        )

    def signal(self, name: str, value: Any = None, *, within: Duration = "1h") -> None:
        """A signal comes to the run."""
        label = self._label(f"signal {name}")
        self._add(label, lambda handle: handle.signal(name, value, message=label), within)

    def update(self, name: str, *args: Any, within: Duration = "1h") -> None:
        """An update is asked of the run. If its validator refuses, or the run has ended, so be it; one of a name
        that no simulated run answers is a mistake."""
        label = self._label(f"update {name}")
        self._add(label, lambda handle: handle.update(name, *args, id=label), within, name)

    def cancel(self, *, within: Duration = "1h") -> None:
        """The run is cancelled."""
        self._add(self._label("cancel"), lambda handle: handle.cancel(), within)

    def act(self, name: str, errand: Errand, *, within: Duration = "1h") -> None:
        """Anything else that is done to the run, with its handle. It has to bear being done twice."""
        self._add(self._label(name), errand, within)

    def person(self, assignee: str, reply: Reply, *, within: Duration = "1d") -> None:
        """Somebody answers the human tasks that are put to ``assignee``; None leaves a task open."""
        self.people[assignee] = Person(reply, microseconds(within) / 1_000_000)

    def deploy(self, *workflows: Workflow[..., Any] | type[HasRun], within: Duration = "1h") -> None:
        """The process is killed, and the next one has these workflows in place of all that had one of their names.
        Runs that are open go on with them, as in production.

        Several releases come in the order in which they are given; one may come so soon that none before it was seen.

        Raises:
            InvalidArgument: there is none, or one of them is not a workflow.
        """
        if not workflows:
            raise InvalidArgument("deploy() wants the workflows of the release; a crash alone comes by itself")
        found = tuple(map(definition_of, workflows))
        for each in found:
            if not isinstance(each, Workflow):
                raise InvalidArgument(f"{each!r} is not a workflow; give the function or the class with @workflow")
        name = f"release {len(self.releases) + 1}"
        self.releases[name] = Release(name, found, microseconds(within) / 1_000_000)

    def _add(self, label: str, errand: Errand, within: Duration, update: str = "") -> None:
        self.messages[label] = Message(label, errand, microseconds(within) / 1_000_000, update)

    def _label(self, name: str) -> str:
        """Two messages of one name are told apart by a number, as two calls of one step are."""
        n = sum(label.partition("#")[0] == name for label in self.messages)
        return f"{name}#{n}" if n else name
