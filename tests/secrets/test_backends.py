"""Where secrets come from: the environment, files, an encrypted file, and one after the other."""

from __future__ import annotations

import os
import stat
import threading
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.errors import InvalidArgument, OperatorError, SecretNotFound
from segue.secrets import Backend, EncryptedStore, Environment, SecretChain, SecretFolder, SecretToml

KEY, OTHER_KEY = (b64encode(bytes([n]) * 32).decode() for n in (1, 2))


# --- environment ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("db", "SEGUE_SECRET_DB"),
        ("db.password", "SEGUE_SECRET_DB_PASSWORD"),
        ("stripe-api/key", "SEGUE_SECRET_STRIPE_API_KEY"),
        ("A1", "SEGUE_SECRET_A1"),
    ],
)
def test_a_secret_has_its_variable(name: str, variable: str) -> None:
    assert Environment(environ={variable: "value"}).find(name) == "value"
    assert Environment(environ={name: "value"}).find(name) is None


def test_variables_that_are_there_already_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://")
    monkeypatch.setenv("SEGUE_SECRET_TOKEN", "")
    environment = Environment({"db": "DATABASE_URL"})
    assert environment.find("db") == "postgres://"
    assert environment.find("token") == ""
    assert environment.find("missing") is None


# --- files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "value"),
    [(b"v", "v"), (b"v\n", "v"), (b"v\r\n", "v"), (b"v\n\n", "v\n"), (b" v ", " v "), ("pä".encode(), "pä"), (b"", "")],
)
def test_a_file_is_a_secret(tmp_path: Path, content: bytes, value: str) -> None:
    (tmp_path / "db").write_bytes(content)
    assert SecretFolder(tmp_path).find("db") == value
    assert SecretFolder(tmp_path).find("missing") is None
    assert SecretFolder(tmp_path / "missing").find("db") is None


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/b", "..", ".", "a\\b", "a\0"])
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "outside").write_text("v")
    (tmp_path / "in").mkdir()
    with pytest.raises(InvalidArgument, match="lead out of"):
        SecretFolder(tmp_path / "in").find(name)


def test_a_file_that_cannot_be_read_is_no_missing_secret(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary").write_bytes(b"\xff\xfesecret")
    for name, words in (("folder", "directory"), ("binary", "not UTF-8")):
        with pytest.raises(OperatorError, match=f"{name}.*cannot be read.*{words}") as caught:
            SecretFolder(tmp_path).find(name)
        assert "secret'" not in str(caught.value)


TOML = """
token = "t"
"a.b" = "quoted"
[db]
password = "p"
port = 5432
[db.replica]
password = "r"
"""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("token", "t"), ("db.password", "p"), ("db.replica.password", "r"), ("a.b", "quoted"), ("missing", None),
        ("db.missing", None), ("token.x", None), ("db.", None), ("", None),
    ],
)  # fmt: skip
def test_toml_is_looked_up_by_dots(tmp_path: Path, name: str, value: str | None) -> None:
    (tmp_path / "s.toml").write_text(TOML)
    assert SecretToml(tmp_path / "s.toml").find(name) == value


def test_toml_that_is_not_there_or_is_changed_is_read_anew(tmp_path: Path) -> None:
    source = SecretToml(tmp_path / "s.toml")
    assert source.find("token") is None
    (tmp_path / "s.toml").write_text(TOML)
    assert source.find("token") == "t"


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        (TOML, "db.port", "'db.port' in .* is a int; write it as text in quotes"),
        (TOML, "db", "is a dict"),
        ("token = hunter22", "token", "it is not valid TOML"),
    ],
)
def test_toml_that_means_nothing_is_named_without_its_content(tmp_path: Path, text: str, name: str, words: str) -> None:
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(OperatorError, match=words) as caught:
        SecretToml(tmp_path / "s.toml").find(name)
    assert "hunter22" not in str(caught.value)


# --- the encrypted file ---------------------------------------------------------------------------------------


def test_secrets_are_set_listed_and_deleted(tmp_path: Path) -> None:
    store = EncryptedStore(tmp_path / "deep" / "s.enc", KEY)
    assert (store.list(), store.find("db")) == ([], None)
    store.set("db", "p1")
    store.set("api", "")
    store.set("db", "p2")
    again = EncryptedStore(tmp_path / "deep" / "s.enc", KEY + "\n")
    assert (again.list(), again.find("db"), again.find("api")) == (["api", "db"], "p2", "")
    again.delete("db")
    assert store.list() == ["api"]
    with pytest.raises(SecretNotFound, match="'db' is not set"):
        store.delete("db")
    with pytest.raises(InvalidArgument):
        store.set("", "x")


def test_the_file_tells_nothing_and_is_its_owners_alone(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        EncryptedStore(tmp_path / "s.enc", KEY).set("database-name", "hunter22")
    finally:
        os.umask(mask)
    data = (tmp_path / "s.enc").read_bytes()
    assert not {b"database-name", b"hunter22", KEY.encode()} & set(data.split(b'"'))
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.enc", "s.enc.lock"]


def test_the_same_twice_looks_different(tmp_path: Path) -> None:
    store = EncryptedStore(tmp_path / "s.enc", KEY)
    store.set("a", "b")
    before = (tmp_path / "s.enc").read_bytes()
    store.set("a", "b")
    assert (tmp_path / "s.enc").read_bytes() != before


@settings(deadline=None)  # each example waits for the disk
@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), min_size=1), st.text(st.characters(codec="utf-8")), max_size=4
    )
)
def test_any_secret_comes_back(tmp_path_factory: pytest.TempPathFactory, secrets: dict[str, str]) -> None:
    store = EncryptedStore(tmp_path_factory.mktemp("store") / "s.enc", KEY)
    for name, value in secrets.items():
        store.set(name, value)
    assert {name: store.find(name) for name in store.list()} == secrets


