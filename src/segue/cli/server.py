"""``segue server``: the HTTP API and the dashboard over a database, beside whoever owns the runs."""

from __future__ import annotations

import asyncio
from getpass import getuser
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from segue.cli.interrupts import Interrupts, leave
from segue.cli.output import console
from segue.cli.scope import Scope
from segue.cli.serving import load_all
from segue.engine import Engine
from segue.errors import InvalidArgument
from segue.server.access import Loopback
from segue.server.app import application
from segue.server.listening import listen
from segue.settings import port_number

HERE = ("127.0.0.1", "::1", "localhost")


def server(
    *modules: Annotated[str, Parameter(help="Modules, files or folders whose workflows can be started and asked.")],
    host: Annotated[str, Parameter(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int | None, Parameter(help="The port; 7733 if none is named. Or: SEGUE_PORT.")] = None,
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Serve the dashboard and the HTTP API of a database. It owns no runs: a worker carries them out."""
    if host not in HERE:
        raise InvalidArgument(
            f"there is no login yet, so only this machine is served: --host {host} would let everybody in; "
            "listen on 127.0.0.1 and put a proxy with a login before it"
        )
    scope.require_database()
    if modules:
        load_all(modules)
    asyncio.run(_serve(scope, "127.0.0.1" if host == "localhost" else host, port_number(port)))
    return 0


async def _serve(scope: Scope, host: str, port: int) -> None:
    asked = Interrupts().asked
    async with Engine(scope.url, app=scope.app, namespace=scope.namespace, own=False) as engine:
        listening = listen(application(engine, Loopback(getuser())), host=host, port=port)
        console().print(Text("dashboard ").append(listening.url, style="bold"), soft_wrap=True)
        await asked.wait()
        await listening.close()
    leave(0)
