"""What is said of namespaces: it is kept, part by part, and runs are kept as long as their namespace's rules say."""

from __future__ import annotations

import logging
import re
import textwrap
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import apsw
import pytest

from segue import Client, Engine, NamespaceInfo, Retention, RunFailed, Settings, signal, testing, workflow
from segue.errors import InvalidArgument
from segue.runtime.keeping import MOST
from segue.server.within import within
from segue.stores.base import RunFilter
from segue.stores.sqlite.store import SqliteStore

Until = Callable[[Callable[[], bool]], Awaitable[None]]
MONTH = Settings(retention=(Retention("30d"),))


@workflow
async def send(size: int) -> int:
    return size


@workflow
async def lose(size: int) -> None:
    raise ValueError("lost")


@workflow
async def newest(size: int) -> None:
    """Something else has to have started last: run numbers go on after the newest run, which therefore stays."""
    await signal("never")


async def end_everywhere(world: testing.World, *namespaces: str) -> None:
    """A run that has completed and one that has failed in each, and the newest run."""
    for name in namespaces:
        engine = within(world.engine, name)
        await world.result(await engine.start(send, 1, id=f"sent-{name}"))
        with pytest.raises(RunFailed):
            await world.result(await engine.start(lose, 1, id=f"lost-{name}"))
    await world.engine.start(newest, 0, id="newest")


def there(engine: Engine) -> set[str]:
    return {row.id for row in engine.store.list(RunFilter(namespace=None, limit=1000))} - {"newest"}


# --- what is said ---------------------------------------------------------------------------------------------


async def test_a_namespace_is_described_part_by_part(tmp_path: Path) -> None:
    async with Engine(f"sqlite:///{tmp_path}/segue.db", workflows=[send], own=False) as engine:
        assert await engine.namespaces() == [NamespaceInfo("default")]
        await within(engine, "eu").describe_namespace(description="Orders of Europe")
        rules = (Retention("30d"), Retention(timedelta(days=365), state="failed"), Retention(1.5, workflow="poll"))
        told = await engine.describe_namespace("eu", retention=rules)
        assert told == NamespaceInfo(
            "eu", "Orders of Europe",
            (Retention("30d"), Retention("365d", state="failed"), Retention("1500000us", workflow="poll")),
        )  # fmt: skip
        await engine.describe_namespace("zoo", retention=[])
        await engine.describe_namespace(description="here")
        assert await engine.namespaces() == [NamespaceInfo("default", "here"), told, NamespaceInfo("zoo", "", ())]
        await engine.describe_namespace("eu", retention=None)
        await engine.describe_namespace("zoo", retention=None)
        assert await engine.namespaces() == [
            NamespaceInfo("default", "here"), NamespaceInfo("eu", "Orders of Europe"),
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "path", "text"),
    [
        ("soon", "$.retention", "is not a length of time"),
        (["30d", "-"], "$.retention[1]", "is not a length of time"),
        ([{"keep": "30d", "state": "waiting"}], "$.retention[0].state", "no run ends as 'waiting'"),
        ([{"keep": "x"}], "$.retention[0].keep", "is not a length of time"),
        ([{"keep": "1d", "workflow": "a\0"}], "$.retention[0].workflow", "NUL"),
        (["30d", {"keep": "1d"}], "$.retention", "two rules of retention are for all runs of every workflow"),
        ([{"keep": "1d", "workflow": str(n)} for n in range(MOST + 1)], "$.retention", "there may be 100"),
    ],
)
async def test_rules_that_cannot_be_used_are_refused_with_their_place(
    tmp_path: Path, given: Any, path: str, text: str
) -> None:
    async with Engine(f"sqlite:///{tmp_path}/segue.db", workflows=[], own=False) as engine:
        with pytest.raises(InvalidArgument, match=text) as refused:
            await engine.describe_namespace("eu", description="new", retention=given)
        assert refused.value.path == path
        assert engine.store.described.list() == []


@pytest.mark.parametrize(
    ("name", "description", "path"), [("a b", "", "namespace"), ("eu", "x" * 1001, "$.description"),
    ("eu", "a\0", "$.description")],
)  # fmt: skip
async def test_names_and_descriptions_that_cannot_be_kept_are_refused(
    tmp_path: Path, name: str, description: str, path: str
) -> None:
    async with Engine(f"sqlite:///{tmp_path}/segue.db", workflows=[], own=False) as engine:
        with pytest.raises(InvalidArgument) as refused:
            await engine.describe_namespace(name, description=description)
        assert refused.value.path == path
        assert engine.store.described.list() == []


def test_synchronous_code_describes_them_too(tmp_path: Path) -> None:
    with Client(f"sqlite:///{tmp_path}/segue.db", workflows=[], own=False) as client:
        told = client.describe_namespace("eu", description="Europe", retention="30d")
        assert client.namespaces() == [NamespaceInfo("default"), told]


