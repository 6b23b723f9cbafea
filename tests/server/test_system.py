"""What a server goes by, over the API."""

from __future__ import annotations

from pathlib import Path

import httpx2 as httpx

from segue import Engine, Retention, Settings
from segue.kernel.notice import NotifyRule
from segue.server.access import Loopback
from segue.server.app import application


async def test_settings_are_shown_as_they_are_in_effect(tmp_path: Path) -> None:
    rules = (Retention("30d"), Retention("365d", workflow="bill", state="failed"))
    told = NotifyRule(name="oncall", when=("incident",), to="https://hook.example/a-secret-path")
    settings = Settings(threads=3, retention=rules, notify=(told,))
    async with Engine(f"sqlite:///{tmp_path / 'segue.db'}", workflows=[], settings=settings) as engine:
        transport = httpx.ASGITransport(application(engine, Loopback("ann")), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1") as client:
            found = (await client.get("/settings")).json()
    named = {each["name"]: (each["value"], each["default"]) for each in found["settings"]}
    assert named["threads"] == (3, 32)
    assert named["cache"] == (1000, 1000)
    assert named.keys() == set(Settings.__struct_fields__) - {"retention", "notify"}
    assert "a-secret-path" not in str(found)
    day = 86_400_000_000
    assert found["retention"] == [
        {"keep": 30 * day, "workflow": None, "state": None},
        {"keep": 365 * day, "workflow": "bill", "state": "failed"},
    ]
    assert found["database"].endswith("segue.db")
