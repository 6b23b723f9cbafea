"""A proxy on this machine before a server that asks nobody who they are: what comes through it comes from anywhere."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2 as httpx
import pytest
from api_kit import QUICK, problem
from proxy_kit import Manner, proxy

from segue import Engine
from segue.server.access import FirstLoopback, Known, Loopback
from segue.server.accounts import Accounts
from segue.server.app import application
from segue.server.listening import listen
from segue.server.routes import BASE

TOLD = {
    "nginx": Manner("1.0"),
    "nginx, told of the client": Manner(adds={"X-Real-IP": "203.0.113.9"}),
    "apache": Manner(adds={"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "segue.example"}),
    "a client that says it is here": Manner(adds={"X-Forwarded-For": "127.0.0.1"}),
    "a path that is taken off": Manner(adds={"X-Forwarded-Prefix": "/segue"}),
    "by the standard": Manner(adds={"Forwarded": "for=203.0.113.9"}),
    "a chain": Manner(adds={"Via": "1.1 edge"}),
    "envoy": Manner(adds={"X-Envoy-External-Address": "203.0.113.9"}),
    "a tunnel": Manner(adds={"CF-Connecting-IP": "203.0.113.9", "CDN-Loop": "cloudflare"}),
    "a name that leads here": Manner(own_host=False),
}


@pytest.fixture
async def server(engine: Engine) -> AsyncIterator[str]:
    accounts = Accounts(engine.store.accounts, engine.clock.now, QUICK)
    access = FirstLoopback(Loopback("ann"), Known(accounts, "default"))
    listening = listen(application(engine, access, accounts=accounts), port=0)
    yield listening.url
    await listening.close()


async def ask(address: str, path: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=address, headers={"host": "segue.example"}) as client:
        return await client.get(path)


@pytest.mark.parametrize("manner", TOLD.values(), ids=TOLD)
async def test_what_comes_through_a_proxy_needs_an_account(server: str, manner: Manner) -> None:
    async with proxy(server, manner) as address:
        found = problem(await ask(address, f"{BASE}/runs"), 401, "unknown-caller")
        assert "nothing that comes through a proxy" in found["detail"]
        assert "segue user add" in found["detail"]
        assert (await ask(address, "/health")).status_code == 200, "whether it is alive is no secret"
    async with httpx.AsyncClient(base_url=server) as client:
        assert (await client.get(f"{BASE}/runs")).status_code == 200, "this machine is served as ever"


async def test_a_proxy_that_says_nothing_of_itself_cannot_be_told(server: str) -> None:
    async with proxy(server, Manner()) as address:
        assert (await ask(address, f"{BASE}/runs")).status_code == 200, "docs/access.md says so"


async def test_with_an_account_it_is_asked_who_they_are_whatever_the_proxy_says(server: str, engine: Engine) -> None:
    accounts = Accounts(engine.store.accounts, engine.clock.now, QUICK)
    accounts.add_user("ann", "correct horse", {"*": "admin"})
    for manner in (*TOLD.values(), Manner()):
        async with proxy(server, manner) as address:
            found = problem(await ask(address, f"{BASE}/runs"), 401, "unknown-caller")
            assert "log in" in found["detail"]
