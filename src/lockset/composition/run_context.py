"""Arguments that all public functions share: the surroundings of a run, and overrides of its indexes."""

from __future__ import annotations

import os
from pathlib import Path

from lockset._dataclass import dataclass
from lockset.option_values import check_argument, check_options
from lockset.progress import listener_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from os import PathLike
    from typing import Literal

    from lockset.index.options import IndexOptions
    from lockset.progress import ProgressEvent, ProgressListener

__all__ = ["IndexOverrides", "RunContext", "context_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """The surroundings of a call. State of the process is used only as described here.

    Attributes:
        folder: The folder of relative paths; None for the process's working folder.
        cache: The folder of the cache of pages, metadata and files; None for no cache.
        offline: Do not use the network.
        now: The current time, in UTC, for ages and for maintained Pythons; None for the time of the call.
        environ: Variables for `${NAME}` in requirements files, and for git; None for no variables, and the process's
            own for git.
        use_settings: Use `[tool.lockset]` of the project.
        config: A file whose `[tool.lockset]` is used instead of the project's.
        stdin: Returns the bytes of a source or lock file named `-`; None refuses `-`.
        listener: Receives progress: a `ProgressListener`, or a function that takes a `ProgressEvent`.
        indexes: The indexes with which functions that take a lock file convert other files, if they have no `indexes`
            of their own; None for those that the file names, else PyPI.
    """

    folder: str | PathLike[str] | None = None
    cache: str | PathLike[str] | None = None
    offline: bool = False
    now: datetime | None = None
    environ: Mapping[str, str] | None = None
    use_settings: bool = True
    config: str | PathLike[str] | None = None
    stdin: Callable[[], bytes] | None = None
    listener: ProgressListener | Callable[[ProgressEvent], object] | None = None
    indexes: IndexOptions | IndexOverrides | None = None

    def __post_init__(self) -> None:
        check_options(self, besides=("environ", "stdin", "listener", "indexes"))

    @property
    def here(self) -> Path:
        """The absolute folder of relative paths."""
        return Path.cwd() if self.folder is None else Path(self.folder).absolute()

    @property
    def cache_folder(self) -> Path | None:
        """The absolute folder of the cache; None for no cache."""
        return None if self.cache is None else Path(self.cache).absolute()

    @property
    def moment(self) -> datetime:
        """The current time."""
        if self.now is not None:
            return self.now
        from datetime import datetime, timezone  # not needed for a sync

        return datetime.now(timezone.utc)

    @property
    def variables(self) -> Mapping[str, str]:
        """Variables for requirements files."""
        return self.environ if self.environ is not None else {}

    @property
    def process_variables(self) -> Mapping[str, str]:
        """Variables for git."""
        return dict(os.environ) if self.environ is None else self.environ

    @property
    def heard(self) -> ProgressListener:
        """The listener."""
        return listener_of(self.listener)

    @property
    def config_path(self) -> Path | None:
        """The file of `config`."""
        return None if self.config is None else Path(self.config)


def context_of(context: RunContext | None) -> RunContext:
    """The given context, or the default one.

    Raises:
        UsageError: `option-value` if it has the wrong type.
    """
    if type(context) is RunContext:
        return context
    return check_argument("context", context, "RunContext | None") or RunContext()


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexOverrides:
    """Index options that override those of the project and its files; None and empty values keep the project's.

    Attributes:
        default_index: `[NAME=]URL` or path of the default index, which is searched last.
        indexes: `[NAME=]URL` or paths of additional indexes, searched before those of the project.
        find_links: Folders or pages of files.
        no_index: Use no index.
        strategy: As `IndexOptions.strategy`.
        torch_backend: Take the packages of PyTorch from its index for this backend: `cpu`, `cu128`, `rocm6.4`, `xpu`
            and so on, or `auto` for what this machine can use.
        torch_index: URL below which the indexes of PyTorch are.
        refresh: Revalidate cached pages.
        refresh_packages: Names of projects whose cached pages are revalidated.
        read_timeout: Seconds to wait for data from a server.
        retries: Number of further attempts after the first.
        insecure_hosts: Hosts whose certificates are not verified.
        cert: File or folder of CA certificates.
        client_cert: File with a certificate and its private key.
        proxy: URL of the proxy for all requests.
        keyring: Query the keyring for credentials.
    """

    default_index: str | None = None
    indexes: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    strategy: Literal["first-index", "unsafe-first-match", "unsafe-best-match"] | None = None
    torch_backend: str | None = None
    torch_index: str | None = None
    refresh: bool = False
    refresh_packages: tuple[str, ...] = ()
    read_timeout: float | None = None
    retries: int | None = None
    insecure_hosts: tuple[str, ...] = ()
    cert: str | None = None
    client_cert: str | None = None
    proxy: str | None = None
    keyring: bool | None = None

    def __post_init__(self) -> None:
        check_options(self)
