"""The one tree of exceptions; a class says who has to act: caller, workflow author or operator.

What happened stands in attributes, so that nobody parses the text; the text says what happened, to which run
or file or element, and what to do next.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

ENDS_THE_PROGRAM = (KeyboardInterrupt, SystemExit)
"""What the loop of the program takes for itself, whoever raises it."""


class SegueError(Exception):
    """Base of everything that segue raises on purpose."""


# --- the caller has to act ------------------------------------------------------------------------------------


class CallerError(SegueError):
    """The call cannot be carried out as it was made; nothing was changed."""


class InvalidArgument(CallerError):
    """An argument has the wrong type, does not encode, or is out of range. ``path`` names the place inside it."""

    def __init__(self, message: str, *, path: str = "$") -> None:
        super().__init__(message)
        self.path = path


class UnknownWorkflow(CallerError):
    """No definition of this name is known here."""

    def __init__(self, name: str, known: list[str]) -> None:
        near = ", ".join(sorted(known)) or "none at all"
        super().__init__(
            f"no workflow named {name!r} is known here (known: {near}); import the module that defines it "
            "before the engine starts, or pass workflows=[...] to Engine"
        )
        self.name = name
        self.known = known


class NotServed(CallerError):
    """Another process owns the app's runs, and does not have the code of this workflow."""

    def __init__(self, workflow: str, app: str, worker: str, serves: list[str]) -> None:
        super().__init__(
            f"the runs of app {app!r} in this database are owned by {worker}, which has no workflow {workflow!r} "
            f"(it has: {', '.join(sorted(serves)) or 'none'}); start a worker that has this code (beside it on "
            "PostgreSQL, in its place on a file), or give this code an app of its own (SEGUE_APP, --app)"
        )
        self.workflow = workflow
        self.app = app
        self.worker = worker
        self.serves = serves


class DuplicateDefinition(CallerError):
    """Two workflows or two steps of one app carry the same name."""


class RunNotFound(CallerError):
    """No run of this id exists in the namespace."""

    def __init__(self, run_id: str, namespace: str = "default") -> None:
        super().__init__(f"no run {run_id!r} in namespace {namespace!r}; `segue list` shows what there is")
        self.run_id = run_id
        self.namespace = namespace


class RunAlreadyExists(CallerError):
    """The id is taken: by a run with other input, or the conflict policy says to fail. ``remedy``: what can be done."""

    def __init__(
        self,
        run_id: str,
        reason: str,
        remedy: str = "choose another id, or pass on_conflict='replace' or 'terminate-if-running'",
    ) -> None:
        super().__init__(f"run {run_id!r} exists already: {reason}; {remedy}")
        self.run_id = run_id
        self.reason = reason


class RunClosed(CallerError):
    """The run has ended and takes no more messages. ``later``: the run that goes on from it, which is to be asked."""

    def __init__(self, run_id: str, state: str, *, later: int | None = None) -> None:
        hint = "" if later is None else f"; run {later} goes on from it: ask that one"
        super().__init__(f"run {run_id!r} is {state} and takes no more messages{hint}")
        self.run_id = run_id
        self.state = state


class RunStillOpen(CallerError):
    """Only what has ended can be erased."""

    def __init__(self, run_ids: list[str]) -> None:
        listed = ", ".join(run_ids[:10]) + (f" and {len(run_ids) - 10} more" if len(run_ids) > 10 else "")
        super().__init__(
            f"not ended yet: {listed}; only the data of runs that have ended can be erased: let them end, or cancel or "
            "terminate them first; nothing was changed"
        )
        self.run_ids = run_ids


class NotRepairable(CallerError):
    """What was asked for cannot be done to this run; nothing was changed."""

    def __init__(self, run_id: str, message: str) -> None:
        super().__init__(f"run {run_id!r} {message}; nothing was changed")
        self.run_id = run_id


