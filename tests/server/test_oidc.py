"""Logging in at an OpenID provider: who it says they are, and everything that must not be believed."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from api_kit import PASSWORD, Time
from joserfc import jwt
from joserfc.jwk import RSAKey
from oidc_kit import OpenId

from segue import Engine
from segue.errors import InvalidArgument
from segue.server import elsewhere
from segue.server.access import COOKIE, Known
from segue.server.accounts import Accounts
from segue.server.app import application
from segue.server.elsewhere import roles_of
from segue.server.oidc import OidcSettings, Provider, secure
from segue.server.problems import Refused
from tls_kit import Demanding

Browser = Callable[[], httpx.AsyncClient]
BACK = "/login/oidc/callback"


@pytest.fixture
async def openid(time: Time) -> AsyncIterator[OpenId]:
    openid = OpenId(time)
    yield openid
    await openid.listening.close()


@pytest.fixture
async def browser(engine: Engine, accounts: Accounts, openid: OpenId) -> AsyncIterator[Browser]:
    """Makes browsers."""
    app = application(engine, Known(accounts, "default"), accounts=accounts, provider=openid.settings())
    opened: list[httpx.AsyncClient] = []

    def make() -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app, client=(f"10.0.0.{len(opened)}", 1))
        opened.append(httpx.AsyncClient(transport=transport, base_url="https://segue.example"))
        return opened[-1]

    yield make
    for each in opened:
        await each.aclose()


async def way(browser: httpx.AsyncClient, begin: str = "/login/oidc") -> str:
    """Where the browser is sent to."""
    answer = await browser.get(begin)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def session(browser: httpx.AsyncClient) -> Any:
    return (await browser.get("/api/v1/session")).json()


async def refused(browser: httpx.AsyncClient, back: dict[str, str], status: int, text: str) -> None:
    answer = await browser.get(BACK, params=back)
    assert answer.status_code == status, answer.text
    assert text in answer.text
    assert COOKIE not in browser.cookies
    assert (await session(browser))["name"] == ""


async def test_the_page_that_was_wanted_is_where_one_arrives(browser: Browser, openid: OpenId) -> None:
    ann = browser()
    sent = (await ann.get("/runs?namespace=eu&tab=%22")).headers["location"]
    (link,) = re.findall('href="(login/oidc[^"]*)"', (await ann.get(f"/{sent}")).text)
    arrived = await ann.get(BACK, params=openid.log_in(await way(ann, f"/{html.unescape(link)}")))
    assert 'content="0;url=../../runs?namespace=eu&amp;tab=%22"' in arrived.text
    bob = browser()
    elsewhere = await way(bob, "/login/oidc?to=https://evil.example")
    assert 'content="0;url=../../"' in (await bob.get(BACK, params=openid.log_in(elsewhere))).text


async def test_somebody_logs_in_there_and_is_known_here(browser: Browser, openid: OpenId, accounts: Accounts) -> None:
    ann = browser()
    assert "Sign in with Example &lt;b&gt;" in (await ann.get("/login")).text
    answer = await ann.get(BACK, params=openid.log_in(await way(ann)))
    assert answer.status_code == 200
    assert 'http-equiv="refresh"' in answer.text
    cookies = answer.headers.get_list("set-cookie")
    (kept,) = [each for each in cookies if each.startswith(f"{COOKIE}=")]
    assert {"HttpOnly", "SameSite=Strict", "Secure"} <= set(kept.split("; "))
    assert elsewhere.COOKIE not in ann.cookies
    known = await session(ann)
    assert (known["name"], "runs:act" in known["permissions"], "runs:start" in known["permissions"]) == (
        "ann",
        True,
        False,
    )
    (account,) = [each for each in accounts.list_users() if each.name == "ann"]
    assert (account.elsewhere, account.roles) == (True, {"default": "operator"})
    assert [(row.action, row.outcome) for row in accounts.rows.audited("default", actor="ann")] == [
        ("log_in_elsewhere", 200)
    ]
    # No password opens it, not even an empty one.
    for password in ("", " ", PASSWORD):
        assert (await browser().post("/api/v1/session", json={"name": "ann", "password": password})).status_code == 401
    out = await ann.post("/logout", headers={"sec-fetch-site": "same-origin"})
    assert out.status_code == 303
    assert (await session(ann))["name"] == ""


async def test_roles_follow_from_what_is_said_at_each_login(
    browser: Browser, openid: OpenId, accounts: Accounts
) -> None:
    first, second = browser(), browser()
    await first.get(BACK, params=openid.log_in(await way(first), groups=["guests", "team", "unheard-of", 7]))
    assert accounts.user("ann").roles == {"default": "operator"}
    await second.get(BACK, params=openid.log_in(await way(second), groups="admins", preferred_username="other-name"))
    assert accounts.user("ann").roles == {"*": "admin"}
    assert (await session(first))["name"] == "ann"
    # Whoever is in no group any more is out, wherever they are.
    third = browser()
    await refused(third, openid.log_in(await way(third), groups=[]), 403, "has no role here")
    assert accounts.user("ann").roles == {}
    assert (await session(first))["name"] == ""
    nobody = browser()
    stranger = openid.log_in(await way(nobody), sub="new", preferred_username="stranger-2", groups=None)
    await refused(nobody, stranger, 403, "has no role here")
    assert accounts.rows.user("stranger-2") is None


async def test_nobody_gets_an_account_that_is_somebody_elses(
    browser: Browser, openid: OpenId, accounts: Accounts
) -> None:
    for name in ("root", "", "a/b", None, "x" * 101, "\u200b"):
        mallory = browser()
        back = openid.log_in(await way(mallory), sub="mallory", preferred_username=name, groups=["admins"])
        await refused(mallory, back, 403, "")
    assert accounts.user("root").roles == {"*": "admin"}
    assert accounts.rows.user_of(f"{openid.issuer} mallory") is None


def other_key(claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256", "kid": "1"}, claims, RSAKey.generate_key(2048, {"kid": "1"}))


LIES: dict[str, tuple[dict[str, Any], str]] = {
    "another issuer": ({"iss": "https://evil.example"}, "another issuer"),
    "another audience": ({"aud": "other"}, "somebody else"),
    "no audience": ({"aud": None}, "somebody else"),
    "several audiences": ({"aud": ["segue", "other"]}, "somebody else"),
    "another party": ({"aud": ["segue", "other"], "azp": "other"}, "somebody else"),
    "another nonce": ({"nonce": "x"}, "another login"),
    "no nonce": ({"nonce": None}, "another login"),
    "a nonce that is no text": ({"nonce": 5}, "another login"),
    "expired": ({"exp": 1}, "expired"),
    "no end": ({"exp": None}, "expired"),
    "an end that is no time": ({"exp": "never"}, "expired"),
    "from the future": ({"iat": 1 << 40}, "not valid yet"),
    "not before": ({"nbf": 1 << 40}, "not valid yet"),
    "of nobody": ({"sub": None}, "nobody"),
    "of somebody too long": ({"sub": "x" * 256}, "nobody"),
}


@pytest.mark.parametrize("lie", list(LIES))
async def test_a_claim_that_is_not_right_is_not_believed(browser: Browser, openid: OpenId, lie: str) -> None:
    claims, text = LIES[lie]
    ann = browser()
    await refused(ann, openid.log_in(await way(ann), **claims), 502, text)


@pytest.mark.parametrize("forge", ["unsigned", "symmetric", "other key", "nonsense", "a number"])
async def test_a_token_that_the_provider_did_not_sign_is_not_believed(
    browser: Browser, openid: OpenId, forge: str
) -> None:
    forged: dict[str, Callable[[dict[str, Any]], Any]] = {
        "unsigned": openid.unsigned, "symmetric": openid.symmetric, "other key": other_key,
        "nonsense": lambda claims: "a.b.c", "a number": lambda claims: 5,
    }  # fmt: skip
    openid.makes = forged[forge]
    ann = browser()
    await refused(ann, openid.log_in(await way(ann)), 502, "you cannot be logged in there just now")


async def test_a_way_is_gone_once_and_by_the_browser_that_began_it(
    browser: Browser, openid: OpenId, time: Time
) -> None:
    ann, eve = browser(), browser()
    back = openid.log_in(await way(ann))
    await way(eve)
    await refused(eve, back, 400, "not begun here")  # eve has a way of her own, and it is not this one
    await refused(ann, back, 400, "is over")
    late = openid.log_in(await way(ann))
    time.at += elsewhere.PATIENCE + 1
    await refused(ann, late, 400, "took too long")
    used = openid.log_in(await way(ann))
    assert (await ann.get(BACK, params=used)).status_code == 200
    assert (await ann.get(BACK, params=used)).status_code == 400
    for given in ({}, {"state": "x"}, {"state": "x", "code": "y"}):
        await refused(browser(), given, 400, "not begun here")


async def test_another_provider_or_an_error_ends_the_way(browser: Browser, openid: OpenId) -> None:
    ann = browser()
    await refused(ann, openid.log_in(await way(ann)) | {"iss": "https://evil.example"}, 400, "another provider")
    state = openid.log_in(await way(ann))["state"]
    await refused(ann, {"state": state, "error": "<script>alert(1)</script>"}, 403, "&lt;script&gt;")
    state = openid.log_in(await way(ann))["state"]
    await refused(ann, {"state": state, "code": "guessed"}, 502, "answered with 400")


async def test_a_session_that_somebody_put_there_is_not_the_one_that_is_used(
    browser: Browser, openid: OpenId, accounts: Accounts
) -> None:
    ann = browser()
    planted, _ = accounts.begin_session("viewer")
    ann.cookies.set(COOKIE, planted, domain="segue.example")
    assert (await ann.get(BACK, params=openid.log_in(await way(ann)))).status_code == 200
    assert accounts.session(planted) is None
    mine = [each.value for each in ann.cookies.jar if each.name == COOKIE and each.value != planted]
    assert len(mine) == 1


async def test_keys_are_asked_for_again_when_the_provider_has_new_ones(
    browser: Browser, openid: OpenId, time: Time
) -> None:
    ann = browser()
    assert (await ann.get(BACK, params=openid.log_in(await way(ann)))).status_code == 200
    openid.rotate()
    time.at += 11_000_000
    assert (await ann.get(BACK, params=openid.log_in(await way(ann)))).status_code == 200
    assert openid.asked["keys"] == 2
    assert openid.asked["describe"] == 1
    # Tokens with made-up keys do not have the provider asked each time.
    openid.makes = lambda claims: jwt.encode({"alg": "RS256", "kid": "no"}, claims, RSAKey.generate_key(2048))
    for _ in range(3):
        eve = browser()
        await refused(eve, openid.log_in(await way(eve)), 502, "a key that it does not have")
    assert openid.asked["keys"] == 2


async def test_a_provider_that_is_not_what_it_should_be_is_not_asked_further(
    engine: Engine, accounts: Accounts, openid: OpenId
) -> None:
    for says in (
        {"issuer": "https://evil.example"}, {"token_endpoint": "http://evil.example/token"}, {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
    ):  # fmt: skip
        openid.says = says
        app = application(engine, Known(accounts, "default"), accounts=accounts, provider=openid.settings())
        transport = httpx.ASGITransport(app, client=("10.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="https://segue.example") as ann:
            answer = await ann.get("/login/oidc")
            assert (answer.status_code, "location" in answer.headers) == (502, False)
    assert "token" not in openid.asked


async def test_a_provider_that_demands_a_certificate_is_told_as_one_that_cannot_be_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Demanding(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    provider = Provider(OidcSettings(issuer=server.url, url="https://segue.example", client_id="segue"), lambda: 0)
    try:
        with pytest.raises(Refused, match=r"it cannot be asked .TLSV13_ALERT_CERTIFICATE_REQUIRED"):
            await provider.address("state", "nonce", "verifier")
    finally:
        await asyncio.to_thread(server.close)  # beside the loop, on which connections end


async def test_a_secret_does_not_follow_a_redirect(browser: Browser, openid: OpenId) -> None:
    openid.redirects = True
    ann = browser()
    await refused(ann, openid.log_in(await way(ann)), 502, "answered with 307")


async def test_a_server_without_a_provider_has_no_such_pages(visit: Any) -> None:
    api = visit(base_url="https://segue.example")
    assert "Sign in with" not in (await api.get("/login")).text
    for path in ("/login/oidc", BACK):
        assert (await api.get(path)).status_code == 404


def test_settings_that_cannot_be_meant_are_refused() -> None:
    right: dict[str, Any] = {"issuer": "https://id.example", "url": "https://s.example/segue/", "client_id": "segue"}
    assert OidcSettings(**right).callback == "https://s.example/segue/login/oidc/callback"
    wrong: tuple[dict[str, Any], ...] = (
        {"issuer": "http://id.example"}, {"url": "ftp://x"}, {"client_id": ""}, {"scopes": ("email",)},
    )  # fmt: skip
    for given in wrong:
        with pytest.raises(InvalidArgument, match="oidc"):
            OidcSettings(**(right | given))
    assert not secure("http://127.0.0.1.evil.example")
    assert not secure(None)
    assert secure("http://localhost:80/x")


def test_of_several_roles_the_one_counts_that_may_most() -> None:
    settings = OidcSettings(
        issuer="https://i", url="https://u", client_id="c",
        roles={"a": {"default": "viewer", "x": "admin"}, "b": {"default": "developer"}},
    )  # fmt: skip
    assert roles_of(settings, {"groups": ["b", "a", "b"]}) == {"default": "developer", "x": "admin"}
    assert roles_of(settings, {"groups": {"a": 1}}) == roles_of(settings, {}) == {}
