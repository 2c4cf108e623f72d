"""Which certificates are trusted, and which is shown."""

from __future__ import annotations

import ssl
from importlib import import_module
from pathlib import Path

from lockset.errors import LocksetError
from lockset.index.credentials import redact
from lockset.index.http.auth import environment_certificates

__all__ = ["certificate_error", "trusting", "unverified"]


def trusting(cert: str | None, client_cert: str | None) -> ssl.SSLContext:
    """A context that checks certificates, and shows that of the user where there is one.

    Against `cert`, else what the environment names, else the system's by truststore if there, else certifi's.

    Raises:
        LocksetError: `certificate-file`: one of the files cannot be read.
    """
    context = _trusted(cert)
    context.set_alpn_protocols(["http/1.1"])
    if client_cert is not None:
        try:
            context.load_cert_chain(client_cert)
        except (OSError, ssl.SSLError) as error:
            raise LocksetError(
                "certificate-file",
                f"The client certificate cannot be used: {error}",
                place=client_cert,
                hint="Give one PEM file that holds the certificate and its private key, without a password",
            ) from error
    return context


def unverified() -> ssl.SSLContext:
    """A context that believes everybody, for hosts that the user named as insecure."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context


def _trusted(cert: str | None) -> ssl.SSLContext:
    if cert is not None:
        try:
            return _of(cert if not Path(cert).is_dir() else None, cert if Path(cert).is_dir() else None)
        except (OSError, ssl.SSLError) as error:
            raise LocksetError(
                "certificate-file", f"The CA certificates cannot be read: {error}", place=cert
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


def _of(file: str | None, folder: str | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=file, capath=folder)


def _usual() -> ssl.SSLContext:
    try:
        context: ssl.SSLContext = import_module("truststore").SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    except ImportError:
        pass  # an optional extra
    else:
        return context
    try:
        return _of(import_module("certifi").where(), None)
    except ImportError:
        return _of(None, None)


def certificate_error(url: str, why: str) -> LocksetError:
    """That the certificate of a server is not believed."""
    return LocksetError(
        "certificate-refused",
        "The server's certificate cannot be verified",
        place=redact(url),
        context=(why,),
        hint="Name the CA certificates with --cert or SSL_CERT_FILE",
    )
