"""What users write stands there as they wrote it, whatever it is."""

from __future__ import annotations

from cli_kit import Folder

ODD = """
from segue import approval, set_summary, workflow


@workflow
async def asks() -> str:
    set_summary("[/summary]")
    answer = await approval("[/boss] :smile:", name="[bold]choice[/bold]", subject="[/subject]")
    return answer.comment
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
