"""How a sync builds sources: by its options, the lock files, and the settings of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockset.build.policy import ALL_PACKAGES, BuildPolicy, joined_settings
from lockset.package_names import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lockset.composition.sync_inputs import SyncOptions
    from lockset.lockfile.model import Pylock
    from lockset.sources.project import RootProject
    from lockset.sync.disk.request import SyncRequest

__all__ = ["build_policy", "not_isolated", "requires_locked_builds"]


def build_policy(options: SyncOptions, request: SyncRequest, project: RootProject | None) -> BuildPolicy:
    """The policy of a sync; options take precedence over what lock files record, and those over settings."""
    settings: Mapping[str, Any] = {} if project is None else project.settings.config_settings
    of_project = {} if project is None else project.settings.config_settings_package
    of_locks = [_settings_of(source.read()) for source in request.sources]
    of_options = {
        str(canonicalize_name(name)): pairs for name, pairs in (options.config_settings_package or {}).items()
    }
    return BuildPolicy(
        settings={**settings, **(options.config_settings or {})},
        package_settings=joined_settings(of_project, *of_locks, of_options),
        not_isolated=not_isolated(options, project),
    )


def not_isolated(options: SyncOptions, project: RootProject | None) -> frozenset[str]:
    """Normalised names of packages, or `:all:`, that are built in the target's environment."""
    of_project = () if project is None else project.settings.no_build_isolation
    names = (*options.no_build_isolation, *of_project)
    return frozenset(name if name == ALL_PACKAGES else canonicalize_name(name) for name in names)


def requires_locked_builds(options: SyncOptions, project: RootProject | None) -> bool:
    """Whether builds are refused whose requirements are not locked."""
    of_project = None if project is None else project.settings.require_build_hashes
    return bool(of_project if options.require_build_hashes is None else options.require_build_hashes)


def _settings_of(lock: Pylock) -> dict[str, dict[str, Any]]:
    """The config settings that a lock file records for packages, in `tool.lockset.config-settings`."""
    recorded: dict[str, dict[str, Any]] = {}
    for package in lock.packages:
        table = (package.tool or {}).get("lockset")
        pairs = table.get("config-settings") if isinstance(table, dict) else None
        if isinstance(pairs, dict):
            recorded[str(package.name)] = {key: value for key, value in pairs.items() if isinstance(value, str)}
    return recorded
