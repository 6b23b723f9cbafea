"""Reads boxed expressions from XML (DMN 1.5, 7 and 8, and the schema's tExpression)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from segue.authoring.dmn import model
from segue.authoring.dmn.xml import Element, child, children, line_of, local, name_of, text_of
from segue.errors import DecisionModelError

DEEPEST: Final = 60
HIT_POLICIES: Final = frozenset({"UNIQUE", "FIRST", "PRIORITY", "ANY", "COLLECT", "RULE ORDER", "OUTPUT ORDER"})
AGGREGATIONS: Final = frozenset({"SUM", "COUNT", "MIN", "MAX"})


def type_ref(element: Element | None) -> str | None:
    """The type that an element refers to, without the prefix that DMN 1.1 had."""
    if element is None:
        return None
    found = element.get("typeRef")
    return found.strip().removeprefix("feel:") or None if found else None


def variable(element: Element) -> model.Variable:
    """A variable, parameter or column."""
    return model.Variable(
        id=element.get("id", ""), line=line_of(element), name=name_of(element), type_ref=type_ref(element)
    )


def language(element: Element) -> str | None:
    """The language of an expression: its own, or that of the whole file; nothing means FEEL."""
    own: str | None = element.get("expressionLanguage")
    whole: str | None = element.getroottree().getroot().get("expressionLanguage")
    return whole if own is None else own


def expression_in(element: Element, depth: int = 0) -> model.Boxed | None:
    """The boxed expression among an element's children."""
    for each in children(element):
        if local(each) in READERS:
            return boxed(each, depth)
    return None


def required(element: Element, depth: int) -> model.Boxed:
    """The boxed expression among an element's children, which has to be there."""
    found = expression_in(element, depth)
    if found is None:
        raise DecisionModelError("an expression is missing", element=local(element), line=line_of(element))
    return found


def boxed(element: Element, depth: int = 0) -> model.Boxed:
    """A boxed expression.

    Raises:
        DecisionModelError: something in it is missing, or it nests too deep.
    """
    if depth > DEEPEST:
        raise DecisionModelError(
            f"boxed expressions nest more than {DEEPEST} deep", element=local(element), line=line_of(element)
        )
    return READERS[local(element)](element, depth + 1)


def _literal(element: Element, depth: int) -> model.Boxed:
    return model.Literal(
        id=element.get("id", ""),
        line=line_of(element),
        type_ref=type_ref(element),
        text=text_of(element) or "",
        language=language(element),
    )


# --- decision tables --------------------------------------------------------------------------------------------


def _table(element: Element, depth: int) -> model.Boxed:
    policy = element.get("hitPolicy", "UNIQUE")
    aggregation = element.get("aggregation")
    if policy not in HIT_POLICIES or (aggregation is not None and aggregation not in AGGREGATIONS):
        raise DecisionModelError(
            f"there is no hit policy {policy!r} with aggregation {aggregation!r}",
            element=f"decisionTable {element.get('id', '')}".strip(),
            line=line_of(element),
        )
    inputs = tuple(_input(each) for each in children(element, "input"))
    outputs = tuple(_output(each) for each in children(element, "output"))
    if not outputs:
        raise DecisionModelError("a decision table without an output", element="decisionTable", line=line_of(element))
    return model.Table(
        id=element.get("id", ""),
        line=line_of(element),
        type_ref=type_ref(element),
        hit_policy=policy,
        aggregation=aggregation,
        inputs=inputs,
        outputs=outputs,
        annotations=tuple(name_of(each) for each in children(element, "annotation")),
        rules=tuple(_rule(each, len(inputs), len(outputs)) for each in children(element, "rule")),
    )


def _input(element: Element) -> model.InputClause:
    expression = child(element, "inputExpression")
    return model.InputClause(
        id=element.get("id", ""),
        line=line_of(element),
        label=element.get("label", ""),
        text=text_of(expression) or "",
        type_ref=type_ref(expression),
        values=text_of(child(element, "inputValues")),
    )


def _output(element: Element) -> model.OutputClause:
    return model.OutputClause(
        id=element.get("id", ""),
        line=line_of(element),
        name=name_of(element),
        label=element.get("label", ""),
        type_ref=type_ref(element),
        values=text_of(child(element, "outputValues")),
        default=text_of(child(element, "defaultOutputEntry")),
    )


