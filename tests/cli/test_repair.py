"""``segue retry --from``, ``skip`` and ``fork``, on one run and on many."""

from __future__ import annotations

from cli_kit import Folder

CODE = """
    import asyncio
    from pathlib import Path
    from segue import step, workflow

    @step
    async def charge(amount: int) -> int:
        with Path("charged").open("a") as file:
            file.write(f"{amount}\\n")
        return amount

    @step(on_exhausted="incident")
    async def ship(to: str) -> str:
        if not Path(to).exists():
            raise RuntimeError(f"nobody at {to}")
        return f"shipped to {to}"

    @step
    async def pack(amount: int) -> int:
        if not Path("boxes").exists():
            raise RuntimeError("no boxes")
        return amount

    @workflow
    async def order(amount: int, to: str = "ann") -> str:
        await charge(amount)
        return await ship(to)

    @workflow
    async def parcel(amount: int) -> int:
        await charge(amount)
        return await pack(amount)

    @step
    async def copy(n: int) -> int:
        return n

    @workflow
    async def copies(n: int) -> int:
        await copy.map(range(n))
        return await pack(n)

    @workflow
    async def round_trip(*to: str) -> int:
        return len(await asyncio.gather(*[ship(each) for each in to]))
"""


def charged(segue: Folder) -> int:
    return len((segue.path / "charged").read_text().splitlines())


def test_a_run_that_has_failed_is_retried_from_its_failed_step(segue: Folder) -> None:
    segue.write("shop.py", CODE)
    segue("run", "shop.py:parcel", "3", "--id", "p", code=1)
    ended = segue("retry", "p", "--preview")
    assert "run p: a run goes on from behind event 2, under new idempotency keys; runs again: /pack; kept: /charge" in (
        ended.out
    )
    assert segue("show", "p", "--json").json["state"] == "failed", "a preview changes nothing"
    (segue.path / "boxes").touch()
    assert "run p goes on as a new run; what was stays as it was" in segue("retry", "p", "--by", "ann").out
    assert segue("run", "shop.py:parcel", "3", "--id", "p", "--json").json["result"] == 3
    assert charged(segue) == 1
    segue("retry", "p", "--from", "start")
    assert segue("run", "shop.py:parcel", "3", "--id", "p", "--json").json["result"] == 3
    assert charged(segue) == 2
    assert "has no call 'nothing'" in segue("retry", "p", "--from", "nothing", code=2).err
    assert "take one of them" in segue("retry", "p", "--from", "pack", "--step", "pack", code=2).err


def test_of_a_step_with_many_calls_it_is_told_how_many(segue: Folder) -> None:
    segue.write("shop.py", CODE)
    segue("run", "shop.py:copies", "30", "--id", "c", code=1)
    assert "runs again: /pack; kept: copy ×30\n" in segue("retry", "c", "--preview").out
    several = segue("retry", "c", "--from", "copy", code=2).err
    assert "name one by its key: /0/copy, " in several
    assert several.endswith(" and 20 more; nothing was changed\n")
    assert "it has: copy ×30, /pack; nothing" in segue("retry", "c", "--from", "nothing", code=2).err


def test_a_fork_leaves_its_source_as_it_is(segue: Folder) -> None:
    segue.write("shop.py", CODE)
    segue("run", "shop.py:parcel", "3", "--id", "p", code=1)
    (segue.path / "boxes").touch()
    assert segue("fork", "p", "--from", "failed", "--preview", "--json").json["fork"] is None
    assert "started q, forked from p" in segue("fork", "p", "--from", "failed", "--id", "q").out
    assert segue("run", "shop.py:parcel", "3", "--id", "q", "--json").json["result"] == 3
    assert segue("show", "p", "--json").json["state"] == "failed"
    assert charged(segue) == 1
    assert "events 1 to" in segue("fork", "p", "--at", "99", code=2).err


def test_a_step_is_skipped_and_one_gets_other_arguments(segue: Folder) -> None:
    segue.write("shop.py", CODE)
    for id in "ab":
        segue("run", "shop.py:order", "3", "--id", id, code=None)
    assert "run 'a' has no call 'charge'" in segue("skip", "a", "charge", code=2).err
    told = (
        "/ship is to be answered with the result that was given; a worker with the run's code does so, or the run's log"
    )
    assert told in segue("skip", "a", "ship", '"by hand"', "--preview").out
    assert told in segue("skip", "a", "ship", '"by hand"', "--by", "ann").out
    (segue.path / "bob").touch()
    assert "--input is a JSON list" in segue("retry", "b", "--step", "ship", "--input", "bob", code=2).err
    segue("retry", "b", "--step", "ship", "--input", '["bob"]')
    assert segue("run", "shop.py:order", "3", "--id", "a", "--json").json["result"] == "by hand"
    answered = segue("show", "a", "--json").json["steps"][-1]
    assert (answered["state"], answered["result"]) == ("completed", "by hand")
    assert "error" not in answered
    assert answered["ended_at"] is not None
    assert segue("run", "shop.py:order", "3", "--id", "b", "--json").json["result"] == "shipped to bob"
    assert "name the run and the call" in segue("skip", "a", code=2).err


