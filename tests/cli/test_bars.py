"""Time axes of runs."""

from __future__ import annotations

import pytest

from segue.cli.bars import Axis
from segue.cli.words import HOUR, MINUTE, SECOND


@pytest.mark.parametrize(
    ("idle", "said"),
    [(62 * SECOND, "1m2s"), (25 * MINUTE + 10 * SECOND, "25m"), (2 * HOUR + 24 * MINUTE, "2h24m"), (500_000, "500ms")],
)
def test_what_is_folded_says_its_length_whole(idle: int, said: str) -> None:
    work = 20_000
    axis = Axis(0, idle + 2 * work, [(0, work), (work + idle, 2 * work + idle)], 40)
    assert axis.scale().plain.strip() == said
