"""``segue replay``: a recorded run again, with nothing carried out, and a debugger inside it."""

from __future__ import annotations

import os

from cli_kit import Folder

CODE = """
    from pathlib import Path
    from segue import signal, step, workflow

    @step
    async def charge(amount: int) -> int:
        with Path("charged").open("a") as file:
            file.write(f"{{amount}}\\n")
        return amount * 2

    @workflow
    async def pay(amount: int) -> int:
        doubled = await charge(amount)
        {line}
        return await signal("go", int)
"""


def test_a_run_is_gone_through_and_nothing_is_carried_out(segue: Folder) -> None:
    segue.write("pay.py", CODE.format(line="pass"))
    segue("run", "pay.py", "4", "--id", "order", "--timeout", "400ms", code=5)
    charged = (segue.path / "charged").read_text()

    ended = segue("replay", "order", "pay.py")
    assert "RunStarted" in ended.out
    assert "StepCompleted" in ended.out
    assert "the journal ends here; it waits for signal 'go'; nothing was carried out" in ended.out
    told = segue("replay", "order", "pay.py", "--json").json
    assert (told["parted"], told["signals"], told["outstanding"]) == (None, ["go"], [])
    assert segue("replay", "order", "pay.py", "--until", "1", "--json").json["outstanding"] == ["/charge"]

    segue.write("pay.py", CODE.format(line="print('seen', doubled)"))
    assert "seen 8" in segue("replay", "order", "pay.py").out, "the workflow's own lines run"
    segue.write("pay.py", CODE.format(line="pass").replace("charge(amount)", "charge(amount + 1)"))
    ended = segue("replay", "order", "pay.py", code=1)
    assert "code and journal part at event 2: NonDeterminism: step 'charge'" in ended.out

    for words, said in (
        (("replay", "order"), "no code is named"),
        (("replay", "order", "flows.py"), "run 'order' is of workflow 'pay', which the code that was named does not"),
        (("replay", "order", "pay.py", "--until", "9"), "has events 1 to 2"),
        (("replay", "nobody", "pay.py"), "no run 'nobody'"),
    ):
        assert said in segue(*words, code=2).err
    assert "take one of them" in segue("replay", "order", "pay.py", "--debug", "--json", code=2).out
    assert (segue.path / "charged").read_text() == charged == "4\n"


def test_a_debugger_stops_inside_the_workflow(segue: Folder) -> None:
    segue.write("pay.py", CODE.format(line="pass"))
    segue("run", "pay.py", "4", "--id", "order", "--timeout", "400ms", code=5)

    segue.write("pay.py", CODE.format(line="breakpoint()"))
    running = segue.on_terminal("replay", "order", "pay.py")
    running.until(r"\(Pdb\)")
    os.write(running.keyboard, b"p 'doubled is', doubled\n")
    running.until(r"doubled is', 8")
    os.write(running.keyboard, b"c\n")
    running.until("nothing was carried out")
    assert running.end() == 0

    running = segue.on_terminal("replay", "order", "pay.py", "--debug")
    running.until(r"async def pay|doubled = await charge")
    os.write(running.keyboard, b"p 'amount is', amount\n")
    running.until(r"amount is', 4")
    os.write(running.keyboard, b"q\n")
    running.end()
    assert (segue.path / "charged").read_text() == "4\n"


PINNED = """
    from segue import signal, workflow

    @workflow(name="pay", version="{label}", versioning="pinned")
    async def pay(amount: int) -> int:
        return amount + await signal("go", int)
"""


def test_a_run_that_is_pinned_to_another_version_says_so(segue: Folder) -> None:
    segue.write("pay.py", PINNED.format(label="1"))
    segue("run", "pay.py:pay", "4", "--id", "order", "--timeout", "400ms", code=5)
    told = segue("replay", "order", "pay.py", "--json").json
    assert told["version"] == told["code"]
    assert "pinned" not in segue("replay", "order", "pay.py").out
    segue.write("pay.py", PINNED.format(label="2"))
    told = segue("replay", "order", "pay.py", "--json").json
    assert (told["version"][:2], told["code"][:2], told["parted"]) == ("1/", "2/", None)
    said = segue("replay", "order", "pay.py").out
    assert f"run order is pinned to version {told['version']!r}, which the code that was named does not have" in said
    assert f"it is gone through with {told['code']!r}" in said
