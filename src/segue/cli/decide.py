"""``segue decide``: makes a decision of a DMN model and shows which rules matched."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from segue.authoring import dmn
from segue.authoring.dmn.model import Import
from segue.cli import values
from segue.cli.deciding import print_outcome
from segue.cli.exits import FAILED, OK
from segue.cli.output import console, print_error, print_json
from segue.cli.scope import Scope
from segue.errors import DecisionModelError, FeelError, InvalidArgument


def decide(
    model: Annotated[str, Parameter(help="The DMN file; what it imports stands beside it.")],
    decision: Annotated[str | None, Parameter(help="The decision or decision service; one may be left out.")] = None,
    /,
    *,
    input: Annotated[
        tuple[str, ...],
        Parameter(
            help="name=value (JSON, a bare word or @file), or @file.json with all.", negative=(), show_default=False
        ),
    ] = (),
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Make a decision of a DMN model, and say why it came out so.

    Values of time are written as text: 2024-12-31, 10:30:00, 2024-12-31T10:30:00@Europe/Paris, P1DT2H, P1Y2M.
    """
    given = _inputs(input)
    try:
        found = dmn.read(_bytes(Path(model)), find=lambda wanted: _beside(Path(model), wanted))
        name = decision or _only(found)
        outcome = found.decide(name, found.typed(given), clock=time.monotonic, now=lambda: dt.datetime.now(dt.UTC))
    except (DecisionModelError, FeelError) as error:
        print_error(error, as_json=scope.json)
        return FAILED
    if scope.json:
        print_json({"decision": name, **outcome.plain()})
    else:
        print_outcome(console(), name, outcome.plain())
    return OK


# --- what is asked -------------------------------------------------------------------------------------------------


def _inputs(texts: tuple[str, ...]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if equals and not text.startswith(("@", "{")):
            given[name.strip()] = values.untyped(value)
            continue
        whole = values.untyped(text)
        if not isinstance(whole, dict):
            raise InvalidArgument(f"--input {text!r} is no name=value and no JSON object; write --input 'Age=18'")
        given |= whole
    return given


def _only(model: dmn.DecisionModel) -> str:
    """The decision that is meant when none is named."""
    goals = model.goals
    if len(goals) == 1:
        return goals[0]
    named = ", ".join(repr(name) for name in (*goals, *model.services)) or "none"
    raise InvalidArgument(f"which decision? the model has {named}; name one after the file")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidArgument(f"{path} cannot be read: {error.strerror}") from error


def _beside(model: Path, wanted: Import) -> bytes | None:
    """The file of an imported model: at its location, if that is below the model's folder, or one of its namespace."""
    folder = model.resolve().parent
    if wanted.location is not None:
        place = (folder / wanted.location).resolve()
        if place.is_relative_to(folder) and place.is_file():
            return _bytes(place)
    for other in sorted(folder.glob("*.dmn")):
        if other.name == model.name:
            continue
        data = _bytes(other)
        try:
            namespace = dmn.namespace_of(data)
        except DecisionModelError:
            continue  # not the one that is looked for
        if namespace == wanted.namespace:
            return data
    return None
