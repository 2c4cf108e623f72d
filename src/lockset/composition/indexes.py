"""Where the packages of a project come from, by its own settings and files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.index.options import DEFAULT_INDEX, IndexOptions, IndexSource, location_url

if TYPE_CHECKING:
    from lockset.sources.project import RootProject

__all__ = ["indexes_of"]


def indexes_of(project: RootProject) -> IndexOptions:
    """What `[tool.lockset]` and the options of requirements files say; the public index where they say nothing.

    Raises:
        LocksetError: a place that is neither URL nor path, or a pin to an index nobody named.
    """
    settings, options, base = project.settings, project.options, project.base
    named = [
        # One without a name is called by its URL, so that pins can mean it.
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
