"""The pages on transactions and data pipelines are programs: their snippets run, in order."""

from __future__ import annotations

import ast
import inspect
import linecache
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from registry_kit import held, holding

DOCS = Path(__file__).parent.parent.parent / "docs"


def program(page: str) -> str:
    """All snippets of a page in Python, each at its line."""
    lines: list[str] = []
    text = (DOCS / page).read_text()
    for block in re.finditer(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        lines += [""] * (text[: block.start(1)].count("\n") - len(lines)) + block[1].splitlines()
    return "\n".join(lines) + "\n"


async def play(page: str) -> ModuleType:
    """Runs a page's snippets in a module of their own, whose source can be looked at as that of any other."""
    source = program(page)
    module = ModuleType(page)
    linecache.cache[page] = (len(source), None, source.splitlines(keepends=True), page)
    code = compile(source, page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    coroutine = eval(code, module.__dict__)
    if inspect.iscoroutine(coroutine):
        await coroutine
    return module


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder and an app of its own."""
    monkeypatch.chdir(tmp_path)
    with holding(held()):
        yield


async def test_transactions() -> None:
    module = await play("transactions.md")
    assert {"transfer", "fulfil", "take_order"} <= vars(module).keys()


async def test_the_statement_in_plain_sql(tmp_path: Path) -> None:
    """The INSERT of the page does what it says."""
    module = await play("transactions.md")
    (statement,) = re.findall(r"^```sql\n(.*?)^```$", (DOCS / "transactions.md").read_text(), re.DOTALL | re.MULTILINE)
    async with module.Engine("sqlite:///bank.db") as engine:
        with module.apsw.Connection("bank.db") as connection:
            connection.execute(statement)
        handle = await engine.start(module.fulfil, "order-43", "coffee", id="order-43")
        assert await handle.result() == "coffee is on its way"


async def test_data_pipelines() -> None:
    module = await play("data-pipelines.md")
    assert {"fetch_all", "sales", "report", "deliver", "summary"} <= vars(module).keys()
