"""What users write stands there as they wrote it, whatever it is."""

from __future__ import annotations

import json

from cli_kit import Folder

ODD = """
from segue import approval, set_summary, step, workflow


@workflow
async def asks() -> str:
    set_summary("[/summary]")
    answer = await approval("[/boss] :smile:", name="[bold]choice[/bold]", subject="[/subject]")
    return answer.comment


@step
async def explode() -> None:
    print("\\x1b]0;owned\\x07\\x1b[2Jnoted")
    raise ValueError("\\x1b]0;owned\\x07\\x1b[2J\\x9b5mboom")


@workflow
async def fails() -> None:
    await explode()


@workflow
async def long() -> list[str]:
    return ["long " * 2_000]
"""


def test_brackets_are_no_markup(segue: Folder) -> None:
    segue.write("odd.py", ODD)
    segue("run", "odd.py:asks", "--id", "a[/1]", "--timeout", "500ms", code=5)
    assert "[bold]choice[/bold] for [/boss] :smile:, since " in segue("show", "a").out
    assert "[/boss] :smile:" in segue("task", "list").out
    assert "comment" in segue("task", "comment", "1", "[/note]").out
    assert "said: [/note]" in segue("task", "show", "1").out
    answered = segue("approve", "a", "--yes", "--comment", "[/comment]", "--by", "[/eve]")
    assert "[bold]choice[/bold] of run a[/1] is answered by [/eve]: " in answered.out
    assert segue("run", "odd.py:asks", "--id", "a[/1]").out.endswith('"[/comment]"\n')
    segue("run", "odd.py:asks", "--id", "b", "--timeout", "500ms", code=5)
    segue("terminate", "b", "--reason", "[/reason] :smile:", "--yes")
    segue("run", "odd.py:asks", "--id", "b", code=4)
    assert "reason: [/reason] :smile:" in segue("show", "b").out
    assert "[/reason] :smile:" in segue("list").out


def test_nothing_that_a_step_says_commands_the_terminal(segue: Folder) -> None:
    segue.write("odd.py", ODD)
    ran = segue.on_terminal("run", "odd.py:fails", "--id", "f", "--logs")
    assert ran.end() == 1
    shown = segue.on_terminal("show", "f", "--events", "--logs", "--values")
    assert shown.end() == 0
    listed = segue.on_terminal("list")
    assert listed.end() == 0
    for printed in (ran.raw, shown.raw, listed.raw):
        assert "[2J" in printed  # as text
        assert not any(code in printed for code in ("\x1b]0;", "\x07", "\x1b[2J", "\x9b"))
    assert "noted" in ran.raw
    assert "noted" in shown.raw


def test_long_text_in_a_pipe_stays_in_one_piece(segue: Folder) -> None:
    segue.write("odd.py", ODD)
    ran = segue("run", "odd.py:long", "--id", "l").out
    assert json.loads(ran[ran.index("[\n") :]) == ["long " * 2_000]
    shown = segue("show", "l").out
    assert json.loads(shown[shown.index("[\n") :]) == ["long " * 2_000]


def test_bytes_that_are_no_text_are_refused(segue: Folder) -> None:
    given = "a\udcff"  # as Python has the byte FF
    for words in (("show", given), ("list", "--app", given), ("run", "flows.py:waits", given), ("db", "backup", given)):
        assert segue(*words, code=2).err == (
            "✗ 'a\\xff' is no text in utf-8; write it in that (a file that is called so has to be renamed)\n"
        )
    assert not (segue.path / ".segue").exists()


def test_a_value_that_is_nested_too_deeply_is_refused(segue: Folder) -> None:
    segue.write("deep.json", "[" * 20_000 + "]" * 20_000)
    for words in (["run", "flows.py:plain", "@deep.json"], ["signal", "some-run", "go", "@deep.json"]):
        refused = segue(*words, code=2)
        assert "is nested too deeply" in refused.err
        assert len(refused.err) < 200