def _rule(element: Element, inputs: int, outputs: int) -> model.Rule:
    asked = tuple(text_of(each) or "" for each in children(element, "inputEntry"))
    given = tuple(text_of(each) or "" for each in children(element, "outputEntry"))
    if len(asked) != inputs or len(given) != outputs:
        raise DecisionModelError(
            f"a rule with {len(asked)} inputs and {len(given)} outputs in a table of {inputs} and {outputs} columns",
            element=f"rule {element.get('id', '')}".strip(),
            line=line_of(element),
        )
    return model.Rule(
        id=element.get("id", ""),
        line=line_of(element),
        inputs=asked,
        outputs=given,
        annotations=tuple(text_of(each) or "" for each in children(element, "annotationEntry")),
    )


# --- structures -------------------------------------------------------------------------------------------------


def _context(element: Element, depth: int) -> model.Boxed:
    entries: list[model.Entry] = []
    for each in children(element, "contextEntry"):
        named = child(each, "variable")
        entries.append(
            model.Entry(
                id=each.get("id", ""),
                line=line_of(each),
                variable=variable(named) if named is not None else None,
                value=required(each, depth),
            )
        )
    return model.Context(
        id=element.get("id", ""), line=line_of(element), type_ref=type_ref(element), entries=tuple(entries)
    )


def _list(element: Element, depth: int) -> model.Boxed:
    items = tuple(boxed(each, depth) for each in children(element) if local(each) in READERS)
    return model.ListOf(id=element.get("id", ""), line=line_of(element), type_ref=type_ref(element), items=items)


def _relation(element: Element, depth: int) -> model.Boxed:
    columns = tuple(variable(each) for each in children(element, "column"))
    rows = tuple(
        tuple(boxed(cell, depth) for cell in children(row) if local(cell) in READERS)
        for row in children(element, "row")
    )
    if any(len(row) != len(columns) for row in rows):
        raise DecisionModelError(
            "a relation with a row whose cells are not as many as its columns",
            element="relation",
            line=line_of(element),
        )
    return model.Relation(
        id=element.get("id", ""), line=line_of(element), type_ref=type_ref(element), columns=columns, rows=rows
    )


def _invocation(element: Element, depth: int) -> model.Boxed:
    bindings: list[tuple[model.Variable, model.Boxed]] = []
    for each in children(element, "binding"):
        parameter = child(each, "parameter")
        if parameter is None:
            raise DecisionModelError("a binding without a parameter", element="binding", line=line_of(each))
        value = expression_in(each, depth)
        if value is not None:
            bindings.append((variable(parameter), value))
    return model.Invocation(
        id=element.get("id", ""),
        line=line_of(element),
        type_ref=type_ref(element),
        function=required(element, depth),
        bindings=tuple(bindings),
    )


def function(element: Element, depth: int = 0) -> model.Function:
    """A function definition, or the encapsulated logic of a business knowledge model."""
    return model.Function(
        id=element.get("id", ""),
        line=line_of(element),
        type_ref=type_ref(element),
        parameters=tuple(variable(each) for each in children(element, "formalParameter")),
        body=expression_in(element, depth),
        kind=element.get("kind", "FEEL"),
    )


def _conditional(element: Element, depth: int) -> model.Boxed:
    parts = {local(each): required(each, depth) for each in children(element, "if", "then", "else")}
    if parts.keys() != {"if", "then", "else"}:
        raise DecisionModelError("a conditional needs if, then and else", element="conditional", line=line_of(element))
    return model.Conditional(
        id=element.get("id", ""),
        line=line_of(element),
        type_ref=type_ref(element),
        condition=parts["if"],
        then=parts["then"],
        otherwise=parts["else"],
    )


def _part(element: Element, name: str, depth: int) -> model.Boxed:
    found = child(element, name)
    if found is None:
        raise DecisionModelError(f"{name} is missing", element=local(element), line=line_of(element))
    return required(found, depth)


def _loop(element: Element, depth: int) -> model.Boxed:
    kind = local(element)
    return model.Loop(
        id=element.get("id", ""),
        line=line_of(element),
        type_ref=type_ref(element),
        kind=kind,
        variable=" ".join((element.get("iteratorVariable") or "item").split()),
        domain=_part(element, "in", depth),
        body=_part(element, "return" if kind == "for" else "satisfies", depth),
    )


def _filter(element: Element, depth: int) -> model.Boxed:
    return model.Filter(
        id=element.get("id", ""),
        line=line_of(element),
        type_ref=type_ref(element),
        domain=_part(element, "in", depth),
        match=_part(element, "match", depth),
    )


READERS: Final[dict[str, Callable[[Element, int], model.Boxed]]] = {
    "literalExpression": _literal,
    "decisionTable": _table,
    "context": _context,
    "list": _list,
    "relation": _relation,
    "invocation": _invocation,
    "functionDefinition": function,
    "conditional": _conditional,
    "for": _loop,
    "some": _loop,
    "every": _loop,
    "filter": _filter,
}
