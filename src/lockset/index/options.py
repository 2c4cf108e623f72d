"""The user's options for indexes and the network."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from lockset._dataclass import dataclass, field
from lockset.errors import LocksetError
from lockset.index.credentials import redact
from lockset.option_values import check_options, check_range
from lockset.package_names import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "DEFAULT_INDEX",
    "IndexOptions",
    "IndexSource",
    "is_local",
    "location_url",
    "options_of_plain",
    "plain_options",
    "same_index",
    "sources_for",
    "strategy_for",
]

# The public index, which is the default. Its address is written nowhere else.
DEFAULT_INDEX = "https://pypi.org/simple/"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSource:
    """One source of distribution files.

    Attributes:
        url: http(s) or file URL; may contain credentials, which are never shown.
        name: Name for pins and environment variables.
        flat: Whether it is a folder or page with files of any project (find-links); otherwise it has one page per
            project (PEP 503).
        explicit: Whether it is only used for projects that are pinned to it.
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
        return is_local(self.url)


@cache
def _location(url: str, *, flat: bool = False) -> IndexSource:
    """A source without a name; the same object for all projects."""
    return IndexSource(url=url, flat=flat)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexOptions:
    """Options for indexes and the network.

    Attributes:
        index_url: The default index, used after the further ones.
        index_name: Its name in environment variables with credentials.
        indexes: Further indexes, used in order before the default one.
        find_links: Flat sources; their files are added to those of the indexes, and preferred on equal names.
        no_index: Use only `find_links` and pinned indexes.
        pins: Normalized project name to the name of the only index that is used for it.
        strategy: `first-index`: use the first index that has a project, which prevents dependency confusion.
            `unsafe-first-match`: try all versions of an index before those of the next one; a version has the files of
            the first index that has it. `unsafe-best-match`: combine the files of all indexes.
        offline: Use only cached and local files, without network access.
        refresh: Revalidate cached responses, however fresh.
        refresh_packages: Normalized names of projects whose cached pages are revalidated.
        max_age: Seconds for which a cached page is fresh; None to follow the index.
        connections: Largest number of parallel requests.
        connect_timeout: In seconds.
        read_timeout: Seconds without data.
        retries: Number of further attempts after the first.
        retry_after_cap: Longest `Retry-After` in seconds that is respected.
        minimum_rate: Bytes per second below which a transfer is aborted, measured over `rate_window` seconds.
        rate_window: See `minimum_rate`.
        insecure_hosts: Hosts (`host` or `host:port`) whose certificates are not checked.
        cert: File or folder of CA certificates; None for SSL_CERT_FILE and SSL_CERT_DIR, or the defaults.
        client_cert: File with a certificate and its private key (PEM), for servers that require one.
        proxy: URL of the proxy for all requests; None to follow the environment.
        keyring: Use the `keyring` command or package when a server requires credentials.
    """

    index_url: str = DEFAULT_INDEX
    index_name: str | None = None
    indexes: tuple[IndexSource, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    pins: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    strategy: Literal["first-index", "unsafe-first-match", "unsafe-best-match"] = "first-index"
    offline: bool = False
    refresh: bool = False
    refresh_packages: frozenset[str] = frozenset()
    max_age: float | None = None
    connections: int = 32
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
                    "unknown-index",
                    f"`{project}` is pinned to the index `{index}`, but no index has that name",
                    hint="Give the index that name, or correct the pin",
                )

    def sources(self) -> tuple[IndexSource, ...]:
        """All indexes in order, the default one last; without flat sources."""
        default = () if self.no_index else (_location(self.index_url),)
        further = tuple(s for s in self.indexes if not self.no_index or s.explicit or s.name in self.pins.values())
        return (*further, *default)

    def flat_sources(self) -> tuple[IndexSource, ...]:
        """The flat sources, in order."""
        return tuple(_location(url, flat=True) for url in self.find_links)


def plain_options(options: IndexOptions) -> dict[str, Any]:
    """The options as plain values, for another process: see `options_of_plain`."""
    indexes = [(source.url, source.name, source.flat, source.explicit) for source in options.indexes]
    values = {name: getattr(options, name) for name in IndexOptions.__slots__}
    return {**values, "indexes": indexes, "pins": dict(options.pins)}


def options_of_plain(values: Mapping[str, Any]) -> IndexOptions:
    """The options of `plain_options`."""
    indexes = tuple(
        IndexSource(url=url, name=name, flat=flat, explicit=explicit) for url, name, flat, explicit in values["indexes"]
    )
    return IndexOptions(**{**values, "indexes": indexes})


def sources_for(project: str, options: IndexOptions) -> tuple[IndexSource, ...]:
    """The indexes to use for the normalized name `project`, in order.

    A pinned project uses its index only; explicit indexes are used for pinned projects only.
    """
    pin = options.pins.get(project)
    if pin is not None:
        return tuple(source for source in options.sources() if source.name == pin)
    return tuple(source for source in options.sources() if not source.explicit)


def strategy_for(project: str, options: IndexOptions) -> str:
    """How the indexes of the normalized name `project` are combined.

    Several indexes with the name that it is pinned to are all its own: the versions of the first one come first.
    """
    pin = options.pins.get(project)
    several = pin is not None and len(sources_for(project, options)) > 1
    return "unsafe-first-match" if several else options.strategy


def location_url(text: str, *, base: Path) -> str:
    """The URL of an index or a find-links source as written by the user; paths are relative to `base`.

    Raises:
        LocksetError: `index-location`: it is neither a URL nor a path.
    """
    scheme, colon, _ = text.partition(":")
    if colon and scheme.lower() in {"http", "https", "file"}:
        try:
            text.encode()
            _check_host(text)
        except ValueError as error:
            raise LocksetError(
                "index-location", f"`{redact(text)}` is not a valid URL: {str(error)[:200]}", hint="Correct the URL"
            ) from error
        return text
    if "://" in text:
        raise LocksetError(
            "index-location", f"`{text}` is neither an http(s) or file URL nor a path", hint="Use https://, or a path"
        )
    return Path(base, Path(text).expanduser()).resolve().as_uri()


def is_local(url: str) -> bool:
    """Whether the URL means a file or folder of this computer."""
    return url[:5].lower() == "file:"


def _check_host(url: str) -> None:
    """Raise ValueError if `url` cannot be split, or has a server that no address can have."""
    split = urlsplit(url)
    if split.scheme == "file":
        return
    _ = split.port  # which raises if it is not a number
    if not split.hostname:
        raise ValueError("it has no host")
    if any(character.isspace() for character in split.hostname):
        raise ValueError("its host contains a space")


def same_index(one: str, other: str) -> bool:
    """Whether two addresses are the same index."""
    return one.rstrip("/") == other.rstrip("/")
