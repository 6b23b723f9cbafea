"""The description of the API says what the table says, and its answers are as it says."""

from __future__ import annotations

import json
from typing import Any

import httpx2 as httpx
from api_kit import start, until
from jsonschema import Draft202012Validator

from segue.server.openapi import describe
from segue.server.routes import BASE, ROUTES


def test_every_route_is_described_once() -> None:
    document = describe(ROUTES, BASE)
    described = {(method, path) for path, methods in document["paths"].items() for method in methods}
    assert len(described) == len(ROUTES)
    names = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(set(names)) == len(ROUTES)


def test_every_reference_leads_somewhere() -> None:
    document = describe(ROUTES, BASE)
    text = json.dumps(document)
    for part in text.split('"#/components/schemas/')[1:]:
        assert part.partition('"')[0] in document["components"]["schemas"]


async def test_answers_are_as_described(api: httpx.AsyncClient) -> None:
    await until(api, await start(api, "fails", "x"), "failed")
    run = await start(api, "asks", 7)
    await until(api, run, "waiting")
    document = (await api.get("/openapi.json")).json()
    paths = ["/overview", "/runs", "/runs/{run}", "/runs/{run}/events", "/runs/{run}/logs", "/workflows", "/tasks"]
    for path in paths:
        answer = await api.get(path.replace("{run}", str(run)))
        content = document["paths"][BASE + path]["get"]["responses"]["200"]["content"]
        schema: dict[str, Any] = {**content["application/json"]["schema"], "components": document["components"]}
        Draft202012Validator(schema).validate(answer.json())
