"""What the user decided about indexes and the network."""

from __future__ import annotations

from dataclasses import field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name

from lockset._dataclass import dataclass
from lockset.errors import LocksetError
from lockset.index.credentials import redact
from lockset.option_values import check_options, check_range

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DEFAULT_INDEX", "IndexOptions", "IndexSource", "location_url", "same_index"]

# The public index, asked where nothing else is said. The only place that names it.
DEFAULT_INDEX = "https://pypi.org/simple/"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSource:
    """One place with distribution files.

    Attributes:
        url: http(s) or file URL; may hold credentials, which are never shown.
        name: How pins and environment variables call it.
        flat: A folder or page of files of any project (find-links); otherwise one page per project (PEP 503).
        explicit: Asked only for projects pinned to it.
    """

    url: str
    name: str | None = None
    flat: bool = False
    explicit: bool = False

    def __post_init__(self) -> None:
        check_options(self)

    @property
    def is_local(self) -> bool:
        """Whether it is read from disk."""
        return self.url.startswith("file:")


@cache
def _location(url: str, *, flat: bool = False) -> IndexSource:
    """A place without a name: one object for all projects that are looked for there."""
    return IndexSource(url=url, flat=flat)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexOptions:
    """All that a run's network needs to know; values only.

    Attributes:
        index_url: The default index; asked after the further ones.
        index_name: How environment variables with credentials call it.
        indexes: Further indexes, asked in order before the default one.
        find_links: Flat places; what they have is joined with the answer of the indexes, and preferred on equal names.
        no_index: Only `find_links` and pinned indexes.
        pins: Normalised project name to the name of the only index asked for it.
        strategy: `first-index`: the first index that has a project answers alone, so that nobody can slip in a newer
            version elsewhere. `unsafe-best-match`: all answers are joined.
        offline: Only what is stored or local; nothing goes over the network.
        refresh: Stored answers are asked about again, however fresh.
        max_age: Seconds a stored page counts as fresh, whatever the index said; None: as the index said.
        connections: Requests under way at once.
        connect_timeout: Seconds.
        read_timeout: Seconds of silence.
        retries: Further attempts after the first.
        retry_after_cap: Longest wait in seconds that a server may ask for.
        minimum_rate: Bytes a second below which a transfer is given up, measured over `rate_window` seconds.
        rate_window: See `minimum_rate`.
        insecure_hosts: Hosts (`host` or `host:port`) whose certificates are not checked.
        cert: File or folder of CA certificates; None: as SSL_CERT_FILE and SSL_CERT_DIR say, else the usual ones.
        client_cert: File with a certificate and its private key (PEM), for servers that ask who comes.
        proxy: URL of the proxy for everything; None: as the environment says.
        keyring: Ask the `keyring` command or package where a server wants credentials.
    """

    index_url: str = DEFAULT_INDEX
    index_name: str | None = None
    indexes: tuple[IndexSource, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    pins: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    strategy: Literal["first-index", "unsafe-best-match"] = "first-index"
    offline: bool = False
    refresh: bool = False
    max_age: float | None = None
    connections: int = 20
    connect_timeout: float = 10.0
    read_timeout: float = 15.0
    retries: int = 3
    retry_after_cap: float = 60.0
    minimum_rate: float = 1_000.0
    rate_window: float = 20.0
    insecure_hosts: frozenset[str] = frozenset()
    cert: str | None = None
    client_cert: str | None = None
    proxy: str | None = None
    keyring: bool = False

    def __post_init__(self) -> None:
        check_options(self)
        check_range(self, "connections", least=1)
        check_range(self, "connect_timeout", "read_timeout", "rate_window", least=0, above=True)
        check_range(self, "retries", "retry_after_cap", "minimum_rate", "max_age", least=0)
        object.__setattr__(
            self, "pins", MappingProxyType({canonicalize_name(project): index for project, index in self.pins.items()})
        )
        known = {source.name for source in self.indexes}
        for project, index in self.pins.items():
            if index not in known:
                raise LocksetError(
                    "index-unknown",
                    f"`{project}` is pinned to index `{index}`, and no index has that name",
                    hint="Give the index a name, or correct the pin",
                )

    def sources(self) -> tuple[IndexSource, ...]:
        """All indexes in the order of asking, the default one last; flat places not among them."""
        default = () if self.no_index else (_location(self.index_url),)
        further = tuple(s for s in self.indexes if not self.no_index or s.explicit or s.name in self.pins.values())
        return (*further, *default)

    def flat_sources(self) -> tuple[IndexSource, ...]:
        """The flat places, in order."""
        return tuple(_location(url, flat=True) for url in self.find_links)


def location_url(text: str, *, base: Path) -> str:
    """What a user wrote as an index or a find-links place, as a URL: paths are relative to `base`."""
    scheme, colon, _ = text.partition(":")
    if colon and scheme.lower() in {"http", "https", "file"}:
        try:
            urlsplit(text)
            text.encode()
        except ValueError as error:
            raise LocksetError(
                "index-location", f"`{redact(text)}` is no URL: {str(error)[:200]}", hint="Correct the address"
            ) from error
        return text
    if "://" in text:
        raise LocksetError(
            "index-location", f"`{text}` is neither an http(s) or file URL nor a path", hint="Use https://, or a path"
        )
    return Path(base, Path(text).expanduser()).resolve().as_uri()


def same_index(one: str, other: str) -> bool:
    """Whether two addresses name one index."""
    return one.rstrip("/") == other.rstrip("/")
