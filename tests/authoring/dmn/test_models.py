"""Whole models: requirements, functions, services, types, imports, and files that are refused."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from dmn_models import decision, input_data, knowledge, literal, model, read, table
from lxml import etree

from segue.authoring import dmn
from segue.authoring.dmn.model import Import
from segue.authoring.dmn.xml import NAMESPACES
from segue.errors import DecisionModelError, FeelLimitExceeded, InvalidArgument
from segue.feel import Limits

KIT = Path(__file__).parents[4] / "shared" / "conformance" / "dmn-tck" / "TestCases"


# --- what is computed ----------------------------------------------------------------------------------------------


def test_a_decision_sees_what_it_requires_and_nothing_else() -> None:
    found = read(
        input_data("a")
        + decision("b", literal("a + 1"), "input:a")
        + decision("c", literal("if a = null then b else 0"), "decision:b")
    ).decide("c", {"a": 1})

    assert found.value == 2
    assert [made.name for made in found.decisions] == ["b", "c"]
    assert [warning.reason for warning in found.warnings] == ["there is no 'a' here"]


def test_each_decision_is_made_once() -> None:
    layers = [decision("d0", literal("1"))]
    layers += [decision(f"d{n}", literal(f"d{n - 1} + d{n - 1}"), f"decision:d{n - 1}") for n in range(1, 300)]
    found = read("".join(layers)).decide("d299")

    assert len(found.decisions) == 300
    assert found.value == pytest.approx(2**299)


def test_a_chain_takes_time_by_its_length() -> None:
    """Twenty thousand decisions in a row: with their square, this would take longer than a test may."""
    chain = [decision("d0", literal("1"))]
    chain += [decision(f"d{n}", literal(f"d{n - 1} + 1"), f"decision:d{n - 1}") for n in range(1, 20_000)]
    assert read("".join(chain)).decide("d19999").value == 20_000


def test_what_a_model_holds_takes_time_by_its_length() -> None:
    """With their square, each of these would take longer than a test may."""
    types = "".join(f'<itemDefinition name="t{n}"><typeRef>t{n + 1}</typeRef></itemDefinition>' for n in range(60_000))
    last = '<itemDefinition name="t60000"><typeRef>number</typeRef></itemDefinition>'
    assert len(read(types + last).definitions.types) == 60_001

    entry = (
        '<contextEntry><variable name="v {0}"/><literalExpression><text>{0}</text></literalExpression></contextEntry>'
    )
    entries = "".join(entry.format(n) for n in range(50_000))
    found = read(f'<decision id="d" name="d"><context>{entries}</context></decision>').decide("d")
    assert found.value["v 49999"] == 49_999


def test_business_knowledge_models_call_each_other_and_themselves() -> None:
    body = (
        knowledge("double", "n", literal("2 * n"))
        + knowledge("fac", "n", literal("if n < 2 then 1 else n * fac(n - 1)"))
        + knowledge("both", "n", literal("double(fac(n))"), "knowledge:double", "knowledge:fac")
        + decision("d", literal("both(n: 5)"), "knowledge:both")
    )
    assert read(body).decide("d").value == 240


def test_a_recursion_without_end_is_stopped() -> None:
    body = knowledge("f", "n", literal("f(n + 1)")) + decision("d", literal("f(1)"), "knowledge:f")
    with pytest.raises(FeelLimitExceeded):
        read(body).decide("d")


def test_a_service_is_asked_and_called() -> None:
    body = (
        input_data("a", "number")
        + decision("inner", literal("a * 10"), "input:a")
        + decision("given", literal("100"))
        + decision("outer", literal("inner + given"), "decision:inner", "decision:given")
        + '<decisionService id="s" name="s"><variable name="s"/><outputDecision href="#outer"/>'
        + '<encapsulatedDecision href="#inner"/><inputDecision href="#given"/><inputData href="#a"/></decisionService>'
        + '<decisionService id="two" name="two"><outputDecision href="#inner"/><outputDecision href="#outer"/>'
        + '<inputData href="#a"/></decisionService>'
        + decision("caller", literal("s(1, 2) + s(given: 3, a: 4)"), "knowledge:s")
        + decision("wrong", literal('s("x", 2)'), "knowledge:s")
    )
    found = read(body)

    assert found.decide("s", {"a": 1, "given": 2}).value == 12
    assert found.decide("two", {"a": 1}).value == {"inner": 10, "outer": 110}
    assert found.decide("caller").value == 12 + 43
    assert found.decide("wrong").value is None
    assert found.decide("outer", {"a": 1, "given": 2}).value == 110, "only a service takes a decision from outside"


def test_a_service_that_is_called_is_explained_and_leaves_the_callers_tables_alone() -> None:
    body = (
        input_data("a")
        + decision("inner", table("UNIQUE", "a", "x", "> 0 | 1"), "input:a")
        + '<decisionService id="s" name="s"><outputDecision href="#inner"/><inputData href="#a"/></decisionService>'
        + decision(
            "outer",
            '<context><contextEntry><variable name="first"/>'
            + table("UNIQUE", "a", "x", "> 5 | 2")
            + f"</contextEntry><contextEntry>{literal('first + s(3)')}</contextEntry></context>",
            "input:a",
            "knowledge:s",
        )
    )
    outcome = read(body).decide("outer", {"a": 7})

    assert outcome.value == 3
    asked = {made.name: [(each.place, each.inputs) for each in made.tables] for made in outcome.decisions}
    assert asked == {"inner": [("inner", {"a": 3})], "outer": [("outer, first", {"a": 7})]}


def test_what_is_called_often_is_paid_for_by_its_length() -> None:
    body = knowledge("f", "n", literal("1 + " * 10_000 + "n")) + decision(
        "d", literal("for i in 1..100000 return f(i)"), "knowledge:f"
    )
    with pytest.raises(FeelLimitExceeded) as caught:
        read(body).decide("d", limits=Limits(steps=200_000))
    assert caught.value.limit == "steps"


def test_an_explanation_does_not_use_up_the_budget() -> None:
    layers = [decision("d0", literal("count(numbers)"), "input:numbers")]
    layers += [
        decision(f"d{n}", literal(f"d{n - 1} + count(numbers)"), f"decision:d{n - 1}", "input:numbers")
        for n in range(1, 100)
    ]
    found = read(input_data("numbers") + "".join(layers))
    assert found.decide("d99", {"numbers": list(range(50_000))}).value == 5_000_000


BOXES = {
    "context": (
        '<context><contextEntry><variable name="a b"/>{1}</contextEntry><contextEntry>{2}</contextEntry></context>',
        ("1", "a b + 1"),
        2,
    ),
    "list": ("<list>{1}{2}</list>", ("1", "2"), [1, 2]),
    "relation": (
        '<relation><column name="x"/><column name="y"/><row>{1}{2}</row></relation>',
        ("1", "2"),
        [{"x": 1, "y": 2}],
    ),
    "conditional": ("<conditional><if>{1}</if><then>{2}</then><else>{3}</else></conditional>", ("null", "1", "2"), 2),
    "for": (
        '<for iteratorVariable="e"><in>{1}</in><return>{2}</return></for>',
        ("[3, 4]", "e + count(partial)"),
        [3, 5],
    ),
    "some": ('<some iteratorVariable="e"><in>{1}</in><satisfies>{2}</satisfies></some>', ("[3, 4]", "e = 4"), True),
    "every": ('<every iteratorVariable="e"><in>{1}</in><satisfies>{2}</satisfies></every>', ("[3, 4]", "e = 4"), False),
    "filter": ("<filter><in>{1}</in><match>{2}</match></filter>", ("[{{p: 1}}, {{p: 9}}]", "p > 2"), [{"p": 9}]),
    "function": (
        '<context><contextEntry><variable name="f"/><functionDefinition><formalParameter name="n"/>{1}'
        "</functionDefinition></contextEntry><contextEntry>{2}</contextEntry></context>",
        ("n * 2", "f(4)"),
        8,
    ),
    "invocation": (
        '<invocation>{1}<binding><parameter name="list"/>{2}</binding></invocation>',
        ("sum", "[1, 2]"),
        3,
    ),
    "typed": (
        '<list>{1}<literalExpression typeRef="string"><text>1</text></literalExpression></list>',
        ("1",),
        [1, None],
    ),
}


@pytest.mark.parametrize("name", BOXES)
def test_boxed_expressions(name: str) -> None:
    form, texts, expected = BOXES[name]
    boxes = [literal(text.replace("{{", "{").replace("}}", "}")) for text in texts]
    assert read(decision("d", form.format("", *boxes))).decide("d").value == expected


def test_an_expression_in_another_language_is_null_with_a_warning() -> None:
    foreign = literal("1").replace("<literalExpression", '<literalExpression expressionLanguage="urn:javascript"')
    whole = model(decision("d", literal("1"))).replace(b"<definitions", b'<definitions expressionLanguage="urn:juel"')

    for found in (read(decision("d", foreign)).decide("d"), dmn.read(whole).decide("d")):
        assert found.value is None
        assert "only FEEL is evaluated" in found.warnings[0].reason
    spelled = foreign.replace("urn:javascript", NAMESPACES_FEEL)
    assert read(decision("d", spelled)).decide("d").value == 1


NAMESPACES_FEEL = "https://www.omg.org/spec/DMN/20230324/FEEL/"
TYPES = """
<itemDefinition name="tAge"><typeRef>number</typeRef>
  <allowedValues><text>[0..150]</text></allowedValues></itemDefinition>
