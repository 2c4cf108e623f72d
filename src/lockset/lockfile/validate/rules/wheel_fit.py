"""Rules on which wheels serve which environments."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from packaging.tags import parse_tag

from lockset.errors import LocksetError
from lockset.lockfile.read import MAX_WHEEL_TAGS, tag_count
from lockset.lockfile.validate.rules.coverage import Coverage, small, united
from lockset.markers import KNOWN_PYTHONS, MarkerSet, wheel_region

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lockset.lockfile.validate.finding import Findings
    from lockset.lockfile.validate.rules.sources import NamedFile

__all__ = ["check_fit", "newest_python"]

# Bounds how many different tag sets of one package are looked at; the largest real packages have about a hundred.
_MOST_TAG_SETS = 400
# Bounds how many Pythons or files a message names.
_SHOWN = 4


def check_fit(
    index: int,
    package: Mapping[str, Any],
    files: Sequence[NamedFile],
    claimed: Coverage,
    found: Findings,
    *,
    newest: int,
) -> None:
    """Every wheel serves somebody, and everybody whom the entry is for has a file.

    Regions of wheels may be too large and are never too small, so that what is found here is certain. `newest` is
    what `newest_python` gives for the file.
    """
    wheels = [listed for listed in files if "wheels" in listed.path]
    tags = dict.fromkeys(_tags(listed.name) for listed in wheels)
    if not wheels or not (claimed.has_python or claimed.environments) or len(tags) > _MOST_TAG_SETS:
        return
    _outside(package, wheels, claimed, found)
    if package.get("sdist") is None and len(wheels) == len(package["wheels"]):
        _missing(index, package, tuple(tags), claimed, found, newest=newest)


def _outside(package: Mapping[str, Any], wheels: Sequence[NamedFile], claimed: Coverage, found: Findings) -> None:
    """One finding for all wheels of a package that are left out for the same reason."""
    shut_out: list[NamedFile] = []
    useless: list[NamedFile] = []
    for listed in wheels:
        region = _region(_tags(listed.name))
        if region.is_disjoint(claimed.pythons):
            shut_out.append(listed)
        elif claimed.environments and region.is_disjoint(claimed.region):
            useless.append(listed)
    hint = "Remove them: nobody can install them from this file"
    if shut_out and claimed.has_python:
        message = f"{_named(shut_out, package)} for Pythons that `requires-python` shuts out"
        found.add("wheel-outside-requires-python", shut_out[0].path, message, hint)
    if useless:
        message = f"{_named(useless, package)} for none of the file's `environments`"
        found.add("wheel-outside-environments", useless[0].path, message, hint)


def _named(wheels: Sequence[NamedFile], package: Mapping[str, Any]) -> str:
    if len(wheels) == 1:
        return f"The wheel `{wheels[0].name}` is"
    return f"{len(wheels)} wheels of `{package['name']}` (`{wheels[0].name}` is the first) are"


def _missing(
    index: int,
    package: Mapping[str, Any],
    tags: tuple[str, ...],
    claimed: Coverage,
    found: Findings,
    *,
    newest: int,
) -> None:
    """Without an sdist some wheel fits each declared environment, and each Python up to the newest the file knows."""
    fitting = united(_region(one) for one in tags)
    applies = claimed.entries[index]
    if fitting is None or applies.implies(fitting):
        return
    for location, environment in claimed.environments.items():
        within = environment & applies
        if not within.is_empty and within.is_disjoint(fitting):
            message = f"No wheel of `{package['name']}` fits environments[{location}], and there is no sdist"
            found.add("no-file-for-environment", ("packages", index), message, "Lock again for this environment")
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
        found.add("no-file-for-environment", ("packages", index), message, hint)


@lru_cache(maxsize=4096)
def _tags(file_name: str) -> str:
    return "-".join(file_name.lower().removesuffix(".whl").rsplit("-", 3)[1:])


@lru_cache(maxsize=4096)
def _region(tags: str) -> MarkerSet:
    """Where wheels with these tags may be used; anywhere for what is no tag."""
    if tags.count("-") != 2 or tag_count(f"x-{tags}") > MAX_WHEEL_TAGS:  # noqa: PLR2004 - of three parts
        return MarkerSet.any()
    try:
        found = wheel_region(parse_tag(tags))
    except (ValueError, LocksetError):  # the rule on file names tells of it
        return MarkerSet.any()
    return found if small(found) else MarkerSet.any()


def newest_python(files: Mapping[int, Sequence[NamedFile]]) -> int:
    """The place in KNOWN_PYTHONS of the newest Python that any wheel names; for later ones nobody had wheels yet."""
    tags = {_tags(listed.name) for entries in files.values() for listed in entries if "wheels" in listed.path}
    return max((_newest(one) for one in tags), default=0)


@lru_cache(maxsize=4096)
def _newest(tags: str) -> int:
    names = {f"cp{python.replace('.', '')}": number for number, python in enumerate(KNOWN_PYTHONS)}
    return max((names.get(part, 0) for part in tags.split("-", maxsplit=1)[0].split(".")), default=0)
