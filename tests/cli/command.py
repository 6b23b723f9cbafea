"""A command line that a ``command_server`` runs: the three standard streams are this process's own.

Run as a program in the place of ``segue``, with the path of the server's socket and the command's words; it imports
next to nothing.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys


class Command:
    """A command under way."""

    def __init__(
        self, path: str, words: list[str], *, folder: str, environment: dict[str, str], streams: tuple[int, int, int]
    ) -> None:
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._connection.connect(path)
        order = {"folder": folder, "environment": environment, "words": words}
        socket.send_fds(self._connection, [json.dumps(order).encode()], streams)
        self.pid = int(self._connection.recv(16))

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, or the negative number of the signal that ended it; one that takes longer than ``timeout``
        seconds is killed. Raises ``TimeoutError`` then."""
        with self._connection as connection:
            connection.settimeout(timeout)
            try:
                return int(connection.recv(16))
            except TimeoutError:
                os.kill(self.pid, signal.SIGKILL)
                raise


def main() -> None:
    path, *words = sys.argv[1:]
    command = Command(path, words, folder=os.getcwd(), environment=dict(os.environ), streams=(0, 1, 2))
    code = command.wait()
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    main()
