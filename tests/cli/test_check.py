"""``segue check``: the source of workflows, and the journals of open runs with the code as it is now."""

from __future__ import annotations

from cli_kit import Folder

IMPURE = """
    import random
    import time
    from segue import workflow

    @workflow
    async def guess(n: int) -> float:
        started = time.time()
        return started + random.random()
"""
TWO_STEPS = """
    from segue import signal, step, workflow

    @step
    async def one() -> int:
        return 1

    @step
    async def two() -> int:
        return 2

    @workflow
    async def flow() -> int:
        {first}
        return await signal("go", int)
"""


def test_the_source(segue: Folder) -> None:
    segue.write("guess.py", IMPURE)
    ended = segue("check", "--static", "guess.py", code=1)
    assert ended.out.splitlines() == [
        "guess.py:8:15  time.time in guess(): use segue.now()",
        "guess.py:9:22  random.random in guess(): use segue.random",
        "2 places that cannot be replayed; `# segue: ok` at the end of a line silences it",
    ]
    told = segue("check", "--static", "guess", "flows.py", "--json", code=1).json
    assert [(f["path"], f["line"], f["what"]) for f in told] == [
        ("guess.py", 8, "time.time"),
        ("guess.py", 9, "random.random"),
    ]
    assert segue("check", "--static", "flows.py").out == "nothing found that cannot be replayed\n"
    assert segue("check", "--static", "flows.py", "--json").json == []
    assert len(segue("check", "--static", ".", "--json", code=1).json) == 2

    segue.write("syntax.py", "def f(:\n")
    (segue.path / "binary.py").write_bytes(b"\xff\xfe\x00")
    for name, said in (
        ("syntax.py", "syntax.py is no Python that can be read: invalid syntax (syntax.py, line 1)"),
        ("binary.py", "binary.py is no Python that can be read"),
        ("nope.py", "there is no file, folder or module nope.py"),
        ("nope", "there is no file, folder or module nope"),
    ):
        assert said in segue("check", "--static", name, code=2).err
    assert "no path is named" in segue("check", code=2).err


def test_the_journals_of_open_runs(segue: Folder) -> None:
    segue.write("flows.py", TWO_STEPS.format(first="await one()"))
    segue("run", "flows.py", "--id", "a", "--timeout", "300ms", code=5)
    segue("run", "flows.py", "--id", "b", "--timeout", "300ms", code=5)
    assert segue("check", "flows.py").out == "2 open runs of flow can go on with this code\n"

    segue.write("flows.py", TWO_STEPS.format(first="await one() and await two()"))
    assert segue("check", "flows.py", "--json").json["failed"] == 0

    segue.write("flows.py", TWO_STEPS.format(first="return 1"))
    ended = segue("check", "flows.py", code=1)
    assert "2 runs of flow: step 'one' recorded, no longer called" in ended.out
    assert "the outcome of step 'one' (key '/one') is recorded, but" in ended.out
    assert "2 of 2 open runs would stand still with this code" in ended.out
    told = segue("check", "flows.py", "--json", code=1).json
    assert (told["runs"], told["failed"], {r["id"] for r in told["results"]}) == (2, 2, {"a", "b"})
    assert told["causes"][0] | {"example": ""} == {
        "workflow": "flow", "cause": "recorded, no longer called", "step": "one", "runs": 2, "example": "",
    }  # fmt: skip
    assert segue("check", "flows.py", "--sample", "1", "--json", code=1).json["runs"] == 1
    assert "--sample is 0" in segue("check", "flows.py", "--sample", "0", code=2).err
    assert {row["state"] for row in segue("list", "--json").json} == {"waiting"}, "looking changes nothing"

    assert segue("db", "export", "--open", "open.jsonl", "--json").json["runs"] == 2
    (segue.path / ".segue").rename(segue.path / "elsewhere")
    assert segue("check", "flows.py", "--export", "open.jsonl", "--json", code=1).json["causes"] == told["causes"]
    (segue.path / "bad.jsonl").write_text("{}")
    assert "bad.jsonl is no export: line 1" in segue("check", "flows.py", "--export", "bad.jsonl", code=2).err
    assert "nope.jsonl cannot be read" in segue("check", "flows.py", "--export", "nope.jsonl", code=2).err
    (segue.path / "elsewhere").rename(segue.path / ".segue")

    segue.write("other.py", TWO_STEPS.format(first="return 1").replace("flow()", "other()"))
    assert (
        "2 runs of flow: the code that was loaded has no workflow of this name"
        in segue("check", "other.py", code=1).out
    )

    segue.write("broken.py", "from segue import workflow\nimport nothing_like_it\n")
    assert "broken.py cannot be loaded: ModuleNotFoundError" in segue("check", "broken.py", code=2).err
