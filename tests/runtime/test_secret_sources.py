"""Where an engine looks for secrets: in what it was given, or else in the environment and in what the settings name."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from segue import Engine, RunFailed, SecretRef, locally, step, workflow
from segue.errors import InvalidArgument, OperatorError, SecretNotFound, SegueError
from segue.owner.secret_sources import configured_secrets, secrets_of
from segue.secrets import EncryptedStore, Environment, SecretChain

VALUE = "hunter22-in-the-open"


@step
async def length(token: SecretRef) -> int:
    return len(token.value())


@workflow
async def lengths(*names: str) -> list[int]:
    return [await length(SecretRef(name)) for name in names]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("SEGUE_SECRET", "SEGUE_MASTER_KEY"))]:
        monkeypatch.delenv(name)
    return tmp_path


async def test_an_engine_asks_the_environment_and_what_is_named_in_its_order(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = EncryptedStore.new_key()
    monkeypatch.setenv("SEGUE_MASTER_KEY", key)
    monkeypatch.setenv("SEGUE_SECRET_A", "1")
    (folder / "mounted").mkdir()
    for name in ("a", "b"):
        (folder / "mounted" / name).write_text("22")
    (folder / "s.toml").write_text('a = "333"\nb = "333"\nc = "333"\n')
    for name in ("a", "b", "c", "d"):
        EncryptedStore(folder / "s.enc", key).set(name, "4444")
    (folder / "segue.toml").write_text('secrets = ["mounted", "s.toml", "s.enc"]\n')
    async with Engine("sqlite:///s.db") as engine:
        assert await (await engine.start(lengths, "a", "b", "c", "d")).result() == [1, 2, 3, 4]
    assert await lengths.local("a", "b", "c", "d") == [1, 2, 3, 4]
    monkeypatch.setenv("SEGUE_SECRETS", "s.enc:mounted:")
    assert [configured_secrets().get(name) for name in "abcd"] == ["1", "4444", "4444", "4444"]


async def test_what_the_program_gives_is_all_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGUE_SECRET_A", "1")
    monkeypatch.setenv("SEGUE_SECRETS", "missing")
    other = SecretChain([Environment(environ={"SEGUE_SECRET_B": "22"})])
    for given in ({"b": "22"}, other):
        async with Engine("sqlite:///s.db", secrets=given) as engine:
            assert await (await engine.start(lengths, "b")).result() == [2]
            with pytest.raises(RunFailed, match="'a' is not set"):
                await (await engine.start(lengths, "a")).result()
    assert await locally(lengths, "b", secrets={"b": "22"}) == [2]
    with pytest.raises(RunFailed, match=r"'a' is not set \(looked in: the secrets= of segue.locally\)"):
        await locally(lengths, "a", secrets={"b": "22"})


@pytest.mark.parametrize(
    ("place", "what"),
    [
        ("missing/", "entry 1 of the setting secrets is not there"),
        ("deep/missing", "entry 1 of the setting secrets (FOLDER/deep/missing) is not there"),
        ("deep:missing.toml", "entry 2 of the setting secrets (FOLDER/missing.toml) is not there"),
        ("missing.enc", "entry 1 of the setting secrets (FOLDER/missing.enc) is not there"),
        ("deep/file", "(FOLDER/deep/file) is neither a folder nor a file whose name ends in .toml or .enc"),
        ("broken.toml", "file FOLDER/broken.toml cannot be read: it is not valid TOML"),
        ("s.enc", "neither SEGUE_MASTER_KEY nor SEGUE_MASTER_KEY_FILE is set"),
        (f"{VALUE}/", "entry 1 of the setting secrets is not there"),
        (f"/{VALUE}", "entry 1 of the setting secrets is not there"),
        (VALUE, "entry 1 of the setting secrets is not there"),
        (VALUE * 100, "entry 1 of the setting secrets is not there"),
    ],
)
async def test_a_place_that_cannot_be_used_is_refused_when_the_engine_opens(
    folder: Path, monkeypatch: pytest.MonkeyPatch, place: str, what: str
) -> None:
    (folder / "deep").mkdir()
    (folder / "deep" / "file").write_text(VALUE)
    (folder / "broken.toml").write_text(f"token = {VALUE}")
    EncryptedStore(folder / "s.enc", EncryptedStore.new_key()).set("a", VALUE)
    monkeypatch.setenv("SEGUE_SECRETS", place)
    with pytest.raises(SegueError, match=re.escape(what.replace("FOLDER", str(folder)))) as refused:
        await Engine("sqlite:///s.db").open()
    assert isinstance(refused.value, InvalidArgument | OperatorError)
    assert VALUE not in str(refused.value)
    assert not (folder / "s.db").exists()
    async with Engine("sqlite:///s.db", own=False) as client:  # it carries out no steps
        assert await client.list() == []


@pytest.mark.parametrize("text", [f'secrets = {{db = "{VALUE}"}}', "secrets = 4", f'secrets = ["{VALUE}", 4]'])
def test_secrets_that_stand_in_the_settings_themselves_are_refused_unseen(folder: Path, text: str) -> None:
    (folder / "segue.toml").write_text(text)
    with pytest.raises(InvalidArgument, match="not the secrets themselves") as refused:
        configured_secrets()
    assert VALUE not in str(refused.value)


@pytest.mark.parametrize("named", ["missing", VALUE, VALUE * 100, "."])
def test_a_file_with_the_master_key_that_is_not_there(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    monkeypatch.setenv("SEGUE_MASTER_KEY_FILE", named)
    with pytest.raises(InvalidArgument, match=r"SEGUE_MASTER_KEY_FILE names, .* cannot be read: ") as refused:
        EncryptedStore.from_env("s.enc")
    assert VALUE not in str(refused.value)


def test_a_missing_secret_says_how_it_gets_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SecretNotFound) as missing:
        configured_secrets().get("db.password")
    assert str(missing.value) == (
        "secret 'db.password' is not set (looked in: environment (SEGUE_SECRET_…)); where the step runs: "
        "export SEGUE_SECRET_DB_PASSWORD=…"
    )
    (folder / "s.toml").touch()
    monkeypatch.setenv("SEGUE_SECRETS", f"{folder}:s.toml")
    with pytest.raises(SecretNotFound) as missing:
        configured_secrets().get("db.password")
    assert missing.value.remedy == (
        "where the step runs: export SEGUE_SECRET_DB_PASSWORD=…, or write it into "
        f"{folder}/db.password, or write it into {folder}/s.toml"
    )
    with pytest.raises(SecretNotFound, match=r"looked in: what was given as secrets=\)$"):
        secrets_of({}).get("a")


def test_who_has_no_encrypted_secrets_loads_no_cryptography(folder: Path) -> None:
    program = "import sys, segue; segue.Engine('sqlite:///s.db'); print('cryptography' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "False\n"
    )
