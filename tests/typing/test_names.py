"""The names at the top of the package: those of the design are there, and what is listed can be imported."""

from __future__ import annotations

import segue

PROMISED = """
Engine workflow step run Retry saga approval signal query update state now uuid4 random log patched idempotency_key
StepFailed Incident File
"""


def test_what_is_promised_is_there() -> None:
    assert set(PROMISED.split()) <= set(segue.__all__)


def test_every_listed_name_can_be_imported_and_no_other_is_found_by_chance() -> None:
    assert sorted(segue.__all__) == segue.__all__
    assert set(segue.__all__) == set(segue._MODULE_OF)
    for name in segue.__all__:
        assert getattr(segue, name) is not None
    assert {*segue.__all__, "__version__"} == set(dir(segue))
