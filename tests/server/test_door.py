"""The login as a page: it works without a script, and lets no other site's page in."""

from __future__ import annotations

import html
import re

import httpx2 as httpx
import pytest
from api_kit import PASSWORD, Visit

from segue import Engine
from segue.server.access import COOKIE, Known, Loopback
from segue.server.accounts import Accounts
from segue.server.app import application

OWN = {"sec-fetch-site": "same-origin"}
RIGHT = {"name": "viewer", "password": PASSWORD}


def door(visit: Visit, base: str = "https://segue.example") -> httpx.AsyncClient:
    return visit(base_url=base)


async def test_somebody_is_sent_to_the_login_and_from_there_in(visit: Visit) -> None:
    browser = door(visit)
    for page, to in (("/", "./login"), ("/runs", "./login?to=runs"), ("/runs/7", "../login?to=runs%2F7")):
        answer = await browser.get(page)
        assert (answer.status_code, answer.headers["location"]) == (303, to)
    assert 'type="password"' in (await browser.get("/login")).text
    answer = await browser.post("/login", data=RIGHT)
    assert (answer.status_code, answer.headers["location"]) == (303, "./")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert (await browser.get("/runs")).status_code in (200, 503), "503: a checkout whose screens were not built"
    assert "You are viewer" in (await browser.get("/login")).text
    token = browser.cookies[COOKIE]
    out = await browser.post("/logout")
    assert (out.status_code, out.headers["location"]) == (303, "login")
    late = visit(base_url="https://segue.example", cookies={COOKIE: token})
    assert (await late.get("/runs")).status_code == 303


async def test_a_link_leads_where_it_leads_after_the_login_too(visit: Visit) -> None:
    browser = door(visit)
    link = "runs/7?tab=events&namespace=eu&find=%22%3E%3Cb%3E"
    sent = (await browser.get(f"/{link}")).headers["location"]
    page = await browser.get(f"/runs/{sent}")
    (to,) = re.findall('name="to" value="([^"]*)"', page.text)
    assert html.unescape(to) == link
    again = await browser.post("/login", data=RIGHT | {"to": html.unescape(to), "password": "wrong"})
    assert f'name="to" value="{to}"' in again.text
    answer = await browser.post("/login", data=RIGHT | {"to": html.unescape(to)})
    assert (answer.status_code, answer.headers["location"]) == (303, f"./{link}")


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example", "/runs", "https://evil.example", "javascript:alert(1)", "runsx", "runs/x", "../runs",
        "runs#x",
        "runs//evil.example", "api/v1/runs", "logout", "runs?a\r\nset-cookie: a=b", "runs?\x00", "runs?é", "\\evil",
        "runs?" + "x" * 2_000,
    ],
)  # fmt: skip
async def test_a_login_leads_to_no_place_but_the_dashboards_pages(visit: Visit, to: str) -> None:
    browser = door(visit)
    assert 'name="to" value=""' in (await browser.get("/login", params={"to": to})).text
    answer = await browser.post("/login", data=RIGHT | {"to": to})
    assert (answer.status_code, answer.headers["location"]) == (303, "./")


async def test_a_wrong_password_is_told_on_the_page(visit: Visit, accounts: Accounts) -> None:
    answer = await door(visit).post("/login", data=RIGHT | {"password": "<b>"})
    assert answer.status_code == 401
    assert 'role="alert"' in answer.text
    assert [(row.action, row.outcome) for row in accounts.rows.audited("default", actor="viewer")] == [("log_in", 401)]


