"""Why nothing fits: the environment, the smallest set of requirements that cannot hold together, and their chains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.events import Silent
from lockset.resolve.search import Cause, Impossible, solve_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lockset.markers import MarkerSet
    from lockset.resolve.repository import Repository
    from lockset.resolve.request import LockRequest
    from lockset.resolve.requirement import Origin, Root

__all__ = ["explain"]

# Searches spent on making the set of roots smaller; beyond it the set shown may not be the smallest.
_SEARCHES = 60
# Lines of conflicting requirements shown; a conflict over more has its first ones shown.
_LINES = 12


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
    names = list(dict.fromkeys(c.requirement.name for c in causes if not c.requirement.name.startswith("!")))
    missing = sorted(set(names) & not_found.keys())
    where = _where(region, request)
    context = list(dict.fromkeys(_line(c) for c in sorted(causes, key=_order)))
    if len(context) > _LINES:
        context[_LINES:] = [f"and {len(context) - _LINES} more"]
    if missing:
        message = f"No index has a project named {_joined(missing)}, which is needed on {where}"
        hint = "Check the spelling, or name the index that has it with `--index`"
    elif len(names) == 1 and len(core) == 1 and core[0].dependency.name == names[0]:
        message = f"No version of {names[0]} fits {core[0].dependency.text} on {where}"
        hint = _nearest(core[0], region, repository)
    elif len(core) == 1:
        message = f"{core[0].dependency.text} cannot be served on {where}"
        hint = _advice(core, region, request)
    else:
        message = f"{_joined([r.dependency.text for r in core])} cannot hold together on {where}"
        hint = _advice(core, region, request)
    if not impossible.exhausted:
        context.append("(the search was given up: there may be an answer that was not found)")
    return LocksetError("no-resolution", message, context=tuple(context), hint=hint)


def _smallest(
    impossible: Impossible, roots: list[Root], request: LockRequest, repository: Repository
) -> tuple[list[Root], Sequence[Cause]]:
    """Roots of which none can be left out, and the conflict they lead to."""
    searches = 0

    def without(rest: list[Root]) -> Impossible | None:
        nonlocal searches
        searches += 1
        return solve_environment(request, impossible.universe, rest, repository, Silent()) if rest else None

    core, causes = list(roots), impossible.causes
    # The roots that the conflict's chains begin with are often all that matters.
    begun = {c.chain[0] for c in causes if c.chain and c.chain[0].version is None}
    likely = [r for r in core if r.origin in begun]
    if len(likely) < len(core) and (again := without(likely)) is not None:
        core, causes = likely, again.causes
    size = max(len(core) // 2, 1)
    while size and searches < _SEARCHES:
        position = 0
        while position < len(core) and len(core) > 1 and searches < _SEARCHES:
            rest = core[:position] + core[position + size :]
            again = without(rest)
            if again is not None:
                core, causes = rest, again.causes
            else:
                position += size
        size //= 2
    return core, causes


def _where(region: MarkerSet, request: LockRequest) -> str:
    example = region.example()
    if example is None:
        return "no environment"
    system = example.environment["platform_system"]
    python = ".".join(example.environment["python_full_version"].split(".")[:2])
    implementation = example.environment["platform_python_implementation"]
    chosen = [f"extra `{e}`" for e in sorted(example.extras)]
    chosen += [f"group `{g}`" for g in sorted(example.groups) if g != request.default_group]
    suffix = f" with {_joined(chosen)}" if chosen else ""
    kind = "Python" if implementation == "CPython" else implementation
    return f"{kind} {python}, {'macOS' if system == 'Darwin' else system}{suffix}"


def _order(cause: Cause) -> tuple[bool, str, str, str]:
    origin = cause.origin
    return (origin.version is not None, cause.requirement.name, origin.name, str(origin.version))


def _line(cause: Cause) -> str:
    return ", and ".join(_asks(origin) for origin in cause.chain or (cause.origin,))


def _asks(origin: Origin) -> str:
    if origin.version is None:
        return f"{origin.text} is asked for in {origin.name}"
    if origin.text.startswith("("):
        return f"{origin.name} {origin.version} cannot be used"
    return f"{origin.name} {origin.version} needs {origin.text}"


def _joined(parts: Sequence[str]) -> str:
    if len(parts) < 2:  # noqa: PLR2004 - one or none needs no conjunction
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _nearest(root: Root, region: MarkerSet, repository: Repository) -> str:
    """What keeps the newest release that the requirement admits from being chosen, or what the newest release is."""
    name = root.dependency.name
    versions = repository.releases(name).versions
    if not versions:
        return "It has no release that may be used; check `--no-build`, `--exclude-newer` and the index"
    fitting = next((v for v in versions if root.dependency.specifier.admits(v)), None)
    if fitting is None:
        return f"The newest release is {versions[0]}"
    serves = repository.serves(name, fitting)
    if serves.is_disjoint(region):
        text = serves.without_extras_and_groups().text()
        if not serves.without_platforms().is_disjoint(region.without_platforms()):
            return f"{name} {fitting} has files for other platforms only: ask for it under a marker, or elsewhere"
        if text is not None:
            return f"{name} {fitting} can be used where {text}: narrow `requires-python`, or where it is asked for"
    facts = repository.facts(name, fitting)
    if facts is None:
        return f"The metadata of {name} {fitting} cannot be used"
    return f"The newest release that fits is {fitting}"


def _advice(core: Sequence[Root], region: MarkerSet, request: LockRequest) -> str:
    example = region.example()
    chosen = sorted(example.extras) + sorted(g for g in example.groups if g != request.default_group) if example else []
    asking = {n for r in core for n in (*r.region.extras(), *r.region.groups())}
    apart = [name for name in chosen if name in asking]
    if len(apart) > 1:
        return f"Where {_joined(apart)} are never installed together, declare it under `conflicts` in [tool.lockset]"
    loose = _joined([r.dependency.text for r in core])
    return f"Loosen {'one of ' if len(core) > 1 else ''}{loose}, or narrow where it applies with a marker"