class ScheduleNotFound(CallerError):
    """No schedule of this name exists in the namespace, or it has no such backfill."""

    def __init__(self, name: str, namespace: str, known: list[str], *, backfill: str | None = None) -> None:
        near = get_close_matches(name if backfill is None else backfill, known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known[:20]) or 'none'}"
        what = f"no schedule {name!r}" if backfill is None else f"no backfill {backfill!r} of schedule {name!r}"
        super().__init__(f"{what} in namespace {namespace!r}; {hint}")
        self.name = name
        self.namespace = namespace


class TaskNotFound(CallerError):
    """No human task of this number exists in the namespace."""

    def __init__(self, task: int) -> None:
        super().__init__(f"there is no task {task}; `segue task list` and GET /api/v1/tasks list those that are open")
        self.task = task


class UserNotFound(CallerError):
    """No account of this name exists."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no user {name!r}")
        self.name = name


class KeyNotFound(CallerError):
    """No API key of this id exists, or none that has not been revoked."""

    def __init__(self, id: str) -> None:
        super().__init__(f"there is no key {id!r} that has not been revoked")
        self.id = id


class ScheduleExists(CallerError):
    """The name is taken."""

    def __init__(self, name: str, *, backfill: str | None = None) -> None:
        super().__init__(
            f"schedule {name!r} exists already; change it with `update`, or choose another name"
            if backfill is None
            else f"schedule {name!r} has a backfill {backfill!r} already; choose another id"
        )
        self.name = name


class ChangedMeanwhile(CallerError):
    """Somebody else has changed it since whoever asks has read it."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not any more what it was when it was read; nothing was changed: read it again")
        self.what = what


class ScheduleDeclared(CallerError):
    """The schedule stands in code that is served at this moment, and would come back."""

    def __init__(self, name: str, workflow: str) -> None:
        super().__init__(
            f"schedule {name!r} is declared in the code of workflow {workflow!r} and would come back; take it out "
            "there, or pause it"
        )
        self.name = name
        self.workflow = workflow


class TaskClaimed(CallerError):
    """A human task is somebody else's; nothing was changed.

    Attributes:
        task: its name. run_id: whose it is. by: who has it, None for nobody.
    """

    def __init__(self, task: str, run_id: str, by: str | None) -> None:
        has = f"has been claimed by {by!r}; take it over from them" if by else "is nobody's"
        super().__init__(f"task {task!r} of run {run_id!r} {has}; nothing was changed")
        self.task = task
        self.run_id = run_id
        self.by = by


class NotInWorkflow(CallerError):
    """A name that only means something inside a workflow (or a step) was used outside."""


class AttemptOver(CallerError):
    """A heartbeat or an outcome of an attempt that has ended for its run; nothing was changed.

    Attributes:
        step: the step's name. run_id: whose it is. attempt: the number of the attempt.
    """

    def __init__(self, message: str, *, step: str = "", run_id: str = "", attempt: int = 0) -> None:
        super().__init__(message)
        self.step = step
        self.run_id = run_id
        self.attempt = attempt


class UpdateRejected(CallerError):
    """The update's validator refused it, or the run answers no such update; nothing was changed.

    Attributes:
        type: qualified name of the exception that the validator raised, "" where it was segue that refused.
        details: the value that the exception carried in its ``details``, if any.
    """

    def __init__(self, message: str, *, type: str = "", details: Any = None) -> None:
        super().__init__(message)
        self.type = type
        self.details = details


class SignalRefused(CallerError):
    """The run takes no signal of this name, or of this value; nothing was recorded."""


class ServerRefused(CallerError):
    """A server that was asked over HTTP answered that it will not.

    Attributes:
        type: the kind of problem, as docs/api.md has it. status: of HTTP. path: the place in the request at fault.
    """

    def __init__(self, message: str, *, type: str, status: int, path: str = "") -> None:
        super().__init__(message)
        self.type = type
        self.status = status
        self.path = path


