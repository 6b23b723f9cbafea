"""One worker process as its engine sees it: started, talked to, killed, reaped."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

from segue.errors import OperatorError
from segue.runtime.process_frames import BrokenFrame, Frame, Frames, Notice, pack

_BOOT = "import sys; sys.path[:] = sys.argv[2:]; from segue.owner.process_worker import main; main(int(sys.argv[1]))"
_CHUNK = 262_144


class Child:
    """A worker process. Make, use and kill it on the loop's thread.

    It has a session of its own, so that Ctrl-C in a terminal reaches the engine alone, and what a step has started ends
    together with its worker. ``stdout`` and ``stderr`` are the engine's own; frames go over a socket.

    Args:
        on_frame: called with each frame that arrives, and with a ``BrokenFrame`` if none can follow.
        on_exit: called once, after the last frame, when the process is gone and reaped, with its exit code, or the
            negative number of the signal that killed it.
    """

    def __init__(self, *, on_frame: Callable[[Child, object], None], on_exit: Callable[[Child, int], None]) -> None:
        self._on_frame = on_frame
        self._on_exit = on_exit
        self._frames = Frames(Notice)
        self._unsent = bytearray()
        self.gone = False
        self._loop = asyncio.get_running_loop()
        self._socket, theirs = socket.socketpair()
        self._socket.setblocking(False)
        with theirs:
            try:
                self._process = _spawn(theirs.fileno())
            except BaseException:
                self._socket.close()
                raise
        self._reaping = threading.Lock()
        self._reaped = False
        self._loop.add_reader(self._socket, self._readable)
        # A thread per process waits for its end: it works on every system and under every loop, and what it reaps stays
        # no zombie even if the loop has gone.
        threading.Thread(target=self._reap, name=f"segue-reap-{self.pid}", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, frame: Frame) -> None:
        """Hands over a frame, unless the process is ``gone``: its end is closed, and ``on_exit`` follows."""
        data = pack(frame)
        if self._unsent:
            self._unsent += data
            return
        sent = self._write(data)
        if sent < len(data) and not self.gone:
            self._unsent += data[sent:]
            self._loop.add_writer(self._socket, self._writable)

    def hang_up(self) -> None:
        """Lets an idle process end by itself, with whatever it has registered to be done at its exit."""
        self._loop.remove_reader(self._socket)  # from now on an end of the line is no reason to kill it
        self._socket.shutdown(socket.SHUT_WR)

    def kill(self) -> None:
        """Kills the process and what it has started, at once."""
        with self._reaping:
            if not self._reaped:
                _kill_group(self.pid)

    # --- frames -----------------------------------------------------------------------------------------------

    def _write(self, data: bytes | bytearray) -> int:
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            self.gone = True
            return 0

    def _writable(self) -> None:
        del self._unsent[: self._write(self._unsent)]
        if self.gone or not self._unsent:
            self._loop.remove_writer(self._socket)

    def _readable(self) -> None:
        data = self._receive()
        if data is not None and not self._take_in(data):
            # It is dying; or code in it has closed its files or written to them, and nothing it says is to be trusted.
            self._loop.remove_reader(self._socket)
            self.kill()

    def _receive(self) -> bytes | None:
        """What has arrived: None for nothing yet, ``b""`` for nothing any more."""
        try:
            return self._socket.recv(_CHUNK)
        except BlockingIOError:
            return None
        except OSError:  # it died with something unread
            return b""

    def _take_in(self, data: bytes) -> bool:
        """Hands on whole frames. False when no more can follow."""
        self._frames.feed(data)
        try:
            while (frame := self._frames.take()) is not None:
                self._on_frame(self, frame)
        except BrokenFrame as error:
            self._on_frame(self, error)
            return False
        return data != b""

    # --- the end ----------------------------------------------------------------------------------------------

    def _reap(self) -> None:
        try:
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:  # the program reaps its children by itself (SIGCHLD ignored)
            self._reaped = True
        with self._reaping:
            if not self._reaped:
                # As long as it is not reaped, its number belongs to no one else.
                _kill_group(self.pid)
            status = self._process.wait()
            self._reaped = True
        try:
            self._loop.call_soon_threadsafe(self._exited, status)
        except RuntimeError:  # the loop was closed before its pool
            self._socket.close()

    def _exited(self, status: int) -> None:
        while (data := self._receive()) and self._take_in(data):
            pass
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._socket.close()
        self._on_exit(self, status)


def _spawn(descriptor: int) -> subprocess.Popen[bytes]:
    if not sys.executable:
        raise OperatorError(
            "executor='process' needs a Python interpreter to start, and sys.executable names none: this Python is "
            "embedded in another program; set sys.executable, or leave out executor='process'"
        )
    flags: list[str] = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    path = [entry for entry in sys.path if isinstance(entry, str)]
    return subprocess.Popen(
        [sys.executable, *flags, "-c", _BOOT, str(descriptor), *path],
        stdin=subprocess.DEVNULL,
        pass_fds=(descriptor,),
        start_new_session=True,
    )


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS says EPERM for a group of zombies
        os.killpg(pid, signal.SIGKILL)