async def test_the_page_on_settings_says_it_as_it_is(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()
    (snippet,) = [code for code in re.findall(r"^```python\n(.*?)^```$", text, re.S | re.M) if "describe_name" in code]
    async with Engine(f"sqlite:///{tmp_path}/segue.db", workflows=[], own=False) as engine:
        scope: dict[str, Any] = {"Retention": Retention}
        exec(f"async def document(engine):\n{textwrap.indent(snippet, '    ')}", scope)
        await scope["document"](engine)
        assert await engine.namespaces() == [
            NamespaceInfo("bank", "", ()), NamespaceInfo("default"),
            NamespaceInfo("eu", "Orders of Europe", (Retention("30d"),)),
        ]  # fmt: skip


# --- what becomes of runs -------------------------------------------------------------------------------------


async def test_each_namespace_keeps_its_runs_as_long_as_its_own_rules_say(tmp_path: Path) -> None:
    async with testing.engine(tmp_path, settings=MONTH) as world:
        await end_everywhere(world, "default", "eu", "us", "keeps")
        await world.engine.describe_namespace("eu", retention=[Retention("90d", state="failed"), Retention("1d")])
        await world.engine.describe_namespace("keeps", retention=[])
        await world.engine.describe_namespace("us", description="nothing is said of how long")
        everything = {f"{how}-{name}" for how in ("sent", "lost") for name in ("default", "eu", "us", "keeps")}
        await world.advance("1d 2m")
        assert there(world.engine) == everything - {"sent-eu"}
        await world.advance("29d")
        assert there(world.engine) == {"lost-eu", "sent-keeps", "lost-keeps"}
        await world.advance("60d")
        assert there(world.engine) == {"sent-keeps", "lost-keeps"}
        assert world.clock.next is None, "with nothing to delete, nothing is looked for"


async def test_a_rule_is_followed_and_taken_back_while_the_engine_runs(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        await end_everywhere(world, "eu", "us")
        await world.advance("60d")
        assert there(world.engine) == {"sent-eu", "lost-eu", "sent-us", "lost-us"}, "without a rule nothing is deleted"
        await world.engine.describe_namespace("eu", retention="30d")
        await world.engine.describe_namespace("us", retention="90d")
        await world.advance("2m")
        assert there(world.engine) == {"sent-us", "lost-us"}
        await world.engine.describe_namespace("us", retention=None)
        await world.advance("60d")
        assert there(world.engine) == {"sent-us", "lost-us"}


async def test_a_rule_that_another_process_gives_is_heard_of(tmp_path: Path, until: Until) -> None:
    async with testing.engine(tmp_path, settings=Settings(slow_poll=0.01)) as world:
        await end_everywhere(world, "eu", "us")
        await world.advance("60d")
        other = SqliteStore.open(tmp_path / "segue.db")
        other.described.change("eu", retention='[{"keep":"30d"}]')
        await until(lambda: world.clock.next is not None)
        other.described.change("us", retention='[{"keep":"30d"}]')
        await world.advance("2m")
        assert there(world.engine) == set(), "each round reads the rules itself"
        other.close()


async def test_what_is_past_its_time_by_a_namespaces_rule_goes_when_an_owner_comes(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        await end_everywhere(world, "eu", "us")
    store = SqliteStore.open(tmp_path / "segue.db")
    store.described.change("eu", retention='[{"keep":"30d"}]')
    store.close()
    async with testing.engine(tmp_path, start=testing.DAWN + timedelta(days=60)) as world:
        await world.settle()
        assert there(world.engine) == {"sent-us", "lost-us"}


@pytest.mark.parametrize("text", ["?", '[{"keep":"1d","region":"x"}]', '[{"keep":"soon"}]'])
async def test_rules_that_a_newer_release_has_written_delete_nothing(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with testing.engine(tmp_path, settings=MONTH) as world:
        await end_everywhere(world, "eu", "us")
        world.engine.store.described.change("eu", retention=text)
        with caplog.at_level(logging.WARNING, "segue.retention"):
            await world.advance("60d")
        assert there(world.engine) == {"sent-eu", "lost-eu"}
        assert "no runs of namespace 'eu' are deleted here" in caplog.text


async def test_rules_that_cannot_be_looked_at_are_looked_at_later(
    tmp_path: Path, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    async with testing.engine(tmp_path, settings=Settings(slow_poll=0.01)) as world:
        await end_everywhere(world, "eu")
        await world.advance("60d")
        raw = apsw.Connection(str(tmp_path / "segue.db"))
        raw.execute("ALTER TABLE namespaces RENAME TO away")
        with pytest.raises(Exception, match="no such table"):
            world.engine.store.described.list()
        with caplog.at_level(logging.DEBUG, "segue.serving"):
            await until(lambda: "rules of retention are looked at later" in caplog.text)
        raw.execute("ALTER TABLE away RENAME TO namespaces")
        raw.execute("""INSERT INTO namespaces VALUES ('eu', '', '[{"keep":"30d"}]')""")
        raw.close()
        await until(lambda: world.clock.next is not None)
        await world.advance("2m")
        assert there(world.engine) == set()
