"""Sends a notice: as a signed JSON body to a web address, or through apprise to one of its services."""

from __future__ import annotations

import asyncio
import hmac
import logging
import ssl
import time
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

import httpx2 as httpx
import msgspec

from segue.errors import InvalidArgument, NonRetryable, NotSent
from segue.kernel.notice import Notice, NotifyRule
from segue.notifying.rules import APPRISE, address
from segue.runtime.beside import beside
from segue.secrets.variables import resolved

PATIENCE = 10.0
"""Seconds for one try."""
PASSING = (408, 409, 425, 429)
"""Answers that speak of this moment only; other refusals (4xx) are refusals."""

_SENDS: ContextVar[bool] = ContextVar("_SENDS", default=False)


def _is_others(record: logging.LogRecord) -> bool:
    """Whether somebody else than a rule has it logged."""
    return not _SENDS.get()


for _name in ("httpx2", "apprise", "urllib3.connectionpool"):
    # They log addresses and parts of them, at INFO and above; those of rules may be passwords.
    logging.getLogger(_name).addFilter(_is_others)


async def send(rule: NotifyRule, notice: Notice) -> None:
    """Sends it once.

    Raises:
        NotSent: another try may get through.
        NonRetryable: no other will.
    """
    to = address(rule)
    sends = _SENDS.set(True)
    try:
        if to.startswith(APPRISE):
            await asyncio.to_thread(_by_apprise, to.removeprefix(APPRISE), notice)
        else:
            await _by_web(to, resolved(rule.secret), notice)
    finally:
        _SENDS.reset(sends)


async def _by_web(to: str, secret: str, notice: Notice) -> None:
    body = msgspec.json.encode(notice)
    headers = {"content-type": "application/json", "user-agent": "segue", "segue-notice": notice.id}
    if secret:
        headers["segue-signature"] = signature(secret, body, int(time.time()))
    try:
        # No redirects: an address is where its rule says, and a signed body goes nowhere else.
        async with httpx.AsyncClient(verify=await beside(_trust), timeout=PATIENCE) as client:
            answer = await client.post(to, content=body, headers=headers)
    except httpx.HTTPError as error:
        raise NotSent(f"{type(error).__name__} at {_place(to)}") from None  # its text may hold the address
    except ssl.SSLError as error:  # an alert that comes behind the handshake comes as it is
        raise NotSent(f"{error.reason or type(error).__name__} at {_place(to)}") from None
    if answer.is_success:
        return
    text = f"{_place(to)} answered with {answer.status_code}"
    raise NonRetryable(text) if answer.status_code < 500 and answer.status_code not in PASSING else NotSent(text)


def signature(secret: str, body: bytes, at: int) -> str:
    """``t=<seconds>,v1=<hex>``: HMAC-SHA256 by the secret over the time, a dot and the body."""
    made = hmac.new(secret.encode(), b"%d." % at + body, "sha256").hexdigest()
    return f"t={at},v1={made}"


@lru_cache(1)
def _trust() -> ssl.SSLContext:
    """Reading certificates takes a while, and they are the same each time."""
    return ssl.create_default_context()


def _place(to: str) -> str:
    """Where to, without what only sender and receiver may know: paths of web hooks are passwords."""
    return httpx.URL(to).host


def _by_apprise(to: str, notice: Notice) -> None:
    try:
        import apprise
    except ImportError as error:
        raise InvalidArgument("a rule sends by apprise, which is not installed: pip install 'segue[notify]'") from error
    sender: Any = apprise.Apprise()
    if not sender.add(to):
        raise NonRetryable("apprise does not know the kind of address that the rule has")
    title, text = in_words(notice)
    if not sender.notify(title=title, body=text):
        raise NotSent("apprise could not send it")


def in_words(notice: Notice) -> tuple[str, str]:
    """A title and a text for people."""
    what = {
        "overdue": f"task {notice.task} for {notice.assignee} is overdue",
        "incident": "stands still",
        "deadline": "missed a deadline",
    }.get(notice.when, notice.when)
    lines = [f"run {notice.run} of {notice.workflow}, namespace {notice.namespace}"]
    return f"{notice.workflow}: {what}", "\n".join([*lines, notice.message] if notice.message else lines)
