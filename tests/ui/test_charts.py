"""The names of a chart's lines: each is to be read, however near the lines are to each other."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ui_kit import Screen, Served

HEARD = """
    window.drawn = {}
    const draw = CanvasRenderingContext2D.prototype.fillText
    CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
        window.drawn[text] = y / devicePixelRatio
        return draw.call(this, text, x, y)
    }
"""
"""Notes where each text is written on a canvas."""
PIXELS = 12


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("share", [(1.0, 1.0, 1.0), (0.99, 0.995, 1.0), (0.2, 0.99, 1.0)])
def test_names_do_not_lie_over_each_other(
    chromium: Any, served: Served, scheme: str, share: tuple[float, float, float]
) -> None:
    screen = Screen(chromium, served.url, "wide", scheme)

    def near(route: Any) -> None:
        """The figures as they are, but for how near the percentiles are to each other."""
        answer = route.fetch()
        figures = answer.json()
        for bar in figures["bars"]:
            if bar["p99"] is not None:
                bar |= {name: int(5_000_000 * of) for name, of in zip(("p50", "p95", "p99"), share, strict=True)}
        route.fulfill(response=answer, body=json.dumps(figures))

    screen.page.route("**/api/v1/figures*", near)
    screen.page.add_init_script(HEARD)
    screen.open("/overview", "Run time, waits included")
    screen.page.locator(".chart canvas").nth(2).wait_for()
    while not {"p50", "p95", "p99"} <= set(drawn := screen.page.evaluate("() => window.drawn")):
        pass
    assert drawn["p50"] - drawn["p95"] >= PIXELS - 0.5, drawn
    assert drawn["p95"] - drawn["p99"] >= PIXELS - 0.5, drawn
    assert drawn["p99"] > PIXELS - 1, "it is on the canvas whole"
    screen.shoot(f"overview-near-{share[0]}-{scheme}")
    screen.close()
    assert screen.errors == []
