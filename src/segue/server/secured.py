"""Why a connection to a server will not come about however often it is tried: certificates that are not trusted, TLS
that cannot be agreed upon, and TLS on one side only."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

PATIENCE = 3.0
"""Seconds for a server to show whether it speaks TLS."""
DEMANDS_WITHIN = 1.0
"""Seconds for a server to say that it demands a certificate; one that does not says nothing."""

_NONE = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST")
"""What is said of an answer to the beginning of TLS that is none, by releases of OpenSSL."""
_OVER, _OTHER_HOST = 10, (62, 64)
"""Codes of OpenSSL: the certificate has expired; it is for another host, or another address."""


def refused(url: str, error: Exception) -> str | None:
    """What to tell of an error that comes again with every try; None if it may pass."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate of {url} is not trusted: {_said(cause)}; {_advice(cause)}"
        if isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)):
            return None  # the connection was lost
        if isinstance(cause, ssl.SSLError) and cause.reason in _NONE:
            plain = url.replace("https://", "http://", 1)
            return (
                f"{url} answers without TLS; it is asked so at {plain}, which is for this machine and for networks "
                "that you trust"
            )
        if isinstance(cause, ssl.SSLError) and _demanded(cause):
            return without_certificate(url)
        if isinstance(cause, ssl.SSLError) and "ALERT" in (cause.reason or ""):
            return f"{url} and this machine cannot agree on TLS: {_said(cause)}; see how the server is set up"
    return None


async def speaks_tls(url: str) -> bool:
    """Whether there is TLS where plain HTTP was tried."""
    try:
        async with asyncio.timeout(PATIENCE):
            _, writer = await _connected(url, 80)
    except OSError:  # SSLError and TimeoutError too
        return False
    writer.transport.abort()
    return True


async def demands_certificate(url: str) -> bool:
    """Whether a connection that broke off did so for want of a client certificate. With TLS 1.3 the server says so
    behind the handshake; when it then closes a connection on which a request is coming, what it said may be lost."""
    writer = None
    try:
        async with asyncio.timeout(DEMANDS_WITHIN):
            reader, writer = await _connected(url, 443)
            await reader.read(1)
    except ssl.SSLError as error:
        return _demanded(error)
    except OSError:
        return False
    finally:
        if writer is not None:
            writer.transport.abort()
    return False


async def _connected(url: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is sent, and whoever it is will do
    return await asyncio.open_connection(parts.hostname, parts.port or port, ssl=context)


def with_tls(url: str) -> str:
    """What to tell of a server that speaks TLS where plain HTTP was tried."""
    secured = url.replace("http://", "https://", 1)
    return f"{url} answers with TLS only; ask it at {secured}"


def without_certificate(url: str) -> str:
    """What to tell of a server that lets in only who has a certificate."""
    return (
        f"{url} demands a client certificate, and segue has none to show; ask it at an address that does without one, "
        "or through a proxy that has one"
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _demanded(error: ssl.SSLError) -> bool:
    return "ALERT_CERTIFICATE_REQUIRED" in (error.reason or "")


def _said(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message.rstrip(".")
    return (error.reason or str(error)).replace("_", " ").lower()


def _advice(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code == _OVER:
        return "have it renewed"
    if error.verify_code in _OTHER_HOST:
        return "ask the server under the name that stands in it"
    return "if it is right, name a file with it, or with that of who has signed it, in SSL_CERT_FILE"
