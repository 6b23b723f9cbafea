"""``decide()``: a decision of a DMN model, made in the workflow itself and recorded with what led to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar, overload

from segue.authoring.python.execution import CodeExecution, current
from segue.errors import DecisionFailed, FeelError, InvalidArgument
from segue.feel.conversion import from_python
from segue.kernel.canonical import digest
from segue.kernel.encoding import Encodings
from segue.kernel.events import DecisionEvaluated, Failure
from segue.kernel.failures import describe
from segue.kernel.names import checked_name
from segue.kernel.payload import Payload
from segue.kernel.steps import DECISION

if TYPE_CHECKING:
    from segue.authoring.dmn.decision_model import DecisionModel
    from segue.authoring.dmn.explanation import Outcome

R = TypeVar("R")


@overload
async def decide(model: DecisionModel, decision: str, inputs: Mapping[str, Any] | None = None, /) -> Any: ...
@overload
async def decide(
    model: DecisionModel, decision: str, inputs: Mapping[str, Any] | None = None, /, *, result: type[R]
) -> R: ...
async def decide(
    model: DecisionModel, decision: str, inputs: Mapping[str, Any] | None = None, /, *, result: Any = Any
) -> Any:
    """Makes a decision, or all that a decision service has as outputs.

    In a workflow it is recorded with the rules that matched and their values, and a replay goes by what is recorded,
    whatever has become of the model. It is made on the engine's own thread, with the model's budget: what takes long
    belongs into a step. In a step, or in no run at all, it is made and nothing is recorded.

    Args:
        model: as ``segue.authoring.dmn.read`` gives it.
        decision: its name or id.
        inputs: by name; text for the values of time that the model declares.
        result: the type that the answer is to be; without one it is what JSON has for it.

    Raises:
        DecisionFailed: there is no such decision, an input does not fit what the model declares, or the budget is
            used up.
        InvalidArgument: an input has no value in FEEL.
        PayloadError: the answer is no ``result``.
    """
    name = checked_name(decision, "a decision's name")
    # A copy: what the workflow makes of its own objects afterwards is not what was decided upon.
    given: Any = from_python(dict(inputs or {}))
    execution = current()
    if execution is None:
        return _alone(model, name, given, result)
    encodings = execution.encodings
    payload, canonical = encodings.encode_canonical(dict(inputs or {}))
    hash = digest(canonical, execution.hash_key)
    call = execution.calls.decision(
        DECISION + name, hash, _made(model, name, given, payload, hash, execution), encodings.reader(result)
    )
    return await call


def _made(
    model: DecisionModel, decision: str, given: dict[str, Any], payload: Payload, hash: str, execution: CodeExecution
) -> Callable[[str], DecisionEvaluated]:
    """Makes the decision at the time of the call, for its key."""
    encodings, now = execution.encodings, _moment(execution.loop.now)

    def evaluated(key: str) -> DecisionEvaluated:
        outcome, failure = _outcome(model, decision, given, lambda: now)
        result = explanation = None
        if outcome is not None:
            result, explanation = _written(outcome, encodings)
        return DecisionEvaluated(
            0, None, None, key, DECISION + decision, hash, model.name, model.hash, model.id_of(decision), payload,
            result, explanation, failure,
        )  # fmt: skip

    return evaluated


def _alone(model: DecisionModel, decision: str, given: dict[str, Any], result: Any) -> Any:
    outcome, failure = _outcome(model, decision, given, lambda: datetime.now(UTC))
    if outcome is None:
        assert failure is not None
        raise DecisionFailed(
            f"decision {decision!r} of model {model.name!r} was not made: {failure.message}",
            decision=decision,
            failure=failure,
        )
    encodings = Encodings()
    value, _ = _written(outcome, encodings)
    return encodings.decode(value, result)


def _outcome(
    model: DecisionModel, decision: str, given: dict[str, Any], now: Callable[[], datetime]
) -> tuple[Outcome | None, Failure | None]:
    """No wall clock watches the budget: the same inputs have to use up the same."""
    try:
        return model.decide(decision, model.typed(given), now=now), None
    except (FeelError, InvalidArgument) as error:
        # Whatever the workflow is handling just now is not what is wrong with the decision, and may not be there again.
        error.__context__ = None
        return None, describe(error, retryable=False)


def _written(outcome: Outcome, encodings: Encodings) -> tuple[Payload, Payload]:
    """The answer, and how it came about."""
    told = outcome.plain()
    return encodings.encode(told.pop("value")), encodings.encode(told)


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1_000_000, UTC)
