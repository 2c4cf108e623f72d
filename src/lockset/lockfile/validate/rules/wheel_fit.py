"""Rules on which wheels fit which environments."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lockset.errors import LocksetError
from lockset.lockfile.read import MAX_WHEEL_TAGS, tag_count
from lockset.lockfile.validate.rules.coverage import Coverage, bounded_union, is_small
from lockset.markers import KNOWN_PYTHONS, MarkerSet, tag_set_region

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lockset.lockfile.validate.finding import Findings
    from lockset.lockfile.validate.rules.sources import NamedFile

__all__ = ["check_fit", "newest_python"]

# Limit for the different tag sets of one package; the largest real packages have about a hundred.
_MOST_TAG_SETS = 400
# How many Pythons a message lists.
_SHOWN = 4


def check_fit(
    index: int,
    package: Mapping[str, Any],
    files: Sequence[NamedFile],
    claimed: Coverage,
    findings: Findings,
    *,
    newest: int,
) -> None:
    """Check that every wheel fits some environment, and that every environment of the entry has a file.

    The region of a wheel may be too large, but never too small, so that findings are certain. `newest` is the result of
    `newest_python` for the file.
    """
    wheels = [listed for listed in files if "wheels" in listed.path]
    tags = dict.fromkeys(_tags(listed.name) for listed in wheels)
    if not wheels or not (claimed.has_python or claimed.environments) or len(tags) > _MOST_TAG_SETS:
        return
    _check_outside(package, wheels, claimed, findings)
    if package.get("sdist") is None and len(wheels) == len(package["wheels"]):
        _check_missing(index, package, tuple(tags), claimed, findings, newest=newest)


def _check_outside(
    package: Mapping[str, Any], wheels: Sequence[NamedFile], claimed: Coverage, findings: Findings
) -> None:
    """Report wheels of a package that fit no environment, with one finding for each reason."""
    excluded: list[NamedFile] = []
    useless: list[NamedFile] = []
    for listed in wheels:
        region = _region(_tags(listed.name))
        if region.is_disjoint(claimed.pythons):
            excluded.append(listed)
        elif claimed.environments and region.is_disjoint(claimed.region):
            useless.append(listed)
    hint = "Remove them: they can never be installed from this file"
    if excluded and claimed.has_python:
        message = f"{_describe(excluded, package)} for Pythons that `requires-python` excludes"
        findings.add("wheel-outside-requires-python", excluded[0].path, message, hint)
    if useless:
        message = f"{_describe(useless, package)} for none of the file's `environments`"
        findings.add("wheel-outside-environments", useless[0].path, message, hint)


def _describe(wheels: Sequence[NamedFile], package: Mapping[str, Any]) -> str:
    if len(wheels) == 1:
        return f"The wheel `{wheels[0].name}` is"
    return f"{len(wheels)} wheels of `{package['name']}` (`{wheels[0].name}` is the first) are"


def _check_missing(
    index: int,
    package: Mapping[str, Any],
    tags: tuple[str, ...],
    claimed: Coverage,
    findings: Findings,
    *,
    newest: int,
) -> None:
    """Report environments, and Pythons up to `newest`, without a wheel, for a package without an sdist."""
    fitting = bounded_union(_region(one) for one in tags)
    applies = claimed.entries[index]
    if fitting is None or applies.implies(fitting):
        return
    for location, environment in claimed.environments.items():
        within = environment & applies
        if not within.is_empty and within.is_disjoint(fitting):
            message = f"No wheel of `{package['name']}` fits environments[{location}], and there is no sdist"
            findings.add("no-file-for-environment", ("packages", index), message, "Lock again for this environment")
            return
    missing = []
    for number, python in enumerate(KNOWN_PYTHONS):
        within = applies & MarkerSet.parse(f"python_version == '{python}'")
        if number <= newest and not within.is_empty and within.is_disjoint(fitting):
            missing.append(python)
    if missing:
        shown = ", ".join(missing[:_SHOWN]) + (" and more" if len(missing) > _SHOWN else "")
        message = f"No wheel of `{package['name']}` fits Python {shown}, and there is no sdist"
        hint = "Narrow `requires-python`, or lock again with an sdist"
        findings.add("no-file-for-environment", ("packages", index), message, hint)


@lru_cache(maxsize=4096)
def _tags(file_name: str) -> str:
    return "-".join(file_name.lower().removesuffix(".whl").rsplit("-", 3)[1:])


@lru_cache(maxsize=4096)
def _region(tags: str) -> MarkerSet:
    """Where wheels with these tags can be used; anywhere for invalid tags."""
    if tags.count("-") != 2 or tag_count(f"x-{tags}") > MAX_WHEEL_TAGS:
        return MarkerSet.any()
    try:
        region = tag_set_region(tags)
    except (ValueError, LocksetError):  # the rule on file names reports it
        return MarkerSet.any()
    return region if is_small(region) else MarkerSet.any()


def newest_python(files: Mapping[int, Sequence[NamedFile]]) -> int:
    """The index in KNOWN_PYTHONS of the newest Python that any wheel names; later ones had no wheels yet."""
    tags = {_tags(listed.name) for entries in files.values() for listed in entries if "wheels" in listed.path}
    return max((_newest(one) for one in tags), default=0)


@lru_cache(maxsize=4096)
def _newest(tags: str) -> int:
    names = {f"cp{python.replace('.', '')}": number for number, python in enumerate(KNOWN_PYTHONS)}
    return max((names.get(part, 0) for part in tags.split("-", maxsplit=1)[0].split(".")), default=0)
