"""What goes wrong, as problem details (RFC 9457): who has to act decides the status, the error says the rest."""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from segue import errors

log = logging.getLogger("segue.server")

MEDIA_TYPE = "application/problem+json"

_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (errors.RunNotFound, 404),
    (errors.UnknownWorkflow, 404),
    (errors.TaskNotFound, 404),
    (errors.UserNotFound, 404),
    (errors.KeyNotFound, 404),
    (errors.RunAlreadyExists, 409),
    (errors.RunClosed, 409),
    (errors.RunStillOpen, 409),
    (errors.NotRepairable, 409),
    (errors.AttemptOver, 409),
    (errors.ScheduleNotFound, 404),
    (errors.ScheduleExists, 409),
    (errors.ScheduleDeclared, 409),
    (errors.ChangedMeanwhile, 412),
    (errors.TaskClaimed, 409),
    (errors.UpdateRejected, 422),
    (errors.UpdateFailed, 422),
    (errors.QueryFailed, 422),
    (errors.SignalRefused, 422),
    (errors.InvalidArgument, 422),
    (errors.PayloadError, 422),
    (errors.Incident, 409),
    (errors.NotServed, 409),
    (errors.CallerError, 400),
    (errors.StoreUnavailable, 503),
    (errors.SegueError, 500),
)
"""The first that fits."""


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong (RFC 9457).

    Attributes:
        type: the kind of error, stable, to be compared by programs.
        title: the same in words. status: the HTTP status.
        detail: what happened, to what, and what to do.
        path: the place in the request that is at fault.
        request: number under which the server's log has more.
    """

    type: str
    title: str
    status: int
    detail: str
    path: str = ""
    request: str = ""


class Refused(Exception):
    """A request that does not get as far as a handler."""

    def __init__(
        self, status: int, type: str, title: str, detail: str, path: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.problem = Problem(f"segue:{type}", title, status, detail, path)
        self.headers = headers or {}


def problem_of(error: Exception, request: str) -> Problem:
    """What the caller is told. A defect of ours is logged, and told without its text, which may hold anything; so is
    what the operator has to look into: it names addresses and users, and anybody may ask if the server is ready."""
    if isinstance(error, Refused):
        return msgspec.structs.replace(error.problem, request=request)
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), None)
    if status is None:
        log.error("request %s failed", request, exc_info=error)
        return Problem(
            "segue:internal", "Internal error", 500,
            f"this is a defect of the server; its log has more under request {request}", request=request,
        )  # fmt: skip
    name = type(error).__name__
    detail = str(error)
    if isinstance(error, errors.StoreError):
        log.warning("request %s: %s", request, error)
        detail = f"the database cannot be used just now; the server's log says why under request {request}"
    return Problem(f"segue:{_kebab(name)}", _words(name), status, detail, _path(error), request)


def _path(error: Any) -> str:
    path = getattr(error, "path", "")
    return path if isinstance(path, str) and path != "$" else ""


def _kebab(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")


def _words(name: str) -> str:
    return _kebab(name).replace("-", " ").capitalize()
