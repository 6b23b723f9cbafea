"""What a terminal shows: the live tree, its hints, colours, and Ctrl-C; and that people are asked there."""

from __future__ import annotations

import os
import re
import signal

from cli_kit import Folder


def test_the_tree_lives(segue: Folder) -> None:
    running = segue.on_terminal("run", "flows.py:rests", "1", "--id", "a")
    running.until(r"[◐◓◑◒] running")
    running.until(r"━+─* +\d+% part \d")
    assert running.end() == 0
    assert "\x1b[" in running.raw
    shown = running.text
    assert "✓ completed  rests a" in shown
    assert '"rested"' in shown


def test_a_wait_says_for_what_and_how_to_end_it(segue: Folder) -> None:
    running = segue.on_terminal("run", "flows.py:asks", "7", "--id", "a")
    running.until("for manager, due in 3d  segue approve a")
    segue("approve", "a", "--no", "--comment", "no money")
    assert running.end() == 0
    assert "False no money" in running.text


def test_timers_signals_and_retries_are_named(segue: Folder) -> None:
    running = segue.on_terminal("run", "flows.py:sleeps", "60", "--id", "t")
    running.until(r"timer.*waiting.*until \d\d:\d\d:\d\d \(in ")
    running.signal(signal.SIGINT)
    running.end()
    running = segue.on_terminal("run", "flows.py:waits", "--id", "s")
    running.until(r"signal go.*waiting.*segue signal s go VALUE")
    segue("signal", "s", "go", "on")
    assert running.end() == 0
    code = (segue.path / "flows.py").read_text().replace('initial="50ms"', 'initial="2s"')
    segue.write("late.py", code)
    running = segue.on_terminal("run", "late.py:retries", "1", "--app", "late", columns=130)
    running.until(r"retrying.*attempt 2 of 3 in .*ConnectionError: the line is dead")


def test_the_tree_tells_updates_and_signals_of_one_name_apart(segue: Folder) -> None:
    segue.write(
        "notes.py",
        """
        from segue import signal, update, workflow

        @workflow
        async def notes() -> str:
            @update
            def note(text: str) -> str:
                if not text:
                    raise ValueError("nothing is said")
                return text

            while (last := await signal("hint", str)) != "enough":
                pass
            return last
    """,
    )
    running = segue.on_terminal("run", "notes.py", "--id", "a")
    running.until("segue signal a hint VALUE")
    # Beside what is read of the terminal: a picture that nobody reads holds up the run that has to answer.
    given = segue.begin("update", "a", "note", "the door")
    running.until(r'├ note +✓ completed +\S+ +\["the door"\]')
    assert given.end() == 0
    refused = segue.begin("update", "a", "note", "")
    running.until(r'├ note +✗ failed +\S+ +\[""\]  ValueError: nothing is said')
    assert refused.end() != 0
    hinted = segue.begin("signal", "a", "hint", "look up")
    running.until(r'├ hint +◂ received +"look up"')
    assert hinted.end() == 0
    segue("signal", "a", "hint", "enough")
    assert running.end() == 0


def test_ctrl_c_says_how_to_go_on(segue: Folder) -> None:
    running = segue.on_terminal("run", "flows.py:waits", "--id", "a")
    running.until("segue signal a go VALUE")
    os.write(running.keyboard, b"\x03")
    assert running.end() == 130
    assert "segue run flows.py:waits --id a" in running.text
    # The terminal writes ^C behind the picture: one that reached its edge would be shifted by a line and not wiped.
    drawn = running.text.partition("^C")[0].rpartition("\n")[2]
    assert len(drawn) + len("^C") < 110