# --- the outcome of a run, for whoever awaits it --------------------------------------------------------------


class RunFailed(SegueError):
    """The run ended ``failed``. ``failure`` is the recorded error, with the user's traceback."""

    def __init__(self, message: str, *, run_id: str = "", failure: Any = None) -> None:
        super().__init__(message)
        self.run_id = run_id
        self.failure = failure


class RunTimeout(RunFailed):
    """The run was stopped because it took longer than its ``timeout``."""


class RunCancelled(RunFailed):
    """The run ended ``cancelled``."""


class RunTerminated(RunFailed):
    """The run was terminated: it ended at once, nothing was undone."""


class UpdateFailed(SegueError):
    """The update was accepted, and its handler raised. The run goes on.

    Attributes:
        update: the update's name.
        type: qualified name of the exception that the handler raised.
        details: the value that the exception carried in its ``details``, if any.
        failure: the recorded error, with the user's traceback.
    """

    def __init__(self, message: str, *, update: str = "", type: str = "", details: Any = None, failure: Any = None):
        super().__init__(message)
        self.update = update
        self.type = type
        self.details = details
        self.failure = failure


class QueryFailed(SegueError):
    """The function that answers the query raised; nothing has changed. What it raised is the ``__cause__``, in the
    process that answered.

    Attributes:
        query: the query's name.
        type: qualified name of the exception.
    """

    def __init__(self, message: str, *, query: str = "", type: str = ""):
        super().__init__(message)
        self.query = query
        self.type = type


# --- the workflow author has to act ---------------------------------------------------------------------------


class AuthorError(SegueError):
    """Something in the workflow's or step's code has to change."""


class StepFailed(AuthorError):
    """A step has used up its attempts. Raised inside the workflow, which may branch on it.

    Attributes:
        step: the step's name.
        key: its key within the run.
        attempts: how many attempts were made.
        failure: the last attempt's recorded error (type, message, traceback).
    """

    def __init__(self, message: str, *, step: str = "", key: str = "", attempts: int = 0, failure: Any = None) -> None:
        super().__init__(message)
        self.step = step
        self.key = key
        self.attempts = attempts
        self.failure = failure


class DecisionFailed(AuthorError):
    """A decision could not be made: its budget is used up, the model has no such decision, or an input does not fit.
    Raised inside the workflow, which may branch on it; it is recorded, and so the same in every replay.

    Attributes:
        decision: as it was asked for.
        key: of the call within its run; empty where no run makes it.
        failure: the recorded error.
    """

    def __init__(self, message: str, *, decision: str = "", key: str = "", failure: Any = None) -> None:
        super().__init__(message)
        self.decision = decision
        self.key = key
        self.failure = failure


class StepTimeout(AuthorError):
    """An attempt of a step, or all of them together, took longer than a limit allows; the text names the limit."""


class NonDeterminism(AuthorError):
    """Replay did not follow the journal: the code asked for something else than what is recorded.

    Attributes:
        step: the step, child, human task or patch that it is about, if it is about one.
        reason: what is wrong with it, in a few words that are the same for every run.
    """

    def __init__(self, message: str, *, step: str | None = None, reason: str = "") -> None:
        super().__init__(message)
        self.step = step
        self.reason = reason


class NotDeterministic(AuthorError):
    """The workflow called something that cannot be replayed; the message names what to use instead."""


class UnknownMessage(AuthorError):
    """A signal or an update came of a name that the run does not know, and its workflow says to fail then."""


class CompensationFailed(AuthorError):
    """What should undo a step raised. The run stands still with what is left to undo."""


class PayloadError(AuthorError):
    """A value does not encode or decode. ``path`` names the place inside the value, ``reason`` what is wrong there."""

    def __init__(self, message: str, *, path: str = "$", reason: str = "") -> None:
        super().__init__(message)
        self.path = path
        self.reason = reason


class EndlessContinuation(AuthorError):
    """A workflow continues as new again and again without waiting for anything in between."""


