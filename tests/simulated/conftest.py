"""Lets the tests of this folder import what they share: the grammar, the oracle and the workflow."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
