"""What is wrong with a command line, in the words of this project and with what to write instead."""

from __future__ import annotations

from cyclopts import CycloptsError, MissingArgumentError, UnknownCommandError, UnknownOptionError, UnusedCliTokensError

from segue.cli.commands import COMMANDS, MEANT
from segue.errors import InvalidArgument


def refusal(error: CycloptsError, words: list[str]) -> InvalidArgument:
    """The error to print for a command line that does not fit its command."""
    command = _command(words)
    see = f"see `segue {' '.join([*command, '--help'])}`"
    match error:
        case UnknownCommandError() if not command and words[0] in MEANT:
            return InvalidArgument(f"there is no command {words[0]!r}; that is {MEANT[words[0]]}")
        case UnknownCommandError():
            return InvalidArgument(f"{_sentence(error)}; see `segue {' '.join([*command[:1], '--help'])}`")
        case UnusedCliTokensError():
            return InvalidArgument(f"too much: {' '.join(error.unused_tokens or ())}; {see}")
        case MissingArgumentError() if error.argument is not None:
            return InvalidArgument(f"`segue {' '.join(command)}` needs {_named(error.argument)}; {see}")
        case UnknownOptionError() if command in (["run"], ["start"]):
            hint = "the workflow's own arguments stand in their order, without names"
            return InvalidArgument(f"{_sentence(error)}; {hint}; {see}")
    return InvalidArgument(f"{_sentence(error)}; {see}")


def _command(words: list[str]) -> list[str]:
    """The words that name the command, or nothing if there is none of that name."""
    if not words or words[0] not in {command.name for command in COMMANDS}:
        return []
    grouped = words[0] in ("db", "task") and len(words) > 1 and words[1].isalpha()
    return words[: 2 if grouped else 1]


def _named(argument: object) -> str:
    name: str = getattr(argument, "name", "")
    help: str = getattr(getattr(argument, "parameter", None), "help", None) or ""
    return f"{name} ({help[:1].lower()}{help[1:].rstrip('.')})" if help else name


def _sentence(error: CycloptsError) -> str:
    text = str(error).strip()
    return (text[:1].lower() + text[1:]).removesuffix(".")
