"""An OpenID provider as the server sees it: where it is asked, and whether what it says of somebody is genuine.

OpenID Connect Core 1.0 (code flow), with PKCE (RFC 7636) and the issuer in the answer (RFC 9207). Nothing that a
provider says is believed before its signature, issuer, audience, time and nonce have been checked (section 3.1.3.7).
"""

from __future__ import annotations

import hmac
import ssl
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx2 as httpx
import msgspec
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from segue.errors import InvalidArgument
from segue.runtime.beside import beside
from segue.secrets.variables import resolved
from segue.server.accounts import Role
from segue.server.problems import Refused

PATIENCE = 10.0
"""Seconds for one question to the provider."""
LARGEST = 1_000_000
"""Bytes of an answer."""
FRESH = 3_600_000_000
"""µs for which what the provider says of itself, and its keys, are good."""
AGAIN = 10_000_000
"""µs after which keys are asked for anew because a token names one that is not known: a provider changes its keys."""
LEEWAY = 60
"""Seconds by which its clock may differ from ours."""
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Signatures by a key of the provider's alone: no ``none``, and nothing that a client's secret could make."""


class OidcSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A provider at which people log in.

    Attributes:
        issuer: its address, exactly as it calls itself. url: the server's own, as browsers know it.
        client_id, client_secret: what it knows the server by; ``$NAME`` is what the environment variable holds.
            Without a secret the server is a public client.
        name: what the button calls it. scopes: what is asked for.
        username: the claim that a new account is named by. claim: the one that roles follow from.
        roles: role by namespace, for each value of that claim.
    """

    issuer: str
    url: str
    client_id: str
    client_secret: str = ""
    name: str = "your organisation"
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    username: str = "preferred_username"
    claim: str = "groups"
    roles: dict[str, dict[str, Role]] = {}

    def __post_init__(self) -> None:
        for what in ("issuer", "url"):
            if not secure(getattr(self, what)):
                raise InvalidArgument(f"oidc: {what} is https://…; http:// is for this machine only", path="oidc")
        if "openid" not in self.scopes or not self.client_id:
            raise InvalidArgument("oidc: there has to be a client_id, and openid among the scopes", path="oidc")

    @property
    def callback(self) -> str:
        """Where the provider sends people back to."""
        return f"{self.url.rstrip('/')}/login/oidc/callback"


def secure(address: Any) -> bool:
    """Whether what is said to an address stays between it and us."""
    try:
        parts = urlsplit(address)
    except (ValueError, AttributeError):
        return False
    here = parts.hostname in ("localhost", "127.0.0.1", "::1")
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and here))