@pytest.mark.parametrize("path", ["/login", "/logout"])
@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}, {}])
async def test_a_page_of_another_site_logs_nobody_in_or_out(visit: Visit, path: str, headers: dict[str, str]) -> None:
    other = visit(base_url="https://segue.example", headers=headers)
    answer = await other.post(path, data=RIGHT)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"name=a", "text/plain", 415),
        (b"\xff", "application/x-www-form-urlencoded", 422),
        (b"&".join(b"a%d=1" % n for n in range(11)), "application/x-www-form-urlencoded", 422),
        (b"", "application/x-www-form-urlencoded", 401),
        (b"name=%00&password=%00", "application/x-www-form-urlencoded", 401),
        (b"name=%ED%B2%80", "application/x-www-form-urlencoded", 401),
    ],
)
async def test_a_malformed_form_is_refused(visit: Visit, content: bytes, kind: str, status: int) -> None:
    answer = await door(visit).post("/login", content=content, headers={"content-type": kind})
    assert answer.status_code == status, answer.text


async def test_names_are_shown_as_text(visit: Visit, accounts: Accounts) -> None:
    accounts.add_user("<b>ann", PASSWORD, {})
    browser = door(visit)
    await browser.post("/login", data={"name": "<b>ann", "password": PASSWORD})
    assert "&lt;b&gt;ann" in (await browser.get("/login")).text


async def test_where_nobody_logs_in_there_is_no_login(engine: Engine) -> None:
    transport = httpx.ASGITransport(application(engine, Loopback("ann")), client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=OWN) as browser:
        assert (await browser.get("/login")).headers["location"] == "./"
        assert (await browser.get("/runs")).status_code in (200, 503)
        assert (await browser.post("/login", data=RIGHT)).status_code == 409


async def test_all_of_it_lies_below_a_base_path(engine: Engine, accounts: Accounts) -> None:
    app = application(engine, Known(accounts, "default"), accounts=accounts, base="/tools/segue")
    transport = httpx.ASGITransport(app, client=("10.0.0.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="https://x.example", headers=OWN) as browser:
        assert (await browser.get("/tools/segue/runs/7")).headers["location"] == "../login?to=runs%2F7"
        answer = await browser.post("/tools/segue/login", data=RIGHT)
        assert "Path=/tools/segue;" in answer.headers["set-cookie"]
        assert (await browser.get("/tools/segue/api/v1/runs")).status_code == 200
        page = await browser.get("/tools/segue/runs/7")
        assert page.status_code == 503 or re.search('<base href="../" />', page.text)
        for beside in ("/api/v1/runs", "/", "/tools/segue", "/tools/segueapi/v1/runs", "/login"):
            assert (await browser.get(beside)).status_code == 404, beside
        noted = accounts.rows.audited("default")
        assert [row.target for row in noted] == ["/login"], "without what stands before everything"


async def test_a_person_at_an_address_that_is_none_is_told_so_on_a_page(engine: Engine, accounts: Accounts) -> None:
    person, program = {"accept": "text/html,*/*;q=0.8"}, {"accept": "*/*"}
    open_to_all = application(engine, Loopback("ann"))
    transport = httpx.ASGITransport(open_to_all, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=OWN) as browser:
        for path, base in (("/nowhere", "./"), ("/runs/x/y", "../../"), ("/secret.txt", "./")):
            page = await browser.get(path, headers=person)
            if page.status_code != 503:  # the dashboard has not been built here
                assert (page.status_code, f'<base href="{base}" />' in page.text) == (404, True), path
            assert "text/html" in page.headers["content-type"]
            assert (await browser.get(path, headers=program)).json()["type"] == "segue:not-found"
        for request in (browser.get("/api/v1/nowhere", headers=person), browser.post("/nowhere", headers=person)):
            assert (await request).json()["type"] == "segue:not-found"
        assert (await browser.get("/api/v1/logout", headers=person)).status_code in (404, 405)
    guarded = application(engine, Known(accounts, "default"), accounts=accounts)
    transport = httpx.ASGITransport(guarded, client=("10.0.0.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="https://x.example", headers=OWN) as browser:
        assert (await browser.get("/nowhere/else", headers=person)).headers["location"] == "../login"


@pytest.mark.parametrize("path", ["/login", "/api/v1/health", "/nowhere", "/api/v1/runs", "/"])
async def test_every_answer_has_the_headers_that_guard_it(visit: Visit, path: str) -> None:
    answer = await door(visit).get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
