"""The fingerprint tells code that is as it was from code that may have changed."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

import segue
from segue.authoring.python.fingerprint import fingerprint

BASE = """
    async def work(n):
        total = await charge(n)
        return total + 1
"""
SAME = {
    "comments": """
    async def work(n):
        # twice as nice
        total = await charge(n)  # now
        return total + 1
    """,
    "layout": """
    async def work(
        n,
    ):
        total = (await charge(n))

        return (total
                + 1)
    """,
    "a docstring": '''
    async def work(n):
        """Works."""
        total = await charge(n)
        return total + 1
    ''',
}
OTHER = {
    "another call": BASE.replace("charge", "refund"),
    "another constant": BASE.replace("+ 1", "+ 2"),
    "another parameter": BASE.replace("work(n)", "work(n, m=1)"),
    "another order": """
    async def work(n):
        return 1 + await charge(n)
    """,
    "a decorator": "@cached\n" + textwrap.dedent(BASE).lstrip(),
}


def made(source: str, path: Path | None = None) -> str:
    text = textwrap.dedent(source)
    if path is not None:
        path.write_text(text)
    names: dict[str, Any] = {"cached": lambda function: function}
    exec(compile(text, str(path or "<nowhere>"), "exec"), names)
    return fingerprint(names["work"])


@pytest.mark.parametrize("what", SAME)
def test_it_is_the_same_when_only_this_changed(what: str, tmp_path: Path) -> None:
    assert made(SAME[what], tmp_path / "a.py") == made(BASE, tmp_path / "b.py")


@pytest.mark.parametrize("what", OTHER)
def test_it_is_another_when_this_changed(what: str, tmp_path: Path) -> None:
    assert made(OTHER[what], tmp_path / "a.py") != made(BASE, tmp_path / "b.py")


def test_without_source_the_byte_code_tells() -> None:
    assert made(BASE) == made(BASE)
    assert len(made(BASE)) == 16
    others = [made(OTHER[what]) for what in OTHER if what != "a decorator"]
    assert len({made(BASE), *others}) == len(others) + 1


def test_byte_code_s_fingerprint_is_the_same_in_every_process() -> None:
    script = f"""
import sys
sys.path.insert(0, {str(Path(segue.__file__).parents[1])!r})
import segue
from segue.authoring.python.fingerprint import fingerprint
def work(n):
    return [x for x in n if x in {{"a", "b", "c"}}], (lambda: n)
print(fingerprint(work))
"""
    found = {
        subprocess.run(
            [sys.executable, "-c", script], check=True, capture_output=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in "123"
    }
    assert len(found) == 1


def test_only_a_docstring_leaves_a_body() -> None:
    def nothing() -> None:
        """Nothing."""

    assert len(fingerprint(nothing)) == 16


def test_a_method_and_a_lambda_have_one() -> None:
    class Holder:
        async def work(self) -> None: ...

    assert len(fingerprint(Holder.work)) == len(fingerprint(lambda: 1)) == 16
