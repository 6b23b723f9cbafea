"""``segue worker``: one process that serves workflows, or a queue, until it is told to stop."""

from __future__ import annotations

import asyncio
from typing import Annotated

from cyclopts import Parameter

from segue.cli import queue_worker
from segue.cli.interrupts import Interrupts
from segue.cli.log_lines import LogFormat
from segue.cli.scope import Lines, Reach, Scope
from segue.cli.serving import load_all, serve
from segue.errors import InvalidArgument
from segue.kernel.duration import microseconds


def worker(
    *modules: Annotated[str, Parameter(help="Modules, files or folders that define the workflows.")],
    grace: Annotated[
        str, Parameter(help="How long attempts under way may take to end when it is told to stop.")
    ] = "10s",
    metrics_port: Annotated[
        int | None, Parameter(help="Serve /metrics, /health and /ready at this port.", show_default=False)
    ] = None,
    metrics_host: Annotated[
        str, Parameter(help="The address for that; on another one than this machine's, whoever asks needs an API key.")
    ] = "127.0.0.1",
    log_format: Lines = "text",
    queue: Annotated[
        str | None,
        Parameter(help="Carry out the steps of this queue, for the server that --server names.", show_default=False),
    ] = None,
    slots: Annotated[
        int | None, Parameter(help="With --queue: attempts at the same time; by default 10.", show_default=False)
    ] = None,
    lease: Annotated[
        str | None,
        Parameter(
            help="With --queue: for how long an attempt is this worker's if it is lost; by default 30s.",
            show_default=False,
        ),
    ] = None,
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """Serve workflows in one process, until SIGTERM or Ctrl-C; then hand over.

    On PostgreSQL any number of workers share the app's runs. In a file one owns them: while another process does, this
    one stands by and takes over when that one ends. With --queue it needs no database: it carries out steps that wait
    in a queue, which it asks a server for.
    """
    if not modules:
        raise InvalidArgument("no module is named; write `segue worker orders.py` or `segue worker shop.orders`")
    if queue is not None:
        if metrics_port is not None:
            raise InvalidArgument("--metrics-port is for a worker of workflows; the server has the figures of a queue")
        return queue_worker.serve(
            modules, queue, slots=10 if slots is None else slots, lease=microseconds(lease or "30s"),
            grace=microseconds(grace), scope=scope, lines=log_format,
        )  # fmt: skip
    if slots is not None or lease is not None:
        raise InvalidArgument("--slots and --lease are for a queue: name that with --queue")
    seconds = microseconds(grace) / 1_000_000
    scope.require_no_server()
    load_all(modules)
    machines = None if metrics_port is None else (metrics_host, metrics_port)
    asyncio.run(_serve(scope, seconds, machines, log_format))
    return 0


async def _serve(scope: Scope, grace: float, machines: tuple[str, int] | None, lines: LogFormat) -> None:
    await serve(scope, Interrupts(), grace=grace, machines=machines, lines=lines)
