"""The workflow that tells somebody, served by every engine: its attempts are retried for about a day."""

from __future__ import annotations

from typing import Any

from segue.authoring.python.definitions import Workflow, step
from segue.errors import InvalidArgument
from segue.kernel.attempt import current_attempt
from segue.kernel.notice import Notice
from segue.kernel.retry import Retry
from segue.runtime.notices import WORKFLOW


@step(name="segue.send-notice", retry=Retry(attempts=30, initial="2s", backoff=2.0, maximum="1h"), timeout="1m")
async def send_notice(rule: str, notice: Notice) -> None:
    """By the rule as it stands where this runs."""
    from segue.notifying.sending import send  # an HTTP client, which is loaded where something is sent

    host: Any = current_attempt("a notice").host
    found = host.notify.get(rule)
    if found is None:
        raise InvalidArgument(
            f"no rule of notify named {rule!r} is set where this worker runs; put it into its segue.toml"
        )
    await send(found, notice)


@step(name="segue.task-is-open", retry=Retry(attempts=30, initial="1s", backoff=2.0, maximum="1m"))
async def task_is_open(notice: Notice) -> bool:
    """Whether the task that was due now still waits for somebody."""
    host: Any = current_attempt("a notice").host
    found: bool = host.task_is_open(notice.namespace, notice.number, notice.key)
    return found


async def notify(rule: str, notice: Notice) -> None:
    """Tells of one thing by one rule."""
    if notice.when != "overdue" or await task_is_open(notice):
        await send_notice(rule, notice)


NOTIFY: Workflow[[str, Notice], None] = Workflow(notify, WORKFLOW)
