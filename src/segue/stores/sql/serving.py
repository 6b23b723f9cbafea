"""What an owner serves, as the column ``owners.serves`` has it: the version by workflow, in JSON; where another one is
ramped up, a list of the version, that other one, and its percentage."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from segue.kernel.ramp import Ramp
from segue.stores.owning import NO_RAMPS

_decode = msgspec.json.Decoder(dict[str, str | tuple[str, str, float]]).decode


def serving_text(serves: Mapping[str, str], ramps: Mapping[str, Ramp] = NO_RAMPS) -> str:
    told = {
        name: version if (ramp := ramps.get(name)) is None else (version, ramp.version, ramp.percent)
        for name, version in serves.items()
    }
    return msgspec.json.encode(told).decode()


def serving_of(text: str) -> tuple[dict[str, str], dict[str, Ramp]]:
    """The versions, and the ramps."""
    serves: dict[str, str] = {}
    ramps: dict[str, Ramp] = {}
    for name, told in _decode(text).items():
        if isinstance(told, str):
            serves[name] = told
        else:
            serves[name], ramps[name] = told[0], Ramp(*told[1:])
    return serves, ramps
