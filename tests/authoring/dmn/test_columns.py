"""Rules that are found by looking up and by bisection are those that are found by asking each cell."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from segue import feel
from segue.authoring.dmn.columns import Column, numbers
from segue.feel.run import Run, Scope

NUMBERS = st.integers(-3, 3).map(str) | st.sampled_from(["0.5", "-1.5", "1.0"])
SINGLE = st.one_of(
    NUMBERS,
    st.tuples(st.sampled_from(["<", "<=", ">", ">=", "=", "!="]), NUMBERS).map("".join),
    st.tuples(st.sampled_from("[]("), NUMBERS, NUMBERS, st.sampled_from("])[")).map(
        lambda p: f"{p[0]}{p[1]}..{p[2]}{p[3]}"
    ),
    st.sampled_from(['"a"', "null", "true", "false", "even(?)", '"1"']),
)
CELLS = st.one_of(
    st.just("-"),
    st.lists(SINGLE, min_size=1, max_size=3).map(", ".join),
    st.lists(SINGLE, min_size=1, max_size=2).map(lambda tests: f"not({', '.join(tests)})"),
)
VALUES = st.one_of(
    st.sampled_from([Decimal("-1.5"), Decimal("0.5"), Decimal("1.0"), None, True, False, "a", "1", [Decimal(1)]]),
    st.integers(-4, 4).map(Decimal),
)


@settings(max_examples=500, deadline=None)
@given(st.lists(CELLS, max_size=8), st.lists(VALUES, max_size=6))
def test_a_column_leaves_the_rules_whose_cells_hold(texts: list[str], values: list[object]) -> None:
    cells = [feel.unary(text) for text in texts]
    column = Column(cells)
    scope = Scope(Run(), {})

    for value in values:
        expected = [index for index, cell in enumerate(cells) if cell.holds(scope, value) is True]
        assert numbers(column.left(scope, value, (1 << len(cells)) - 1)) == expected
        assert numbers(column.left(scope, value, 0b0101)) == [index for index in expected if index in (0, 2)]
