"""The indexes of a run: the caller's options take precedence over the project's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import replace
from lockset.index.options import DEFAULT_INDEX, IndexOptions, IndexSource, location_url
from lockset.package_names import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.sources.project import RootProject

__all__ = ["chosen_urls", "indexes_of", "project_around", "resolve_indexes", "unread_index_variable", "with_indexes_of"]

# Environment variables of pip and uv that set the default index.
_FOREIGN = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")


def indexes_of(project: RootProject) -> IndexOptions:
    """The indexes of `[tool.lockset]` and of options in requirements files; PyPI if they name none.

    Raises:
        LocksetError: If a location is neither a URL nor a path, or a package is pinned to an unknown index.
    """
    settings, options, base = project.settings, project.options, project.base
    named = [
        # An index without a name uses its URL as the name, so that packages can be pinned to it.
        IndexSource(
            url=location_url(s.url, base=base),
            name=s.name or (s.url if s.packages else None),
            explicit=s.explicit or s.default,
        )
        for s in settings.index
        if not s.default or s.packages
    ]
    named += [IndexSource(url=location_url(u, base=base)) for u in options.extra_index_urls]
    marked = next((s for s in settings.index if s.default), None)
    default = marked.url if marked is not None else options.index_url
    find_links = [location_url(f, base=base) for f in (*settings.find_links, *options.find_links)]
    return IndexOptions(
        index_url=location_url(default, base=base) if default else DEFAULT_INDEX,
        index_name=marked.name if marked is not None else None,
        indexes=tuple(dict.fromkeys(named)),
        find_links=tuple(dict.fromkeys(find_links)),
        no_index=bool(settings.no_index or options.no_index),
        pins={package: s.name or s.url for s in settings.index for package in s.packages},
        strategy=settings.index_strategy or "first-index",  # type: ignore[arg-type]  # checked when it was read
        insecure_hosts=frozenset((*settings.allow_insecure_host, *options.trusted_hosts)),
        keyring=settings.keyring_provider == "subprocess",
    )


def resolve_indexes(
    given: IndexOptions | IndexOverrides | None, project: RootProject | None, context: RunContext
) -> IndexOptions:
    """The indexes of a run: `given` alone if it is `IndexOptions`, else its overrides before those of `project`.

    Raises:
        LocksetError: If a location is neither a URL nor a path, or a package is pinned to an unknown index.
    """
    if isinstance(given, IndexOptions):
        return replace(given, offline=True) if context.offline else given
    chosen = _resolved(given, project, context)
    settings = None if project is None else project.settings
    own = None if settings is None else settings.torch_backend
    backend = own if given is None or given.torch_backend is None else given.torch_backend
    if backend is None:
        return chosen
    from lockset.composition.torch_indexes import with_torch_backend  # few projects have a backend

    base = None if given is None else given.torch_index
    base = base or (None if settings is None else settings.torch_index)
    override = given is not None and given.torch_backend is not None
    return with_torch_backend(chosen, backend, base=base, override=override, note=context.heard.note)


def _resolved(given: IndexOverrides | None, project: RootProject | None, context: RunContext) -> IndexOptions:
    own = indexes_of(project) if project is not None else IndexOptions()
    if given is None:
        return replace(own, offline=context.offline)
    here = context.here
    named = [_named_index(text, here) for text in given.indexes]
    default = _named_index(given.default_index, here) if given.default_index else None
    find_links = [location_url(text, base=here) for text in given.find_links]
    timeout = given.read_timeout if given.read_timeout is not None else own.read_timeout
    return replace(
        own,
        index_url=default.url if default else own.index_url,
        index_name=default.name if default else own.index_name,
        indexes=tuple(dict.fromkeys((*named, *own.indexes))),
        find_links=tuple(dict.fromkeys((*find_links, *own.find_links))),
        no_index=given.no_index or own.no_index,
        strategy=given.strategy or own.strategy,
        offline=context.offline,
        refresh=given.refresh,
        refresh_packages=frozenset(map(canonicalize_name, given.refresh_packages)),
        read_timeout=timeout,
        connect_timeout=min(timeout, own.connect_timeout),
        retries=given.retries if given.retries is not None else own.retries,
        insecure_hosts=frozenset((*given.insecure_hosts, *own.insecure_hosts)),
        cert=given.cert,
        client_cert=given.client_cert,
        proxy=given.proxy,
        keyring=given.keyring if given.keyring is not None else own.keyring,
    )


def with_indexes_of(files: Sequence[IndexOptions], own: IndexOptions) -> IndexOptions:
    """The indexes of converted files, those of the first one first; with the URLs of `own` for their credentials."""
    first, *others = files
    known = {first.index_url, *(source.url for source in first.indexes)}
    added = [IndexSource(url=url, name=name, explicit=True) for one in (*others, own) for url, name in _named_urls(one)]
    return replace(
        first,
        indexes=(*first.indexes, *{source.url: source for source in added if source.url not in known}.values()),
        insecure_hosts=frozenset().union(*(one.insecure_hosts for one in (*files, own))),
        keyring=any(one.keyring for one in (*files, own)),
    )


def _named_urls(options: IndexOptions) -> Iterator[tuple[str, str | None]]:
    yield options.index_url, options.index_name
    yield from ((source.url, source.name) for source in options.indexes)


def chosen_urls(given: IndexOptions | IndexOverrides | None) -> tuple[str, ...]:
    """The URLs of the indexes that the caller named."""
    if given is None:
        return ()
    if isinstance(given, IndexOptions):
        return (given.index_url, *(index.url for index in given.indexes))
    texts: Iterable[str] = (*given.indexes, *filter(None, (given.default_index,)))
    return tuple(_name_and_location(text)[1] for text in texts)


def project_around(folder: Path, context: RunContext) -> RootProject | None:
    """The project that contains `folder`, with its index settings: names, trusted hosts, keyring.

    None of them decides what is installed. None if there is no project, or settings are disabled.

    Raises:
        LocksetError: If the settings are not valid.
    """
    if not context.use_settings:
        return None
    named = context.config_path is not None
    if not named and not any((above / "pyproject.toml").is_file() for above in (folder, *folder.parents)):
        return None
    # Imported here: many lock files are installed where there is no project.
    from lockset.sources.discover import find_settings, find_upwards, read_settings_of
    from lockset.sources.project import RootProject

    if context.config_path is not None:
        return RootProject(base=context.here, settings=read_settings_of(context.config_path, folder=context.here))
    pyproject = find_upwards("pyproject.toml", folder)
    return None if pyproject is None else RootProject(base=pyproject.parent, settings=find_settings(folder))


def unread_index_variable(options: IndexOptions, context: RunContext) -> str | None:
    """The hint for a variable of pip or uv that sets another default index, if PyPI is used."""
    if options.no_index or options.offline or options.index_url != DEFAULT_INDEX:
        return None
    name = next((name for name in _FOREIGN if context.variables.get(name)), None)
    what = "is set, but lockset does not read it: name the index with `--default-index` or LOCKSET_DEFAULT_INDEX"
    return None if name is None else f"{name} {what}"


def _name_and_location(text: str) -> tuple[str | None, str]:
    name, equals, url = text.partition("=")
    return (name, url) if equals and "/" not in name and ":" not in name else (None, text)


def _named_index(text: str, base: Path) -> IndexSource:
    name, location = _name_and_location(text)
    return IndexSource(url=location_url(location, base=base), name=name)
