"""The whole description against a real server, by schemathesis: whatever is sent, nothing is answered that it does not
say, and nothing is a defect of the server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schema_program import serving
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from segue.server.openapi import describe
from segue.server.routes import BASE, ROUTES

schema = schemathesis.openapi.from_dict(describe(tuple(route for route in ROUTES if not route.stream), BASE))
"""Without the streams, which do not end."""
OPERATIONS = [found.ok() for found in schema.get_all_operations()]

NAMES = {"/schedules": "nightly", "/workflows": "schema_waits"}
"""Of what there is."""
EXAMPLES, LONG_EXAMPLES = 10, 20
"""Of what fits, and as many of what does not, for each operation."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a server with runs in several states and a schedule, in a thread of its own."""
    loop, stop, ready = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
    found: list[str] = []

    async def serve(folder: Path) -> None:
        async with serving(f"sqlite:///{folder}/segue.db") as url:
            found.append(url)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(tmp_path_factory.mktemp("schema")),))
    thread.start()
    assert ready.wait(30)
    yield found[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(30)
    loop.close()


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@pytest.mark.parametrize("mode", [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
# Of schemathesis' own strategies.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
def test_whatever_is_sent_the_answer_is_as_described(
    operation: Any, mode: Any, address: str, session: requests.Session, long: bool
) -> None:
    if mode is schemathesis.GenerationMode.NEGATIVE and not (operation.body or operation.query):
        return  # nothing about it can be wrong

    @settings(
        max_examples=LONG_EXAMPLES if long else EXAMPLES, derandomize=True, deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        for name, value in case.path_parameters.items():
            if name in ("run", "task") and isinstance(value, int):
                case.path_parameters[name] = value % 8  # of those that there are, mostly
        if mode is schemathesis.GenerationMode.POSITIVE and "namespace" in (case.query or {}):
            case.query["namespace"] = "default"  # there is no other
        named = next((name for start, name in NAMES.items() if case.path.startswith(BASE + start)), None)
        if named is not None and "name" in case.path_parameters:
            case.path_parameters["name"] = named
        for sent in (case.body, case.query):
            if isinstance(sent, dict) and isinstance(sent.get("wait"), (int, float)) and 0 < sent["wait"] <= 60:
                sent["wait"] = min(sent["wait"], 0.01)  # as long as it likes, there is no work to come
        # What fits the description may still name a run that has ended; and in a query, null and 0.5 are texts too.
        excluded = [positive_data_acceptance] + ([negative_data_rejection] if case.method == "GET" else [])
        case.call_and_validate(base_url=address, session=session, excluded_checks=excluded)

    send()
