"""Select what to install from a lock file, following the installation steps of PEP 751.

The comment of each step quotes the specification, including the steps that are implemented elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import TYPE_CHECKING, Any, TypeAlias

from packaging.markers import UndefinedEnvironmentName

from lockset._dataclass import dataclass
from lockset.dependency_specifiers import read_marker
from lockset.errors import LocksetError
from lockset.lockfile.model import describe, file_name
from lockset.package_names import canonicalize_name
from lockset.similar_names import known_names_hint

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from packaging.markers import Marker
    from packaging.tags import Tag

    from lockset.lockfile.model import Artifact, Package, PackageWheel, Pylock
    from lockset.markers.environment import Environment

__all__ = ["SelectedPackage", "Selection", "best_wheel", "refuse_empty_environments", "select_entries"]

# How many tags a message lists; the others are counted.
_TAGS_SHOWN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectedPackage:
    """One package to install and its source; `index` is its position in `packages`."""

    package: Package
    artifact: Artifact
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The packages for one target: at most one entry of each name, in the order of the lock file.

    The markers were evaluated with `environment`, and the normalized names `extras` and `groups`.
    """

    items: tuple[SelectedPackage, ...]
    environment: Mapping[str, str]
    extras: frozenset[str]
    groups: frozenset[str]


_Values: TypeAlias = dict[str, Any]


def select_entries(
    lock: Pylock,
    *,
    environment: Environment | Mapping[str, str],
    tags: Sequence[Tag],
    extras: Collection[str] = (),
    groups: Collection[str] | None = None,
    prefer_sdist: Callable[[str], bool] | None = None,
) -> Selection:
    """Select the packages of `lock` for `environment` and the target's compatibility `tags`, best first.

    `groups=None` selects the default groups, an empty collection no groups. `prefer_sdist` says for a name whether its
    sdist is preferred to its wheels.

    Raises:
        LocksetError: `unknown-extra`, `unknown-group`, `conflicting-choice`, `python-not-supported`,
            `environment-not-supported`, `marker-not-usable`, `ambiguous-package`, `no-usable-file`, `no-source`.
    """
    # Gather the extras and dependency groups to install and set extras and dependency_groups for marker
    # evaluation, respectively. extras SHOULD be set to the empty set by default. dependency_groups SHOULD be the
    # set created from default-groups by default.
    known_extras, chosen_groups = _check_extras(lock, extras), _check_groups(lock, groups)
    values = dict(environment) if isinstance(environment, Mapping) else environment.as_dict()

    # An extension of PEP 751: the conflicts that the file declares in `[tool.lockset]`.
    if _declares_conflicts(lock):
        # Imported here: few lock files do.
        from lockset.lockfile.conflicts import refuse_conflicting_choice

        refuse_conflicting_choice(lock, known_extras, chosen_groups, lambda markers: _all_hold(markers, values))

    # Check if the metadata version specified by lock-version is supported; an error or warning MUST be raised as
    # appropriate. (Checked when the file is read: there is no Pylock of another major version.)

    # If requires-python is specified, check that the environment being installed for meets the requirement; an
    # error MUST be raised if it is not met.
    _check_python(lock, values)

    # If environments is specified, check that at least one of the environment marker expressions is satisfied; an
    # error MUST be raised if no expression is satisfied.
    _check_environments(lock, values)

    # For each package listed in packages: (see _slated)
    slated = _slate(lock, values | {"extras": known_extras, "dependency_groups": chosen_groups})

    # For each package to be installed: (see _artifact)
    ranks = {str(tag): rank for rank, tag in reversed(list(enumerate(tags)))}
    return Selection(
        items=tuple(
            SelectedPackage(
                package=package, artifact=_choose_artifact(package, ranks, values, prefer_sdist), index=index
            )
            for index, package in slated
        ),
        environment=values,
        extras=known_extras,
        groups=chosen_groups,
    )


def _declares_conflicts(lock: Pylock) -> bool:
    own = (lock.tool or {}).get("lockset")
    return isinstance(own, dict) and "conflicts" in own


def _check_extras(lock: Pylock, requested: Collection[str]) -> frozenset[str]:
    known = {canonicalize_name(name) for name in lock.extras or ()}
    chosen = frozenset(canonicalize_name(name) for name in requested)
    if unknown := sorted(chosen - known):
        raise LocksetError(
            "unknown-extra", f"The lock file has no extra {_quote(unknown)}", hint=_available(known, "extra", unknown)
        )
    return chosen


