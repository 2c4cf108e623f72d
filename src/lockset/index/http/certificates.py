"""TLS contexts: the CA certificates to trust, and the client certificate to present."""

from __future__ import annotations

import os
import ssl
import stat
import threading
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.index.credentials import redact
from lockset.index.http.auth import environment_certificates, unread_certificates

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SYSTEM_BUNDLES", "Contexts", "certificate_error", "certificate_source", "system_context"]

# Files with all trusted certificates of a system: Debian, Alpine, Fedora, openSUSE, older Fedora.
SYSTEM_BUNDLES: tuple[str, ...] = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/cert.pem",
    "/etc/pki/tls/cert.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
)


class Contexts:
    """The TLS contexts of a run, each created once; safe to use from several threads.

    `cert` and `client_cert` are files as in `lockset.index.options.IndexOptions`.
    """

    def __init__(self, cert: str | None, client_cert: str | None) -> None:
        self._cert = cert
        self._client_cert = client_cert
        self._lock = threading.Lock()
        self._made: dict[bool, ssl.SSLContext] = {}

    def of(self, *, verified: bool) -> ssl.SSLContext:
        """A context that verifies certificates and presents the client certificate, or one that does not verify.

        Certificates are verified against `cert`, else the files of SSL_CERT_FILE and SSL_CERT_DIR, else those that the
        system trusts (with truststore if it is installed), else certifi's.

        Raises:
            LocksetError: `certificate-file` if one of the files cannot be read.
        """
        with self._lock:
            if verified not in self._made:
                self._made[verified] = _trusting(self._cert, self._client_cert) if verified else _unverified()
            return self._made[verified]


def _trusting(cert: str | None, client_cert: str | None) -> ssl.SSLContext:
    context = _trusted(cert)
    if client_cert is not None:
        try:
            _check_regular(client_cert)
            # OpenSSL would ask the terminal for the password of a key.
            context.load_cert_chain(client_cert, password="")
        except (OSError, ssl.SSLError) as error:
            raise LocksetError(
                "certificate-file",
                f"The client certificate cannot be used: {error}",
                location=client_cert,
                hint="Give one PEM file that holds the certificate and its private key, without a password",
            ) from error
    return context


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _trusted(cert: str | None) -> ssl.SSLContext:
    if cert is not None:
        try:
            return _of(cert if not Path(cert).is_dir() else None, cert if Path(cert).is_dir() else None)
        except (OSError, ssl.SSLError) as error:
            raise LocksetError(
                "certificate-file", f"The CA certificates cannot be read: {error}", location=cert
            ) from error
    named = environment_certificates()
    try:
        if named is not None:
            return _of(*named)
        return _usual()
    except (OSError, ssl.SSLError) as error:
        raise LocksetError(
            "certificate-file", f"The CA certificates named by SSL_CERT_FILE or SSL_CERT_DIR cannot be read: {error}"
        ) from error


def _check_regular(path: str) -> None:
    """Raise OSError if `path` is a pipe or a device, from which OpenSSL would read without end."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError("it is not a regular file")


def _of(file: str | None, folder: str | None) -> ssl.SSLContext:
    if file is not None:
        _check_regular(file)
    return ssl.create_default_context(cafile=file, capath=folder)


def _usual() -> ssl.SSLContext:
    try:
        context: ssl.SSLContext = import_module("truststore").SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    except ImportError:
        pass  # an optional extra
    else:
        return context
    return system_context(ssl.create_default_context(), ssl.get_default_verify_paths().capath, SYSTEM_BUNDLES)


def system_context(default: ssl.SSLContext, folder: str | None, bundles: Sequence[str]) -> ssl.SSLContext:
    """The context with the system's certificates, or with certifi's if the system has none.

    Args:
        default: A context of OpenSSL's default paths, or of the certificate store of Windows.
        folder: OpenSSL's default folder of certificates, from which `default` loads nothing in advance.
        bundles: Files of certificates to try if `default` has none: an OpenSSL that is not the system's own
            (python.org's, conda's) looks in folders that nothing fills.
    """
    if default.cert_store_stats()["x509_ca"] or _holds_files(folder):
        return default
    for bundle in bundles:
        if Path(bundle).is_file():
            return _of(bundle, None)
    try:
        return _of(import_module("certifi").where(), None)
    except ImportError:
        return default


def _holds_files(folder: str | None) -> bool:
    """Whether `folder` has any entry: OpenSSL reads such a folder only when it looks for one certificate."""
    if folder is None:
        return False
    try:
        with os.scandir(folder) as entries:
            return any(entries)
    except OSError:
        return False


def certificate_source(cert: str | None) -> str:
    """Where the trusted CA certificates come from, in words; empty if there are none. See `Contexts.of`."""
    if cert is not None:
        return f"{cert} (--cert)"
    named = environment_certificates()
    if named is not None:
        return f"{named[0]} (SSL_CERT_FILE)" if named[0] else f"{named[1]} (SSL_CERT_DIR)"
    try:
        import_module("truststore")
    except ImportError:
        pass  # an optional extra
    else:
        return "the system, by truststore"
    return _source_without_truststore()


def _source_without_truststore() -> str:
    paths = ssl.get_default_verify_paths()
    if ssl.create_default_context().cert_store_stats()["x509_ca"] or _holds_files(paths.capath):
        return str(paths.cafile or paths.capath or "the system")
    bundle = next((bundle for bundle in SYSTEM_BUNDLES if Path(bundle).is_file()), None)
    if bundle is not None:
        return bundle
    try:
        return f"certifi, {import_module('certifi').where()}"
    except ImportError:
        return ""


def certificate_error(url: str, why: str) -> LocksetError:
    """The error for a server certificate that cannot be verified."""
    return LocksetError(
        "certificate-refused",
        "The server's certificate cannot be verified",
        location=redact(url),
        context=(why,),
        hint=_hint(),
    )


def _hint() -> str:
    unread = unread_certificates()
    if unread is not None:
        return f"lockset does not read {unread}: pass its CA certificates with --cert or SSL_CERT_FILE"
    return (
        "If a proxy or a private server uses certificates of its own, pass its CA certificates with --cert or "
        "SSL_CERT_FILE; pip may have them as `cert` in `pip config list`"
    )
