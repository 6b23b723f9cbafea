"""Whatever a user may write is shown as text, on every page: nothing of it runs, and no link leads to a script."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from ui_kit import Screen, Served
from ui_program import shown

from segue import Engine, Every, Schedule, approval, artifact, log, progress, publish, set_attributes, step, workflow

EVIL = '<img src=x onerror="window.owned=1"><script>window.owned=1</script>'
SCRIPT = "javascript:window.owned=1"
LINKS = f"[click]({SCRIPT})\n\n![picture]({SCRIPT})\n\n[data](data:text/html,{EVIL})"
MARKDOWN = f"{EVIL}\n\n{LINKS}\n\n<a href='{SCRIPT}'>raw</a>"
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" onload="window.owned=1"><script>owned=1</script></svg>'


@step(name=f"step {EVIL}")
async def speaks(text: str) -> str:
    print(f"printed {text}")
    log.warning(f"logged {text}")
    progress(1, 2, f"progress {text}")
    artifact.markdown("notes", MARKDOWN)
    artifact.link("link", f"https://x/?{text}", title=f"title {text}")
    artifact.image("picture", PICTURE.encode(), media_type="image/svg+xml")
    artifact.table("table", [{text: text}])
    return f"result {text}"


@step
async def raises(text: str) -> None:
    raise ValueError(f"error {text}")


@workflow(name=f"hostile {EVIL}")
async def hostile(text: str) -> None:
    """Does harm: <img src=x onerror="window.owned=1">."""
    set_attributes(customer=text)
    publish("seen", text)
    await speaks(text)
    await raises(text)


@workflow(name="asks for harm")
async def asks(text: str) -> bool:
    return (await approval(f"boss {text}", subject={text: text})).approved


@asynccontextmanager
async def serving(url: str, *, filled: bool) -> AsyncIterator[tuple[Engine, str]]:
    """A server over runs that say nothing else."""
    async with Engine(url, workflows=[hostile, asks]) as engine, shown(engine, EVIL) as address:
        yield engine, address


@pytest.fixture(scope="module")
def served(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("hostile"), filled=False, serving=serving)
    yield server
    server.close()


async def fill(engine: Engine) -> list[int]:
    """A run that has failed, and one that asks somebody."""
    failed = await engine.start(hostile, EVIL, id=f"run {EVIL}", tags={f"tag {EVIL}": EVIL}, summary=f"about {EVIL}")
    await engine.closing_event(failed.run)
    asking = await engine.start(asks, EVIL, id=f"asks {EVIL}")
    while not await engine.tasks():
        await engine.changed(asking.run)
    (task,) = await engine.tasks()
    await engine.claim_task(task, by=EVIL)
    await engine.comment_on_task(task, f"comment {EVIL} {LINKS}", by=EVIL)
    await engine.schedules.create("nightly", asks, Schedule(Every("24h"), args=(EVIL,)))
    return [failed.run, asking.run]


def test_nothing_that_a_user_wrote_runs_anywhere(screen: Screen, served: Served) -> None:
    failed, asking = served.do(fill)
    page = screen.page
    places = {
        "/overview": "hostile", "/runs": "hostile", "/workflows": "hostile", "/tasks": "comment <img",
        "/schedules": "nightly", "/workers": "hostile", f"/runs/{asking}": "asks for harm",
        f"/runs/{failed}": "error <img",
    }  # fmt: skip
    for path, text in places.items():
        screen.open(path, text)
        harmless(page, path)
    for name in page.get_by_role("tab").all_inner_texts():
        page.get_by_role("tab", name=name).first.click()
        harmless(page, name)
    page.get_by_role("row").last.click()
    harmless(page, "inspector")


def harmless(page: Any, where: str) -> None:
    """Two frames later: what was inserted has had its chance."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    found = page.evaluate(
        """() => ({
            owned: window.owned ?? null,
            inserted: document.querySelectorAll('img[onerror], body script:not([src]), iframe, object, embed').length,
            links: [...document.querySelectorAll('[href], [src], [action]')]
                .map(each => each.getAttribute('href') ?? each.getAttribute('src') ?? each.getAttribute('action'))
                .filter(to => /^\\s*(javascript|data:text|vbscript):?/i.test(to)),
        })"""
    )
    assert found == {"owned": None, "inserted": 0, "links": []}, where
