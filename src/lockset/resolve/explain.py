"""Why nothing fits: the environment, the smallest set of requirements that cannot hold together, and their chains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.events import Silent
from lockset.resolve.candidate import GuardedCandidate
from lockset.resolve.search import Cause, Impossible, solve_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lockset.resolve.repository import Repository
    from lockset.resolve.request import LockRequest
    from lockset.resolve.requirement import Requirement, Root

__all__ = ["explain"]

# Searches spent on making the set of roots smaller; beyond it the set shown may not be the smallest.
_SEARCHES = 60


def explain(
    impossible: Impossible,
    request: LockRequest,
    repository: Repository,
    not_found: Mapping[str, LocksetError],
) -> LocksetError:
    """The failure as an error: where, which roots cannot hold together, what meets what."""
    region = impossible.universe
    roots = [r for r in request.roots if not (r.region & region).is_empty]
    core, causes = _smallest(impossible, roots, request, repository)
    missing = _missing(causes, not_found)
    where = _where(region, request)
    lines = [f"asked for: {_said(root)}" for root in core]
    lines += list(dict.fromkeys(_line(c, region, core) for c in sorted(causes, key=_order)))
    names = [n for n in dict.fromkeys(c.requirement.name for c in causes) if not n.startswith("!")]
    if missing:
        message = f"No index has a project named {' or '.join(missing)}, which is needed on {where}"
        hint = "Check the spelling, or name the index that has it with `--index`"
    elif len(core) == 1 and len(names) == 1 and core[0].dependency.name == names[0]:
        message = f"No version of {names[0]} fits {core[0].dependency.text} on {where}"
        hint = _nearest(names[0], repository)
    else:
        message = f"{_joined([_short(r) for r in core])} cannot hold together on {where}"
        hint = _advice(core, region, request)
    if not impossible.exhausted:
        lines.append("(the search was given up: there may be an answer that was not found)")
    return LocksetError("no-resolution", message, context=tuple(lines), hint=hint)


def _smallest(
    impossible: Impossible, roots: list[Root], request: LockRequest, repository: Repository
) -> tuple[list[Root], Sequence[Cause]]:
    """Roots of which none can be left out, and the conflict they lead to."""
    causes: Sequence[Cause] = impossible.causes
    core = list(roots)
    searches = 0
    # Drop big parts first: projects have many roots, conflicts few.
    size = max(len(core) // 2, 1)
    while size and searches < _SEARCHES:
        position = 0
        while position < len(core) and len(core) > 1 and searches < _SEARCHES:
            rest = core[:position] + core[position + size :]
            searches += 1
            again = solve_environment(request, impossible.universe, rest, repository, Silent()) if rest else None
            if again is not None:
                core, causes = rest, again.causes
            else:
                position += size
        size //= 2
    return core, causes


def _missing(causes: Sequence[Cause], not_found: Mapping[str, LocksetError]) -> list[str]:
    return sorted({c.requirement.name for c in causes} & not_found.keys())


def _where(region: object, request: LockRequest) -> str:
    from lockset.markers import MarkerSet

    assert isinstance(region, MarkerSet)
    example = region.example()
    if example is None:
        return "no environment"
    system = example.environment["platform_system"]
    python = example.environment["python_full_version"]
    chosen = [f"extra `{e}`" for e in sorted(example.extras)]
    chosen += [f"group `{g}`" for g in sorted(example.groups) if g != request.default_group]
    suffix = f" with {_joined(chosen)}" if chosen else ""
    return f"Python {'.'.join(python.split('.')[:2])}, {'macOS' if system == 'Darwin' else system}{suffix}"


def _order(cause: Cause) -> tuple[bool, str, str, str]:
    origin = cause.origin
    return (origin.version is not None, cause.requirement.name, origin.name, str(origin.version))


def _line(cause: Cause, region: object, core: Sequence[Root]) -> str:
    del region, core
    requirement: Requirement = cause.requirement
    origin = requirement.origin
    if requirement.name.startswith("!"):
        return f"{origin.name} {origin.version}: its metadata cannot be used"
    if origin.version is None:
        return f"{origin.text}, from {origin.name}"
    return f"{origin.name} {origin.version} needs {origin.text}"


def _said(root: Root) -> str:
    return f"{root.dependency.text} ({root.origin.name})"


def _short(root: Root) -> str:
    return root.dependency.text


def _joined(parts: Sequence[str]) -> str:
    if len(parts) < 2:  # noqa: PLR2004 - one or none needs no conjunction
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _nearest(name: str, repository: Repository) -> str:
    versions = repository.releases(name).versions
    if not versions:
        return "It has no release that may be used; check `--no-build`, `--exclude-newer` and the index"
    return f"The newest release is {versions[0]}; change the requirement or the range of Pythons"


def _advice(core: Sequence[Root], region: object, request: LockRequest) -> str:
    from lockset.markers import MarkerSet

    assert isinstance(region, MarkerSet)
    example = region.example()
    chosen = sorted(example.extras) + sorted(g for g in example.groups if g != request.default_group) if example else []
    if len(chosen) > 1:
        return f"Where {_joined(chosen)} are never installed together, declare it under `conflicts` in [tool.lockset]"
    return f"Loosen one of {_joined([r.dependency.text for r in core])}, or narrow where it applies with a marker"


def _is_release(candidate: object) -> bool:
    return isinstance(candidate, GuardedCandidate)
