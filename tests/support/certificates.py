"""Certificates for servers on loopback and their clients, made by an authority of this test run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files: the authority, a server on loopback, a client named ``client``. Keys are unencrypted PKCS #8."""

    ca: Path
    server_certificate: Path
    server_key: Path
    client_certificate: Path
    client_key: Path


def make_certificates(folder: Path) -> Certificates:
    """An authority with a certificate for 127.0.0.1 and localhost, and one for a client."""
    authority = trustme.CA()
    ca = folder / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    server = authority.issue_cert("127.0.0.1", "localhost", common_name="localhost")
    client = authority.issue_cert("client@localhost", common_name="client")
    return Certificates(ca, *_written(folder, "server", server), *_written(folder, "client", client))


def _written(folder: Path, name: str, issued: trustme.LeafCert) -> tuple[Path, Path]:
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    private_key = load_pem_private_key(issued.private_key_pem.bytes(), password=None)
    key.write_bytes(private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate, key