def _check_groups(lock: Pylock, requested: Collection[str] | None) -> frozenset[str]:
    defaults = {canonicalize_name(name) for name in lock.default_groups or ()}
    if requested is None:
        return frozenset(defaults)
    known = {canonicalize_name(name) for name in lock.dependency_groups or ()}
    chosen = frozenset(canonicalize_name(name) for name in requested)
    if unknown := sorted(chosen - known - defaults):
        message = f"The lock file has no dependency group {_quote(unknown)}"
        raise LocksetError("unknown-group", message, hint=_available(known or defaults, "dependency group", unknown))
    return chosen


def _available(names: Collection[str], what: str, unknown: Sequence[str]) -> str:
    if not names:
        return f"It was locked without {what}s"
    return known_names_hint(unknown[0], names)


def _quote(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _check_python(lock: Pylock, values: Mapping[str, str]) -> None:
    if lock.requires_python and not lock.requires_python.contains(_full_version(values)):
        raise LocksetError(
            "python-not-supported",
            f"The lock file requires Python {lock.requires_python}, but the target has {values['python_full_version']}",
            hint="Choose another interpreter, or lock again with a wider requires-python",
        )


def _full_version(values: Mapping[str, str]) -> str:
    """The Python version; interpreters built from an untagged checkout report `3.14.0+`."""
    version = values["python_full_version"]
    return f"{version}local" if version.endswith("+") else version


def _check_environments(lock: Pylock, values: _Values) -> None:
    if lock.environments is None:
        return
    for marker in lock.environments:
        if _holds(marker, values, where="`environments`", context="requirement"):
            return
    refuse_empty_environments(lock)
    raise LocksetError(
        "environment-not-supported",
        f"The lock file does not support {_target(values)}",
        context=tuple(f"it supports: {marker}" for marker in lock.environments),
        hint=_lock_for(values),
    )


def refuse_empty_environments(lock: Pylock) -> None:
    """Refuse a lock with an empty `environments`: unlike a missing key, an empty list matches no environment.

    Raises:
        LocksetError: `environment-not-supported`.
    """
    if lock.environments == []:
        raise LocksetError(
            "environment-not-supported",
            "The lock file supports no environment: its `environments` is empty",
            hint="If it is for all environments, as pipenv means it, remove `environments`; otherwise lock again",
        )


def _all_hold(markers: Sequence[str], values: _Values) -> bool:
    return all(
        _holds(read_marker(text), values, where="`tool.lockset.conflicts`", context="requirement") for text in markers
    )


def _holds(marker: Marker, values: _Values, *, where: str, context: Any) -> bool:
    try:
        return marker.evaluate(values, context=context)
    except (UndefinedEnvironmentName, ValueError) as error:
        # Unknown variables, invalid comparisons and numbers with too many digits are errors, never silently true or
        # false.
        message = f"The marker `{marker}` of {where} cannot be evaluated"
        raise LocksetError("marker-not-usable", message, context=(str(error),)) from error


def _slate(lock: Pylock, values: _Values) -> Iterable[tuple[int, Package]]:
    """The entries to install, with their positions in the lock file."""
    slated: dict[str, tuple[int, Package]] = {}
    python = _full_version(values)
    for index, package in enumerate(lock.packages):
        # If packages.marker is specified, check if it is satisfied; if it isn't, skip to the next package.
        if package.marker and not _holds(package.marker, values, where=f"`{describe(package)}`", context="lock_file"):
            continue
        # If packages.requires-python is specified, check if it is satisfied; an error MUST be raised if it isn't.
        if package.requires_python and not package.requires_python.contains(python):
            raise LocksetError(
                "python-not-supported",
                f"`{describe(package)}` requires Python {package.requires_python}, "
                f"but the target has {values['python_full_version']}",
                hint="Choose another interpreter, or lock again for this Python",
            )
        # Check that no other conflicting instance of the package has been slated to be installed; an error about
        # the ambiguity MUST be raised otherwise.
        if package.name in slated:
            raise _ambiguity(slated[package.name], (index, package))
        # Check that the source of the package is specified appropriately (i.e. there are no conflicting sources in
        # the package entry); an error MUST be raised if any issues are found. (Checked when the file is read.)

        # Add the package to the set of packages to install.
        slated[package.name] = (index, package)
    return slated.values()


def _ambiguity(first: tuple[int, Package], second: tuple[int, Package]) -> LocksetError:
    return LocksetError(
        "ambiguous-package",
        f"The lock file has two entries for `{first[1].name}` that both apply here",
        context=tuple(
            f"packages[{index}]: {describe(package)}" + (f" if {package.marker}" if package.marker else "")
            for index, package in (first, second)
        ),
        hint="Select fewer extras or groups if they conflict; otherwise the lock file is wrong: lock again",
    )


def _choose_artifact(
    package: Package, ranks: Mapping[str, int], values: Mapping[str, str], prefer_sdist: Callable[[str], bool] | None
) -> Artifact:
    # If vcs is set, else if directory is set, else if archive is set:
    for tree in (package.vcs, package.directory, package.archive):
        if tree is not None:
            return tree
    if package.sdist is not None and prefer_sdist is not None and prefer_sdist(package.name):
        return package.sdist
    # Else if there are entries for wheels: look for the appropriate wheel file based on wheels.name; if one is not
    # found then move on to sdist or an error MUST be raised about a lack of source for the project.
    wheel = best_wheel(package.wheels or (), ranks)
    if wheel is not None:
        return wheel
    # Else if no wheels file is found or sdist is solely set:
    if package.sdist is not None:
        return package.sdist
    raise _no_usable_file(package, ranks, values)


def best_wheel(wheels: Iterable[PackageWheel], ranks: Mapping[str, int]) -> PackageWheel | None:
    """The wheel with the best tag for a target, by the rank of each of its tags; the first one listed among equals."""
    best: PackageWheel | None = None
    best_rank = len(ranks)
    for wheel in wheels:
        for tag in _tags(wheel):
            rank = ranks.get(tag)
            if rank is not None and (best is None or rank < best_rank):
                best, best_rank = wheel, rank
    return best


def _tags(wheel: PackageWheel) -> Iterable[str]:
    parts = (file_name(wheel) or "").lower().removesuffix(".whl").rsplit("-", 3)[1:]
    return ("-".join(tag) for tag in product(*(part.split(".") for part in parts)))


def _no_usable_file(package: Package, ranks: Mapping[str, int], values: Mapping[str, str]) -> LocksetError:
    if not package.wheels:
        return LocksetError("no-source", f"`{describe(package)}` has no file and no source in the lock file")
    wheel_tags = sorted(
        {"-".join((file_name(wheel) or "").removesuffix(".whl").rsplit("-", 3)[1:]) for wheel in package.wheels}
    )
    shown = ", ".join(wheel_tags[:_TAGS_SHOWN]) + (
        f" and {len(wheel_tags) - _TAGS_SHOWN} more" if len(wheel_tags) > _TAGS_SHOWN else ""
    )
    best = next(iter(sorted(ranks, key=ranks.__getitem__)), "no tag at all")
    return LocksetError(
        "no-usable-file",
        f"`{describe(package)}` has no wheel for {_target(values)} and no sdist",
        context=(f"its wheels are for: {shown}", f"the target's best tag: {best}"),
        hint=_lock_for(values, is_for_platform=_has_platform(package.wheels, ranks)),
    )


def _has_platform(wheels: Iterable[PackageWheel], ranks: Mapping[str, int]) -> bool:
    """Whether a wheel is for the target's platform, but not for its Python."""
    platforms = {tag.rpartition("-")[2] for tag in ranks}
    return any(tag.rpartition("-")[2] in platforms for wheel in wheels for tag in _tags(wheel))


def _lock_for(values: Mapping[str, str], *, is_for_platform: bool = False) -> str:
    """How to lock for the Python, or for the platform, too."""
    if is_for_platform:
        python = ".".join(values["python_full_version"].split(".")[:2])
        return (
            f"Lock for Python {python}, too (`requires-python`, or `lockset lock --python`), "
            "or choose a Python that its wheels are for"
        )
    name = {"linux": "linux", "darwin": "macos", "win32": "windows"}.get(values.get("sys_platform", ""))
    if name is None:
        return "Lock again for this platform"
    return f"Lock for it, too: `lockset lock --platform {name}`, with `--platform` for each of the others"


def _target(values: Mapping[str, str]) -> str:
    return (
        f"{values.get('platform_python_implementation', 'Python')} {values['python_full_version']} "
        f"on {values.get('sys_platform', '?')} {values.get('platform_machine', '?')}"
    )
