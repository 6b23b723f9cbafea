"""Threads of segue's own for what would hold up the event loop: a query, a password, a certificate.

Never asyncio's own threads. There are few of them (four, and one for each processor), steps have them too, and what
hangs in one cannot be ended, not even by the step's timeout: a handful of ``asyncio.to_thread`` would keep a worker
from its lease, the API from its answers, and an engine from closing.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import Any, ParamSpec, TypeVar, cast
from weakref import WeakKeyDictionary

from segue.runtime.threads import Threads

P = ParamSpec("P")
T = TypeVar("T")


class Beside:
    """Calls functions in threads of one kind, as ``asyncio.to_thread`` does in its own. Each loop has its own threads,
    which end with it.

    Args:
        most: calls at once. name: of the threads.
    """

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._of: WeakKeyDictionary[asyncio.AbstractEventLoop, Threads] = WeakKeyDictionary()

    async def __call__(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        call = partial(copy_context().run, function, *args, **kwargs)
        # Over the loop, since one on virtual time wants to know of it.
        return await loop.run_in_executor(cast(Any, self._threads(loop)), call)

    def _threads(self, loop: asyncio.AbstractEventLoop) -> Threads:
        threads = self._of.get(loop)
        if threads is None:
            threads = self._of[loop] = Threads(self._most, self._name)
            weakref.finalize(loop, threads.close)
        return threads


beside = Beside(24, "segue-beside")
"""What reads or writes, of which much may be asked for at once."""
promptly = Beside(8, "segue-lease")
"""What a lease, or the end of an engine, hangs on: it waits for none of the others."""
passwords = Beside(2, "segue-passwords")
"""Hashes passwords: each takes 64 MB for a twentieth of a second."""
others = Beside(16, "segue-others")
"""Calls code of others, which may not come back: that of workflows, for a query, and where secrets are kept."""
