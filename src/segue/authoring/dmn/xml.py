"""Reads XML from anywhere: no entities, no network, no DOCTYPE, bounded size; knows the versions of DMN."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from lxml import etree

from segue.errors import DecisionModelError

NAMESPACES: Final = {
    "http://www.omg.org/spec/DMN/20180521/MODEL/": "1.2",
    "https://www.omg.org/spec/DMN/20191111/MODEL/": "1.3",
    "https://www.omg.org/spec/DMN/20211108/MODEL/": "1.4",
    "https://www.omg.org/spec/DMN/20230324/MODEL/": "1.5",
}
GREATEST_FILE: Final = 32 * 1024 * 1024
LONGEST_TEXT: Final = 200

Element: TypeAlias = "etree._Element"


class _Started(Exception):
    """The root element has begun."""


class _Prolog:
    """Looks at what stands before the root element."""

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        """A DOCTYPE can define entities; DMN has no use for one."""
        raise DecisionModelError(f"the file has a DOCTYPE ({name}), which is refused; take it out")

    def start(self, tag: str, attributes: object) -> None:
        """The prolog is over."""
        raise _Started

    def close(self) -> None:
        """The file ended before its root element."""


def parse(data: bytes) -> etree._ElementTree[Element]:
    """The XML document of a DMN file.

    Raises:
        DecisionModelError: it is too large, no XML, has a DOCTYPE, or is not DMN 1.2 to 1.5.
    """
    if len(data) > GREATEST_FILE:
        raise DecisionModelError(f"the file has {len(data)} bytes; {GREATEST_FILE} are allowed")
    _refuse_doctype(data)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        strip_cdata=False,
        remove_blank_text=False,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise DecisionModelError(f"no XML that can be read: {error.msg}", line=error.lineno or 0) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise DecisionModelError("the file has a DOCTYPE, which is refused; take it out")
    version(root)
    return root.getroottree()


def _refuse_doctype(data: bytes) -> None:
    """Looks at the prolog alone, so that nothing that a DOCTYPE defines is ever expanded."""
    parser = etree.XMLParser(target=_Prolog(), resolve_entities=False, no_network=True)
    try:
        for begin in range(0, len(data), 4096):
            parser.feed(data[begin : begin + 4096])
    except _Started:
        return
    except etree.XMLSyntaxError as error:
        raise DecisionModelError(f"no XML that can be read: {error.msg}", line=error.lineno or 0) from None


def version(root: Element) -> str:
    """The version of DMN that a document is written in.

    Raises:
        DecisionModelError: it is none that is known.
    """
    name = etree.QName(root)
    found = NAMESPACES.get(name.namespace or "")
    if name.localname != "definitions" or found is None:
        raise DecisionModelError(
            f"the root element is {name.localname} of {(name.namespace or 'no namespace')[:LONGEST_TEXT]!r}; "
            "DMN 1.2 to 1.5 is read, whose root is definitions",
            line=line_of(root),
        )
    return found


# --- looking around ---------------------------------------------------------------------------------------------


def local(element: Element) -> str:
    """The element's name without its namespace; empty for comments and the like."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def children(element: Element, *names: str) -> Iterator[Element]:
    """Child elements of DMN by name, in order; those of extensions in other namespaces are passed over."""
    for child in element:
        if isinstance(child.tag, str):
            name = etree.QName(child)
            if name.namespace in NAMESPACES and (not names or name.localname in names):
                yield child


def child(element: Element, *names: str) -> Element | None:
    """The first child element by name."""
    return next(children(element, *names), None)


def text_of(element: Element | None, name: str = "text") -> str | None:
    """The text in a child element."""
    found = child(element, name) if element is not None else None
    if found is None:
        return None
    return "".join(found.itertext(with_tail=False)) if len(found) else (found.text or "")


def name_of(element: Element) -> str:
    """The element's name with single spaces."""
    return " ".join((element.get("name") or "").split())


def line_of(element: Element) -> int:
    """The line of the file in which an element begins."""
    return int(element.sourceline or 0)