def test_many_runs_are_looked_at_and_then_repaired(segue: Folder) -> None:
    segue.write("shop.py", CODE)
    for id in ("o1", "o2", "p1"):
        segue("run", f"shop.py:{'order' if id[0] == 'o' else 'parcel'}", "3", "--id", id, code=None)
    where = "state=incident,workflow=order"
    told = segue("retry", "--where", where, "--preview", "--json").json
    assert (told["chosen"], told["possible"], {x["id"] for x in told["effects"]}) == (2, 2, {"o1", "o2"})
    assert "Nobody can be asked here: pass --yes" in segue("retry", "--where", where, code=2).err
    told = segue("skip", "ship", '"x"', "--where", where, "--yes", "--json").json
    assert (told["done"], [x["done"] for x in told["outcomes"]]) == (2, [True, True])
    for id in ("o1", "o2"):
        assert segue("run", "shop.py:order", "3", "--id", id, "--json").json["result"] == "x"
    again = segue("skip", "ship", '"x"', "--where", "workflow=order", "--yes")
    assert "0 runs of 2 chosen; 2 cannot be changed so" in again.out
    assert "run 'o1' is completed" in again.out

    (segue.path / "boxes").touch()
    assert segue("retry", "--where", "state=failed", "--from", "failed", "--yes", "--json").json["done"] == 1
    assert segue("run", "shop.py:parcel", "3", "--id", "p1", "--json").json["result"] == 3

    for id in ("o3", "o4"):
        segue("run", "shop.py:order", "3", "eve", "--id", id, code=None)
    bob = ("retry", "--where", where, "--step", "/ship", "--input", '["bob"]')
    assert "goes on, with the arguments that were given" in segue(*bob, "--preview").out
    (segue.path / "bob").touch()
    assert segue(*bob, "--yes", "--json").json["done"] == 2
    for id in ("o3", "o4"):
        assert segue("run", "shop.py:order", "3", "eve", "--id", id, "--json").json["result"] == "shipped to bob"
    assert "--input is for a --step" in segue("retry", "--where", where, "--input", "[1]", code=2).err
    for text, said in (
        ("colour=red", "--where knows no 'colour'"),
        ("state=asleep", "--where state=asleep is no state"),
        ("state", "not of the form name=value"),
        (",", "--where is empty"),
    ):
        assert said in segue("retry", "--where", text, "--yes", code=2).err


def test_a_failed_run_says_how_it_is_run_again(segue: Folder) -> None:
    segue.write(
        "again.py",
        """
        from pathlib import Path

        from segue import saga, step, workflow

        @step
        async def pack() -> str:
            return "packed"

        @step
        async def unpack(result: str | None) -> None: ...

        @step
        async def ship() -> str:
            return Path("address").read_text()

        @workflow
        async def plain() -> str:
            await pack()
            return await ship()

        @workflow
        async def undone() -> str:
            async with saga() as s:
                await s.step(pack, undo=unpack)
                return await ship()

        @workflow
        async def by_itself() -> None:
            await pack()
            int(Path("address").read_text())
        """,
    )
    for name, place, flags in [
        ("plain", "from where it failed", []),
        ("undone", "from its start", ["--from", "start"]),
        ("by_itself", "from its start", ["--from", "start"]),
    ]:
        segue.write("address", "")
        (segue.path / "address").unlink()
        out = segue("run", f"again.py:{name}", "--id", name, code=1).out
        assert f"To run it again {place}, once the cause is mended:" in out
        command = out.rstrip().splitlines()[-1].split()
        assert command == ["segue", "retry", name, *flags]
        segue.write("address", "7")
        segue(*command[1:])
        assert segue("run", f"again.py:{name}", "--id", name, "--json").json["state"] == "completed"


def test_calls_that_stand_still_for_the_same_reason_are_told_of_once(segue: Folder) -> None:
    segue.write("shop.py", CODE)
    segue("run", "shop.py:round_trip", "ann", "ann", "bob", "ann", "--id", "r", code=3)
    shown = segue("show", "r").out
    assert shown.count("stands still for") == 2
    assert shown.count("Traceback") == 2
    assert shown.count("The same of 2 more calls.") == 1
    assert len(segue("show", "r", "--json").json["incidents"]) == 4
