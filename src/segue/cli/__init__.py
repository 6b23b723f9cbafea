"""The ``segue`` command: a thin edge over the engine, human output by default, ``--json`` for machines.

May import: ``segue.engine`` and what it hands out, ``segue.errors``, cyclopts, rich. A command's module is loaded when
the command is called, so that ``segue --help`` costs nothing. No rule about runs lives here: what a command can do,
the engine can do.

Start reading: ``app`` (from words to exit code), then the module that ``commands`` names for the command in question.
"""

from segue.cli.app import main

__all__ = ["main"]