<itemDefinition name="tAges" isCollection="true"><typeRef>tAge</typeRef>
  <typeConstraint><text>count(?) &lt; 3</text></typeConstraint></itemDefinition>
<itemDefinition name="tPerson"><itemComponent name="age"><typeRef>tAge</typeRef></itemComponent>
  <itemComponent name="born"><typeRef>date</typeRef></itemComponent></itemDefinition>
<itemDefinition name="tTree"><itemComponent name="leaf"><typeRef>number</typeRef></itemComponent>
  <itemComponent name="twigs" isCollection="true"><typeRef>tTree</typeRef></itemComponent></itemDefinition>
"""


@pytest.mark.parametrize(
    ("type_ref", "value", "kept"),
    [
        ("tAge", 18, True),
        ("tAge", 200, False),
        ("tAge", "18", False),
        ("tAges", [1, 2], True),
        ("tAges", [1, 2, 3], False),
        ("tAges", [1, 200], False),
        ("tPerson", {"age": 1, "born": dt.date(2024, 1, 1)}, True),
        ("tPerson", {"age": 1}, False),
        ("tPerson", {"age": 1, "born": "2024-01-01"}, False),
        ("tTree", {"leaf": 1, "twigs": [{"leaf": 2, "twigs": []}]}, True),
        ("tTree", {"leaf": 1, "twigs": [{"leaf": "2", "twigs": []}]}, False),
        ("tNowhere", 1, False),
    ],
)
def test_values_have_the_types_that_are_declared(type_ref: str, value: object, kept: bool) -> None:
    found = read(TYPES + input_data("x", type_ref) + decision("d", literal("x"), "input:x")).decide("d", {"x": value})
    assert found.value == (value if kept else None)
    assert bool(found.warnings) is not kept


def test_a_list_of_one_and_its_item_stand_for_each_other() -> None:
    body = (
        TYPES
        + input_data("x", "tAges")
        + input_data("y", "tAge")
        + decision("d", literal("[x, y]"), "input:x", "input:y")
    )
    assert read(body).decide("d", {"x": 5, "y": [6]}).value == [[5], 6]


def test_json_becomes_the_values_of_time_that_are_declared() -> None:
    found = read(TYPES + input_data("p", "tPerson") + decision("d", literal("p.born.year"), "input:p"))

    assert found.decide("d", found.typed({"p": {"age": 1, "born": "2024-02-29"}})).value == 2024
    with pytest.raises(InvalidArgument, match=r"\$\.p\.born"):
        found.typed({"p": {"born": "2024-02-30"}})
    with pytest.raises(InvalidArgument, match="there is no input 'q'"):
        found.typed({"q": 1})


def test_models_import_each_other() -> None:
    base = model(
        '<itemDefinition name="tN"><typeRef>number</typeRef></itemDefinition>'
        + input_data("n", "tN")
        + knowledge("add one", "x", literal("x + 1"))
        + decision("base", literal("n * 2"), "input:n"),
        namespace="base",
    )
    top = model(
        '<import name="b" namespace="base" importType="https://www.omg.org/spec/DMN/20230324/MODEL/"/>'
        + decision("top", literal("b.add one(b.base)", "b.tN"), "decision:base#base", "knowledge:base#add one"),
    )

    def find(wanted: Import) -> bytes:
        assert (wanted.name, wanted.namespace) == ("b", "base")
        return base

    found = dmn.read(top, find=find)
    assert found.decide("top", {"n": 5}).value == 11
    assert found.decide("top", {"b": {"n": 6}}).value == 13
    with pytest.raises(DecisionModelError, match="the model 'base' is not there"):
        dmn.read(top)


@pytest.mark.parametrize("version", NAMESPACES)
def test_every_version_is_read_and_kept(version: str) -> None:
    found = dmn.read(model(decision("d", table("FIRST", "1", "y", "> 0 | 2")), version=version))

    assert found.definitions.version == NAMESPACES[version]
    assert found.decide("d").value == 2
    assert version.encode() in found.to_xml()


def test_an_unknown_decision_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidArgument, match=r"no decision or decision service 'x' \(there is: d\)"):
        read(decision("d", literal("1"))).decide("x")


# --- what is refused -----------------------------------------------------------------------------------------------


BOMB = (
    "<!DOCTYPE d ["
    + '<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + "]>"
)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no XML"),
        (b"<definitions", "no XML"),
        (b"not xml", "no XML"),
        (b"<html/>", "the root element is html"),
        (b"<!DOCTYPE definitions><definitions/>", "DOCTYPE"),
        (BOMB.encode() + model("&a9;"), "DOCTYPE"),
        (BOMB.encode("utf-16"), "DOCTYPE"),
        (b'<!DOCTYPE d SYSTEM "file:///etc/passwd"><d/>', "DOCTYPE"),
        (b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><d>&x;</d>', "DOCTYPE"),
        (b" " * 40_000_000, "allowed"),
        (b"<a>" * 5_000, "no XML"),
        (model("", version="http://www.omg.org/spec/DMN/20151101/dmn.xsd"), "DMN 1.2 to 1.5"),
        (model(decision("d", literal("1 +"))), "expected an expression, found the end"),
        (model(decision("d", literal("(" * 200))), "nested more than 100 deep"),
        (model(decision("d", table("UNIQUE", "1", "y", "[1.. | 1"))), "expected an expression"),
        (model(decision("d", literal("1"), "input:nowhere")), "there is no element '#nowhere'"),
        (model(decision("d", literal("1"), "decision:d")), "requirements in a circle: d -> d"),
        (
            model("".join(decision(a, literal("1"), f"decision:{b}") for a, b in ("ab", "bc", "ca"))),
            "requirements in a circle",
        ),
        (
            model("".join(knowledge(a, "", literal("1"), f"knowledge:{b}") for a, b in ("fg", "gf"))),
            "requirements in a circle",
        ),
        (model(decision("d", "<decisionTable/>")), "without an output"),
        (model(decision("d", '<decisionTable hitPolicy="BEST"><output/></decisionTable>')), "no hit policy 'BEST'"),
        (model(decision("d", "<decisionTable><output/><rule/></decisionTable>")), "a rule with 0 inputs and 0 outputs"),
        (model(decision("d", "<conditional><if>" + literal("1") + "</if></conditional>")), "needs if, then and else"),
        (model(decision("d", "<list>" * 70 + "</list>" * 70)), "nest more than"),
        (model(decision("d", "") + decision("d", "")), "the id stands there twice"),
        (model('<inputData id="x"/>'), "without a name"),
        (
            model('<itemDefinition name="t"><allowedValues><text>[1..</text></allowedValues></itemDefinition>'),
            "its allowed values cannot be read",
        ),
        (model('<itemDefinition name="t"><typeRef>t</typeRef></itemDefinition>'), "the type is defined by itself"),
        (
            model(
                '<itemDefinition name="t" isCollection="true"><typeRef>u</typeRef></itemDefinition>'
                '<itemDefinition name="u"><typeRef>t</typeRef>'
                "<allowedValues><text>1</text></allowedValues></itemDefinition>"
            ),
            "the type is defined by itself",
        ),
    ],
)
def test_what_cannot_be_read_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(DecisionModelError) as caught:
        dmn.read(data)
    assert reason in str(caught.value)


def test_a_refusal_names_the_element_and_the_line() -> None:
    with pytest.raises(DecisionModelError) as caught:
        dmn.read(model("\n\n" + decision("price", literal("1 +"))))
    assert (caught.value.element, caught.value.line) == ("price", 3)


# --- writing back --------------------------------------------------------------------------------------------------


EXTRAS = """
<!-- kept --><extensionElements><x:tool xmlns:x="urn:x" x:a="1">text<![CDATA[ <raw> ]]></x:tool></extensionElements>
<?tool keep this?>
<decision id="d" name="d"><literalExpression><text>1 &lt; 2</text></literalExpression></decision>
<dmndi:DMNDI xmlns:dmndi="urn:di"><dmndi:DMNDiagram/></dmndi:DMNDI>
"""


def test_a_file_is_written_back_without_loss() -> None:
    data = (
        b'<?xml version="1.0" encoding="ISO-8859-1" standalone="yes"?>\n<!-- before -->\n'
        + model(EXTRAS)
        + b"<!-- after -->"
    )

    written = dmn.read(data).to_xml()

    assert canonical(written) == canonical(data)
    assert b"<![CDATA[ <raw> ]]>" in written
    assert b"encoding='ISO-8859-1' standalone='yes'" in written


@pytest.mark.skipif(not KIT.is_dir(), reason="outside test data: ../shared/conformance/dmn-tck is absent")
def test_every_model_of_the_kit_is_written_back_without_loss() -> None:
    files = sorted(KIT.rglob("*.dmn"))
    assert len(files) > 130
    for file in files:
        data = file.read_bytes()
        imports = {found.get("namespace"): found for found in map(_parsed, file.parent.glob("*.dmn"))}
        written = dmn.read(data, find=lambda wanted, at=imports: etree.tostring(at[wanted.namespace])).to_xml()
        assert canonical(written) == canonical(data), file


def canonical(data: bytes) -> bytes:
    return etree.tostring(etree.fromstring(data).getroottree(), method="c14n2", with_comments=True)


def _parsed(file: Path) -> etree._Element:
    return etree.parse(str(file)).getroot()
