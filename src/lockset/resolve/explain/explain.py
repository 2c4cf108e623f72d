"""Why nothing fits: the environment, the smallest set of requirements that cannot hold together, their chains."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.index.ports import EMPTY_PAGE
from lockset.resolve.explain.affected_environments import environment_in_words, extent
from lockset.resolve.explain.failure import Failure, join_words
from lockset.resolve.explain.minimal_conflict import TrialRunner, smallest
from lockset.resolve.explain.reasons import pythons_in_words, reasons
from lockset.resolve.explain.suggestions import propose

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from packaging.version import Version

    from lockset.resolve.problem.request import LockRequest
    from lockset.resolve.problem.requirement import RequirementOrigin, RootRequirement
    from lockset.resolve.releases.repository import AdjustableRepository
    from lockset.resolve.solver.search import Cause, ResolutionImpossible

__all__ = ["explain_failure"]

# Lines of fact shown; a conflict over more has its first ones shown.
_LINES = 24
# Releases that ask for the same thing are named one by one up to this many, then counted.
_RELEASES_NAMED = 3


def explain_failure(
    impossible: ResolutionImpossible, request: LockRequest, repository: AdjustableRepository
) -> LocksetError:
    """The failure as an error: where, which roots cannot hold together, what meets what, and what helps.

    What is looked at for it is bounded, and nothing is built.
    """
    quiet = repository.under(repository.rules)
    laboratory = TrialRunner()
    conflict = smallest(impossible, request, quiet, laboratory)
    failure = Failure(conflict=conflict, request=request, repository=quiet)
    where = environment_in_words(failure)
    context = list(_lines(failure))
    missing = sorted(set(failure.names) & repository.not_found.keys())
    if missing:
        message = f"No index has a project named {join_words(missing)}, which is needed on {where}"
        hint: str | None = "Check the spelling, or add the index that has it with `--index`"
    else:
        message = _message(failure, where)
        context += reasons(failure)
        hint = propose(failure, laboratory)
        if hint is None and any(repository.empty_page(name) is not None for name in failure.names):
            hint = EMPTY_PAGE
    context += extent(conflict)
    if len(context) > _LINES:
        context[_LINES:] = [f"and {len(context) - _LINES} more"]
    if not impossible.exhausted:
        context.append("(the search was given up: there may be an answer that was not found)")
    return LocksetError("no-resolution", message, context=tuple(context), hint=hint)


def _message(failure: Failure, where: str) -> str:
    roots = [r.dependency.text for r in failure.conflict.roots]
    limits = [f"{name}{specifier}" for name, specifier in failure.conflict.constraints]
    if limits:
        told = f"the constraint{'' if len(limits) == 1 else 's'} {join_words(limits)}"
        return (
            f"{join_words(roots)} and {told} cannot hold together on {where}" if roots else f"{told} fails on {where}"
        )
    if len(roots) > 1:
        return f"{join_words(roots)} cannot hold together on {where}"
    asked = failure.conflict.roots[0].dependency
    if list(failure.names) != [asked.name]:
        return f"{asked.text} cannot be installed on {where}"
    return f"No version of {asked.name} {f'fits {asked.text}' if asked.specifier.text else 'can be used'} on {where}"


def _lines(failure: Failure) -> Iterator[str]:
    """Who asks for what, from the roots down; releases of one project that ask alike share a line."""
    conflict = failure.conflict
    chains: dict[tuple[str, bool, str], tuple[RequirementOrigin, ...]] = {}
    versions: dict[tuple[str, bool, str], list[Version]] = {}
    for cause in sorted(conflict.causes, key=_order):
        last = cause.origin
        key = (last.name, last.version is None, _asked(last, failure))
        chain = _from_root(cause.chain or (last,), conflict.roots)
        if len(chain) > len(chains.get(key, ())):
            chains[key] = chain
        if last.version is not None and last.version not in versions.setdefault(key, []):
            versions[key].append(last.version)
    begun = list(dict.fromkeys(chain[0] for chain in chains.values()))
    told = [_step(root.origin) for root in conflict.roots if root.origin not in begun]
    # Under each root what is nearer to it comes first.
    ordered = sorted(chains.items(), key=lambda item: (begun.index(item[1][0]), len(item[1])))
    for (name, is_root, asked), chain in ordered:
        above = chain if is_root else chain[:-1]
        # What several releases ask for alike is told of all of them in a line of its own.
        steps = [_step(o) for o in above if o.version is None or (o.name, False, f"needs {o.text}") not in chains]
        if not is_root:
            asking = versions[name, is_root, asked]
            verb = asked if len(asking) == 1 else re.sub("^(need|require)s ", r"\1 ", asked)
            steps.append(f"{name} {_listed(asking)} {verb}")
        told += [f"{'  ' * (at > 0)}{step}" for at, step in enumerate(steps)]
    yield from _once(told)
    for name, specifier in conflict.constraints:
        location = failure.request.policy.locations.get((name, specifier))
        yield f"{name}{specifier} is a constraint{f' in {location}' if location else ''}"


def _from_root(chain: tuple[RequirementOrigin, ...], roots: Sequence[RootRequirement]) -> tuple[RequirementOrigin, ...]:
    """`chain`, with the root it hangs on in front where the search had forgotten that."""
    first = chain[0]
    root = next((r for r in roots if first.version is not None and r.dependency.name == first.name), None)
    return chain if root is None else (root.origin, *chain)


def _once(lines: Sequence[str]) -> Iterator[str]:
    """`lines` without a chain's first ones where the chain before began with the same."""
    root = ""
    under: set[str] = set()
    for line in lines:
        if not line.startswith(" "):
            if line == root:
                continue
            root, under = line, set()
        elif line in under:
            continue
        else:
            under.add(line)
        yield line


def _order(cause: Cause) -> tuple[bool, str, str, str, Version | str]:
    origin = cause.origin
    root = cause.chain[0].text if cause.chain else ""
    return (origin.version is not None, root, cause.requirement.name, origin.name, origin.version or origin.text)


def _step(origin: RequirementOrigin) -> str:
    if origin.version is None:
        return f"{origin.text} is asked for in {origin.name}"
    return f"{origin.name} {origin.version} needs {origin.text}"


def _asked(origin: RequirementOrigin, failure: Failure) -> str:
    """What the release asks for, or why it is out of the question itself."""
    if origin.version is None or not origin.text.startswith("("):
        return f"needs {origin.text}"
    facts = failure.repository.facts(origin.name, origin.version)
    if facts is None:
        return "cannot be used: broken metadata"
    if not failure.conflict.region.implies(facts.serves):
        return f"requires {pythons_in_words(facts.serves)}"
    url = next((d for d in facts.dependencies if d.url is not None), None)
    if url is not None:
        return f"needs {url.text}, and packages of an index may not point to URLs"
    return "cannot be used: another version of the same project is asked for"


def _listed(versions: Sequence[Version]) -> str:
    ordered = sorted(versions)
    if len(ordered) > _RELEASES_NAMED:
        return f"{ordered[0]} to {ordered[-1]} ({len(ordered)} releases)"
    return join_words([str(v) for v in ordered])
