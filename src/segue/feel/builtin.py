"""What a built-in function is: its forms, written as text, and how arguments are laid to them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal, DecimalException
from typing import Any, Final

import msgspec

from segue.feel.nothing import Null
from segue.feel.run import Run
from segue.feel.temporal import MIDNIGHT_UTC, Date, DateTime, DaysDuration, MonthsDuration, Time
from segue.feel.types import ANY, BY_NAME, Type
from segue.feel.values import KINDS, Function, Interval, Value, kind

ACCEPTED: Final[dict[str, tuple[type, ...]]] = {
    "any": (),
    "number": (Decimal,),
    "string": (str,),
    "boolean": (bool,),
    "list": (list,),
    "context": (dict,),
    "function": (),
    "range": (Interval,),
    "date": (Date,),
    "time": (Time,),
    "day": (Date, DateTime),
    "moment": (DateTime,),
    "days": (DaysDuration,),
    "duration": (DaysDuration, MonthsDuration),
    "comparable": (Decimal, str, Date, Time, DateTime, DaysDuration, MonthsDuration, bool),
    "amount": (Decimal, DaysDuration, MonthsDuration),
}
WORDS: Final = {
    "day": "date",
    "moment": "date and time",
    "days": "days and time duration",
    "comparable": "something with an order",
    "amount": "number or duration",
}


class Parameter(msgspec.Struct, frozen=True):
    """A parameter of one form: ``many`` takes all arguments that are left, as a list."""

    name: str
    takes: str
    optional: bool
    nullable: bool
    many: bool


PARAMETER = re.compile(r"(?P<name>[^:?.]+)(?P<optional>\?)?(?P<many>\.\.\.)?: (?P<takes>[a-z]+)(?P<nullable>\?)?")
MISMATCH: Final = object()


class Form(msgspec.Struct, frozen=True):
    """One way to call a function."""

    parameters: tuple[Parameter, ...]

    @property
    def least(self) -> int:
        """The number of arguments that it needs."""
        return sum(not parameter.optional for parameter in self.parameters)

    @property
    def many(self) -> bool:
        """Whether it takes any number of arguments."""
        return bool(self.parameters) and self.parameters[-1].many


def read_form(text: str) -> tuple[str, Form]:
    """The name and the form of `substring(string: string, start position: number, length?: number)`."""
    name, _, inner = text.partition("(")
    parameters = []
    for part in filter(None, inner.removesuffix(")").split(", ")):
        match = PARAMETER.fullmatch(part)
        assert match is not None, text
        assert match["takes"] in ACCEPTED, text
        parameters.append(
            Parameter(
                match["name"], match["takes"], bool(match["optional"]), bool(match["nullable"]), bool(match["many"])
            )
        )
    return name, Form(tuple(parameters))


class Builtin(Function):
    """A function of the language."""

    __slots__ = ("_signatures", "forms", "name", "work")

    def __init__(self, name: str, forms: tuple[Form, ...], work: Callable[..., Any]) -> None:
        self.name = name
        self.forms = forms
        self.work = work
        self._signatures: list[tuple[tuple[str, Type | None], ...]] | None = None

    @property
    def signatures(self) -> Sequence[tuple[tuple[str, Type | None], ...]]:
        """The names and types of its parameters, once per form and number of arguments."""
        if self._signatures is None:
            self._signatures = [
                tuple((parameter.name, _type(parameter.takes)) for parameter in form.parameters[:length])
                for form in self.forms
                for length in range(form.least, len(form.parameters) + 1)
            ]
        return self._signatures

    def call(self, run: Run, arguments: Sequence[Value]) -> Value:
        """The result for arguments by position."""
        run.step()
        refused = ""
        for form in self.forms:
            given = _gathered(form, arguments)
            if given is None:
                continue
            fitted, reason = _fit(form, given)
            if fitted is not None:
                return self._work(run, fitted)
            refused = refused or reason
        raise Null(f"{self.name}: {refused or f'it does not take {len(arguments)} arguments'}")

    def call_named(self, run: Run, names: Sequence[str], arguments: Sequence[Value]) -> Value:
        """The result for arguments by name."""
        run.step()
        refused = ""
        named = dict(zip(names, arguments, strict=True))
        for form in self.forms:
            known = {parameter.name for parameter in form.parameters}
            needed = {parameter.name for parameter in form.parameters if not parameter.optional}
            if form.many or len(named) != len(names) or not needed <= named.keys() <= known:
                continue
            fitted, reason = _fit(form, [named.get(parameter.name, MISMATCH) for parameter in form.parameters])
            if fitted is not None:
                return self._work(run, fitted)
            refused = refused or reason
        raise Null(f"{self.name}: {refused or 'it does not have the parameters ' + ', '.join(names)}")

    def _work(self, run: Run, arguments: list[Value]) -> Value:
        try:
            return self.work(run, *arguments)
        except Null as null:
            raise Null(f"{self.name}: {null.reason}") from None
        except DecimalException:
            raise Null(f"{self.name}: the result is out of range") from None


def _type(takes: str) -> Type:
    if takes in BY_NAME:
        return BY_NAME[takes]
    kinds = [KINDS[python] for python in ACCEPTED[takes]]
    return BY_NAME[kinds[0]] if len(kinds) == 1 else ANY


def _gathered(form: Form, arguments: Sequence[Value]) -> list[Value] | None:
    if form.many:
        before = len(form.parameters) - 1
        if len(arguments) <= before:
            return None
        return [*arguments[:before], list(arguments[before:])]
    return list(arguments) if form.least <= len(arguments) <= len(form.parameters) else None


def _fit(form: Form, given: list[Value]) -> tuple[list[Value] | None, str]:
    """The arguments as the form takes them, or why it does not. An argument left out is ``None``."""
    for index, (parameter, value) in enumerate(zip(form.parameters, given, strict=False)):
        if value is MISMATCH:
            given[index] = None
            continue
        if parameter.many:
            continue
        if value is None:
            if parameter.nullable or parameter.takes == "any":
                continue
            return None, f"{parameter.name} is null"
        accepted = ACCEPTED[parameter.takes]
        if accepted and type(value) not in accepted:
            value = _converted(value, parameter.takes, accepted)
            if value is MISMATCH:
                wanted = WORDS.get(parameter.takes, parameter.takes)
                return None, f"{parameter.name} must be {wanted}, got {kind(given[index])}"
            given[index] = value
        elif parameter.takes == "function" and not isinstance(value, Function):
            return None, f"{parameter.name} must be function, got {kind(value)}"
    return given, ""


def _converted(value: Value, takes: str, accepted: tuple[type, ...]) -> Value:
    """The implicit conversions of DMN 1.5, 10.3.2.9.4."""
    if takes == "list":
        return [value]
    if isinstance(value, list) and len(value) == 1 and type(value[0]) in accepted:
        return value[0]
    if takes == "moment" and isinstance(value, Date):
        return DateTime(value, MIDNIGHT_UTC)
    return MISMATCH


# --- the table --------------------------------------------------------------------------------------------------


class Family:
    """Built-in functions that belong together, by name."""

    def __init__(self) -> None:
        self.functions: dict[str, Builtin] = {}

    def add(self, *texts: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Names a Python function by the forms in which FEEL calls it."""
        read = [read_form(text) for text in texts]
        name = read[0][0]

        def keep(work: Callable[..., Any]) -> Callable[..., Any]:
            forms = tuple(form for _, form in read)
            known = self.functions.get(name)
            assert known is None, name
            self.functions[name] = Builtin(name, forms, work)
            return work

        return keep
