"""Exit codes, the same for all commands."""

from __future__ import annotations

OK = 0
FAILED = 1
"""The run failed, or a check found something."""
USAGE = 2
"""The command cannot be carried out as it was written; nothing was changed."""
INCIDENT = 3
"""The run stands still until a person acts."""
CANCELLED = 4
"""The run was cancelled or terminated."""
NOT_YET = 5
"""The run has not ended within ``--timeout``."""
DATABASE = 6
"""The database cannot be used, or other surroundings have to be put right."""
INTERRUPTED = 130
"""Ctrl-C."""
BROKEN_PIPE = 141
"""Whoever read the output has gone, as in ``segue list | head``."""
