"""The process that ``segue dev`` starts for one state of the code: imports it, waits for its turn, serves.

Started as ``python -m segue.cli.dev_child ORDER IN OUT``: IN and OUT are pipes to the parent. Once the code is imported
it says in a line which files it has left out, serves when it hears ``g``, and hands over when the pipe ends.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import msgspec
from rich.text import Text

from segue.cli.dev import Order
from segue.cli.exits import DATABASE, USAGE
from segue.cli.interrupts import Interrupts, leave
from segue.cli.log_lines import here, write_json
from segue.cli.output import console, print_error
from segue.cli.scope import Scope
from segue.cli.serving import load_all, serve
from segue.cli.target import CodeDoesNotLoad, does_not_load
from segue.errors import CallerError, SegueError


def main() -> int:
    order = msgspec.json.decode(sys.argv[1], type=Order)
    hear, say = int(sys.argv[2]), int(sys.argv[3])
    # Ctrl-C reaches the whole terminal; the parent tells when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        left = load_all(order.places, without=order.without)
    except CallerError as error:
        print_error(error)
        return USAGE
    except KeyboardInterrupt as error:  # the code's own
        print_error(does_not_load(", ".join(order.places), error))
        return USAGE
    _tell(left, order)
    os.write(say, msgspec.json.encode(list(left)) + b"\n")
    if os.read(hear, 1) != b"g":
        return 0
    scope = Scope(order.url, order.app, order.namespace)
    try:
        asyncio.run(_serve(scope, order, hear))
    except SegueError as error:
        print_error(error)
        return USAGE if isinstance(error, CallerError) else DATABASE
    return 0


def _tell(left: dict[str, CodeDoesNotLoad], order: Order) -> None:
    """Says once of each file that it is left out: not again when another one changes."""
    for file in left.keys() - set(order.without or ()):
        text = f"{file} is left out: there is no module {left[file].lacks!r}; once it is installed, start again"
        if order.lines == "json":
            write_json()
            here.warning("%s", text)
        else:
            console().print(Text(text, style="yellow"), soft_wrap=True)


async def _serve(scope: Scope, order: Order, hear: int) -> None:
    interrupts = Interrupts((signal.SIGTERM,))
    loop = asyncio.get_running_loop()

    def parent_is_gone() -> None:
        loop.remove_reader(hear)
        interrupts.ask()

    loop.add_reader(hear, parent_is_gone)
    await serve(scope, interrupts, grace=order.grace, port=order.port, lines=order.lines)


if __name__ == "__main__":
    code = main()
    leave(code)  # the parent waits for it, and so would this process for threads that the code has started
    sys.exit(code)