class Provider:
    """Asks a provider, and checks what it says.

    Args:
        now: the time in µs.
    """

    def __init__(self, settings: OidcSettings, now: Callable[[], int]) -> None:
        self.settings = settings
        self._now = now
        self._places: dict[str, str] = {}
        self._places_at = 0
        self._keys: KeySet | None = None
        self._keys_at = 0

    async def address(self, state: str, nonce: str, verifier: str) -> str:
        """Where somebody logs in. Raises ``Refused``: the provider cannot be asked."""
        asked = {
            "response_type": "code", "client_id": self.settings.client_id, "redirect_uri": self.settings.callback,
            "scope": " ".join(self.settings.scopes), "state": state, "nonce": nonce,
            "code_challenge": challenge(verifier), "code_challenge_method": "S256",
        }  # fmt: skip
        place = (await self._known_places())["authorization_endpoint"]
        return f"{place}{'&' if urlsplit(place).query else '?'}{urlencode(asked)}"

    async def claims(self, code: str, nonce: str, verifier: str) -> dict[str, Any]:
        """What the provider says of whoever brought the code. Raises ``Refused``: nothing that can be believed."""
        settings = self.settings
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": settings.callback,
            "client_id": settings.client_id, "code_verifier": verifier,
        }  # fmt: skip
        headers = {}
        if settings.client_secret:
            pair = f"{quote_plus(settings.client_id)}:{quote_plus(resolved(settings.client_secret))}"
            headers["authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        place = (await self._known_places())["token_endpoint"]
        answer = await self._ask("POST", place, content=urlencode(form).encode(), headers={
            **headers, "content-type": "application/x-www-form-urlencoded",
        })  # fmt: skip
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise _unbelievable("it gave no id_token")
        found = await self._verified(token)
        self._check(found, nonce)
        return found

    async def _verified(self, token: str) -> dict[str, Any]:
        for attempt in (1, 2):
            keys = await self._known_keys(again=attempt == 2)
            try:
                return dict(jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims)
            except InvalidKeyIdError as error:
                if attempt == 2:
                    raise _unbelievable("its token is signed with a key that it does not have") from error
            except (JoseError, ValueError) as error:
                raise _unbelievable(f"its token is not valid ({type(error).__name__})") from error
        raise AssertionError("the second try raises or returns")

    def _check(self, claims: dict[str, Any], nonce: str) -> None:
        now = self._now() // 1_000_000
        audience = claims.get("aud")
        everybody = audience if isinstance(audience, list) else [audience]
        ours = self.settings.client_id
        until, made, since = (_time(claims.get(name)) for name in ("exp", "iat", "nbf"))
        subject = claims.get("sub")
        wrong = {
            "its token is another issuer's": claims.get("iss") != self.settings.issuer,
            "its token is for somebody else": ours not in everybody
            or (len(everybody) > 1 and claims.get("azp") != ours)
            or claims.get("azp", ours) != ours,
            "its token has expired": until is None or until <= now - LEEWAY,
            "its token is not valid yet": made is None or max(made, since or 0.0) > now + LEEWAY,
            "its token belongs to another login": not _same(claims.get("nonce"), nonce),
            "its token says of nobody": not isinstance(subject, str) or not 0 < len(subject) <= 255,
        }
        for what, is_so in wrong.items():
            if is_so:
                raise _unbelievable(what)

    async def _known_places(self) -> dict[str, str]:
        if not self._places or self._now() - self._places_at > FRESH:
            issuer = self.settings.issuer
            found = await self._ask("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != issuer:
                raise _unbelievable("it calls itself otherwise than the settings do")
            places = {name: found.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
            if not all(map(secure, places.values())):
                raise _unbelievable("it names no secure addresses")
            self._places, self._places_at = {name: str(place) for name, place in places.items()}, self._now()
        return self._places

    async def _known_keys(self, *, again: bool) -> KeySet:
        age = self._now() - self._keys_at
        if self._keys is None or age > FRESH or (again and age >= AGAIN):
            found = await self._ask("GET", (await self._known_places())["jwks_uri"])
            given = found.get("keys")
            usable = [
                key for key in (given if isinstance(given, list) else ())
                if isinstance(key, dict) and key.get("kty") in ("RSA", "EC", "OKP") and key.get("use", "sig") == "sig"
            ]  # fmt: skip
            try:
                self._keys, self._keys_at = KeySet.import_key_set({"keys": usable}), self._now()
            except (JoseError, ValueError, TypeError, KeyError) as error:
                raise _unbelievable("its keys cannot be read") from error
        return self._keys

    async def _ask(self, method: str, address: str, **more: Any) -> dict[str, Any]:
        try:
            # Redirects are not followed: a secret goes to the address that was named.
            trust = await beside(ssl.create_default_context)
            async with (
                httpx.AsyncClient(verify=trust, timeout=PATIENCE) as client,
                client.stream(method, address, **more) as answer,
            ):
                body = b""
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > LARGEST:
                        raise _unbelievable("its answer is too large")
            found = msgspec.json.decode(body) if answer.status_code == 200 else None
        except (httpx.HTTPError, msgspec.DecodeError) as error:
            raise _unbelievable(f"it cannot be asked ({type(error).__name__})") from error
        except ssl.SSLError as error:  # an alert that comes behind the handshake comes as it is
            raise _unbelievable(f"it cannot be asked ({error.reason or type(error).__name__})") from error
        if not isinstance(found, dict):
            raise _unbelievable(f"it answered with {answer.status_code}")
        return found


def challenge(verifier: str) -> str:
    """What is shown of a verifier before it is told (RFC 7636, section 4.2)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _time(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _same(value: Any, expected: str) -> bool:
    return isinstance(value, str) and hmac.compare_digest(value.encode(), expected.encode())


def _unbelievable(why: str) -> Refused:
    return Refused(502, "provider", "The provider", f"you cannot be logged in there just now: {why}")
