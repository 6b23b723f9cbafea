"""Messages from one run to others: posted in the commit that asks for them, acknowledged to the sender in the next."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from segue.kernel import commands as c
from segue.kernel import events as e
from segue.runtime.resident import Resident, Segment
from segue.stores.base import Post, Posted

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor


def send(conductor: Conductor, run: Resident, segment: Segment, command: c.SendMessage) -> None:
    """Posts the message. Whether its addressee takes it is known with the commit.

    A predecessor may have posted it, and died before it could record that: its id makes the second one a duplicate,
    which tells the sender the same.
    """
    run.active[command.key] = None
    actor, at = f"run:{run.id}", run.at
    event: e.Event
    if command.kind == "signal":
        assert command.payload is not None
        event = e.SignalReceived(at, actor, command.headers, command.name, command.payload, command.message)
    else:
        event = e.CancelRequested(at, actor, command.headers, command.name)
    body, blobs = conductor.journal.write(event)
    post = Post(command.kind, body, command.message, at, None, run.namespace, command.id, tuple(blobs))
    segment.extras.sent.append((len(segment.extras.posts), command, post))
    segment.extras.posts.append(post)


def posted(conductor: Conductor, run: Resident, segment: Segment, answers: tuple[Posted, ...]) -> None:
    """The posts of a segment are on disk, or were refused: wakes who got one, and tells the run that sent them."""
    for answer in answers:
        if answer.run:
            conductor.poke(answer.run)
    for place, command, post in segment.sent:
        if answers[place].outcome == "posted" and not answers[place].run:
            # The acknowledgement was lost, and the journal does not say who got it: asked again, which tells.
            conductor.writer.submit(post, partial(_answered, conductor, run, command))
        else:
            _acknowledge(conductor, run, command, answers[place])


def _answered(conductor: Conductor, run: Resident, command: c.SendMessage, answer: Any) -> None:
    if isinstance(answer, Posted):  # otherwise this owner is done; the next one asks again
        if answer.run:
            conductor.poke(answer.run)
        _acknowledge(conductor, run, command, answer)


def _acknowledge(conductor: Conductor, run: Resident, command: c.SendMessage, answer: Posted) -> None:
    if run.closed or run.execution is None or command.key not in run.active:
        return
    del run.active[command.key]
    name = command.name if command.kind == "signal" else ""
    state = {"unknown": "unknown", "closed": answer.state}.get(answer.outcome, "")
    sent = e.MessageSent(
        conductor.stamp(run), None, None, command.key, command.kind, command.id, name, command.hash, state
    )
    conductor.apply(run, sent)
