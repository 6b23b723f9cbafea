"""Certificates, and a server on this machine that demands one."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import struct
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HERE = "127.0.0.1"


def certify(folder: Path, address: str, days: int) -> None:
    """A key, and a certificate that it has signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=30)).not_valid_after(now + timedelta(days=days))
    for extension in (
        x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]),
        x509.BasicConstraints(ca=True, path_length=None),
    ):
        builder = builder.add_extension(extension, critical=False)
    cert = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    (folder / "cert.pem").write_bytes(cert)
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )  # fmt: skip


class Demanding:
    """A server that lets in only who has a certificate.

    Args:
        folder: has its certificate and key, ``cert.pem`` and ``key.pem``, afterwards.
        lost: to how many connections it says so in vain: they are reset once a request has come.
    """

    def __init__(self, folder: Path, *, lost: int = 0) -> None:
        certify(folder, HERE, 1)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        self._context.load_verify_locations(folder / "cert.pem")
        self._lost = lost
        self._closing = False
        self.connections = 0
        self._listening = socket.create_server((HERE, 0))
        self.url = f"https://{HERE}:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listening.accept()
            if self._closing:
                connection.close()
                return
            self.connections += 1
            loses = self.connections <= self._lost
            self._context.verify_mode = ssl.CERT_NONE if loses else ssl.CERT_REQUIRED
            with (
                self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False) as talk,
                suppress(OSError),
            ):
                if loses:
                    talk.do_handshake()
                    talk.recv(65536)
                    talk.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    continue
                with suppress(ssl.SSLError):
                    talk.do_handshake()
                while socket.socket.recv(talk, 65536):  # so that what was said arrives
                    pass

    def close(self) -> None:
        self._closing = True
        socket.create_connection(self._listening.getsockname()).close()
        self._thread.join()
        self._listening.close()
