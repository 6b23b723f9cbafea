"""What the tests of the API share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import time_ns
from typing import Any

import httpx2 as httpx
from pwdlib.hashers.argon2 import Argon2Hasher

PASSWORD = "correct horse"
Visit = Callable[..., httpx.AsyncClient]


QUICK = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)


class Time:
    """The time (µs), which goes on only when a test says so."""

    def __init__(self) -> None:
        self.at = time_ns() // 1_000

    def __call__(self) -> int:
        return self.at


async def log_in(api: httpx.AsyncClient, name: str, password: str = PASSWORD) -> httpx.AsyncClient:
    """The same client, logged in."""
    answer = await api.post("/session", json={"name": name, "password": password})
    assert answer.status_code == 204, answer.text
    return api


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