class Unstorable(AuthorError):
    """The database cannot hold what a run wrote: a number, text or value out of its range."""


class NonRetryable(AuthorError):
    """Raised by a step to say that trying again is of no use."""


class OutOfReach(AuthorError):
    """A transactional step touched what belongs to segue, or would have ended the transaction by itself."""


class TransactionLost(AuthorError):
    """The database has ended the connection of a transactional step again and again, each time while the step ran."""


class FeelError(AuthorError):
    """A FEEL expression cannot be read or evaluated.

    Attributes:
        reason: what is wrong, without the place.
        text: the expression.
        line, column: where, both counted from 1.
    """

    def __init__(self, reason: str, *, text: str = "", line: int = 1, column: int = 1) -> None:
        excerpt = text if len(text) <= 60 else f"{text[:57]}..."
        super().__init__(f"{reason} (line {line}, column {column} of {excerpt!r})" if text else reason)
        self.reason = reason
        self.text = text
        self.line = line
        self.column = column


class FeelSyntaxError(FeelError):
    """The text is no FEEL expression."""


class FeelEvaluationError(FeelError):
    """What would be null with a warning, when the caller asked for strictness."""


class FeelLimitExceeded(FeelError):
    """The expression needs more than its budget allows. ``limit`` names the part of the budget."""

    def __init__(self, reason: str, *, limit: str, text: str = "", line: int = 1, column: int = 1) -> None:
        super().__init__(reason, text=text, line=line, column=column)
        self.limit = limit


class DecisionModelError(AuthorError):
    """A decision model cannot be read. ``element`` names the place in it, ``line`` the line of the file."""

    def __init__(self, reason: str, *, element: str = "", line: int = 0) -> None:
        where = ", ".join(part for part in (element, f"line {line}" if line else "") if part)
        super().__init__(f"{where}: {reason}" if where else reason)
        self.reason = reason
        self.element = element
        self.line = line


# --- the operator has to act ----------------------------------------------------------------------------------


class OperatorError(SegueError):
    """The surroundings have to be put right; nothing is lost meanwhile."""


class Incident(OperatorError):
    """A run stands still until a person acts; whoever awaits its result learns of it by this, unless
    with ``through_incidents=True``."""

    def __init__(self, message: str, *, run_id: str = "", cause: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.run_id = run_id
        self.cause = cause
        self.remedy = remedy


class StoreError(OperatorError):
    """The store did not do what was asked."""


class StoreUnavailable(StoreError):
    """The store cannot be used just now (full disk, lock, lost connection); the same call may go through later."""


class StoreClosed(StoreUnavailable):
    """The store is closed, because whoever opened it, such as an engine, is.

    Args:
        where: the file, or the database without its password.
    """

    def __init__(self, where: str) -> None:
        super().__init__(
            f"the store of {where} is closed, and so is whoever opened it: what asks an engine for something has to do "
            "so inside `async with Engine(…) as engine:`"
        )


class StoreCorrupt(StoreError):
    """The file is not a database, or is damaged."""


class SchemaTooNew(StoreError):
    """The database was written by a newer release."""


class FenceLost(StoreError):
    """Another owner holds the run now; whatever this worker had not committed is void."""


class ServerUnavailable(OperatorError):
    """A server does not answer over HTTP, or cannot do its work; the same call may go through later."""


class NotSent(OperatorError):
    """A notice did not get to where its rule sends it, this time."""


class SecretNotFound(OperatorError):
    """No back end has the secret. ``remedy``: how to give it to whoever runs the step."""

    def __init__(self, name: str, looked_in: list[str], remedy: str = "") -> None:
        told = f"secret {name!r} is not set (looked in: {', '.join(looked_in) or 'nowhere'})"
        super().__init__(f"{told}; {remedy}" if remedy else told)
        self.name = name
        self.looked_in = looked_in
        self.remedy = remedy
