"""The build backend: hatchling, with the dashboard built first where a wheel is made and it is not up to date.

A hook of hatchling's own could not tell a wheel from an editable install when it is asked what it needs, so that every
editable install would fetch Node. This one asks for it only when a wheel is to be made and a build is due.
"""

from __future__ import annotations

from typing import Any

import build_ui
from hatchling.build import (
    build_editable,
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
)
from hatchling.build import build_wheel as _build_wheel
from hatchling.build import get_requires_for_build_wheel as _get_requires_for_build_wheel

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
]


def get_requires_for_build_wheel(config_settings: dict[str, Any] | None = None) -> list[str]:
    needed: list[str] = _get_requires_for_build_wheel(config_settings)
    return [*needed, build_ui.NODE] if build_ui.due() else needed


def build_wheel(wheel_directory: str, config_settings: Any = None, metadata_directory: str | None = None) -> str:
    if build_ui.due():
        build_ui.build()
    name: str = _build_wheel(wheel_directory, config_settings, metadata_directory)
    return name
