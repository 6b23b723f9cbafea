"""``segue secret``: an encrypted file is filled, listed and used from the command line, and no value is shown."""

from __future__ import annotations

import os
import subprocess

import pytest
from cli_kit import COMMAND, PATIENCE, Ended, Folder

from segue.secrets import EncryptedStore

CANARY = "canary-7f3a-swordfish"
KEY = EncryptedStore.new_key()

FLOW = """
    from segue import SecretRef, step, workflow

    @step
    async def use(token: SecretRef) -> int:
        return len(token.value())

    @workflow
    async def uses(name: str) -> int:
        return await use(SecretRef(name))
"""


@pytest.fixture
def sealed(segue: Folder) -> Folder:
    segue.write("flows.py", FLOW)
    segue.write("segue.toml", 'secrets = ["s.enc"]\n')
    segue.environment["SEGUE_MASTER_KEY"] = KEY
    return segue


def piped(segue: Folder, value: bytes, *words: str, code: int = 0) -> Ended:
    """A command that reads a value from its standard input."""
    done = subprocess.run(
        [*COMMAND, *words], cwd=segue.path, env=segue.environment, input=value, capture_output=True, timeout=PATIENCE,
        check=False,
    )  # fmt: skip
    ended = Ended(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert ended.code == code, ended
    assert CANARY not in ended.out + ended.err
    return ended


def test_what_is_set_is_found_by_steps_until_it_is_removed(sealed: Folder) -> None:
    missing = sealed("run", "flows.py:uses", "db.password", code=2).err
    assert "s.enc) is not there; `segue secret set NAME` makes it" in " ".join(missing.split())
    assert (
        "db.password is set in encrypted file s.enc"
        in piped(sealed, CANARY.encode(), "secret", "set", "db.password").out
    )
    piped(sealed, b"two\nlines\r\n", "secret", "set", "api")
    assert sealed("secret", "list").out == "api\ndb.password\n"
    assert sealed("secret", "list", "--json").json == ["api", "db.password"]
    assert EncryptedStore(sealed.path / "s.enc", KEY).find("api") == "two\nlines"
    assert sealed("run", "flows.py:uses", "db.password", "--json").json["result"] == len(CANARY)
    assert "api has another value" in piped(sealed, b"x", "secret", "set", "api").out
    assert "pass --yes" in sealed("secret", "remove", "api", code=2).err
    sealed("secret", "remove", "api", "--yes")
    assert sealed("secret", "list").out == "db.password\n"
    failed = sealed("run", "flows.py:uses", "api", code=1)
    assert "or segue secret set api" in " ".join((failed.out + failed.err).split())


@pytest.mark.parametrize(
    ("value", "words", "said"),
    [
        (b"", ("set", "a"), "no value was given"),
        (b"\n", ("set", "a"), "no value was given"),
        (b"\xff", ("set", "a"), "the value is not UTF-8"),
        (b"x", ("set", ""), "a secret's name is empty"),
        (b"x", ("set", "a", CANARY), "a value is not taken from the command line"),
        (b"", ("remove", "a", "--yes"), "there is no secret 'a' in encrypted file s.enc"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    sealed: Folder, value: bytes, words: tuple[str, ...], said: str
) -> None:
    assert said in piped(sealed, value, "secret", *words, code=2).err
    assert not (sealed.path / "s.enc").exists()


def test_a_file_and_a_key_have_to_be_named(segue: Folder) -> None:
    assert "no encrypted file is set" in segue("secret", "list", code=2).err
    assert "neither SEGUE_MASTER_KEY" in segue("secret", "list", "--file", "s.enc", code=2).err
    key = segue("secret", "new-key").out.strip()
    named = ("--file", "s.enc")
    assert "there is no secret" in segue("secret", "list", *named, SEGUE_MASTER_KEY=key).out
    EncryptedStore(segue.path / "s.enc", key).set("a", "b")
    assert "another master key" in segue("secret", "list", *named, code=6, SEGUE_MASTER_KEY=KEY).err


def test_a_value_is_asked_for_twice_on_a_terminal(sealed: Folder) -> None:
    for second, code in (("another", 2), (CANARY, 0)):
        setting = sealed.on_terminal("secret", "set", "a")
        for prompt, text in (("Value of a: ", CANARY), ("Once more: ", second)):
            setting.until(prompt)
            os.write(setting.keyboard, text.encode() + b"\n")
        assert setting.end() == code
        assert CANARY not in setting.text, "it is not shown"
    assert EncryptedStore(sealed.path / "s.enc", KEY).find("a") == CANARY