def test_what_is_said_of_ctrl_c_begins_a_line(segue: Folder) -> None:
    starting = segue.on_terminal("start", "flows.py:waits", "--id", "a", "--wait")
    starting.until("started a")
    starting.until("no worker")
    os.write(starting.keyboard, b"\x03")
    assert starting.end() == 130
    assert "^C\ninterrupted; run a goes on without this command" in starting.text
    alone = segue.on_terminal("run", "flows.py:rests", "600", "--no-record")
    alone.until(r"resting\n")  # the end of the line too, before the terminal writes there
    os.write(alone.keyboard, b"\x03")
    assert alone.end() == 130
    assert "^C\ninterrupted; nothing of it was recorded" in alone.text


def test_more_than_fits_is_folded(segue: Folder) -> None:
    running = segue.on_terminal("run", "flows.py:plain", "1", "40", rows=12)
    assert running.end() == 0
    running = segue.on_terminal("run", "flows.py:fans", "300", rows=12)
    assert running.end() == 0
    assert "double ×300" in running.text


def test_tables_fit_the_terminal(segue: Folder) -> None:
    segue("run", "flows.py:fails", "luck, and a long story about it " * 20, code=1)
    for columns in (70, 110):
        running = segue.on_terminal("list", columns=columns)
        assert running.end() == 0
        lines = [line for line in running.text.splitlines() if line.strip()]
        assert max(map(len, lines)) <= columns
        assert len(lines) == 2  # the head, and one run on one line
        assert "failed" in lines[1]


def test_what_is_to_be_said_of_a_run_has_room(segue: Folder) -> None:
    id = "shipment-2026-11-28-17"
    segue("run", "flows.py:fails", "luck, and a long story about it", "--id", id, code=1)
    said = {
        40: r"✗ failed  shipment-2026-11-28-17 .*(now|ago)\n  ValueError: bad luck, and a long",
        60: r"✗ failed  shipment-2026-11-28-17 .*(now|ago)\n  ValueError: bad luck, and a long story about it",
        80: r"shipment-2026-11-28-17  ✗ failed  ValueError: bad luck, and a .*(now|ago)",
        120: r"shipment-2026-11-28-17  fails +✗ failed  ValueError: bad luck, and a long story about it .*(now|ago)",
    }
    for columns, line in said.items():
        running = segue.on_terminal("list", columns=columns)
        assert running.end() == 0
        assert re.search(line, running.text), running.text
        assert max(map(len, running.text.splitlines())) <= columns
    running = segue.on_terminal("list", columns=25)
    assert running.end() == 0
    assert f"\n{id}" in running.text, "whole, on a line of its own"


def test_what_is_short_stands_beside_its_id(segue: Folder) -> None:
    segue("run", "flows.py:plain", "1", "--id", "a")
    running = segue.on_terminal("list", columns=40)
    assert running.end() == 0
    assert re.search(r"a +plain +✓ completed  4", running.text)


def test_a_narrow_terminal_shows_what_tells_most(segue: Folder) -> None:
    running = segue.on_terminal("run", "flows.py:asks", "7", "--id", "asks", columns=44)
    running.until(r"approval +◷ waiting +\S+\s+for manager, due in 3d")  # the note below, not cut away
    os.write(running.keyboard, b"\x03")
    assert running.end() == 130
    segue("run", "flows.py:fails", "luck", "--id", "fails", code=1)
    for words in (("list",), ("show", "fails"), ("show", "asks"), ("task", "list")):
        running = segue.on_terminal(*words, columns=44)
        assert running.end() == 0
        assert max(map(len, running.text.splitlines())) <= 44
        assert re.search("✗ failed|◷ waiting|approval", running.text)


def test_what_is_to_be_said_of_a_call_has_room(segue: Folder) -> None:
    segue("run", "flows.py:fails", "luck, and a long story about it", "--id", "a", code=1)
    said = {
        40: r"\nexplode +✗ failed +\S+\n  ValueError: bad luck, and a long stor…\n",
        60: r"\nexplode +✗ failed +\S+\n  ValueError: bad luck, and a long story about it\n",
        120: r"\nexplode +✗ failed .*┥ +ValueError: bad luck, and a \w+",
    }
    for columns, line in said.items():
        running = segue.on_terminal("show", "a", columns=columns)
        assert running.end() == 0
        assert re.search(line, running.text), running.text
        assert max(map(len, running.text.splitlines())) <= columns


