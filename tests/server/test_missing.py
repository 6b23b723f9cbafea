"""What a path names and is not there is told with 404, whatever it is and whatever is asked of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from api_kit import Visit, log_in

from segue.server.call import Route
from segue.server.routes import ROUTES

NOT_KEPT = ("/steps/", "/queues/", "/attempts/")
"""Names under which nothing has to be there: a step is paused before any run has called it, a queue has nothing yet."""
OTHERWISE = ("follow_run", "show_grid")
"""A stream says so as its first event; the steps of runs by workflow are told of workflows of the past too."""
BODIES: dict[str, dict[str, Any]] = {
    "signal_run": {"name": "go"},
    "query_run": {"name": "so_far"},
    "update_run": {"name": "put"},
    "skip_call": {"call": "/double"},
    "edit_input": {"call": "/double", "arguments": [1]},
    "create_backfill": {"start": 0, "end": 1},
    "preview_backfill": {"start": 0, "end": 1},
    "complete_task": {"answer": True},
    "hand_task": {"to": "bob"},
    "comment_on_task": {"text": "hm"},
    "change_namespace": {"note": "ours"},
}
QUERIES: dict[str, dict[str, Any]] = {
    "show_value": {"seq": 1, "field": "input"}, "show_artifact": {"name": "chart"}
}  # fmt: skip
ROUTES_TO_ONE = [
    route for route in ROUTES
    if "{" in route.path and not route.path.startswith(NOT_KEPT) and route.handler.__name__ not in OTHERWISE
]  # fmt: skip


@pytest.mark.parametrize("route", ROUTES_TO_ONE, ids=lambda route: f"{route.method} {route.path}")
async def test_what_is_not_there_is_not_found(route: Route, visit: Visit) -> None:
    root = await log_in(visit(), "root")
    path = re.sub("{(.*?)}", lambda name: "999" if name[1].endswith(":int") else "nope", route.path)
    name = route.handler.__name__
    body = None if route.body is None else BODIES.get(name, {})
    answer = await root.request(route.method, path, json=body, params=QUERIES.get(name))
    assert answer.status_code == 404, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].removeprefix("segue:") in (
        "run-not-found", "task-not-found", "user-not-found", "key-not-found", "schedule-not-found",
        "unknown-workflow", "namespace-not-found",
    )  # fmt: skip
