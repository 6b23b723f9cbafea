"""What the examples need around them: their folder on the import path, and their services in a process of their own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
sys.path.insert(0, str(Path(__file__).parent))  # for example_kit: no test module can be imported otherwise

from example_kit import Around, services_in

StartServices = Callable[..., Path]


@pytest.fixture
def start_services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StartServices]:
    """Starts the services with these faults (``None``: their usual ones) and lets the examples find them."""
    with ExitStack() as stack:

        def start(faults: dict[str, list[str]] | None = None) -> Path:
            folder = tmp_path / "services"
            stack.enter_context(services_in(folder, faults))
            monkeypatch.setenv("EXAMPLE_SERVICES", str(folder))
            return folder

        yield start


@pytest.fixture
def around(start_services: StartServices) -> Around:
    """The services with their usual faults, and what they hold."""
    start_services()
    return Around()
