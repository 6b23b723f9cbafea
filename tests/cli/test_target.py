"""Which code or workflow a command line names."""

from __future__ import annotations

import subprocess

import pytest
from cli_kit import COMMAND, PATIENCE, Folder

from segue.cli.target import split

COLONS = """
from segue import workflow

@workflow(name="shop:buy")
async def buy(n: int) -> int:
    return n

@workflow(name="shop:sell")
async def sell(n: int) -> int:
    return -n
"""


@pytest.mark.parametrize(
    ("target", "place", "name"),
    [
        ("flows.py", "flows.py", ""),
        ("flows.py:buy", "flows.py", "buy"),
        ("flows.py:shop:buy", "flows.py", "shop:buy"),
        ("a:b/flows.py", "a:b/flows.py", ""),
        ("a:b/flows.py:buy", "a:b/flows.py", "buy"),
        ("shop.flows:buy", "shop.flows", "buy"),
        ("flows:shop:buy", "flows", "shop:buy"),
        ("buy", "buy", ""),
        (":buy", ":buy", ""),
    ],
)
def test_where_the_name_begins(target: str, place: str, name: str) -> None:
    assert split(target) == (place, name)


def test_names_with_colons(segue: Folder) -> None:
    segue.write("colons.py", COLONS)
    for target in ("colons.py:shop:buy", "colons:shop:buy", "colons.py:buy"):
        assert segue("run", target, "3", "--json").json["workflow"] == "shop:buy"
    worker = segue.begin("worker", "colons.py")
    worker.until("serving shop:buy")
    for target in ("shop:buy", "colons:shop:buy"):
        assert segue("start", target, "3", "--wait", "--json").json["result"] == 3
    assert segue("schedule", "create", "daily", "shop:sell", "3", "--cron", "@daily", "--json").json["workflow"] == (
        "shop:sell"
    )
    refused = segue("start", "shop:by", "3", code=2).err
    assert "has no workflow 'shop:by', and there is no module 'shop' here; did you mean 'shop:buy'?" in refused


@pytest.mark.parametrize(
    "words", [("start", "x:buy"), ("run", "x:buy"), ("run", "flows.py"), ("dev",), ("check", "x"), ("list",)]
)
def test_a_current_folder_that_was_deleted(segue: Folder, words: tuple[str, ...]) -> None:
    folder = segue.path / "gone"
    folder.mkdir()
    ended = subprocess.run(
        ["sh", "-c", 'rmdir ../gone; exec "$@"', "sh", *COMMAND, *words], cwd=folder, env=segue.environment,
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert "the current folder has been deleted; go to another one" in ended.stderr
    assert "Traceback" not in ended.stderr
