"""Where packages come from, as the user said: options, environment variables, settings, requirements files."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from lockset.composition.indexes import indexes_of
from lockset.errors import UsageError
from lockset.index.options import DEFAULT_INDEX, IndexOptions, IndexSource, location_url

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from pathlib import Path

    from lockset.composition.remote_sources import SourceFetcher
    from lockset.sources.project import RootProject

__all__ = ["index_options", "project_of_lock", "source_fetcher", "unread_variable"]


# Seconds of silence, and further attempts, where nothing else is said.
_TIMEOUT = 30.0
_RETRIES = 4
# Neither may be larger: beyond it a run would wait for hours.
_MOST = 3600


def index_options(args: argparse.Namespace, project: RootProject | None, here: Path) -> IndexOptions:
    """Where packages come from: the command line before the environment before the project's settings and files.

    Raises:
        LocksetError: a place that is neither URL nor path, or a pin to an index nobody named.
    """
    own = indexes_of(project) if project is not None else IndexOptions()
    named = [_named_index(text, here) for text in (*args.index, *args.extra_index_url)]
    default = _named_index(args.default_index, here) if args.default_index else None
    find_links = [location_url(f, base=here) for f in args.find_links]
    provider = args.keyring_provider
    timeout = _number(args, "timeout", _TIMEOUT)
    return replace(
        own,
        index_url=default.url if default else own.index_url,
        index_name=default.name if default else own.index_name,
        indexes=tuple(dict.fromkeys((*named, *own.indexes))),
        find_links=tuple(dict.fromkeys((*find_links, *own.find_links))),
        no_index=bool(args.no_index or own.no_index),
        strategy=args.index_strategy or own.strategy,
        offline=args.offline,
        refresh=args.refresh,
        read_timeout=timeout,
        connect_timeout=min(timeout, own.connect_timeout),
        retries=int(_number(args, "retries", _RETRIES)),
        insecure_hosts=frozenset((*args.allow_insecure_host, *own.insecure_hosts)),
        cert=_path(args.cert),
        client_cert=_path(args.client_cert),
        proxy=_proxy(args.proxy),
        keyring=provider == "subprocess" if provider else own.keyring,
    )


def project_of_lock(args: argparse.Namespace, folder: Path, here: Path) -> RootProject | None:
    """What the project around a lock file in `folder` says of indexes: which are named, trusted, asked for credentials.

    Nothing of it decides what is installed. None where there is no such project, or it is to be left aside.

    Raises:
        LocksetError: the settings are wrong.
    """
    from lockset.sources.discover import find_settings, find_upwards, read_settings_of
    from lockset.sources.project import RootProject

    if args.no_config:
        return None
    if args.config is not None:
        return RootProject(base=here, settings=read_settings_of(args.config, folder=here))
    found = find_upwards("pyproject.toml", folder)
    return None if found is None else RootProject(base=found.parent, settings=find_settings(folder))


def source_fetcher(args: argparse.Namespace, here: Path) -> SourceFetcher:
    """What fetches the requirements files of this run that are named by URL, with the options of all its requests."""
    fetch: SourceFetcher | None = getattr(args, "fetch", None)
    if fetch is None:
        from lockset.composition.remote_sources import SourceFetcher

        fetch = args.fetch = SourceFetcher(lambda: index_options(args, project_of_lock(args, here, here), here))
    return fetch


def unread_variable(options: IndexOptions, environ: Mapping[str, str]) -> list[str]:
    """A line on a variable of pip or uv that names another default index, where the public one is asked instead."""
    if options.no_index or options.offline or options.index_url != DEFAULT_INDEX:
        return []
    names = (name for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL") if environ.get(name))
    told = "is set, and not read: name the index with `--default-index` or LOCKSET_DEFAULT_INDEX"
    return [f"hint: {name} {told}" for name in islice(names, 1)]


def _path(text: object) -> str | None:
    return str(text) if text else None


def _number(args: argparse.Namespace, name: str, default: float) -> float:
    """As given, or the default."""
    given: float | None = getattr(args, name)
    value = default if given is None else given
    if not 0 <= value <= _MOST or (name == "timeout" and value == 0):
        said = f"LOCKSET_{name.upper()}" if name in args.by_variable else f"--{name}"
        least = "more than 0, and at most" if name == "timeout" else "between 0 and"
        raise UsageError("option-value", f"{said} is {value:g}, and has to be {least} {_MOST}")
    return value


def _proxy(url: str | None) -> str | None:
    if url and url.partition("://")[0] not in {"http", "https", "socks5", "socks5h"}:
        # Not shown: it may hold a password.
        raise UsageError("option-value", "--proxy is no URL of a proxy", hint="Write it as `http://HOST:PORT`")
    return url


def _named_index(text: str, base: Path) -> IndexSource:
    name, equals, url = text.partition("=")
    if equals and "/" not in name and ":" not in name:
        return IndexSource(url=location_url(url, base=base), name=name)
    return IndexSource(url=location_url(text, base=base))
