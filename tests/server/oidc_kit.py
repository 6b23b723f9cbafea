"""A small OpenID provider on this machine: honest, unless a test has it lie."""

from __future__ import annotations

import json
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from segue.server.listening import listen
from segue.server.oidc import OidcSettings, challenge

SECRET = "the client's secret: 50% of it"
ROLES: Any = {"admins": {"*": "admin"}, "team": {"default": "operator"}, "guests": {"default": "viewer"}}


class OpenId:
    """The provider.

    Attributes:
        keys: that it signs with; the last one is in use.
        makes: makes an id_token of claims. says: changes of what it says of itself.
        asked: how often each of its places was asked.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self.keys: list[Any] = [RSAKey.generate_key(2048, {"kid": "1"})]
        self.makes: Callable[[dict[str, Any]], str] = self.signed
        self.says: dict[str, Any] = {}
        self.asked: dict[str, int] = {}
        self.redirects = False
        self._codes: dict[str, dict[str, Any]] = {}
        places = [
            Route("/.well-known/openid-configuration", self._describe), Route("/keys", self._keys),
            Route("/token", self._token, methods=["POST"]),
        ]  # fmt: skip
        self.listening = listen(Starlette(routes=places), port=0)
        self.issuer = self.listening.url

    def settings(self, **more: Any) -> OidcSettings:
        given = {
            "issuer": self.issuer, "url": "https://segue.example", "client_id": "segue", "client_secret": SECRET,
            "name": "Example <b>", "roles": ROLES,
        }  # fmt: skip
        return OidcSettings(**{**given, **more})

    def signed(self, claims: dict[str, Any]) -> str:
        key = self.keys[-1]
        algorithm = "RS256" if isinstance(key, RSAKey) else "ES256"
        return jwt.encode({"alg": algorithm, "kid": key.kid}, claims, key)

    def unsigned(self, claims: dict[str, Any]) -> str:
        parts = [json.dumps(each).encode() for each in ({"alg": "none", "kid": "1"}, claims)]
        return ".".join([*(urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts), ""])

    def symmetric(self, claims: dict[str, Any]) -> str:
        """Signed with what everybody can read: the public key, taken for a secret."""
        public = self.keys[-1].as_pem(private=False)
        return jwt.encode({"alg": "HS256", "kid": "1"}, claims, OctKey.import_key(public), algorithms=["HS256"])

    def rotate(self) -> None:
        self.keys = [ECKey.generate_key("P-256", {"kid": str(len(self.keys) + 1) + "-new"})]

    def log_in(self, address: str, **claims: Any) -> dict[str, str]:
        """Somebody is sent to ``address``, and logs in; what they come back with."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code, now = f"code-{len(self._codes)}", self._now() // 1_000_000
        said = {
            "iss": self.issuer, "aud": asked["client_id"], "sub": "248289", "nonce": asked["nonce"], "iat": now,
            "exp": now + 300, "preferred_username": "ann", "groups": ["team"], **claims,
        }  # fmt: skip
        self._codes[code] = {
            "asked": asked,
            "claims": {name: value for name, value in said.items() if value is not None},
        }
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def _count(self, place: str) -> None:
        self.asked[place] = self.asked.get(place, 0) + 1

    async def _describe(self, request: Request) -> Response:
        self._count("describe")
        places = {name: f"{self.issuer}/{path}" for name, path in (
            ("authorization_endpoint", "authorize"), ("token_endpoint", "token"), ("jwks_uri", "keys"),
        )}  # fmt: skip
        return JSONResponse({"issuer": self.issuer, **places, **self.says})

    async def _keys(self, request: Request) -> Response:
        self._count("keys")
        return JSONResponse(KeySet(self.keys).as_dict(private=False))

    async def _token(self, request: Request) -> Response:
        self._count("token")
        if self.redirects:
            return RedirectResponse(f"{self.issuer}/elsewhere", 307)
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        kind, _, pair = request.headers.get("authorization", "").partition(" ")
        client, _, secret = b64decode(pair).decode().partition(":")
        granted = self._codes.pop(form.get("code", ""), None)  # a code is good for one time
        right = (
            granted is not None
            and (kind, unquote_plus(client), unquote_plus(secret)) == ("Basic", "segue", SECRET)
            and form["redirect_uri"] == granted["asked"]["redirect_uri"] == "https://segue.example/login/oidc/callback"
            and challenge(form["code_verifier"]) == granted["asked"]["code_challenge"]
        )
        if not right or granted is None:
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse({"id_token": self.makes(granted["claims"]), "access_token": "x", "token_type": "Bearer"})
