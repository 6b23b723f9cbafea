"""Steps that a person has paused, in all runs of the app."""

from __future__ import annotations

from typing import Any

from segue.client.steering import PausedStep
from segue.server.acting import ReasonBody
from segue.server.call import Call
from segue.server.repairs import Bare


async def list_paused_steps(call: Call[Any, None]) -> list[PausedStep]:
    return await call.engine.paused_steps()


async def pause_step(call: Call[Any, ReasonBody]) -> None:
    await call.engine.pause_step(call.path["step"], call.body.reason, by=call.who.name)


async def resume_step(call: Call[Any, Bare]) -> None:
    await call.engine.resume_step(call.path["step"], by=call.who.name)
