"""All built-in functions of the language by name (DMN 1.5, 10.3.4)."""

from __future__ import annotations

from typing import Final

from segue.feel.builtin import Builtin
from segue.feel.builtin_contexts import CONTEXTS
from segue.feel.builtin_lists import LISTS
from segue.feel.builtin_numbers import NUMBERS
from segue.feel.builtin_ranges import RANGES
from segue.feel.builtin_statistics import STATISTICS
from segue.feel.builtin_strings import STRINGS
from segue.feel.builtin_temporal import TEMPORAL
from segue.feel.names import Names

BUILTINS: Final[dict[str, Builtin]] = {
    **STRINGS.functions,
    **NUMBERS.functions,
    **STATISTICS.functions,
    **LISTS.functions,
    **CONTEXTS.functions,
    **TEMPORAL.functions,
    **RANGES.functions,
}
NAMES: Final = Names(BUILTINS)
