"""Reads values from a command line: JSON, bare words, ``@file``; by declared type where one is known."""

from __future__ import annotations

import inspect
import typing
from pathlib import Path
from typing import Any

import msgspec

from segue.authoring.python.definitions import Workflow
from segue.configuration.formats import Formats
from segue.errors import InvalidArgument, PayloadError
from segue.kernel.encoding import Encodings
from segue.kernel.generics import hints_of
from segue.kernel.names import checked_id
from segue.kernel.payload import JSON, Payload


class _Source(typing.NamedTuple):
    """What stands on the command line, or in the file that it names."""

    text: str
    file: str | None


def untyped(text: str) -> Any:
    """The value of ``text``: what JSON makes of it, or the text itself where it is no JSON.

    Raises:
        InvalidArgument: the file that it names cannot be read, or holds no JSON although it says so.
    """
    source = _read(text)
    data, error = _as_json(source.text)
    if data is not None:
        return msgspec.json.decode(data)
    if source.file is not None and source.file.endswith(".json"):
        raise InvalidArgument(f"{source.file} is not JSON: {error}")
    return source.text


def new_id(given: str | None) -> str | None:
    """The id that a new run is to have; None if one is to be made.

    Raises:
        InvalidArgument: it can be none. An empty one is a variable that was not set: each call would start another run.
    """
    return None if given is None else checked_id(given, "--id")


def pairs(given: tuple[str, ...], flag: str) -> dict[str, str]:
    """``k=v`` flags as a dict.

    Raises:
        InvalidArgument: one has no ``=``.
    """
    found = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise InvalidArgument(f"{flag} {text!r} has no name=value; write {flag} customer=ann")
        found[name] = value
    return found


def attributes(given: tuple[str, ...]) -> dict[str, Any]:
    """``k=v`` flags with the values as attributes have them: numbers and truth values as such, everything else text."""
    return {name: _scalar(value) for name, value in pairs(given, "--attribute").items()}


def plain_arguments(workflow: Workflow[Any, Any], texts: tuple[str, ...]) -> list[Any]:
    """The arguments of a run as JSON can say them, after a look whether they fit.

    Raises:
        InvalidArgument: they do not, or are of a type that JSON cannot say.
    """
    encodings = Formats(None, None).encodings
    plain = []
    for value in arguments(workflow, texts, encodings):
        payload = encodings.encode(value)
        if payload.encoding != JSON:
            raise InvalidArgument(f"a value in {payload.encoding} cannot be given here; start it in Python")
        plain.append(msgspec.json.decode(payload.data))
    return plain


def arguments(workflow: Workflow[Any, Any], texts: tuple[str, ...], encodings: Encodings) -> list[Any]:
    """The arguments of a run, each as its parameter's type.

    Raises:
        InvalidArgument: they do not fit; the text names the parameter and shows the signature.
    """
    parameters = _positional(workflow)
    usage = f"{workflow.name} takes: {_usage(workflow) or 'nothing'}"
    if len(texts) > len(parameters) and not (parameters and parameters[-1].kind is inspect.Parameter.VAR_POSITIONAL):
        raise InvalidArgument(f"{len(texts)} arguments were given; {usage}")
    required = [p for p in parameters if p.default is p.empty and p.kind is not inspect.Parameter.VAR_POSITIONAL]
    if len(texts) < len(required):
        missing = ", ".join(p.name for p in required[len(texts) :])
        raise InvalidArgument(f"no value for {missing}; {usage}")
    hints = _hints(workflow)
    values = []
    for index, text in enumerate(texts):
        parameter = parameters[min(index, len(parameters) - 1)]
        hint = hints.get(parameter.name, Any)
        try:
            values.append(_typed(text, hint, encodings))
        except PayloadError as error:
            raise InvalidArgument(
                f"argument {index + 1} ({parameter.name}: {_named(hint)}) cannot be {text!r:.80}: {_reason(error)}",
                path=parameter.name,
            ) from error
    return values


def _reason(error: PayloadError) -> str:
    """Why, without what is only true of values that were recorded once."""
    where = "" if error.path == "$" else f"{error.path}: "
    return f"{where}{error.reason}" if error.reason else str(error)


def _hints(workflow: Workflow[Any, Any]) -> dict[str, Any]:
    return hints_of(workflow.function, None if workflow.form is None else workflow.form.cls)


def _usage(workflow: Workflow[Any, Any]) -> str:
    hints = _hints(workflow)
    shown = []
    for p in _positional(workflow):
        text = f"{p.name}: {_named(hints[p.name])}" if p.name in hints else p.name
        if p.kind is inspect.Parameter.VAR_POSITIONAL:
            text = f"*{text}"
        shown.append(text if p.default is p.empty else f"[{text} = {p.default!r:.40}]")
    return ", ".join(shown)


def _positional(workflow: Workflow[Any, Any]) -> list[inspect.Parameter]:
    kinds = inspect.Parameter
    wanted = (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD, kinds.VAR_POSITIONAL)
    parameters = list(inspect.signature(workflow.function).parameters.values())
    taken = parameters if workflow.form is None else parameters[1:]  # without self
    return [p for p in taken if p.kind in wanted]


def _typed(text: str, hint: Any, encodings: Encodings) -> Any:
    source = _read(text)
    data, syntax = _as_json(source.text)
    as_text = msgspec.json.encode(source.text)
    if data is None:
        try:
            return _decode(as_text, hint, encodings)
        except PayloadError as error:
            looks_like_json = source.file is not None or source.text.lstrip()[:1] in ("{", "[", '"')
            raise (PayloadError(f"it is not JSON: {syntax}") if looks_like_json else error) from error
    try:
        return _decode(data, hint, encodings)
    except PayloadError:
        if source.file is not None:
            raise
        try:  # 42 for a parameter that is text, null for one that cannot be nothing
            return _decode(as_text, hint, encodings)
        except PayloadError:
            pass
        raise


def _decode(data: bytes, hint: Any, encodings: Encodings) -> Any:
    return encodings.decode(Payload(JSON, msgspec.Raw(data)), hint)


def _read(text: str) -> _Source:
    if text.startswith("@@"):
        return _Source(text[1:], None)
    if not text.startswith("@"):
        return _Source(text, None)
    path = text[1:]
    try:
        return _Source(Path(path).read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise InvalidArgument(
            f"{path!r} cannot be read: {reason} (a value that begins with @ names a file; write @@ for a plain @)"
        ) from error


def _as_json(text: str) -> tuple[bytes | None, str]:
    """The JSON text, or None and what is wrong with it. Raises ``InvalidArgument`` where it is too much of it."""
    data = text.encode()
    try:
        msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        return None, str(error)
    except RecursionError as error:
        raise InvalidArgument(f"{text[:40]}… is nested too deeply") from error
    return data, ""


def _scalar(text: str) -> Any:
    data, _ = _as_json(text)
    value = None if data is None else msgspec.json.decode(data)
    return value if isinstance(value, (bool, int, float, str)) else text


def _named(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint).replace("typing.", "")