def test_the_master_key_changes(tmp_path: Path) -> None:
    store = EncryptedStore(tmp_path / "s.enc", KEY)
    store.set("db", "p")
    store.rotate(OTHER_KEY)
    assert store.find("db") == EncryptedStore(tmp_path / "s.enc", OTHER_KEY).find("db") == "p"
    store.set("more", "x")
    with pytest.raises(OperatorError, match="sealed with another master key"):
        EncryptedStore(tmp_path / "s.enc", KEY).find("db")
    with pytest.raises(OperatorError, match="sealed with another master key"):
        EncryptedStore(tmp_path / "s.enc", KEY).set("db", "overwritten")
    with pytest.raises(InvalidArgument):
        store.rotate("short")
    assert store.list() == ["db", "more"]


def test_a_crash_while_writing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = EncryptedStore(tmp_path / "s.enc", KEY)
    store.set("db", "old")

    def crash(*args: Any) -> None:
        raise OSError("the disk is full")

    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, crash)
            with pytest.raises(OSError, match="the disk is full"):
                store.set("db", "new")
            with pytest.raises(OSError, match="the disk is full"):
                store.rotate(OTHER_KEY)
        assert store.find("db") == "old"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["s.enc", "s.enc.lock"]


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    def write(number: int) -> None:
        EncryptedStore(tmp_path / "s.enc", KEY).set(f"secret-{number}", "x")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(EncryptedStore(tmp_path / "s.enc", KEY).list()) == 16


@pytest.mark.parametrize("damage", ["cut", "junk", "flip", "empty", "format"])
def test_a_damaged_file_is_refused_and_never_overwritten(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "s.enc"
    EncryptedStore(path, KEY).set("db", "p")
    good = path.read_bytes()
    sealed = good.rindex(b'"sealed":"') + 12
    damaged = {
        "cut": good[:-5],
        "junk": b"junk",
        "empty": b"",
        "flip": good[:sealed] + (b"A" if good[sealed : sealed + 1] != b"A" else b"B") + good[sealed + 1 :],
        "format": good.replace(b"segue-secrets-1", b"segue-secrets-9"),
    }[damage]
    path.write_bytes(damaged)
    store = EncryptedStore(path, KEY)
    actions: tuple[Any, ...] = (
        store.list,
        lambda: store.set("x", "y"),
        lambda: store.delete("db"),
        lambda: store.rotate(OTHER_KEY),
    )
    for action in actions:
        with pytest.raises(OperatorError, match=r"restore it from a backup|newer release"):
            action()
    assert path.read_bytes() == damaged


@pytest.mark.parametrize("key", ["", "short", "not base64!", b64encode(b"x" * 31).decode()])
def test_what_is_no_master_key_is_refused_unseen(tmp_path: Path, key: str) -> None:
    with pytest.raises(InvalidArgument, match="not 32 bytes in base64") as caught:
        EncryptedStore(tmp_path / "s.enc", key)
    assert not key or key not in str(caught.value)


def test_the_master_key_comes_from_the_environment_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidArgument, match="neither SEGUE_MASTER_KEY nor SEGUE_MASTER_KEY_FILE is set"):
        EncryptedStore.from_env(tmp_path / "s.enc")
    (tmp_path / "key").write_text(KEY + "\n")
    monkeypatch.setenv("SEGUE_MASTER_KEY_FILE", str(tmp_path / "key"))
    EncryptedStore.from_env(tmp_path / "s.enc").set("db", "p")
    monkeypatch.setenv("SEGUE_MASTER_KEY", KEY)
    assert EncryptedStore.from_env(tmp_path / "s.enc").find("db") == "p"
    monkeypatch.setenv("SEGUE_MASTER_KEY", OTHER_KEY)
    with pytest.raises(OperatorError, match="another master key"):
        EncryptedStore.from_env(tmp_path / "s.enc").find("db")


def test_a_new_key_is_a_key(tmp_path: Path) -> None:
    assert EncryptedStore.new_key() != EncryptedStore.new_key()
    EncryptedStore(tmp_path / "s.enc", EncryptedStore.new_key()).set("a", "b")


# --- one after the other --------------------------------------------------------------------------------------


def test_the_first_that_has_it_answers(tmp_path: Path) -> None:
    (tmp_path / "db").write_text("from file")
    (tmp_path / "only").write_text("in file")
    backends: list[Backend] = [Environment(environ={"SEGUE_SECRET_DB": "from env"}), SecretFolder(tmp_path)]
    chain = SecretChain(backends)
    assert (chain.get("db"), chain.get("only")) == ("from env", "in file")
    with pytest.raises(SecretNotFound) as caught:
        chain.get("missing")
    assert caught.value.looked_in == ["environment (SEGUE_SECRET_…)", f"folder {tmp_path}"]
    with pytest.raises(InvalidArgument, match="empty"):
        chain.get("")


def test_no_back_end_shows_a_value(tmp_path: Path) -> None:
    store = EncryptedStore(tmp_path / "s.enc", KEY)
    store.set("db", "hunter22")
    toml = SecretToml(tmp_path / "s.toml")
    chain = SecretChain([Environment(environ={"SEGUE_SECRET_DB": "hunter22"}), store, toml, SecretFolder(tmp_path)])
    shown = repr(chain) + repr(store) + str(store) + str(toml)
    assert "hunter22" not in shown
    assert KEY not in shown
