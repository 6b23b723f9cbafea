"""Models that are damaged at random are read, or refused with an error of segue's own; what is read can be decided.

``SEGUE_LONG=20000`` tries so many.
"""

from __future__ import annotations

import copy
import os
import re
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from segue.authoring import dmn
from segue.errors import SegueError
from segue.feel import Limits
from segue.kernel.encoding import Encodings

PAGE = Path(__file__).parents[3] / "docs" / "dmn.md"
MODEL = re.search(r"^```xml\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)[1].encode()  # type: ignore[index]
INPUTS = {"order": {"total": 1500, "country": "FR", "placed": "2026-11-26"}}
ENCODINGS = Encodings()
BUDGET = Limits(steps=20_000, elements=50_000)
TEXTS = (
    "1 +",
    "null",
    "[1..",
    "-",
    "not(1)",
    "? > 1",
    "for i in 1..1000000000 return i",
    "function(a) a",
    "",
    "< 5",
    "zone",
)
VALUES = ("", "#nowhere", "#zone", "x", "number", "tNone", "true", "COLLECT", "SUM", "PRIORITY", "Any", "tOrder")
NAMES = ("typeRef", "hitPolicy", "aggregation", "isCollection", "kind", "name", "href", "id")
CHANGES = st.tuples(
    st.sampled_from(["remove", "double", "set", "text", "move"]),
    st.integers(0, 200),
    st.integers(0, 200),
    st.sampled_from(TEXTS),
    st.sampled_from(NAMES),
    st.sampled_from(VALUES),
)


@settings(
    max_examples=max(int(os.environ.get("SEGUE_LONG", "0")), 300),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.lists(CHANGES, min_size=1, max_size=4))
def test_a_damaged_model_is_refused_or_works(changes: list[tuple[str, int, int, str, str, str]]) -> None:
    root = etree.fromstring(MODEL)
    elements = list(root.iter())
    for change, one, other, text, name, value in changes:
        element, place = elements[one % len(elements)], elements[other % len(elements)]
        parent = element.getparent()
        match change:
            case "remove" if parent is not None:
                parent.remove(element)
            case "double" if parent is not None:
                parent.append(copy.deepcopy(element))
            case "move":
                place.append(copy.deepcopy(element))
            case "set":
                element.set(name, value)
            case "text":
                element.text = text
    try:
        model = dmn.read(etree.tostring(root), limits=BUDGET)
        for name in (*model.decisions, *model.services):
            ENCODINGS.encode(model.decide(name, INPUTS).plain())
    except SegueError:
        return
