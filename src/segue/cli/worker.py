"""``segue worker``: one process that serves workflows until it is told to stop."""

from __future__ import annotations

import asyncio
from typing import Annotated

from cyclopts import Parameter

from segue.cli.interrupts import Interrupts
from segue.cli.log_lines import LogFormat
from segue.cli.scope import Lines, Scope
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
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Serve workflows in one process, until SIGTERM or Ctrl-C; then hand over.

    On PostgreSQL any number of workers share the app's runs. In a file one owns them: while another process does, this
    one stands by and takes over when that one ends.
    """
    if not modules:
        raise InvalidArgument("no module is named; write `segue worker orders.py` or `segue worker shop.orders`")
    seconds = microseconds(grace) / 1_000_000
    scope.require_no_server()
    load_all(modules)
    machines = None if metrics_port is None else (metrics_host, metrics_port)
    asyncio.run(_serve(scope, seconds, machines, log_format))
    return 0


async def _serve(scope: Scope, grace: float, machines: tuple[str, int] | None, lines: LogFormat) -> None:
    await serve(scope, Interrupts(), grace=grace, machines=machines, lines=lines)
