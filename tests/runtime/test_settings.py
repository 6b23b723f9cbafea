"""Settings: what the program says, then the environment, then the file; typed, and refused with where they stand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from segue import Engine, Retention, Settings
from segue.configuration.settings import KNOWN, app_name, database_url, durability_name, read_settings
from segue.errors import InvalidArgument
from segue.runtime.settings import Expiry, expiries

ROOT = Path(__file__).parents[2]
DAY = 86_400_000_000


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_program_comes_before_the_environment_and_that_before_the_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "segue.toml").write_text('threads = 5\ncache = 6\nprocesses = 7\napp = "shop"\nurl = "sqlite:///f.db"\n')
    monkeypatch.setenv("SEGUE_CACHE", "60")
    monkeypatch.setenv("SEGUE_PROCESSES", "70")
    monkeypatch.setenv("SEGUE_URL", "sqlite:///e.db")
    found = read_settings(processes=700)
    assert (found.threads, found.cache, found.processes, found.lost_limit) == (5, 60, 700, 3)
    assert (app_name(None), app_name("mine")) == ("shop", "mine")
    assert (database_url(None), database_url("x.db")) == ("sqlite:///e.db", "x.db")


def test_an_engine_asks_environment_and_file_unless_it_is_told_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGUE_THREADS", "3")
    monkeypatch.setenv("SEGUE_DURABILITY", "relaxed")
    assert Engine().settings.threads == 3
    assert Engine(settings=Settings(cache=1)).settings.threads == 32
    assert (durability_name(None), durability_name("full")) == ("relaxed", "full")


def test_the_table_in_pyproject_serves_as_well(folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[tool.segue]\nstall = 0.5\nretention = "30d"\n')
    found = read_settings()
    assert found.stall == 0.5
    assert found.retention == (Retention("30d"),)


@pytest.mark.parametrize(
    ("variable", "value", "what"),
    [
        ("SEGUE_THREADS", "many", "threads is 'many'"),
        ("SEGUE_THREADS", "0", "threads is 0; it has to be 1 or more"),
        ("SEGUE_STALL", "nan", "stall is nan"),
        ("SEGUE_RETENTION", "a while", "retention is 'a while': 'a while' is not a length of time"),
        ("SEGUE_STRANGERS", "eat", "strangers is 'eat'"),
        ("SEGUE_DURABILITY", "some", "durability is 'some'"),
        ("SEGUE_NAMESPACE", "a b", "'a b' is no name of a namespace"),
        ("SEGUE_ENCODINGS", "no.such:thing", "encodings is 'no.such:thing', and that is not to be found"),
        ("SEGUE_ENCODINGS", "os:getcwd", "getcwd makes a str"),
        ("SEGUE_PAYLOAD_KEYS", "abc", "entry 1 of the keys"),
    ],
)
def test_what_cannot_be_used_is_refused_with_where_it_stands(
    variable: str, value: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidArgument, match=re.escape(what)):
        Engine()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("thread = 4", "segue.toml sets 'thread', which is no setting; did you mean 'threads'?"),
        ("threads = 'four'", "threads is 'four'"),
        ("threads = true", "threads is True"),
        ("[[retention]]\nkeep = '3d'\nstate = 'open'", "no run ends as 'open'"),
        ("[[retention]]\nkeep = '3d'\nworkflows = 'a'", "workflows"),
        ("retention = ['3d', '4d']", "two rules of retention are for all runs of every workflow"),
    ],
)
def test_a_file_with_a_mistake_is_refused(folder: Path, text: str, what: str) -> None:
    (folder / "segue.toml").write_text(text)
    with pytest.raises(InvalidArgument, match=re.escape(what)):
        read_settings()


def test_every_setting_is_documented() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    for name in KNOWN:
        assert f"`{name}`" in text, name
        assert f"`SEGUE_{name.upper()}`" in text, name
    for field in msgspec.structs.fields(Settings):
        assert field.name in KNOWN


# --- retention ------------------------------------------------------------------------------------------------

RULES: list[tuple[tuple[Retention, ...], dict[tuple[str, str], int | None]]] = [
    ((), {("any", "completed"): None}),
    ((Retention("30d"),), {("any", "completed"): 30, ("any", "terminated"): 30}),
    (
        (Retention("30d"), Retention("9d", state="failed")),
        {("any", "completed"): 30, ("any", "failed"): 9},
    ),
    (
        (Retention("30d"), Retention("9d", state="failed"), Retention("1d", "poll"), Retention("2d", "poll", "failed")),
        {
            ("any", "completed"): 30,
            ("any", "failed"): 9,
            ("poll", "completed"): 1,
            ("poll", "cancelled"): 1,
            ("poll", "failed"): 2,
        },
    ),
    (
        (Retention("1d", "poll", "failed"),),
        {("poll", "failed"): 1, ("poll", "completed"): None, ("any", "failed"): None},
    ),
    (
        (Retention("3d"), Retention(0, "poll"), Retention(0, state="failed")),
        {("poll", "completed"): 0, ("any", "failed"): 0},
    ),
]


def _kept(found: list[Expiry], workflow: str, state: str) -> list[int]:
    return [
        rule.keep // DAY
        for rule in found
        if rule.state == state and rule.workflow in (None, workflow) and workflow not in rule.but_not
    ]


@pytest.mark.parametrize(("rules", "expected"), RULES)
def test_the_most_particular_rule_decides_and_no_run_has_two(rules: Any, expected: Any) -> None:
    found = list(expiries(rules))
    for (workflow, state), days in expected.items():
        assert _kept(found, workflow, state) == ([] if days is None else [days])


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"cache": "100"}, "the setting cache is '100'; it has to be a whole number"),
        ({"threads": 2.5}, "the setting threads is 2.5; it has to be a whole number"),
        ({"processes": True}, "the setting processes is True; it has to be a whole number"),
        ({"poll": "1s"}, "the setting poll is '1s'; it has to be a number"),
        ({"memory": 750}, "the setting memory is 750; it has to be a text"),
        ({"retention": "30d"}, "the setting retention is '30d'; it has to be a list of Retention"),
        ({"retention": ["30d"]}, "the setting retention is ['30d']; it has to be a list of Retention"),
        ({"notify": None}, "the setting notify is None; it has to be a list of NotifyRule"),
    ],
)
def test_a_setting_of_another_type_is_refused(given: dict[str, Any], what: str) -> None:
    with pytest.raises(InvalidArgument, match=re.escape(what)):
        Settings(**given)
