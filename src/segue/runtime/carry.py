"""What each command means: which record it leaves in the segment, and which effect follows the commit.

One handler per command, in the table at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from segue.kernel import commands as c
from segue.kernel import events as e
from segue.kernel.failures import summary
from segue.runtime import (
    artifacts,
    chains,
    children,
    decisions,
    dispatch,
    incidents,
    notices,
    outgoing,
    outside,
    pauses,
    spared,
)
from segue.runtime.resident import Resident, Segment, answer
from segue.stores.base import TaskRow

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor


def _run_step(conductor: Conductor, run: Resident, segment: Segment, command: c.RunStep) -> None:
    run.active[command.key] = None
    segment.effects.append((dispatch.dispatch, (conductor, run, command)))


def _cancel_step(conductor: Conductor, run: Resident, segment: Segment, command: c.CancelStep) -> None:
    if command.key in run.incidents:
        incidents.withdraw(conductor, run, command.key)
    elif command.key in run.awaited:
        outside.drop(run, command.key)
    elif command.key in run.held:
        pauses.withdraw(conductor, run, command.key)
    else:
        segment.effects.append((dispatch.cancel, (conductor, run, command.key)))


def _await_step(conductor: Conductor, run: Resident, segment: Segment, command: c.AwaitStep) -> None:
    outside.wait(conductor, run, command)


def _continue(conductor: Conductor, run: Resident, segment: Segment, command: c.ContinueAsNew) -> None:
    chains.go_on(conductor, run, segment, command)


def _set_summary(conductor: Conductor, run: Resident, segment: Segment, command: c.SetSummary) -> None:
    segment.extras.summary = conductor.journal.seal_text(command.summary)


def _stand_still(conductor: Conductor, run: Resident, segment: Segment, command: c.StandStill) -> None:
    incidents.exhausted(conductor, run, command)


def _start_child(conductor: Conductor, run: Resident, segment: Segment, command: c.StartChild) -> None:
    run.active[command.key] = None
    begin = spared.start if command.key in run.spared else children.start
    segment.effects.append((begin, (conductor, run, command)))


def _cancel_child(conductor: Conductor, run: Resident, segment: Segment, command: c.CancelChild) -> None:
    posts = children.cancel(conductor, run, command.key, command.reason)
    if posts:
        segment.extras.posts.extend(posts)


def _send_message(conductor: Conductor, run: Resident, segment: Segment, command: c.SendMessage) -> None:
    outgoing.send(conductor, run, segment, command)


def _open_task(conductor: Conductor, run: Resident, segment: Segment, command: c.OpenTask) -> None:
    at = conductor.stamp(run)
    opened = e.TaskOpened(
        at, None, None, command.key, command.name, command.assignee, command.form, command.due, command.subject,
        command.hash,
    )  # fmt: skip
    conductor.record(run, opened)
    answer = spared.answer(conductor, run, opened) if command.key in run.spared else None
    if answer is not None:
        decisions.answer(run, answer)
        return
    if conductor.settings.notify:
        notices.of_task(conductor, run, segment, opened)
    form = None if command.form is None else msgspec.json.encode(command.form)
    subject = None if command.subject is None else conductor.journal.readable(command.subject)
    segment.extras.tasks.append(TaskRow(command.key, command.name, command.assignee, at, command.due, form, subject))


def _close_task(conductor: Conductor, run: Resident, segment: Segment, command: c.CloseTask) -> None:
    segment.extras.closed_tasks.append(command.key)
    # An answer that was acknowledged before the task is withdrawn must be seen first.
    segment.check_inbox = True


def _reassign(conductor: Conductor, run: Resident, segment: Segment, command: c.Reassign) -> None:
    segment.extras.reassigned[command.key] = command.assignee


def _set_attributes(conductor: Conductor, run: Resident, segment: Segment, command: c.SetAttributes) -> None:
    conductor.record(run, e.AttributesSet(conductor.stamp(run), None, None, command.attributes))
    segment.extras.attributes.update(command.attributes)


def _publish(conductor: Conductor, run: Resident, segment: Segment, command: c.Publish) -> None:
    segment.extras.published[command.name] = conductor.journal.readable(command.value)


def _attach(conductor: Conductor, run: Resident, segment: Segment, command: c.Attach) -> None:
    segment.attach(*artifacts.written(conductor.journal, {command.name: command.value}))


def _marker(conductor: Conductor, run: Resident, segment: Segment, command: c.RecordMarker) -> None:
    conductor.record(run, e.Marker(conductor.stamp(run), None, None, command.kind, command.name, command.value))


def _record_decision(conductor: Conductor, run: Resident, segment: Segment, command: c.RecordDecision) -> None:
    decisions.keep(run, command.event)


def _complete_update(conductor: Conductor, run: Resident, segment: Segment, command: c.CompleteUpdate) -> None:
    event = e.UpdateCompleted(conductor.stamp(run), None, None, command.update, command.result, command.failure)
    conductor.record(run, event)
    segment.effects.append((_answer_update, (conductor, run, event)))


def _answer_update(conductor: Conductor, run: Resident, event: e.UpdateCompleted) -> None:
    for future in conductor.updates.get(run.run, {}).get(event.update, ()):
        answer(future, event)


def _complete(conductor: Conductor, run: Resident, segment: Segment, command: c.Complete) -> None:
    conductor.close(
        run, segment, e.RunCompleted(conductor.stamp(run), None, None, command.result), "completed", None, None
    )


def _fail(conductor: Conductor, run: Resident, segment: Segment, command: c.Fail) -> None:
    event = e.RunFailed(conductor.stamp(run), None, None, command.failure)
    conductor.close(run, segment, event, "failed", command.failure, conductor.journal.brief(summary(command.failure)))


def _cancelled(conductor: Conductor, run: Resident, segment: Segment, command: c.Cancelled) -> None:
    event = e.RunCancelled(conductor.stamp(run), None, None, command.reason)
    conductor.close(run, segment, event, "cancelled", None, conductor.journal.brief_reason(command.reason))


def _log(conductor: Conductor, run: Resident, segment: Segment, command: c.Log) -> None:
    segment.effects.append((conductor.host.workflow_log, (run, run.at, command.level, command.message)))


CARRY: dict[type[c.Command], Callable[[Conductor, Resident, Segment, Any], None]] = {
    c.RunStep: _run_step,
    c.AwaitStep: _await_step,
    c.CancelStep: _cancel_step,
    c.StandStill: _stand_still,
    c.StartChild: _start_child,
    c.CancelChild: _cancel_child,
    c.SendMessage: _send_message,
    c.OpenTask: _open_task,
    c.CloseTask: _close_task,
    c.Reassign: _reassign,
    c.SetAttributes: _set_attributes,
    c.Publish: _publish,
    c.Attach: _attach,
    c.RecordMarker: _marker,
    c.RecordDecision: _record_decision,
    c.CompleteUpdate: _complete_update,
    c.Complete: _complete,
    c.Fail: _fail,
    c.Cancelled: _cancelled,
    c.ContinueAsNew: _continue,
    c.SetSummary: _set_summary,
    c.Log: _log,
}
