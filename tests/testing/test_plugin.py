"""The pytest plugin, as a user's tests have it: with an asyncio plugin, with another one, and with none."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest

INSTALLED = any(point.value == "segue.testing.plugin" for point in entry_points(group="pytest11"))

USERS_TESTS = """
import asyncio
import pytest
from segue import now, signal, step, workflow
from segue.testing import simulate

@step
async def add(n: int) -> int:
    return n + 1

@workflow
async def adds(n: int) -> int:
    await asyncio.sleep(30 * 86_400)
    return await add(n)

@workflow
async def waits(n: int) -> int:
    await add(n)
    await signal("go")
    return n
"""


def run(pytester: pytest.Pytester, tests: str, *options: str) -> pytest.RunResult:
    pytester.makepyfile(USERS_TESTS + tests)
    pytester.makeini("[pytest]\nfilterwarnings = error\nasyncio_default_fixture_loop_scope = function\n")
    plugin = () if INSTALLED else ("-p", "segue.testing.plugin")
    return pytester.runpytest_subprocess(*plugin, "-p", "no:cacheprovider", *options)


def test_a_world_in_tests_of_every_kind(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
@pytest.mark.asyncio
async def test_asyncio(segue_world):
    async with segue_world as world:
        world.mock(add, returns=42)
        assert await world.result(await world.engine.start(adds, 1)) == 42
    async with segue_world(app="other") as world:
        assert await world.result(await world.engine.start(adds, 1)) == 2

@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_anyio(segue_world, anyio_backend):
    async with segue_world as world:
        assert await world.result(await world.engine.start(adds, 1)) == 2

def test_plain(segue_world):
    async def story(world):
        return await world.result(await world.engine.start(adds, 1))
    assert segue_world.run(story) == 2
""",
    )
    result.assert_outcomes(passed=3)


def test_no_plugin_for_asyncio_is_needed(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
def test_plain(segue_world):
    async def story(world):
        return await world.result(await world.engine.start(adds, 1))
    assert segue_world.run(story) == 2
""",
        "-p", "no:asyncio", "-p", "no:anyio",
        "-W", "ignore:Unknown config option",
    )  # fmt: skip
    result.assert_outcomes(passed=1)


SEEDS = """
def test_seeds(segue_seeds):
    assert simulate(adds, 1).runs == len(segue_seeds) == {count}
    assert segue_seeds[0] == {first}
    assert simulate(adds, 1, seeds=3).runs == 3
"""


@pytest.mark.parametrize(
    ("options", "count", "first"),
    [((), 100, 0), (("--segue-seeds=7",), 7, 0), (("--segue-seeds", "17:19"), 2, 17)],
    ids=["as by default", "so many", "these"],
)
def test_the_option_says_which_seeds(
    pytester: pytest.Pytester, options: tuple[str, ...], count: int, first: int
) -> None:
    run(pytester, SEEDS.format(count=count, first=first), *options).assert_outcomes(passed=1)


@pytest.mark.parametrize("wrong", ["x", "0", "9:3", "1:x"])
def test_seeds_that_are_none_are_refused(pytester: pytest.Pytester, wrong: str) -> None:
    result = run(pytester, "", f"--segue-seeds={wrong}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--segue-seeds={wrong} names no seed*"])


HISTORY = """
def test_recorded(segue_world, segue_history):
    async def story(world):
        handle = await world.engine.start(waits, 1)
        await world.settle()
        await segue_history.record(handle, "waits")
    segue_world.run(story)
    segue_history.check_all()
"""


def test_histories_are_recorded_when_asked_and_checked_for_ever_after(pytester: pytest.Pytester) -> None:
    run(pytester, HISTORY).stdout.fnmatch_lines(["*there is no recording *tests/histories/waits.jsonl; run this test*"])
    run(pytester, HISTORY, "--segue-record").assert_outcomes(passed=1)
    assert (pytester.path / "tests" / "histories" / "waits.jsonl").exists()
    run(pytester, HISTORY).assert_outcomes(passed=1)
    changed = HISTORY.replace("def test_recorded", "waits.function.__code__ = gone.__code__\n\ndef test_recorded")
    gone = '\nasync def gone(n):\n    await signal("go")\n    return n\n'
    run(pytester, gone + changed).stdout.fnmatch_lines(
        ["*HistoryBroken: *do not go on with the code at hand at step 'add'*"]
    )
