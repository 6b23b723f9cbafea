"""Answers one request: who asks, may they, what do they ask, the handler, and what goes wrong on the way."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from segue.engine import Engine
from segue.server.access import NOBODY, least_role
from segue.server.auditing import note
from segue.server.call import Asked, Call, Follow, Principal, Route
from segue.server.decoding import asked_of, decoded_body, decoded_path, decoded_query, named_namespace, read_body
from segue.server.etags import is_known
from segue.server.live import Sent
from segue.server.logins import Logins
from segue.server.namespaces import Namespaces
from segue.server.once import HEADER, Answered, Repeatable, once, repeatable
from segue.server.problems import MEDIA_TYPE, Problem, Refused, problem_of
from segue.server.staying import while_there

LOOK_AGAIN = 5.0
"""Seconds after which it is asked anew whether somebody may still see a stream that they opened."""
_HOW_TO_BE_KNOWN = "log in, or send an API key; then ask again"
_ONLY_HERE = (
    "without an account this server answers this machine only, by 127.0.0.1 or localhost, and nothing that comes "
    "through a proxy; `segue server` answers others as soon as `segue user add` has made one"
)
_NOT_KEPT = {"cache-control": "no-store"}
_encode = msgspec.json.Encoder().encode


class Answering:
    """The answers of an engine, to those whom ``access`` lets in."""

    def __init__(self, engine: Engine, logins: Logins) -> None:
        self._engine = engine
        self._logins = logins
        self._access = logins.access
        self._namespaces = Namespaces(engine)

    async def answer(self, route: Route, request: Request) -> Response:
        """Whatever a handler raises has an answer too."""
        number, asked = uuid.uuid4().hex[:12], asked_of(request)
        call: Call[Any, Any] | None = None
        who, engine = NOBODY, self._engine
        try:
            asked = msgspec.structs.replace(asked, namespace=named_namespace(request, route))
            who = await self._access.principal(asked) or NOBODY
            engine = await self._led(route, who, asked)
            self._check(route, who, engine)
            call, repeated = await self._call(engine, route, request, asked, who)
            with self._called(asked):
                response = await self._carry_out(route, call, repeated, number)
        except ClientDisconnect:
            raise
        except Exception as error:  # every failure of a handler has an answer
            response = refusal(error, number)
        actor = who.name if call is None else call.actor
        if route.audited and actor:
            await note(
                self._logins.accounts.rows, asked, at=self._engine.clock.now(), namespace=engine.namespace,
                actor=actor, action=route.handler.__name__, outcome=response.status_code, number=number,
            )  # fmt: skip
        if route.then is not None and call is not None and response.status_code < 300:
            follow = route.then(call)
            if follow is not None:
                return await self._go_on(follow, route, call, request, response, number)
        return response

    async def _led(self, route: Route, who: Principal, asked: Asked) -> Engine:
        """The engine within the namespace that is asked for; what is public is of none, and who is not known is led
        nowhere. Raises ``Refused``."""
        if route.needs == "public" or who is NOBODY:
            return self._engine
        return await self._namespaces.engine(who, asked)

    def _check(self, route: Route, who: Principal, engine: Engine) -> None:
        """Raises ``Refused``: they may not."""
        if route.needs in who.may:
            return
        if who is NOBODY:
            raise Refused(
                401, "unknown-caller", "Unknown caller", _HOW_TO_BE_KNOWN if self._access.login else _ONLY_HERE,
                headers={"www-authenticate": "Bearer"},
            )  # fmt: skip
        raise Refused(
            403, "not-allowed", "Not allowed",
            f"{who.name} lacks the permission {route.needs} in namespace {engine.namespace!r}; roles from "
            f"{least_role(route.needs)} on have it, and keys that were made with it",
        )  # fmt: skip

    async def _go_on(
        self, follow: Follow, route: Route, call: Call[Any, Any], request: Request, response: Response, number: str
    ) -> Response:
        """What follows on what was carried out, which is noted and can be repeated by now."""
        try:
            found = await while_there(request, follow(msgspec.json.decode(response.body, type=route.gives)))
        except Exception as error:  # as above
            return refusal(error, number)
        if found is None:
            return response  # which nobody reads
        headers = {name: value for name, value in response.headers.items() if name != "content-length"}
        return Response(_encode(found), call.status or response.status_code, headers)

    def _called(self, asked: Asked) -> AbstractContextManager[None]:
        """What is started or sent meanwhile goes on the trace of whoever asks, if they trace and the engine does."""
        if not (self._engine.traced and "traceparent" in asked.headers):
            return nullcontext()
        from segue.tracing.travelling import called

        return called(asked.headers)

    async def _call(
        self, engine: Engine, route: Route, request: Request, asked: Asked, who: Principal
    ) -> tuple[Call[Any, Any], Repeatable | None]:
        query = decoded_query(route, request)
        data = b"" if route.body is None else await read_body(request)
        body = None if route.body is None else decoded_body(route, data)
        repeated, key = None, asked.headers.get(HEADER)
        if key is not None and route.repeatable:
            repeated = repeatable(
                key, namespace=engine.namespace, actor=who.name, method=asked.method, target=asked.path, body=data,
                codec=engine.journal.codec,
            )  # fmt: skip
        token = "" if repeated is None else repeated.token
        return Call(engine, self._logins, asked, who, decoded_path(request), query, body, token), repeated

    async def _carry_out(
        self, route: Route, call: Call[Any, Any], repeated: Repeatable | None, number: str
    ) -> Response:
        if route.stream:
            return StreamingResponse(
                self._stream(route, call, number), media_type="text/event-stream",
                headers=_NOT_KEPT | {"x-accel-buffering": "no"},
            )  # fmt: skip
        if route.text:
            text = await route.handler(call)
            headers = _NOT_KEPT | {"content-type": text.media_type}
            if isinstance(text.body, bytes):
                return Response(text.body, route.status, headers)
            return StreamingResponse(text.body, route.status, headers)
        if route.version is not None:
            call.etag = route.version(call)
            if call.etag and is_known(call.asked.headers, call.etag):
                return Response(b"", 304, _NOT_KEPT | {"etag": call.etag})
        carry_out = partial(_handled, route, call)
        if repeated is None:
            answered = await carry_out()
        else:
            rows, now = self._logins.accounts.rows, self._engine.clock.now()
            answered = await once(rows, repeated, now, carry_out, self._engine.journal.codec)
        response = Response(answered.body, answered.status, _NOT_KEPT)
        if answered.body:
            response.headers["content-type"] = "application/json"
        if answered.again:
            response.headers["idempotency-replayed"] = "true"
        if call.etag:
            response.headers["etag"] = call.etag
        for cookie in call.cookies:
            response.headers.append("set-cookie", cookie)
        return response

    async def _stream(self, route: Route, call: Call[Any, Any], number: str) -> AsyncIterator[bytes]:
        yield b"retry: 1000\n\n"
        looked = time.monotonic()
        sent: AsyncIterator[Sent] = route.handler(call)
        try:
            async for event, data, id in sent:
                if time.monotonic() - looked > LOOK_AGAIN:
                    who = await self._access.principal(call.asked) or NOBODY
                    self._check(route, who, await self._led(route, who, call.asked))
                    looked = time.monotonic()
                head = b"" if id is None else b"id: %d\n" % id
                yield head + b"event: %b\ndata: %b\n\n" % (event.encode(), _encode(data))
        except Exception as error:  # the headers are out: the stream itself says what went wrong
            yield b"event: problem\ndata: %b\n\n" % _encode(problem_of(error, number))


async def _handled(route: Route, call: Call[Any, Any]) -> Answered:
    answer = await route.handler(call)
    return Answered(route.status, b"" if route.gives is None else _encode(answer))


def refusal(error: Exception, number: str) -> Response:
    """The problem that an error is, as an answer."""
    found = problem_response(problem_of(error, number))
    if isinstance(error, Refused):
        found.headers.update(error.headers)
    return found


def problem_response(problem: Problem) -> Response:
    return Response(_encode(problem), problem.status, dict(_NOT_KEPT), media_type=MEDIA_TYPE)
