"""Types that end the process if they are left to msgspec: each is read, described and let go of in a process apart."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import Annotated, Any, NewType

import msgspec
import pytest
from msgspec import Meta

from segue.encodings import default_encodings
from segue.errors import PayloadError
from segue.kernel.payload import JSON, Payload
from segue.kernel.schemas import schema_of
from segue.kernel.typed import TypedDecoder
from segue.kernel.unsound import unsound

Mail = Annotated[str, Meta(pattern="^[^@]+@[^@]+$")]
Named = NewType("Named", Mail)  # type: ignore[valid-newtype]
Count = Annotated[int, Meta(ge=1)]


class Letter(msgspec.Struct):
    to: Mail | list[str]


@dataclasses.dataclass
class Parcel:
    size: Count | tuple[int, str]
    inside: list[Parcel] = dataclasses.field(default_factory=list)


UNSOUND = [
    Mail | list[str],
    Named | dict[str, int],
    list[Mail | tuple[int, ...] | None],
    Annotated[Annotated[Mail | None, Meta(title="to")] | set[int], Meta(description="who")],
    Count | tuple[int, str],
    Annotated[bytes, Meta(max_length=3)] | tuple[int],
    Annotated[dict[str, int], Meta(min_length=1)] | tuple[int, str] | None,
    dict[str, Annotated[float, Meta(multiple_of=0.5)] | tuple[float, float]],
    Letter,
    list[Parcel],
]
SOUND = [
    Mail,
    Mail | None,
    Mail | int,
    list[Mail],
    Count | list[int],
    int | tuple[int, str],
    Annotated[int, Meta(description="of them")] | tuple[int, str],
    Annotated[str, Meta(max_length=3)] | dict[str, int],
    Any,
    None,
]


@pytest.mark.parametrize("annotation", UNSOUND, ids=str)
def test_such_a_union_is_found_wherever_it_is(annotation: Any) -> None:
    assert unsound(annotation)


@pytest.mark.parametrize("annotation", SOUND, ids=str)
def test_others_are_left_to_msgspec(annotation: Any) -> None:
    assert not unsound(annotation)


def read(annotation: Any, json: bytes) -> Any:
    return TypedDecoder(annotation, default_encodings()).decode(Payload(JSON, msgspec.Raw(json)))


def test_they_are_read_with_their_limits() -> None:
    assert read(Mail | list[str], b'"ann@here"') == "ann@here"
    assert read(Mail | list[str], b'["ann"]') == ["ann"]
    with pytest.raises(PayloadError, match="matching regex"):
        read(Mail | list[str], b'"ann"')
    assert read(list[Parcel], b'[{"size":[1,"kg"],"inside":[{"size":2}]}]') == [Parcel((1, "kg"), [Parcel(2)])]
    with pytest.raises(PayloadError, match=r"\$\[0\]\.size.*>= 1"):
        read(list[Parcel], b'[{"size":0}]')


def test_they_are_described_with_their_limits() -> None:
    assert schema_of(Count | tuple[int, str])["anyOf"][0] == {"type": "integer", "minimum": 1}
    found = schema_of(Letter)["$defs"]["Letter"]["properties"]["to"]["anyOf"]
    assert found == [{"type": "string", "pattern": "^[^@]+@[^@]+$"}, {"type": "array", "items": {"type": "string"}}]


ONE_AFTER_THE_OTHER = """
import gc, msgspec
from typing import Annotated
from msgspec import Meta
from segue.encodings import default_encodings
from segue.errors import PayloadError
from segue.kernel.payload import JSON, Payload
from segue.kernel.schemas import schema_of
from segue.kernel.typed import TypedDecoder

limited = [
    Annotated[int, Meta(ge=1)], Annotated[float, Meta(gt=1)], Annotated[str, Meta(max_length=3)],
    Annotated[str, Meta(pattern="a")], Annotated[bytes, Meta(max_length=3)], Annotated[dict, Meta(max_length=3)],
]
others = [tuple[int, str], tuple[int, ...], list[int], dict[str, int], set[int], list, dict]
values = [b"5", b"0", b'"abc"', b'"bcde"', b'[1,"a"]', b"[1,2]", b"[]", b'{"x":1}', b"null"]
encodings = default_encodings()
read = refused = 0
for one in limited:
    for other in others:
        for _ in range(20):
            try:
                decoder = TypedDecoder(one | other, encodings)
            except PayloadError:
                break  # both are objects
            for value in values:
                try:
                    decoder.decode(Payload(JSON, msgspec.Raw(value)))
                    read += 1
                except PayloadError:
                    refused += 1
            schema_of(list[one | other])
        gc.collect()
print(read > 1000 < refused)
"""


def test_the_process_survives_every_such_union() -> None:
    ended = subprocess.run([sys.executable, "-c", ONE_AFTER_THE_OTHER], capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "True\n", "")
