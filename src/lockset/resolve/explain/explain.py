"""Explain a failure: the environment, the smallest set of incompatible requirements, and the chains to them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lockset.errors import LocksetError, NoResolutionError
from lockset.index.pages.project_status import QUARANTINED
from lockset.index.ports import EMPTY_PAGE
from lockset.resolve.explain.affected_environments import environment_in_words, failing_environments
from lockset.resolve.explain.failure import Failure, join_words
from lockset.resolve.explain.minimal_conflict import TrialRunner, minimize_conflict
from lockset.resolve.explain.reasons import pythons_in_words, reasons
from lockset.resolve.explain.suggestions import suggest

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
# Releases with the same requirement are listed up to this many, then counted.
_RELEASES_NAMED = 3
_GIVEN_UP = "(the search was stopped: there may be a solution)"
# How certain it is that there is no answer, by whether everything was tried and what the second engine says; nothing is
# said where both tried everything.
_CERTAINTY = {
    (True, "undecided"): "(the second engine, resolvelib, was stopped before it could confirm this)",
    (True, "contradicted"): "(the second engine, resolvelib, finds a solution for this environment: this is a bug in"
    " lockset, report it with the project that shows it)",
    (False, None): _GIVEN_UP,
    (False, "undecided"): _GIVEN_UP,
    (False, "confirmed"): "(the search was stopped; the second engine, resolvelib, finds no solution for this"
    " environment either)",
    (False, "contradicted"): "(the search was stopped, though this environment alone has a solution: lock fewer"
    " environments, with `--python` or `--platform`)",
}


def explain_failure(
    impossible: ResolutionImpossible, request: LockRequest, repository: AdjustableRepository
) -> LocksetError:
    """The failure as an error: the environment, the incompatible roots, the requirements between them, and suggestions.

    The searches for it are bounded, and nothing is built.
    """
    quiet = repository.under(repository.rules)
    trials = TrialRunner()
    conflict = minimize_conflict(impossible, request, quiet, trials)
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
        hint = QUARANTINED if _quarantined(failure) else suggest(failure, trials)
        if hint is None and any(repository.empty_page(name) is not None for name in failure.names):
            hint = EMPTY_PAGE
    context += failing_environments(conflict)
    if len(context) > _LINES:
        context[_LINES:] = [f"and {len(context) - _LINES} more"]
    certainty = _CERTAINTY.get((impossible.exhausted, impossible.opinion))
    if certainty is not None:
        context.append(certainty)
    error = NoResolutionError(message, context=tuple(context), hint=hint)
    error.projects = tuple(dict.fromkeys((*failure.names, *failure.chain_names)))
    return error


def _quarantined(failure: Failure) -> bool:
    statuses = map(failure.repository.project_status, failure.names)
    return any(one is not None and one.status == "quarantined" for one in statuses)


def _message(failure: Failure, where: str) -> str:
    roots = [r.dependency.text for r in failure.conflict.roots]
    limits = [f"{name}{specifier}" for name, specifier in failure.conflict.constraints]
    if limits:
        constraints = f"the constraint{'' if len(limits) == 1 else 's'} {join_words(limits)}"
        return (
            f"{join_words(roots)} and {constraints} are incompatible on {where}"
            if roots
            else f"{constraints} fails on {where}"
        )
    if len(roots) > 1:
        return f"{join_words(roots)} are incompatible on {where}"
    dependency = failure.conflict.roots[0].dependency
    if list(failure.names) != [dependency.name]:
        return f"{dependency.text} cannot be installed on {where}"
    verb = f"fits {dependency.text}" if dependency.specifier.text else "can be used"
    return f"No version of {dependency.name} {verb} on {where}"


def _lines(failure: Failure) -> Iterator[str]:
    """The chains of requirements from the roots down. Releases with the same requirement share a line."""
    conflict = failure.conflict
    chains: dict[tuple[str, bool, str], tuple[RequirementOrigin, ...]] = {}
    versions: dict[tuple[str, bool, str], list[Version]] = {}
    for cause in sorted(conflict.causes, key=_order):
        last = cause.origin
        key = (last.name, last.version is None, _need(last, failure))
        chain = _from_root(cause.chain or (last,), conflict.roots)
        if len(chain) > len(chains.get(key, ())):
            chains[key] = chain
        if last.version is not None and last.version not in versions.setdefault(key, []):
            versions[key].append(last.version)
    begun = list(dict.fromkeys(chain[0] for chain in chains.values()))
    lines = [_step(root.origin) for root in conflict.roots if root.origin not in begun]
    # Under each root, shorter chains come first.
    ordered = sorted(chains.items(), key=lambda item: (begun.index(item[1][0]), len(item[1])))
    for (name, is_root, need), chain in ordered:
        above = chain if is_root else chain[:-1]
        # A requirement that several releases share has a line of its own.
        steps = [_step(o) for o in above if o.version is None or (o.name, False, f"needs {o.text}") not in chains]
        if not is_root:
            requiring = versions[name, is_root, need]
            verb = need if len(requiring) == 1 else re.sub("^(need|require)s ", r"\1 ", need)
            steps.append(f"{name} {_listed(requiring)} {verb}")
        lines += [f"{'  ' * (at > 0)}{step}" for at, step in enumerate(steps)]
    yield from _once(lines)
    for name, specifier in conflict.constraints:
        location = failure.request.policy.locations.get((name, specifier))
        yield f"{name}{specifier} is a constraint{f' in {location}' if location else ''}"


def _from_root(chain: tuple[RequirementOrigin, ...], roots: Sequence[RootRequirement]) -> tuple[RequirementOrigin, ...]:
    """`chain`, with its root in front where the solver no longer knew it."""
    first = chain[0]
    root = next((r for r in roots if first.version is not None and r.dependency.name == first.name), None)
    return chain if root is None else (root.origin, *chain)


def _once(lines: Sequence[str]) -> Iterator[str]:
    """`lines` without those at the start of a chain that the chain before has, too."""
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
        return f"{origin.text} is required in {origin.name}"
    return f"{origin.name} {origin.version} needs {origin.text}"


def _need(origin: RequirementOrigin, failure: Failure) -> str:
    """The requirement of the release, or why the release itself cannot be used."""
    if origin.version is None or not origin.text.startswith("("):
        return f"needs {origin.text}"
    facts = failure.repository.facts(origin.name, origin.version)
    if facts is None:
        return "cannot be used: broken metadata"
    if not failure.conflict.region.implies(facts.serves):
        return f"requires {pythons_in_words(facts.serves)}"
    url = next((d for d in facts.dependencies if d.url is not None), None)
    if url is not None:
        return f"needs {url.text}, and packages from an index may not require URLs"
    return "cannot be used: it requires another version of itself"


def _listed(versions: Sequence[Version]) -> str:
    ordered = sorted(versions)
    if len(ordered) > _RELEASES_NAMED:
        return f"{ordered[0]} to {ordered[-1]} ({len(ordered)} releases)"
    return join_words([str(v) for v in ordered])
