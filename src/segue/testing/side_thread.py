"""A thread of its own for plain functions, which nobody waits for in the end: one that never returns keeps no program,
and no test run, from ending."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any

Work = tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]


class SideThread:
    """Carries out one function after the other. An executor of the standard library has its threads joined at exit."""

    def __init__(self) -> None:
        self._work: SimpleQueue[Work | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        """Calls it in the thread; its turn comes when those before it have returned."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._carry_out, name="segue-step", daemon=True)
            self._thread.start()
        future: Future[Any] = Future()
        self._work.put((future, function, args))
        return future

    def shutdown(self) -> None:
        """Ends the thread once what was submitted has returned; does not wait for that."""
        self._work.put(None)

    def _carry_out(self) -> None:
        while (work := self._work.get()) is not None:
            future, function, args = work
            try:
                result = function(*args)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)
            del work, future, function, args
