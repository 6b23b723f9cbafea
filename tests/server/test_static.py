"""The dashboard's files: exact addresses under any base path, kept for ever by name; and a page that helps without."""

from __future__ import annotations

import gzip
from pathlib import Path

import httpx2 as httpx
import pytest
from starlette.applications import Starlette

from segue.server.static import Dashboard

SCRIPT = "console.log('a script of some length, so that packing it makes it smaller');" * 20


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text('<!doctype html><base href="/" /><script src="./assets/a-1.js"></script>')
    (folder / "assets" / "a-1.js").write_text(SCRIPT)
    (tmp_path / "secret.txt").write_text("secret")
    return folder


def browser(folder: Path, root_path: str = "") -> httpx.AsyncClient:
    app = Starlette(routes=Dashboard(folder).routes())
    app.router.redirect_slashes = False
    transport = httpx.ASGITransport(app, root_path=root_path)
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


@pytest.mark.parametrize(
    ("path", "base"), [("/", "./"), ("/runs", "./"), ("/runs/7", "../"), ("/tasks", "./"), ("/overview", "./")]
)
async def test_a_page_leads_to_the_root_whatever_stands_before_it(built: Path, path: str, base: str) -> None:
    answer = await browser(built).get(path)
    assert answer.status_code == 200
    assert f'<base href="{base}" />' in answer.text
    assert answer.headers["cache-control"] == "no-cache"


async def test_a_path_that_the_server_itself_was_given_is_none_of_the_depth(built: Path) -> None:
    answer = await browser(built, "/tools/segue").get("/tools/segue/runs/7")
    assert '<base href="../" />' in answer.text


async def test_an_asset_is_kept_for_ever_and_packed_for_who_takes_it(built: Path) -> None:
    client = browser(built)
    plain = await client.get("/assets/a-1.js", headers={"accept-encoding": "identity"})
    assert plain.text == SCRIPT
    assert plain.headers["content-type"].startswith("text/javascript")
    assert "immutable" in plain.headers["cache-control"]
    packed = await client.get("/assets/a-1.js", headers={"accept-encoding": "gzip"})
    assert packed.text == SCRIPT
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) == len(gzip.compress(SCRIPT.encode(), 9, mtime=0))


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../secret.txt", "/assets/..%2f..%2fsecret.txt", "/assets/%2e%2e/secret.txt", "/assets/a-1.js/",
        "/assets/", "/assets/b.js", "/index.html", "/Runs", "/runs/", "/runs/x", "/runs/7/", "/secret.txt", "//runs",
    ],
)  # fmt: skip
async def test_what_is_not_there_is_not_there(built: Path, path: str) -> None:
    client = browser(built)
    answer = await client.get(httpx.URL(f"http://localhost{path}"), follow_redirects=False)
    assert answer.status_code == 404, answer.text
    assert "secret" not in answer.text


async def test_a_file_that_goes_beneath_a_server_is_said_to_have_gone(built: Path) -> None:
    client = browser(built)
    (built / "assets" / "a-1.js").unlink()  # as an upgrade of the package does
    answer = await client.get("/assets/a-1.js")
    assert answer.status_code == 404
    assert "start the server anew" in answer.text


async def test_without_a_build_a_page_says_how_to_make_one(tmp_path: Path) -> None:
    answer = await browser(tmp_path / "absent").get("/runs")
    assert answer.status_code == 503
    assert "scripts/build_ui.py" in answer.text
