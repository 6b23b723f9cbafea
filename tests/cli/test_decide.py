"""``segue decide``."""

from __future__ import annotations

import json

import pytest
from cli_kit import Folder

MODEL = """<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" name="m" namespace="m">
<import name="base" namespace="base" importType="https://www.omg.org/spec/DMN/20230324/MODEL/"/>
<inputData id="age" name="age"><variable name="age" typeRef="number"/></inputData>
<inputData id="born" name="born"><variable name="born" typeRef="date"/></inputData>
<decision id="group" name="group"><variable name="group"/>
 <informationRequirement><requiredInput href="#age"/></informationRequirement>
 <decisionTable hitPolicy="UNIQUE"><input><inputExpression><text>age</text></inputExpression></input><output name="g"/>
  <rule><inputEntry><text>&lt; 18</text></inputEntry><outputEntry><text>"minor"</text></outputEntry></rule>
  <rule><inputEntry><text>&gt;= 18</text></inputEntry><outputEntry><text>"adult"</text></outputEntry></rule>
 </decisionTable></decision>
<decision id="year" name="year"><variable name="year"/>
 <informationRequirement><requiredInput href="#born"/></informationRequirement>
 <informationRequirement><requiredDecision href="base#one"/></informationRequirement>
 <literalExpression><text>born.year + base.one</text></literalExpression></decision>
<decision id="endless" name="endless">
 <literalExpression><text>for i in 1..10000000000 return i</text></literalExpression></decision>
</definitions>"""
BASE = """<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" name="b" namespace="base">
<decision id="one" name="one"><literalExpression><text>1</text></literalExpression></decision></definitions>"""


@pytest.fixture
def models(segue: Folder) -> Folder:
    (segue.path / "m.dmn").write_text(MODEL)
    (segue.path / "b.dmn").write_text(BASE)
    (segue.path / "broken.dmn").write_text(MODEL.replace("born.year +", "born.year + +"))
    (segue.path / "bomb.dmn").write_text('<!DOCTYPE a [<!ENTITY b "c">]>' + MODEL)
    (segue.path / "all.json").write_text(json.dumps({"age": 30, "born": "1996-02-29"}))
    return segue


def test_decides_and_says_why(models: Folder) -> None:
    out = models("decide", "m.dmn", "group", "--input", "age=30").out

    assert out.splitlines()[0] == "group = adult"
    assert [cell.strip() for cell in out.splitlines()[5].strip("│").split("│")] == ["2", "30", "adult"]


def test_decides_as_json(models: Folder) -> None:
    found = models("decide", "m.dmn", "group", "--input", "age=30", "--json").json

    assert found["value"] == "adult"
    assert found["decisions"][0]["tables"][0]["hits"] == [
        {"rule": 2, "id": "", "outputs": {"g": "adult"}, "annotations": {}}
    ]


def test_inputs_come_from_words_json_and_files(models: Folder) -> None:
    assert models("decide", "m.dmn", "year", "--input", "born=1996-02-29", "--json").json["value"] == 1997
    assert models("decide", "m.dmn", "year", "--input", '{"born": "1990-01-01"}', "--json").json["value"] == 1991
    assert models("decide", "m.dmn", "year", "--input", "@all.json", "--json").json["value"] == 1997


def test_what_became_null_is_told(models: Folder) -> None:
    out = models("decide", "m.dmn", "group", "--input", "age=old").out

    assert out.startswith("group = null\n")
    assert "none" in out
    assert "null because: age, line 1, column 1: expected number, got string" in out


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("m.dmn",), 2, "which decision? the model has 'group', 'year', 'endless'"),
        (("m.dmn", "nothing"), 2, "there is no decision or decision service 'nothing'"),
        (("m.dmn", "group", "--input", "agee=3"), 2, "there is no input 'agee' (there is: age, born)"),
        (("m.dmn", "year", "--input", "born=tomorrow"), 2, "'tomorrow' is no date"),
        (("m.dmn", "year", "--input", "born"), 2, "is no name=value and no JSON object"),
        (("nowhere.dmn",), 2, "nowhere.dmn cannot be read: No such file or directory"),
        (("broken.dmn",), 1, "year, line 14: expected an expression, found '+' (line 1, column 13"),
        (("bomb.dmn",), 1, "the file has a DOCTYPE"),
        (("m.dmn", "endless"), 1, "more than 5000000 elements"),
    ],
)
def test_what_cannot_be_decided_is_refused(models: Folder, words: tuple[str, ...], code: int, reason: str) -> None:
    assert reason in models("decide", *words, code=code).err
    assert reason in models("decide", *words, "--json", code=code).json["error"]["message"]


def test_an_imported_model_must_be_there(models: Folder) -> None:
    (models.path / "b.dmn").unlink()
    assert "the model 'base' is not there" in models("decide", "m.dmn", "group", code=1).err


PROGRAM = """
from pathlib import Path

from segue import decide, workflow
from segue.authoring import dmn

MODEL = dmn.read(Path(__file__).with_name("b.dmn").read_bytes().replace(b"<text>1</text>", b"<text>2</text>"))
GROUP = dmn.read(Path(__file__).with_name("group.dmn").read_bytes())


@workflow
async def admit(age: int) -> str:
    await decide(MODEL, "one")
    return await decide(GROUP, "group", {"age": age})


@workflow
async def lost() -> str:
    return await decide(GROUP, "nobody")
"""


@pytest.fixture
def runs(models: Folder) -> Folder:
    alone = MODEL.replace(
        '<import name="base" namespace="base" importType="https://www.omg.org/spec/DMN/20230324/MODEL/"/>', ""
    )
    alone = alone.replace('<informationRequirement><requiredDecision href="base#one"/></informationRequirement>', "")
    (models.path / "group.dmn").write_text(alone.replace("born.year + base.one", "born.year"))
    models.write("admit.py", PROGRAM)
    return models


def test_a_runs_decisions_are_shown_with_their_rules(runs: Folder) -> None:
    said = runs("run", "admit.py:admit", "30", "--id", "ann").out
    assert "group: adult by rule 2" in said

    shown = runs("show", "ann", "--values", "--events").out
    lines = [line.split() for line in shown.splitlines()]
    assert [cells for cells in lines if cells[:1] == ["group"] and cells[-4:] == ["adult", "by", "rule", "2"]]
    assert ["│", "2", "│", "30", "│", "adult", "│"] in lines
    assert [cells for cells in lines if "DecisionEvaluated" in cells and "model=m" in cells]

    found = runs("show", "ann", "--json").json["steps"][1]
    assert (found["kind"], found["name"], found["model"], found["result"]) == ("decision", "group", "m", "adult")
    assert found["explanation"]["decisions"][0]["tables"][0]["hits"][0]["rule"] == 2


def test_a_runs_decisions_replay_without_being_made(runs: Folder) -> None:
    runs("run", "admit.py:admit", "30", "--id", "ann")
    (runs.path / "group.dmn").write_text((runs.path / "group.dmn").read_text().replace('"adult"', '"old"'))

    out = runs("replay", "ann", "admit.py").out
    assert "DecisionEvaluated" in out
    assert "the code comes to its end where the journal does" in out


def test_a_decision_that_cannot_be_made_is_shown(runs: Folder) -> None:
    out = runs("run", "admit.py:lost", "--id", "lost", code=1)
    assert "there is no decision or decision service 'nobody'" in out.out + out.err
    assert "✗ failed" in runs("show", "lost").out
