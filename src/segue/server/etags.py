"""Entity tags (RFC 9110, 8.8.3): names for what answers say, so that who has one need not be sent it again, and nobody
writes over what they have not seen."""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from segue.errors import ChangedMeanwhile


def etag(*parts: object) -> str:
    """A tag for what these parts name."""
    return f'"{blake2b(msgspec.json.encode(parts), digest_size=12).hexdigest()}"'


def is_known(headers: dict[str, str], tag: str) -> bool:
    """Whether whoever asks has this already (If-None-Match). Tags are compared weakly: a proxy that has compressed the
    answer may have made its tag a weak one."""
    tags = {each.removeprefix("W/") for each in _listed(headers.get("if-none-match", ""))}
    return bool({"*", tag} & tags)


def refuse_unless_seen(headers: dict[str, str], tag: str, what: str) -> None:
    """Where whoever writes says what they have seen (If-Match), it has to be what is there now.

    Raises:
        ChangedMeanwhile: it is not.
    """
    header = headers.get("if-match")
    if header is not None and not {"*", tag} & set(_listed(header)):
        raise ChangedMeanwhile(what)


def _listed(header: str) -> list[str]:
    return [each.strip() for each in header.split(",")]
