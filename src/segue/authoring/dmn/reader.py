"""Reads a DMN document into a model: imports, item definitions, and the elements of the requirements graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from segue.authoring.dmn import model
from segue.authoring.dmn.boxed_reader import expression_in, function, type_ref, variable
from segue.authoring.dmn.xml import Element, child, children, line_of, local, name_of, text_of, version
from segue.errors import DecisionModelError

DEEPEST: Final = 60


def definitions(root: Element) -> model.Definitions:
    """What a document holds.

    Raises:
        DecisionModelError: something in it is missing or stands there twice.
    """
    namespace = root.get("namespace", "").strip()
    found = model.Definitions(
        id=root.get("id", ""),
        line=line_of(root),
        name=name_of(root),
        namespace=namespace,
        version=version(root),
        imports=tuple(_import(each) for each in children(root, "import")),
        types=tuple(_item_definition(each, 0) for each in children(root, "itemDefinition")),
        inputs=tuple(_input_data(each) for each in children(root, "inputData")),
        decisions=tuple(_decision(each) for each in children(root, "decision")),
        knowledge=tuple(_knowledge(each) for each in children(root, "businessKnowledgeModel")),
        services=tuple(_service(each) for each in children(root, "decisionService")),
    )
    _refuse_doubles(found)
    return found


def _refuse_doubles(found: model.Definitions) -> None:
    seen: set[str] = set()
    for each in found.elements:
        if not each.name:
            raise DecisionModelError("an element without a name", element=each.id, line=each.line)
        if each.id in seen:
            raise DecisionModelError("the id stands there twice", element=each.id, line=each.line)
        seen.add(each.id)


def _import(element: Element) -> model.Import:
    return model.Import(
        id=element.get("id", ""),
        line=line_of(element),
        name=name_of(element),
        namespace=element.get("namespace", "").strip(),
        location=element.get("locationURI"),
        type=element.get("importType", ""),
    )


def _item_definition(element: Element, depth: int) -> model.ItemDefinition:
    if depth > DEEPEST:
        raise DecisionModelError(
            f"types nest more than {DEEPEST} deep", element=name_of(element), line=line_of(element)
        )
    named = text_of(element, "typeRef")
    item = child(element, "functionItem")
    return model.ItemDefinition(
        id=element.get("id", ""),
        line=line_of(element),
        name=name_of(element),
        type_ref=named.strip().removeprefix("feel:") or None if named else None,
        collection=element.get("isCollection", "false").strip() in ("true", "1"),
        allowed=text_of(child(element, "allowedValues")),
        constraint=text_of(child(element, "typeConstraint")),
        components=tuple(_item_definition(each, depth + 1) for each in children(element, "itemComponent")),
        function=_function_item(item) if item is not None else None,
    )


def _function_item(element: Element) -> model.FunctionItem:
    result = element.get("outputTypeRef")
    return model.FunctionItem(
        parameters=tuple(variable(each) for each in children(element, "parameters")),
        result=result.strip().removeprefix("feel:") or None if result else None,
    )


def _own_variable(element: Element) -> model.Variable:
    """The element's variable; where none is written it has the element's name."""
    found = child(element, "variable")
    named = variable(found) if found is not None else None
    if named is not None and named.name:
        return named
    return model.Variable(line=line_of(element), name=name_of(element), type_ref=type_ref(found))


def _references(element: Element, requirement: str, *targets: str) -> Iterator[str]:
    for each in children(element, requirement):
        for target in children(each, *targets):
            yield (target.get("href") or "").strip()


def _id(element: Element) -> str:
    """What references mean by the element; one without an id can still be asked for by its name."""
    return element.get("id") or f"{local(element)}:{name_of(element)}"


def _input_data(element: Element) -> model.InputData:
    return model.InputData(
        id=_id(element), line=line_of(element), name=name_of(element), variable=_own_variable(element)
    )


def _decision(element: Element) -> model.Decision:
    return model.Decision(
        id=_id(element),
        line=line_of(element),
        name=name_of(element),
        variable=_own_variable(element),
        inputs=tuple(_references(element, "informationRequirement", "requiredInput")),
        decisions=tuple(_references(element, "informationRequirement", "requiredDecision")),
        knowledge=tuple(_references(element, "knowledgeRequirement", "requiredKnowledge")),
        logic=expression_in(element),
    )


def _knowledge(element: Element) -> model.Knowledge:
    logic = child(element, "encapsulatedLogic")
    return model.Knowledge(
        id=_id(element),
        line=line_of(element),
        name=name_of(element),
        variable=_own_variable(element),
        knowledge=tuple(_references(element, "knowledgeRequirement", "requiredKnowledge")),
        logic=function(logic) if logic is not None else None,
    )


def _service(element: Element) -> model.Service:
    def hrefs(name: str) -> tuple[str, ...]:
        return tuple((each.get("href") or "").strip() for each in children(element, name))

    return model.Service(
        id=_id(element),
        line=line_of(element),
        name=name_of(element),
        variable=_own_variable(element),
        outputs=hrefs("outputDecision"),
        encapsulated=hrefs("encapsulatedDecision"),
        input_decisions=hrefs("inputDecision"),
        inputs=hrefs("inputData"),
    )
