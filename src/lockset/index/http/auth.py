"""Credentials from index URLs, environment variables, netrc and keyring; proxies and certificates of the environment.

Other modules of this package do not read the environment.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lockset.index.credentials import Credentials, Scopes, origin_of, split_credentials

if TYPE_CHECKING:
    import netrc
    from collections.abc import Mapping, Sequence

    from lockset.index.credentials import Scope, UrlOrigin
    from lockset.index.options import IndexSource

__all__ = ["Authenticator", "environment_certificates", "proxy_for", "unread_certificates"]

# Seconds that the keyring command may take; it may have to ask the user to unlock the keyring.
_KEYRING_TIMEOUT = 30.0
# Platforms on which the system has proxy settings of its own.
_ASK_THE_SYSTEM = frozenset({"darwin", "win32", "cygwin"})


class Authenticator:
    """Finds the credentials for a URL. Credentials belong to one index and are sent to no other: see `Scopes`.

    Sources, in order: user info of the index URL, LOCKSET_INDEX_<NAME>_USERNAME and _PASSWORD for a named index, the
    netrc file (NETRC, else `.netrc` in the home folder), and, once a server requires them, the keyring. If a URL has
    only a user name, the password comes from the first of these that has one for this user.
    """

    def __init__(
        self, sources: Sequence[IndexSource] = (), *, environ: Mapping[str, str] | None = None, keyring: bool = False
    ) -> None:
        self._environ = os.environ if environ is None else environ
        self._keyring = keyring
        self._lock = threading.Lock()
        self._known: dict[Scope, Credentials | None] = {}
        self._indexes: dict[Scope, str] = {}
        self._keyring_scopes: set[Scope] = set()
        self._netrc: netrc.netrc | None = None
        self._netrc_read = False
        self._chosen = frozenset(origin_of(source.url) for source in sources)
        own = [(source, self._of_source(source)) for source in sources]
        # A flat location without credentials of its own belongs to the index on its host.
        self.scopes = Scopes(source.url for source, credentials in own if credentials is not None or not source.flat)
        for source, credentials in own:
            scope = self.scopes.of(source.url)
            self._indexes.setdefault(scope, split_credentials(source.url)[0])
            if credentials is not None:
                self._known.setdefault(scope, credentials)

    def _of_source(self, source: IndexSource) -> Credentials | None:
        _, in_url = split_credentials(source.url)
        if in_url is not None and in_url.password:
            return in_url
        if source.name:
            prefix = "LOCKSET_INDEX_" + re.sub(r"[^A-Z0-9]", "_", source.name.upper())
            username, password = self._environ.get(f"{prefix}_USERNAME"), self._environ.get(f"{prefix}_PASSWORD")
            if in_url is None and (username is not None or password is not None):
                return Credentials(username=username or "", password=password or "")
            if in_url is not None and password and username in {None, in_url.username}:
                return Credentials(username=in_url.username, password=password)
        if in_url is not None:
            entry = self._of_netrc(origin_of(source.url))
            return entry if entry is not None and entry.username == in_url.username else in_url
        return None

    def for_scope(self, scope: Scope) -> Credentials | None:
        """Return the credentials to send with the first request, if any."""
        with self._lock:
            if scope not in self._known:
                self._known[scope] = self._of_netrc(scope.origin)
            return self._known[scope]

    def after_refusal(self, scope: Scope, sent: Credentials | None) -> bool:
        """Return whether there are other credentials to try after the server refused those `sent` with status 401.

        From then on `for_scope` returns them. The keyring is queried once per scope, and other threads that were
        refused meanwhile use the same result.
        """
        if not self._keyring:
            return False
        with self._lock:
            if scope not in self._keyring_scopes:
                self._keyring_scopes.add(scope)
                from_keyring = _of_keyring(self._indexes.get(scope), scope.origin, self._known.get(scope))
                if from_keyring is not None:
                    self._known[scope] = from_keyring
            return self._known.get(scope) != sent

    def _of_netrc(self, origin: UrlOrigin) -> Credentials | None:
        """The host's netrc entry; the `default` entry only for indexes of the options, as pages can link anywhere."""
        if not self._netrc_read:
            self._netrc_read = True
            self._netrc = _read_netrc(self._environ.get("NETRC"))
        if self._netrc is None or not (origin.host in self._netrc.hosts or origin in self._chosen):
            return None
        entry = self._netrc.authenticators(origin.host)
        if entry is None:
            return None
        return Credentials(username=entry[0] or "", password=entry[2] or "")


def _read_netrc(named: str | None) -> netrc.netrc | None:
    """Read the netrc file; None if there is none or it cannot be read."""
    try:
        home = Path.home()
    except RuntimeError:
        home = None
    paths = [Path(named)] if named else [home / name for name in (".netrc", "_netrc")] if home else []
    # Not `Path.is_file`, which raises in a home folder that this user may not enter.
    path = next((path for path in paths if os.path.isfile(path)), None)
    if path is None:
        return None
    import netrc

    try:
        return netrc.netrc(str(path))
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError):
        return None


def _of_keyring(index: str | None, origin: UrlOrigin, known: Credentials | None) -> Credentials | None:
    """Query the `keyring` command, since the package may be installed in another environment than lockset.

    The index URL is looked up first, as pip and uv do, then the server.
    """
    import subprocess  # slow to import, and most runs never get here

    username = known.username if known is not None and known.username else "__token__"
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    standard = origin.port in {None, 443 if origin.scheme == "https" else 80}
    server = f"{origin.scheme}://{host}{'' if standard else f':{origin.port}'}/"
    for service in dict.fromkeys((*([index] if index else []), server, origin.host)):
        try:
            answer = subprocess.run(  # a fixed command; service and user come after its `get`
                ["keyring", "get", service, username],  # found on PATH, as the user set it up
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_KEYRING_TIMEOUT,
                check=False,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        if answer.returncode == 0 and answer.stdout.strip():
            return Credentials(username=username, password=answer.stdout.decode("utf-8", "replace").strip("\r\n"))
    return None


def environment_certificates() -> tuple[str | None, str | None] | None:
    """File and folder of CA certificates from SSL_CERT_FILE and SSL_CERT_DIR; None if neither is set."""
    file, folder = (os.environ.get(name) or None for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"))
    if file is not None:
        return file, None
    return None if folder is None else (None, folder)


def unread_certificates() -> str | None:
    """The environment variable with CA certificates that other tools read and lockset does not, for a hint."""
    return next((name for name in ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE") if os.environ.get(name)), None)


def proxy_for(url: str) -> str | None:
    """The proxy that the environment (or the system) sets for `url`."""
    if sys.platform not in _ASK_THE_SYSTEM and not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    import urllib.request  # slow to import, and most environments set no proxy

    parts = urlsplit(url)
    proxies = urllib.request.getproxies()
    proxy = (proxies.get(parts.scheme) or proxies.get("all") or "").strip()
    host = parts.hostname
    if not proxy or not host or urllib.request.proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    if urllib.request.proxy_bypass(host) or _in_network(host, proxies.get("no", "")):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _in_network(host: str, without_proxy: str) -> bool:
    """Whether `host` is an address in one of the networks (`10.0.0.0/8`) of NO_PROXY."""
    networks = [entry.strip() for entry in without_proxy.split(",") if "/" in entry]
    if not networks:
        return False
    import ipaddress

    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False

    def covers(network: str) -> bool:
        try:
            return address in ipaddress.ip_network(network, strict=False)
        except ValueError:  # something else with a slash
            return False

    return any(map(covers, networks))
