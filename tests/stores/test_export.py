"""An export holds all that is known of a run, and nothing of another one."""

from __future__ import annotations

import json

import pytest
from store_kit import Owner, everything

from segue.errors import RunNotFound
from segue.stores.base import Append, Blob, TaskRow
from segue.stores.export import export
from segue.stores.log_rows import LogLine


def test_a_run_is_exported_with_all_that_is_known_of_it(owner: Owner) -> None:
    run, other = owner.start("a", tags={"team": "blue"}), owner.start("b")
    task = TaskRow("k", "sign", "ann", 5, form=b'{"type":"string"}', subject=b'"contract"')
    owner.commit(
        Append(
            run, 2, (b'["StepCompleted",2]',), tasks=(task,), published={"p": b"[1]"}, blobs=(Blob("r", b"\x00"),),
            artifacts={"chart": b"[2]"},
        ),
        everything(other, 2),
    )  # fmt: skip
    for opened in owner.store.tasks("default"):
        assert owner.store.people.comment(opened.task, f"of run {opened.run}", 6, "ann")
    owner.store.logs.append([LogLine(run, "k", 1, n, "INFO", "stdout", f"line {n}") for n in range(2_001)])

    lines = [json.loads(line) for line in export(owner.store, run)]

    kinds = [next(iter(line)) for line in lines]
    assert kinds == ["run", "event", "event", "task", "note", "published", "artifact", "payload", *["log"] * 2_001]
    assert (lines[0]["run"]["id"], lines[0]["run"]["tags"]) == ("a", {"team": "blue"})
    assert [line["event"] for line in lines[1:3]] == [[1, ["RunStarted", 1, None, None]], [2, ["StepCompleted", 2]]]
    assert (lines[3]["task"]["key"], lines[3]["task"]["form"]) == ("k", {"type": "string"})
    assert (lines[4]["note"][0], lines[4]["note"][1]["text"]) == (lines[3]["task"]["task"], f"of run {run}")
    assert lines[5:8] == [{"published": ["p", [1]]}, {"artifact": ["chart", [2]]}, {"payload": ["r", "AA=="]}]
    assert [line["log"]["text"] for line in lines[8:]] == [f"line {n}" for n in range(2_001)]


def test_what_is_not_there_cannot_be_exported(owner: Owner) -> None:
    with pytest.raises(RunNotFound):
        list(export(owner.store, 12))
