"""Reads types: `number`, `list<string>`, `context<a: number>`, `function<number> -> string`, names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from segue.feel.cursor import Cursor
from segue.feel.names import Names
from segue.feel.types import ANY, BY_NAME, ContextType, FunctionType, ListType, Named, RangeType, Type

BUILT_IN: Final = Names(BY_NAME)


class TypeParser:
    """Reads a type where a cursor stands."""

    def __init__(self, cursor: Cursor, types: Mapping[str, Type]) -> None:
        self.cursor = cursor
        self.types = types
        self.names = [BUILT_IN, Names(types)]

    def read(self) -> Type:
        """A type.

        Raises:
            FeelSyntaxError: there is none here.
        """
        cursor = self.cursor
        with cursor.nested():
            if cursor.next_is("<"):
                match cursor.token.text:
                    case "list":
                        return ListType(self._of_one())
                    case "range":
                        return RangeType(self._of_one())
                    case "context":
                        return self._context()
                    case "function":
                        return self._function()
            return self._named()

    def _of_one(self) -> Type:
        self.cursor.advance(2)
        item = self.read()
        self.cursor.expect(">")
        return item

    def _context(self) -> Type:
        cursor = self.cursor
        cursor.advance(2)
        fields: list[tuple[str, Type]] = []
        while not cursor.at(">"):
            name = cursor.name_before(":")
            if name is None:
                raise cursor.error(f"expected name: type, found {cursor.found()}")
            cursor.expect(":")
            fields.append((name, self.read()))
            if not cursor.take(","):
                break
        cursor.expect(">")
        return ContextType(tuple(fields))

    def _function(self) -> Type:
        cursor = self.cursor
        cursor.advance(2)
        parameters: list[Type] = []
        while not cursor.at(">"):
            parameters.append(self.read())
            if not cursor.take(","):
                break
        cursor.expect(">")
        return FunctionType(tuple(parameters), self.read() if cursor.take("->") else ANY)

    def _named(self) -> Type:
        cursor = self.cursor
        if cursor.token.kind != "word":
            raise cursor.error(f"expected a type, found {cursor.found()}")
        name = cursor.longest(self.names)
        if name is None:
            name = cursor.name()
            while cursor.at("."):
                cursor.advance()
                name = f"{name}.{cursor.member()}"
        if name in self.types:
            return self.types[name]
        return BY_NAME.get(name) or Named(name, self.types)
