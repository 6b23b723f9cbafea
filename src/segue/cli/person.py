"""Who acts where nobody has logged in: the user of this machine."""

from __future__ import annotations

import getpass
import os


def person() -> str:
    """The user's name; their number, where they have no name, as in a container that runs as just any user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # by release of Python
        return str(os.getuid())
