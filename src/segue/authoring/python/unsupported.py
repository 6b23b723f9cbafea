"""What asyncio's loops can do and a workflow's cannot, each with what to use instead (docs/asyncio.md)."""

from __future__ import annotations

_THREADS = "put the work into a plain (non-async) @step; it runs in a thread"
_NETWORK = "put the I/O into an async @step"
_PROCESS = 'put it into a @step; executor="process" gives a Python function a process of its own'
_SIGNALS = "handle operating-system signals outside the workflow, and send the run a signal of segue's"
_CONTROL = "the engine drives this loop and has set it up; await what you wait for"

UNSUPPORTED: dict[str, str] = {
    **dict.fromkeys(("run_in_executor", "set_default_executor", "shutdown_default_executor"), _THREADS),
    **dict.fromkeys(("subprocess_exec", "subprocess_shell", "connect_read_pipe", "connect_write_pipe"), _PROCESS),
    **dict.fromkeys(("add_signal_handler", "remove_signal_handler"), _SIGNALS),
    "call_soon_threadsafe": "a thread hands something over by sending the run a signal: handle.signal(name, value)",
    **dict.fromkeys(
        ("run_forever", "run_until_complete", "stop", "close", "shutdown_asyncgens", "set_debug", "set_task_factory",
         "set_exception_handler", "get_exception_handler", "default_exception_handler"),
        _CONTROL,
    ),
    **dict.fromkeys(
        ("getaddrinfo", "getnameinfo", "create_connection", "create_server", "create_unix_connection",
         "create_unix_server", "create_datagram_endpoint", "connect_accepted_socket", "sendfile", "start_tls",
         "sock_recv", "sock_recv_into", "sock_recvfrom", "sock_recvfrom_into", "sock_sendall", "sock_sendto",
         "sock_connect", "sock_accept", "sock_sendfile", "add_reader", "remove_reader", "add_writer", "remove_writer"),
        _NETWORK,
    ),
}  # fmt: skip
"""Methods of ``asyncio.AbstractEventLoop``, to what a message tells the author to do."""
