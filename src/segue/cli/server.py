"""``segue server``: the HTTP API and the dashboard over a database, beside whoever owns the runs."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from segue.cli.entrance import HERE, Entrance
from segue.cli.interrupts import Interrupts, leave
from segue.cli.log_lines import here, write_json
from segue.cli.output import console
from segue.cli.scope import Lines, Scope
from segue.cli.serving import load_all
from segue.configuration.settings import port_number
from segue.engine import Engine
from segue.errors import InvalidArgument
from segue.runtime.telling import ABOUT
from segue.server.app import application
from segue.server.listening import listen

_BASE = re.compile(r"(/[\w.~-]+)+")


def server(
    *modules: Annotated[str, Parameter(help="Modules, files or folders whose workflows can be started and asked.")],
    host: Annotated[str, Parameter(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int | None, Parameter(help="The port; 7733 if none is named. Or: SEGUE_PORT.")] = None,
    base: Annotated[
        str, Parameter(help="The path that a proxy leaves before everything, such as /segue.", show_default=False)
    ] = "",
    proxy: Annotated[
        tuple[str, ...],
        Parameter(
            help="The address of a proxy that is believed what it says of its clients; one on this machine always is.",
            negative=(), show_default=False,
        ),
    ] = (),
    log_format: Lines = "text",
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:  # fmt: skip
    """Serve the dashboard and the HTTP API of a database. It owns no runs: a worker carries them out."""
    base = base.rstrip("/")
    if base and not _BASE.fullmatch(base):
        raise InvalidArgument(f"--base is a path that begins with a slash, such as /segue; it is {base!r}")
    scope.require_no_server()
    scope.require_database()
    if log_format == "json":
        write_json()
    if modules:
        load_all(modules)
    asyncio.run(
        _serve(
            scope, "127.0.0.1" if host == "localhost" else host, port_number(port), base, proxy, log_format == "json"
        )
    )
    return 0


async def _serve(
    scope: Scope, host: str, port: int, base: str, proxies: tuple[str, ...], as_json: bool
) -> None:  # fmt: skip
    asked = Interrupts().asked
    async with Engine(scope.url, app=scope.app, namespace=scope.namespace, own=False) as engine:
        entrance = Entrance(engine, scope, host)
        advise = here.info if as_json else _advise
        app = application(engine, entrance.access, accounts=entrance.accounts, base=base, provider=entrance.provider)
        listening = listen(app, host=host, port=port, proxies=proxies)
        if entrance.advice:
            advise(entrance.advice)
        if host not in HERE:
            advise("passwords and keys travel as they are: have a proxy with TLS before it")
        shown = f"{listening.url}{base}/" if base else listening.url
        if as_json:
            here.info("serving", extra={ABOUT: {"dashboard": shown, "database": scope.shown_database}})
        else:
            console().print(Text("dashboard ").append(shown, style="bold"), soft_wrap=True)
        await asked.wait()
        await listening.close()
    leave(0)


def _advise(text: str) -> None:
    console().print(Text(text, style="dim"), soft_wrap=True)
