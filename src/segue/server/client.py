"""A server asked over HTTP, typed by the route table: what a handler takes and gives is what ``ask`` takes and gives.

``async with ServerClient(url, key="segue_…") as server: await server.start("buy", "ann", 42)``. What changes
something carries an idempotency key, so that it may be sent again where the connection was lost.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import quote

import httpx2 as httpx
import msgspec

from segue.errors import ServerRefused, ServerUnavailable
from segue.kernel.names import checked_namespace
from segue.server import acting, repairs, runs, secured
from segue.server.call import NAMESPACE, Call, Route
from segue.server.once import HEADER
from segue.server.problems import MEDIA_TYPE, Problem
from segue.server.routes import BASE, ROUTES
from segue.server.views import EventView, RunView
from segue.server.waiting import StartedRun, StartQuery

Q = TypeVar("Q")
B = TypeVar("B")
G = TypeVar("G")

TRIES = 4
"""How often a request is sent, where no answer came or the server could not do its work."""
PATIENCE = 30.0
"""Seconds after which an answer counts as lost."""
PAUSE = 0.2
"""Seconds before the second try; twice as many before each that follows."""
_BROKEN = (httpx.TransportError, ssl.SSLError)
"""What a request fails with that has no answer; an alert that comes behind the handshake comes as it is."""
ALIEN = "segue:http"
"""The problem of an answer that is not from a server of segue."""

_BY_HANDLER = {route.handler: route for route in ROUTES}
_VARYING = re.compile(r"\{(\w+)(?::\w+)?\}")


class ServerClient:
    """A server. Everything that it answers can be asked with ``ask``; what is asked most has a method.

    Args:
        url: where it is, with the path that it lies below, if any.
        key: an API key; none for a server on this machine that asks for no login.
        namespace: whose runs; by default the server's own.
        http: to be used in place of a connection of its own.
    """

    def __init__(
        self, url: str, *, key: str = "", namespace: str | None = None, http: httpx.AsyncClient | None = None
    ) -> None:  # fmt: skip
        self.url = url.rstrip("/")
        self._base = self.url + BASE
        self._headers = {"authorization": f"Bearer {key}"} if key else {}
        self._named = [] if namespace is None else [(NAMESPACE, checked_namespace(namespace))]
        self._http = http or httpx.AsyncClient(timeout=httpx.Timeout(PATIENCE))

    async def __aenter__(self) -> ServerClient:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def ask(
        self,
        handler: Callable[[Call[Q, B]], Awaitable[G]],
        *,
        query: Q | None = None,
        body: B | None = None,
        key: str = "",
        match: str = "",
        **path: Any,
    ) -> G:
        """Asks what a handler of the server answers: ``await server.ask(runs.show_run, run=7)``.

        Args:
            query, body: as the handler takes them.
            key: an idempotency key; by default one of its own for each call.
            match: the ``etag`` of what was read before: it is changed only if it is still that.
            path: the parts of the path that vary.

        Raises:
            ServerRefused: the server answered that it will not; the problem says why.
            ServerUnavailable: it did not answer, or could not do its work.
        """
        route = _BY_HANDLER[handler]
        content = None if route.body is None else msgspec.json.encode(body)
        headers = dict(self._headers)
        if content is not None:
            headers["content-type"] = "application/json"
        if route.repeatable:
            headers[HEADER] = key or uuid.uuid4().hex
        if match:
            headers["if-match"] = match
        # Besides what a request takes anyway: it may be one that waits.
        patience = PATIENCE + sum(getattr(given, "wait", 0.0) for given in (query, body))
        answer = await self._sent(
            route, _address(self._base, route, path), _pairs(query) + self._named, content, headers, patience
        )
        if route.gives is None:
            return None  # type: ignore[return-value]
        try:
            found: G = msgspec.json.decode(answer.content, type=route.gives)
        except msgspec.MsgspecError as error:
            raise ServerUnavailable(
                f"{self.url} answers, but not as a server of this release does ({error}); see whether the address is "
                "right, and whether both are of one release"
            ) from error
        return found

    async def _sent(
        self, route: Route, address: str, query: list[tuple[str, str]], content: bytes | None, headers: dict[str, str],
        patience: float,
    ) -> httpx.Response:  # fmt: skip
        tries = 0
        while tries < TRIES:
            try:
                answer = await self._http.request(
                    route.method, address, params=httpx.QueryParams(tuple(query)), content=content, headers=headers,
                    timeout=patience,
                )  # fmt: skip
            except _BROKEN as error:
                why = f"{type(error).__name__}: {error}".removesuffix(": ")
                await self._refuse_hopeless(error)
            else:
                if answer.status_code < 300:
                    return answer
                if answer.has_redirect_location:
                    # Not followed: the key is for the address that was given.
                    where = answer.headers["location"]
                    raise ServerUnavailable(f"{address} leads elsewhere, to {where}; give the address that it leads to")
                problem = _problem(answer)
                if problem.type == "segue:under-way":  # by an earlier try, whose answer this one will have
                    await asyncio.sleep(PAUSE)
                    continue
                if problem.type == ALIEN and answer.status_code == 400:
                    await self._refuse_plain()
                if answer.status_code < 500:
                    raise ServerRefused(problem.detail, type=problem.type, status=problem.status, path=problem.path)
                why = problem.detail
            tries += 1
            if tries < TRIES:
                await asyncio.sleep(PAUSE * 2 ** (tries - 1))
        raise ServerUnavailable(f"{address} was asked {TRIES} times in vain ({why}); see whether the server is well")

    async def _refuse_hopeless(self, error: Exception) -> None:
        """Raises ServerUnavailable where it would be the same with every further try."""
        if (told := secured.refused(self.url, error)) is not None:
            raise ServerUnavailable(told) from error
        if isinstance(error, (httpx.ReadError, httpx.RemoteProtocolError)):
            await self._refuse_plain()
        broken = isinstance(error, (httpx.ReadError, httpx.WriteError)) and self.url.startswith("https://")
        if broken and await secured.demands_certificate(self.url):
            raise ServerUnavailable(secured.without_certificate(self.url)) from error

    async def _refuse_plain(self) -> None:
        """Raises ServerUnavailable where plain HTTP has met with TLS."""
        if self.url.startswith("http://") and await secured.speaks_tls(self.url):
            raise ServerUnavailable(secured.with_tls(self.url))

    # --- what is asked most -----------------------------------------------------------------------------------

    async def start(
        self, workflow: str, *input: Any, id: str | None = None, tags: dict[str, str] | None = None, wait: float = 0
    ) -> StartedRun:
        """Starts a run; acknowledged once it is on disk.

        Args:
            wait: seconds for which its end is waited for, 60 at most; then it has its result, its failure or the
                incident on which it stands still. How it ended is no error here.
        """
        body = acting.StartBody(workflow, list(input), id, tags=tags or {})
        return await self.ask(acting.start_run, query=StartQuery(wait), body=body)

    async def list(self, **where: Any) -> runs.RunPage:
        """A page of runs; ``where`` are the fields of ``RunQuery``."""
        return await self.ask(runs.list_runs, query=runs.RunQuery(**where))

    async def show(self, run: int) -> runs.RunPicture:
        """One run whole."""
        return await self.ask(runs.show_run, run=run)

    async def find(self, id: str) -> RunView | None:
        """The current run of an id."""
        page = await self.list(id=id, limit=runs.MOST)
        return next((run for run in page.runs if run.id == id), None)

    async def signal(self, run: int, name: str, value: Any = None) -> None:
        await self.ask(acting.signal_run, run=run, body=acting.SignalBody(name, value))

    async def query(self, run: int, name: str, *arguments: Any) -> Any:
        """The answer to a query."""
        return (await self.ask(acting.query_run, run=run, body=acting.CallBody(name, list(arguments)))).value

    async def update(self, run: int, name: str, *arguments: Any) -> Any:
        """The answer to an update."""
        return (await self.ask(acting.update_run, run=run, body=acting.CallBody(name, list(arguments)))).value

    async def cancel(self, run: int, reason: str = "") -> None:
        await self.ask(acting.cancel_run, run=run, body=acting.ReasonBody(reason))

    async def terminate(self, run: int, reason: str = "") -> None:
        await self.ask(acting.terminate_run, run=run, body=acting.ReasonBody(reason))

    async def pause(self, run: int, reason: str = "") -> None:
        await self.ask(repairs.pause_run, run=run, body=acting.ReasonBody(reason))

    async def resume(self, run: int) -> None:
        await self.ask(repairs.resume_run, run=run, body=repairs.Bare())

    async def retry(self, run: int, key: str | None = None) -> None:
        await self.ask(acting.retry_run, run=run, body=acting.RetryBody(key))

    # --- following --------------------------------------------------------------------------------------------

    async def events(self, run: int, *, after: int = 0) -> AsyncIterator[EventView]:
        """A run's events as they come to be on disk, until it ends; a connection that is lost is made again behind the
        last one that came.

        Raises:
            ServerRefused, ServerUnavailable: as ``ask``.
        """
        failed = 0
        while True:
            try:
                async for name, data in self._streamed(f"{self._base}/runs/{run}/live", after):
                    failed = 0
                    if name == "end":
                        return
                    if name == "problem":
                        problem = msgspec.json.decode(data, type=Problem)
                        raise ServerRefused(problem.detail, type=problem.type, status=problem.status)
                    if name == "recorded":
                        event = msgspec.json.decode(data, type=EventView)
                        after = event.seq
                        yield event
            except _BROKEN as error:
                await self._refuse_hopeless(error)
                failed += 1
                if failed == TRIES:
                    raise ServerUnavailable(f"the events of run {run} ended with {error!r}; follow it again") from error
            await asyncio.sleep(PAUSE)

    async def _streamed(self, address: str, after: int) -> AsyncIterator[tuple[str, bytes]]:
        headers = self._headers | {"last-event-id": str(after)}
        timeout = httpx.Timeout(PATIENCE, read=2 * PATIENCE)
        named = httpx.QueryParams(tuple(self._named))
        async with self._http.stream("GET", address, params=named, headers=headers, timeout=timeout) as answer:
            if answer.status_code >= 400:
                await answer.aread()
                problem = _problem(answer)
                raise ServerRefused(problem.detail, type=problem.type, status=problem.status)
            name = ""
            async for line in answer.aiter_lines():
                field, _, value = line.partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    yield name, value.encode()


def _address(base: str, route: Route, path: dict[str, Any]) -> str:
    return base + _VARYING.sub(lambda found: quote(str(path[found[1]]), safe=""), route.path)


def _pairs(query: Any) -> list[tuple[str, str]]:
    """What differs from the defaults, as it stands in an address."""
    if query is None:
        return []
    pairs = []
    for field in msgspec.structs.fields(query):
        value = getattr(query, field.name)
        if value is None or value == field.default:
            continue
        pairs += [(field.name, str(each)) for each in (value if isinstance(value, list) else [value])]
    return pairs


def _problem(answer: httpx.Response) -> Problem:
    if answer.headers.get("content-type", "").startswith(MEDIA_TYPE):
        try:
            return msgspec.json.decode(answer.content, type=Problem)
        except msgspec.MsgspecError:
            pass
    # Something between here and the server has answered.
    text = " ".join(answer.text[:200].split())
    said = f"HTTP {answer.status_code}, and not as a server of segue does" + (f" ({text})" if text else "")
    where = answer.url.copy_with(query=None)
    return Problem(ALIEN, "HTTP", answer.status_code, f"{where} answered with {said}; is the address right?")