def test_a_long_name_takes_no_room_from_what_is_said_of_its_call(segue: Folder) -> None:
    flows = (segue.path / "flows.py").read_text()
    segue.write("flows.py", flows.replace("explode", "reserve_in_the_warehouse"))
    segue("run", "flows.py:fails", "luck, and a long story about it", "--id", "a", code=1)
    for columns in (70, 80):
        running = segue.on_terminal("show", "a", columns=columns)
        assert running.end() == 0
        line = r"\nreserve_in_the_warehouse +✗ failed.*┥ *\n  ValueError: bad luck, and a long story about"
        assert re.search(line, running.text), running.text
        assert max(map(len, running.text.splitlines())) <= columns


def test_without_colours(segue: Folder) -> None:
    segue("run", "flows.py:plain", "1")
    running = segue.on_terminal("list", NO_COLOR="1")
    assert running.end() == 0
    assert "\x1b[38" not in running.raw
    assert "✓ completed" in running.text


def test_a_terminal_that_knows_ascii_only(segue: Folder) -> None:
    segue("run", "flows.py:plain", "1")
    shown = segue("show", "plain", PYTHONIOENCODING="ascii", PYTHONUTF8="0").out
    assert "+ completed" in shown
    assert shown.isascii()


def test_a_person_is_asked(segue: Folder) -> None:
    segue("run", "flows.py:asks", "7", "--id", "a", "--timeout", "300ms", code=5)
    running = segue.on_terminal("approve", "a")
    running.until(r"approved \(yes or no\):")
    assert '"amount": 7' in running.text
    os.write(running.keyboard, b"yes\n")
    running.until(r"comment \(string, may be empty\):")
    os.write(running.keyboard, b"why not\n")
    assert running.end() == 0
    assert segue("run", "flows.py:asks", "--id", "a", "--json").json["result"] == "True why not"


def test_a_person_is_asked_again(segue: Folder) -> None:
    segue.write(
        "sizes.py",
        """
        from typing import Literal

        from msgspec import Struct

        from segue import approval, workflow


        class Order(Struct):
            urgent: bool
            size: Literal["1", "2"]
            many: int


        @workflow
        async def asks_sizes() -> list[object]:
            order = await approval("ann", form=Order)
            return [order.urgent, order.size, order.many, await approval("bob", form=bool)]
        """,
    )
    run = segue.begin("run", "sizes.py", "--id", "a")
    run.until("waiting .* for ann")
    running = segue.on_terminal("approve", "a")
    for question, answer, refusal in [
        (r"urgent \(yes or no\): ", "maybe", "neither yes nor no; what is understood: y, yes, true, n, no, false; try"),
        (r"urgent \(yes or no\): ", "n", ""),
        ('size \\("1" or "2"\\): ', "3", "must be one of '1', '2'; try again"),
        ('size \\("1" or "2"\\): ', "2", ""),
        (r"many \(integer\): ", "few", "'few' must be an integer; try again"),
        (r"many \(integer\): ", "7", ""),
    ]:
        running.until(question + "$")
        os.write(running.keyboard, f"{answer}\n".encode())
        running.until(refusal)
    assert running.end() == 0, running.text
    run.until("waiting .* for bob")
    running = segue.on_terminal("approve", "a")
    running.until("yes or no: $")
    os.write(running.keyboard, b"maybe\n")
    running.until("neither yes nor no[^$]*yes or no: $")
    os.write(running.keyboard, b"\x04")
    assert running.end() == 2
    assert "no answer was given; nothing was sent" in running.text
    segue("approve", "a", "--yes")
    assert segue("run", "sizes.py", "--id", "a", "--json").json["result"] == [False, "2", 7, True]


