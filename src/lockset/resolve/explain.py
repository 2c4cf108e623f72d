"""Why nothing fits: the environment, the smallest set of requirements that cannot hold together, and their chains."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lockset.errors import LocksetError
from lockset.events import Silent
from lockset.resolve.direct import DirectVersion, host_of
from lockset.resolve.policy import Admission
from lockset.resolve.propose import propose
from lockset.resolve.search import Cause, Impossible, solve_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.version import Version

    from lockset.markers import MarkerSet
    from lockset.resolve.repository import Releases, Repository
    from lockset.resolve.request import LockRequest
    from lockset.resolve.requirement import Origin, Root, Specifier

__all__ = ["explain"]

# Searches spent on making the set of roots smaller; beyond it the set shown may not be the smallest.
_SEARCHES = 60
# Lines of conflicting requirements shown; a conflict over more has its first ones shown.
_LINES = 12
# Releases that ask for the same thing are named one by one up to this many, then counted.
_RELEASES_NAMED = 3
_PYTHON_BOUND = re.compile(r"python_(?:full_)?version (<|<=|>|>=|==|!=) '([^']*)'")


class _Reason(NamedTuple):
    """What keeps a release that would fit from being chosen, and what to do about it."""

    fact: str
    hint: str


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
    where = _where(region, core, request)
    reasons = [] if missing else list(_reasons(causes, region, request, repository))
    context = [*_lines(core, causes, region, repository), *(r.fact for r in reasons)]
    if len(context) > _LINES:
        context[_LINES:] = [f"and {len(context) - _LINES} more"]
    if not impossible.exhausted:
        context.append("(the search was given up: there may be an answer that was not found)")
    if missing:
        message = f"No index has a project named {_joined(missing)}, which is needed on {where}"
        hint = "Check the spelling, or name the index that has it with `--index`"
        return LocksetError("no-resolution", message, context=tuple(context), hint=hint)
    known = (_url_hint(causes, repository), *(r.hint for r in reasons), _conflict_hint(core, region, request))
    hint = next(filter(None, known), None) or propose(core, roots, region, request, repository) or _advice(core)
    return LocksetError("no-resolution", _message(core, names, where), context=tuple(context), hint=hint)


def _url_hint(causes: Sequence[Cause], repository: Repository) -> str | None:
    """How to allow what a release of an index asks for by URL."""
    for origin in (c.origin for c in causes if c.origin.version is not None and c.origin.text.startswith("(")):
        assert origin.version is not None
        facts = repository.facts(origin.name, origin.version)
        for dependency in facts.dependencies if facts is not None else ():
            if dependency.url is not None:
                host = host_of(dependency.url)
                return f"To allow it: `--allow-direct-url {host}`, or `allow-direct-urls` in [tool.lockset]"
    return None


def _message(core: Sequence[Root], names: Sequence[str], where: str) -> str:
    if len(core) > 1:
        return f"{_joined([r.dependency.text for r in core])} cannot hold together on {where}"
    asked = core[0].dependency
    if list(names) != [asked.name]:
        return f"{asked.text} cannot be installed on {where}"
    return f"No version of {asked.name} {f'fits {asked.text}' if asked.specifier.text else 'can be used'} on {where}"


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


def _where(region: MarkerSet, core: Sequence[Root], request: LockRequest) -> str:
    example = region.example()
    if example is None:
        return "no environment"
    system = example.environment["platform_system"]
    python = ".".join(example.environment["python_full_version"].split(".")[:2])
    implementation = example.environment["platform_python_implementation"]
    asking = {n for r in core for n in (*r.region.extras(), *r.region.groups())}
    chosen = [f"extra `{e}`" for e in sorted(example.extras) if e in asking]
    chosen += [f"group `{g}`" for g in sorted(example.groups) if g in asking and g != request.default_group]
    suffix = f" with {_joined(chosen)}" if chosen else ""
    kind = "Python" if implementation == "CPython" else implementation
    return f"{kind} {python}, {'macOS' if system == 'Darwin' else system}{suffix}"


def _lines(core: Sequence[Root], causes: Sequence[Cause], region: MarkerSet, repository: Repository) -> Iterator[str]:
    """Who asks for what, from the roots down; releases of one project that ask alike share a line."""
    chains: dict[tuple[str, bool, str], tuple[Origin, ...]] = {}
    versions: dict[tuple[str, bool, str], list[Version]] = {}
    for cause in sorted(causes, key=_order):
        last = cause.origin
        key = (last.name, last.version is None, _asked(last, region, repository))
        chain = cause.chain or (last,)
        if len(chain) > len(chains.get(key, ())):
            chains[key] = chain
        if last.version is not None and last.version not in versions.setdefault(key, []):
            versions[key].append(last.version)
    begun = {chain[0] for chain in chains.values()}
    for root in core:
        if root.origin not in begun:
            yield f"{root.dependency.text} is asked for in {root.origin.name}"
    for (name, is_root, asked), chain in chains.items():
        above = [_step(origin) for origin in chain[:-1]]
        asking = versions.get((name, is_root, asked), [])
        verb = asked if len(asking) == 1 else re.sub("^(need|require)s ", r"\1 ", asked)
        yield "; ".join([*above, _step(chain[-1]) if is_root else f"{name} {_listed(asking)} {verb}"])


def _order(cause: Cause) -> tuple[bool, str, str, Version | str]:
    origin = cause.origin
    return (origin.version is not None, cause.requirement.name, origin.name, origin.version or origin.text)


def _step(origin: Origin) -> str:
    if origin.version is None:
        return f"{origin.text} is asked for in {origin.name}"
    return f"{origin.name} {origin.version} needs {origin.text}"


def _asked(origin: Origin, region: MarkerSet, repository: Repository) -> str:
    """What the release asks for, or why it is out of the question itself."""
    if origin.version is None or not origin.text.startswith("("):
        return f"needs {origin.text}"
    facts = repository.facts(origin.name, origin.version)
    if facts is None:
        return "cannot be used: broken metadata"
    if not region.implies(facts.serves):
        return f"requires {_pythons(facts.serves)}"
    url = next((d for d in facts.dependencies if d.url is not None), None)
    if url is not None:
        return f"needs {url.text}, and packages of an index may not point to URLs"
    return "cannot be used: another version of the same project is asked for"


def _listed(versions: Sequence[Version]) -> str:
    ordered = sorted(versions)
    if len(ordered) > _RELEASES_NAMED:
        return f"{ordered[0]} to {ordered[-1]} ({len(ordered)} releases)"
    return _joined([str(v) for v in ordered])


def _joined(parts: Sequence[str]) -> str:
    if len(parts) < 2:  # noqa: PLR2004 - one or none needs no conjunction
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _reasons(
    causes: Sequence[Cause], region: MarkerSet, request: LockRequest, repository: Repository
) -> Iterator[_Reason]:
    """For each project of the conflict: what keeps releases that all its requirements admit from being chosen."""
    asked: dict[str, dict[Specifier, None]] = {}
    for cause in causes:
        if not cause.requirement.name.startswith("!"):
            asked.setdefault(cause.requirement.name, {})[cause.requirement.specifier] = None
    for name, specifiers in asked.items():
        releases = repository.releases(name)
        if not releases.versions:
            yield _Reason(
                f"{name} has no release that may be used",
                "Look at `--no-build`, `--only-binary`, `--no-binary` and `--exclude-newer`, and at the index",
            )
            continue
        reason: _Reason | None = None
        if any(all(s.admits(v) for s in specifiers) for v in releases.versions):
            reason = _reason(releases, list(specifiers), region, request, repository)
        elif any(not any(s.admits(v) for v in releases.versions) for s in specifiers):
            reason = _none_fits(name, releases.versions[0])
        if reason is not None:
            yield reason


def _none_fits(name: str, newest: Version) -> _Reason:
    if isinstance(newest, DirectVersion):
        told = f"{name} comes from {newest.source.shown}, and is {newest}"
        return _Reason(told, f"Ask for another {name}, or for versions of the others that fit it")
    told = f"the newest version of {name} to choose from is {newest}"
    return _Reason(told, "Ask for a version that exists, or look at `--exclude-newer` and the index")


def _reason(
    releases: Releases, specifiers: Sequence[Specifier], region: MarkerSet, request: LockRequest, repository: Repository
) -> _Reason | None:
    """Looked at in the order in which releases are sorted out: constraints, policy, Requires-Python and files."""
    name = releases.name
    fitting = [v for v in releases.versions if all(s.admits(v) for s in specifiers)]
    for constraint, where in request.policy.constraints.get(name, ()):
        if not where.is_disjoint(region) and not any(constraint.admits(v) for v in fitting):
            return _Reason(f"{name}{constraint} is a constraint", f"Loosen the constraint {name}{constraint}")
    admitted = Admission(repository, request.policy).admitted(releases, specifiers)
    usable = [v for v in fitting if admitted >> releases.versions.index(v) & 1]
    if not usable:
        return _refused_by_policy(releases, fitting[0], request)
    newest = usable[0]
    serving = [v for v in usable if not repository.serves(name, v).is_disjoint(region)]
    if serving:
        return None
    serves = repository.serves(name, newest)
    if not serves.without_platforms().is_disjoint(region.without_platforms()):
        return _Reason(
            f"{name} {newest} has files for other platforms only",
            "Ask for it under a marker, or leave this platform out with `--platform` (`platforms` in [tool.lockset])",
        )
    marker = serves.without_platforms().without_extras_and_groups().text()
    return _Reason(
        f"{name} {newest} requires {_pythons(serves)}",
        f"Narrow `requires-python` (`--python`) to match, or ask for it only where {marker}",
    )


def _refused_by_policy(releases: Releases, version: Version, request: LockRequest) -> _Reason:
    if releases.yanked >> releases.versions.index(version) & 1:
        return _Reason(
            f"{releases.name} {version} is yanked", f"To take it all the same, pin it: `{releases.name}=={version}`"
        )
    policy = request.policy
    if policy.prerelease_of.get(releases.name, policy.prerelease) == "disallow":
        return _Reason(
            f"{releases.name} {version} is a pre-release, and these are not allowed",
            f"To take it, allow it: `--prerelease-package {releases.name}=allow`",
        )
    return _Reason(
        f"{releases.name} {version} is a pre-release",
        f"To take it, name it: `{releases.name}>={version}`, or allow pre-releases with `--prerelease allow`",
    )


def _pythons(serves: MarkerSet) -> str:
    """`Python >=3.10,<3.14`; where it is not as simple as that, the marker."""
    marker = serves.without_platforms().without_extras_and_groups().text() or ""
    bounds = [_PYTHON_BOUND.fullmatch(part) for part in marker.split(" and ")]
    if all(bounds):
        return f"Python {','.join(b[1] + b[2] for b in bounds if b)}"
    return f"an environment where {marker}" if marker else "another environment"


def _conflict_hint(core: Sequence[Root], region: MarkerSet, request: LockRequest) -> str | None:
    """Extras and groups that disagree, where more than one is at odds."""
    example = region.example()
    chosen = sorted(example.extras) + sorted(g for g in example.groups if g != request.default_group) if example else []
    asking = {n for r in core for n in (*r.region.extras(), *r.region.groups())}
    apart = [f"`{name}`" for name in chosen if name in asking]
    if len(apart) < 2:  # noqa: PLR2004 - a conflict has two sides
        return None
    return f"Where {_joined(apart)} are never installed together, declare it under `conflicts` in [tool.lockset]"


def _advice(core: Sequence[Root]) -> str:
    """Where nothing that was tried helps, what is left to do."""
    texts = [r.dependency.text for r in core]
    if len(texts) > 1:
        return f"Ask for {', '.join(texts[:-1])} or {texts[-1]} under a marker that leaves this environment out"
    return f"Ask for {texts[0]} under a marker that leaves this environment out, or do without it"
