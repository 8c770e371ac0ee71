"""Where a house is served: the address to listen on, the names in browsers, the certificate.

Off this computer's own loopback address everything goes through TLS: without a certificate a
browser has no key to sign with (WebCrypto wants a secure page), and anybody on the way could
change the page that signs.
"""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gen.disk.reading import CERTIFICATES, read
from gen.errors import HouseError, SettingError

LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - with a certificate alone
_HTTPS_PORT = 443


@dataclass(frozen=True, slots=True)
class Address:
    """Where a house is served.

    Attributes:
        listen: IP address.
        names: what browsers call it, without a port.
        certificate: PEM file with the certificate and those that vouch for it; None on loopback.
        key: PEM file with the certificate's key.
    """

    listen: str
    names: tuple[str, ...]
    certificate: Path | None = None
    key: Path | None = None

    @property
    def scheme(self) -> str:
        return "https" if self.certificate else "http"

    def origins(self, port: int) -> frozenset[str]:
        """The addresses that browsers show, as in "https://studio.example:8400"."""
        end = "" if self.certificate and port == _HTTPS_PORT else f":{port}"
        return frozenset(f"{self.scheme}://{name}{end}" for name in self.names)


def address_of(
    listen: str | None, names: tuple[str, ...], certificate: Path | None, key: Path | None
) -> Address:
    """What the options of `studio.py --serve` amount to.

    Args:
        listen: IP address; None takes every address with a certificate, else loopback.
        names: what browsers call it; none takes those in the certificate.
        certificate: PEM file.
        key: PEM file of its key.

    Raises:
        HouseError: an address beyond loopback without a certificate, or files that do not fit.
    """
    if (certificate is None) != (key is None):
        raise SettingError(
            "a certificate and its key go together",
            mend="--certificate FILE --certificate-key FILE",
        )
    listen = listen or (EVERYWHERE if certificate else LOOPBACK)
    try:
        is_loopback = ipaddress.ip_address(listen).is_loopback
    except ValueError as error:
        raise SettingError(f"{listen!r} is no IP address", mend="--listen 192.168.1.20") from error
    if certificate is None or key is None:
        if not is_loopback:
            raise SettingError(
                f"{listen} is reached from other computers, and there is no certificate",
                mend="name the house's: --certificate FILE --certificate-key FILE; "
                "without one the studio stays on this computer",
            )
        return Address(listen, names or (_bracketed(listen), "localhost"))
    found = names or _names_in(certificate)
    _check_pair(certificate, key)
    return Address(listen, found, certificate, key)


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _names_in(certificate: Path) -> tuple[str, ...]:
    from cryptography import x509

    data = read(certificate, CERTIFICATES)
    try:
        found = x509.load_pem_x509_certificate(data)
    except ValueError as error:
        raise HouseError(
            f"no certificate can be read: {error}", where=str(certificate), mend=CERTIFICATES.mend
        ) from error
    if found.not_valid_after_utc < datetime.now(UTC):
        raise HouseError(
            f"the certificate ended on {found.not_valid_after_utc:%Y-%m-%d}",
            where=str(certificate), mend="renew it",
        )  # fmt: skip
    try:
        kinds = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        kinds = x509.SubjectAlternativeName([])
    names = kinds.get_values_for_type(x509.DNSName)
    numbers = [_bracketed(str(one)) for one in kinds.get_values_for_type(x509.IPAddress)]
    plain = tuple(name for name in (*names, *numbers) if "*" not in name)
    if not plain:
        raise HouseError(
            "the certificate names no address in full", where=str(certificate),
            mend="say how browsers reach it: --name studio.example",
        )  # fmt: skip
    return plain


def _check_pair(certificate: Path, key: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for path in (certificate, key):
        read(path, CERTIFICATES)  # OpenSSL would wait for a pipe, and read a device without end
    try:
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except (OSError, ssl.SSLError) as error:
        raise HouseError(
            f"certificate and key cannot be used ({error})", where=f"{certificate}, {key}",
            mend="give PEM files that belong together, the key without a passphrase",
        ) from error  # fmt: skip