def test_what_is_typed_for_text_is_text(segue: Folder) -> None:
    segue.write(
        "floors.py",
        """
        from msgspec import Struct

        from segue import approval, workflow


        class Place(Struct):
            floor: str | None = None


        @workflow
        async def asks_floor() -> str:
            return repr((await approval("ann", form=Place)).floor)
        """,
    )
    segue("run", "floors.py", "--id", "a", "--timeout", "300ms", code=5)
    running = segue.on_terminal("approve", "a")
    running.until("floor ")
    os.write(running.keyboard, b"12\n")
    assert running.end() == 0, running.text
    assert segue("run", "floors.py", "--id", "a", "--json").json["result"] == "'12'"


def test_terminating_asks_first(segue: Folder) -> None:
    segue("run", "flows.py:waits", "--id", "a", "--timeout", "300ms", code=5)
    running = segue.on_terminal("terminate", "a")
    running.until("Nothing is undone")
    os.write(running.keyboard, b"n\n")
    assert running.end() == 2
    assert segue("list", "--state", "open", "--json").json
    running = segue.on_terminal("terminate", "a")
    running.until("Nothing is undone")
    os.write(running.keyboard, b"y\n")
    assert running.end() == 0


def test_a_terminal_that_cannot_be_drawn_over_has_lines(segue: Folder) -> None:
    running = segue.on_terminal("run", "flows.py:asks", "7", "--id", "a", TERM="dumb")
    running.until("waiting      approval for manager")
    segue("approve", "a", "--yes")
    assert running.end() == 0
    assert "\x1b" not in running.raw


def test_a_long_id_leaves_room_for_what_tells_most_and_is_whole(segue: Folder) -> None:
    id = "order-" + 20 * "number" + "-7"
    segue("run", "flows.py:asks", "7", "--id", id, "--timeout", "300ms", code=5)
    for columns in (40, 60, 80, 110):
        running = segue.on_terminal("list", columns=columns)
        assert running.end() == 0
        lines = running.text.splitlines()
        assert "◷ waiting" in running.text
        assert "approval by manager" in running.text
        assert max(map(len, lines)) <= columns
        assert id in "".join(line.split()[0] for line in lines if line.strip())
        running = segue.on_terminal("task", "list", columns=columns)
        assert running.end() == 0
        lines = running.text.splitlines()
        assert re.match("1 +approv", lines[1])
        assert max(map(len, lines)) <= columns
        column = lines[0].index("run")
        assert "".join(line[column:].split()[0] for line in lines[1:] if line.strip()) == id


def test_what_repairs_name_is_whole_on_a_narrow_terminal(segue: Folder) -> None:
    step = "charges_the_customer_of_the_house"
    flow = f"@step\nasync def {step}() -> None: ...\n@workflow\nasync def f() -> None:\n  "
    segue.write("long.py", f"from segue import step, workflow\n{flow}await {step}()\n  await {step}()\n")
    for words in (("run", "long.py", "--id", "a"), ("show", "a")):
        running = segue.on_terminal(*words, columns=40)
        assert running.end() == 0
        assert f"/{step}/{step}#1" in "".join(re.findall(r"^[/\w#]+", running.text, re.MULTILINE))
        assert re.search("✓ completed +<?[0-9]", running.text)


def test_namespaces_fit_the_terminal(segue: Folder) -> None:
    name = "a-namespace-with-a-name-of-some-length"
    segue("start", "flows.py:plain", "1", "--namespace", name)
    for columns in (40, 60, 100):
        running = segue.on_terminal("namespaces", columns=columns)
        assert running.end() == 0
        lines = running.text.splitlines()
        assert re.match("namespace +open +incidents", lines[0])
        assert ("kept" in lines[0]) == (columns == 100)
        assert name in "".join(line.split()[0] for line in lines if line.strip())
        assert max(map(len, lines)) <= columns
