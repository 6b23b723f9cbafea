"""What calls are called where people read of them."""

from __future__ import annotations

import pytest

from segue.kernel import events as e
from segue.kernel.encoding import Encodings
from segue.kernel.timeline import Timeline

NOTHING = Encodings().encode(None)


def done(key: str, name: str) -> e.StepCompleted:
    return e.StepCompleted(at=1, actor=None, headers=None, key=key, name=name, attempt=1, hash="", result=NOTHING)


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([("/pick", "pick"), ("/0/pack", "pack")], ["pick", "pack"]),
        ([("/pick", "pick"), ("/pick#1", "pick"), ("/pack", "pack")], ["/pick", "/pick#1", "pack"]),
        ([("/0/pick", "pick"), ("/1/pick", "pick")], ["/0/pick", "/1/pick"]),
        ([("/pick", "pick"), ("=first", "pick"), ("=second", "pick")], ["pick", "pick =first", "pick =second"]),
        ([("/decision:risk", "risk")], ["risk"]),
        ([("/shop/pick", "shop/pick")], ["/shop/pick"]),
    ],
)
def test_a_call_is_called_what_finds_it(calls: list[tuple[str, str]], expected: list[str]) -> None:
    timeline = Timeline()
    for seq, (key, name) in enumerate(calls, 1):
        timeline.feed(seq, done(key, name))
    assert [call.label for call in timeline.calls.values()] == expected
    assert [timeline.label(key) for key, _ in calls] == expected


def test_a_call_that_is_not_in_the_journal_yet() -> None:
    timeline = Timeline()
    timeline.feed(1, done("/pick", "pick"))
    assert [timeline.label(key) for key in ("/0/pack", "/pick#1", "=mine", "")] == ["pack", "/pick#1", "=mine", ""]
