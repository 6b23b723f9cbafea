"""Small DMN models, written as short as the format allows."""

from __future__ import annotations

from segue.authoring import dmn

NAMESPACE = "https://www.omg.org/spec/DMN/20230324/MODEL/"


def model(body: str, *, namespace: str = "test", version: str = NAMESPACE) -> bytes:
    """A DMN file around some elements."""
    return f'<definitions xmlns="{version}" name="test" namespace="{namespace}">{body}</definitions>'.encode()


def literal(text: str, type_ref: str = "") -> str:
    """A boxed literal expression."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    typed = f' typeRef="{type_ref}"' if type_ref else ""
    return f"<literalExpression{typed}><text>{escaped}</text></literalExpression>"


def decision(name: str, logic: str, *requires: str, type_ref: str = "") -> str:
    """A decision; a requirement is written as kind:id, with the kinds input, decision and knowledge."""
    typed = f' typeRef="{type_ref}"' if type_ref else ""
    return (
        f'<decision id="{name}" name="{name}"><variable name="{name}"{typed}/>'
        + "".join(_requirement(each) for each in requires)
        + logic
        + "</decision>"
    )


def _requirement(text: str) -> str:
    kind, _, id_ = text.partition(":")
    outer, inner = {
        "input": ("informationRequirement", "requiredInput"),
        "decision": ("informationRequirement", "requiredDecision"),
        "knowledge": ("knowledgeRequirement", "requiredKnowledge"),
    }[kind]
    href = id_ if "#" in id_ else f"#{id_}"
    return f'<{outer}><{inner} href="{href}"/></{outer}>'


def input_data(name: str, type_ref: str = "Any") -> str:
    """An input."""
    return f'<inputData id="{name}" name="{name}"><variable name="{name}" typeRef="{type_ref}"/></inputData>'


def knowledge(name: str, parameters: str, logic: str, *requires: str) -> str:
    """A business knowledge model with parameters by name."""
    formal = "".join(f'<formalParameter name="{each}"/>' for each in parameters.split())
    return (
        f'<businessKnowledgeModel id="{name}" name="{name}"><variable name="{name}"/>'
        + f"<encapsulatedLogic>{formal}{logic}</encapsulatedLogic>"
        + "".join(_requirement(each) for each in requires)
        + "</businessKnowledgeModel>"
    )


def table(policy: str, inputs: str, outputs: str, *rules: str, values: str = "", default: str = "") -> str:
    """A decision table: columns by name, a rule as `test, test | output, output`."""
    columns = [name.strip() for name in inputs.split(",")]
    answers = [name.strip() for name in outputs.split(",")]
    named = len(answers) > 1
    kind, _, aggregation = policy.partition("/")
    aggregated = f' aggregation="{aggregation}"' if aggregation else ""
    more = f"<outputValues><text>{values}</text></outputValues>" if values else ""
    more += f"<defaultOutputEntry><text>{default}</text></defaultOutputEntry>" if default else ""
    return (
        f'<decisionTable hitPolicy="{kind}"{aggregated}>'
        + "".join(f"<input><inputExpression><text>{name}</text></inputExpression></input>" for name in columns)
        + "".join(f'<output name="{name}">{more}</output>' if named else f"<output>{more}</output>" for name in answers)
        + "".join(_rule(rule, len(columns)) for rule in rules)
        + "</decisionTable>"
    )


def _rule(text: str, columns: int) -> str:
    tests, _, outputs = text.partition("|")
    cells = [cell.strip() for cell in tests.split(";")]
    assert len(cells) == columns, text
    entries = "".join(f"<inputEntry><text>{cell.replace('<', '&lt;')}</text></inputEntry>" for cell in cells)
    answers = "".join(f"<outputEntry><text>{cell.strip()}</text></outputEntry>" for cell in outputs.split(";"))
    return f"<rule>{entries}{answers}</rule>"


def read(body: str) -> dmn.DecisionModel:
    """A model, read."""
    return dmn.read(model(body))
