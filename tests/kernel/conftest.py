"""Lets the kit of these tests be imported: in this folder it is no test."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
