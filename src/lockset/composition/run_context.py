"""What every public function may be given besides its own options: the surroundings of a run, and its indexes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lockset.option_values import check_argument, check_options, plain_dataclass
from lockset.progress import listener_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from os import PathLike

    from lockset.progress import ProgressEvent, ProgressListener

__all__ = ["IndexOverrides", "RunContext", "context_of"]


@plain_dataclass(frozen=True, kw_only=True)
class RunContext:
    """The surroundings of a call. Nothing of the process counts unless it is given here.

    Attributes:
        folder: What relative paths are relative to; None: the process's working folder.
        cache: Folder that remembers pages, metadata and files across calls; None: nothing is remembered.
        offline: Nothing goes over the network.
        now: The present, in UTC, for ages and for Pythons that are still maintained; None: this moment.
        environ: Variables for `${NAME}` in requirements files, and for git; None: no variables, and the process's own
            for git.
        use_settings: Whether `[tool.lockset]` of the project counts.
        config: A file whose `[tool.lockset]` counts instead of the project's.
        stdin: Gives the bytes that a source or lock file named `-` stands for; None: `-` is refused.
        listener: Hears of progress: a `ProgressListener`, or a function that takes a `ProgressEvent`.
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

    def __post_init__(self) -> None:
        check_options(self, besides=("environ", "stdin", "listener"))

    @property
    def here(self) -> Path:
        """The folder that relative paths are relative to, absolute."""
        return Path.cwd() if self.folder is None else Path(self.folder).absolute()

    @property
    def cache_folder(self) -> Path | None:
        """The cache, absolute."""
        return None if self.cache is None else Path(self.cache).absolute()

    @property
    def moment(self) -> datetime:
        """The present."""
        if self.now is not None:
            return self.now
        from datetime import datetime, timezone  # a sync does not ask

        return datetime.now(timezone.utc)  # noqa: TID251 - the clock's door

    @property
    def variables(self) -> Mapping[str, str]:
        """Variables for requirements files."""
        return self.environ if self.environ is not None else {}

    @property
    def process_variables(self) -> Mapping[str, str]:
        """Variables for git."""
        return dict(os.environ) if self.environ is None else self.environ  # noqa: TID251 - unless they are given

    @property
    def heard(self) -> ProgressListener:
        """The listener."""
        return listener_of(self.listener)

    @property
    def config_path(self) -> Path | None:
        """The file of `config`."""
        return None if self.config is None else Path(self.config)


def context_of(context: RunContext | None) -> RunContext:
    """The context that is meant.

    Raises:
        UsageError: `option-value`.
    """
    if type(context) is RunContext:
        return context
    return check_argument("context", context, "RunContext | None") or RunContext()


@plain_dataclass(frozen=True, kw_only=True)
class IndexOverrides:
    """Where packages come from, in front of what the project and its files say; None and empty leave it to them.

    Attributes:
        default_index: `[NAME=]URL` or path of the index asked last.
        indexes: `[NAME=]URL` or paths of further indexes, asked before those of the project.
        find_links: Folders or pages of files.
        no_index: Ask no index.
        strategy: As `IndexOptions.strategy`.
        refresh: Ask again about stored answers.
        read_timeout: Seconds of silence.
        retries: Further attempts after the first.
        insecure_hosts: Hosts whose certificates are not checked.
        cert: File or folder of CA certificates.
        client_cert: File with a certificate and its private key.
        proxy: URL of the proxy for everything.
        keyring: Whether the keyring is asked for credentials.
    """

    default_index: str | None = None
    indexes: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    strategy: Literal["first-index", "unsafe-best-match"] | None = None
    refresh: bool = False
    read_timeout: float | None = None
    retries: int | None = None
    insecure_hosts: tuple[str, ...] = ()
    cert: str | None = None
    client_cert: str | None = None
    proxy: str | None = None
    keyring: bool | None = None

    def __post_init__(self) -> None:
        check_options(self)
