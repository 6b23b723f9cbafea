"""What the tests of the API share."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2 as httpx


async def start(api: httpx.AsyncClient, workflow: str, *input: Any, **more: Any) -> int:
    """Starts a run; its number."""
    answer = await api.post("/runs", json={"workflow": workflow, "input": list(input), **more})
    assert answer.status_code == 201, answer.text
    number: int = answer.json()["run"]
    return number


async def until(api: httpx.AsyncClient, run: int, *states: str) -> Any:
    """The run's picture, once it is in one of these states."""
    while True:
        picture = (await api.get(f"/runs/{run}")).json()
        if picture["run"]["state"] in states:
            return picture
        await asyncio.sleep(0)


def problem(answer: httpx.Response, status: int, type: str) -> Any:
    """The problem that an answer tells."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert (found["type"], found["status"]) == (f"segue:{type}", status)
    return found
