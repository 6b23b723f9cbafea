"""``segue user`` and ``segue key``, and a server that asks for a login."""

from __future__ import annotations

import json
import os
import re
import subprocess
import urllib.error
import urllib.request
from typing import Any

import pytest
from cli_kit import COMMAND, PATIENCE, Folder

from segue.cli.person import person


def typed(segue: Folder, text: str, *words: str) -> str:
    """What a command prints that reads a password from its standard input."""
    done = subprocess.run(
        [*COMMAND, *words], cwd=segue.path, env=segue.environment, input=text, capture_output=True, text=True,
        timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def ask(address: str, path: str, key: str = "") -> Any:
    """The answer, or the status of a refusal."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{address}/api/v1{path}", headers=headers)) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


def test_users_are_added_listed_changed_and_removed(segue: Folder) -> None:
    said = typed(segue, "correct horse\n", "user", "add", "ann", "--role", "admin", "--everywhere")
    assert "ann is admin everywhere" in said
    typed(segue, "correct horse\n", "user", "add", "bob", "--namespace", "prod")
    listed = {user["name"]: user["roles"] for user in segue("user", "list", "--json").json}
    assert listed == {"ann": {"*": "admin"}, "bob": {"prod": "viewer"}}
    assert segue("user", "role", "bob", "operator", "--json").json["roles"] == {"prod": "viewer", "default": "operator"}
    assert segue("user", "role", "bob", "none", "--json").json["roles"] == {"prod": "viewer"}
    typed(segue, "battery staple\n", "user", "password", "bob")
    assert "last admin" in segue("user", "remove", "ann", "--yes", code=2).err
    segue("user", "remove", "bob", "--yes")
    assert "there is no user 'bob'" in segue("user", "password", "bob", code=2).err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("user", "role", "ann", "king"), "there is no role 'king'"),
        (("key", "add", "ci", "--user", "eve", "--role", "viewer"), "there is no user 'eve'"),
        (("key", "add", "ci", "--user", "ann"), "what may the key do?"),
        (("key", "add", "ci", "--user", "ann", "--permission", "runs:eat"), "there is no permission 'runs:eat'"),
        (("key", "revoke", "abc"), "there is no key 'abc'"),
        (("server", "--base", "segue"), "--base is a path that begins with a slash"),
    ],
)
def test_what_cannot_be_is_refused(segue: Folder, words: tuple[str, ...], said: str) -> None:
    typed(segue, "correct horse\n", "user", "add", "ann")
    assert said in segue(*words, code=2).err


def test_a_password_is_asked_for_twice_on_a_terminal(segue: Folder) -> None:
    adding = segue.on_terminal("user", "add", "ann")
    for prompt, text in (("New password of ann: ", b"correct horse\n"), ("Once more: ", b"correct hearse\n")):
        adding.until(prompt)
        os.write(adding.keyboard, text)
    assert adding.end() == 2
    assert "the two passwords differ" in adding.text
    assert "correct" not in adding.text, "it is not shown"
    adding = segue.on_terminal("user", "add", "ann")
    adding.until("New password of ann: ")
    os.write(adding.keyboard, b"\x04")
    assert adding.end() == 2
    assert "no password was given; nothing was changed" in adding.text
    assert "Traceback" not in adding.text


def test_keys_can_be_told_apart_on_a_narrow_terminal(segue: Folder) -> None:
    typed(segue, "correct horse\n", "user", "add", "ann", "--role", "admin")
    segue("key", "add", "nightly " * 9, "--user", "ann", "--role", "viewer")
    (listed,) = segue("key", "list", "--json").json
    shown = segue.on_terminal("key", "list", columns=40)
    assert shown.end() == 0
    assert listed["id"] in shown.text


def test_a_server_with_an_account_lets_in_who_is_known(segue: Folder) -> None:
    typed(segue, "correct horse\n", "user", "add", "ann", "--role", "admin")
    key = segue("key", "add", "ci", "--user", "ann", "--role", "viewer").out.split()[0]
    server = segue.begin("server", "--host", "127.0.0.2", "--port", "0", "--base", "/segue")
    shown = server.until(r"dashboard http://\S+\s")
    assert "have a proxy with TLS before it" in shown
    address = re.search(r"http://\S+/segue", shown)[0]
    assert ask(address, "/runs") == 401
    assert ask(address, "/runs", key)["runs"] == []
    (listed,) = segue("key", "list", "--json").json
    segue("key", "revoke", listed["id"])
    assert ask(address, "/runs", key) == 401
    assert "revoked" in segue("key", "list").out


def test_a_user_without_a_name_acts_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 54_321)  # as a container may have it
    assert person() == "54321"
