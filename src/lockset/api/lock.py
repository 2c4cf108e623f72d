"""lock(): a project to pylock.toml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.events import Silent
from lockset.lockfile.validate import validate
from lockset.lockfile.write import write
from lockset.resolve.ask import Choices, Question, ask
from lockset.resolve.assemble import LockTerms, assemble
from lockset.resolve.explain import explain
from lockset.resolve.narrow import narrowing
from lockset.resolve.propagate import propagate
from lockset.resolve.prove import Gap, prove
from lockset.resolve.search import Impossible, choices_of, search

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager
    from datetime import datetime

    from packaging.version import Version

    from lockset.events import Listener
    from lockset.lockfile.model import Pylock
    from lockset.resolve.index_repository import FileRules, IndexRepository
    from lockset.resolve.requirement import Dependency
    from lockset.resolve.resolution import Resolution
    from lockset.sources.project import RootProject

__all__ = ["Choices", "LockResult", "lock"]

# Opens a repository for rules; closing it ends its connections.
Opener = "Callable[[FileRules, Listener], AbstractContextManager[IndexRepository]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockResult:
    """A lock that was found, proved and validated.

    Attributes:
        lock: The lock file.
        text: Its canonical text, byte for byte the same for the same question and index.
        resolution: Who needs what where, and how the search went.
        gaps: Entries for which no release of their project has a file on some platform.
    """

    lock: Pylock
    text: str
    resolution: Resolution
    gaps: tuple[Gap, ...]


def lock(
    project: RootProject,
    choices: Choices,
    *,
    open_repository: Callable[[FileRules, Listener], AbstractContextManager[IndexRepository]],
    now: datetime,
    old: Pylock | None = None,
    listener: Listener | None = None,
) -> LockResult:
    """One lock for every environment that `project` and `choices` ask for; nothing is written to disk.

    Args:
        project: What is to be locked.
        choices: What the user chose beside it.
        open_repository: Where releases come from (`lockset.api.wiring`).
        now: For ages in `exclude-newer` and for which Pythons are still maintained.
        old: The lock there is; its pins are tried first.
        listener: Hears of progress.

    Raises:
        LocksetError: `no-resolution` and all that can go wrong with the network and the input.
    """
    heard = listener or Silent()
    question = ask(project, choices, old=old, now=now)
    for note in question.notes:
        heard.note(note)
    with open_repository(question.rules, heard) as repository:
        heard.phase("Resolving")
        try:
            pins, statistics = search(question.request, repository, heard)
        except Impossible as impossible:
            raise explain(impossible, question.request, repository, repository.not_found) from None
        resolution = propagate(pins, question.request.roots, question.request.universe, repository, statistics)
        terms, resolution = _narrowed(question, resolution, repository, heard)
        found = assemble(resolution, question.request, terms, repository)
        gaps = _prove(found, question, repository, terms)
        _tell_missing_extras(resolution, repository, heard)
    text = write(found)
    _validate(text)
    return LockResult(lock=found, text=text, resolution=resolution, gaps=gaps)


def _narrowed(
    question: Question, resolution: Resolution, repository: IndexRepository, listener: Listener
) -> tuple[LockTerms, Resolution]:
    """The lock's own range after the upper bounds of what was chosen, and the resolution inside it."""
    request = question.request
    bound = narrowing(resolution, repository.strictly_serves) if request.open_above else None
    if bound is None:
        terms = LockTerms(requires_python=request.requires_python, universe=request.universe, sdists=question.sdists)
        return terms, resolution
    names = ", ".join(f"{name} {version}" for name, version in bound.releases[:3])
    more = f" and {len(bound.releases) - 3} more" if len(bound.releases) > 3 else ""  # noqa: PLR2004 - as listed above
    listener.note(f"The lock serves Pythons below {bound.below}: {names}{more} admit no later one")
    universe = request.universe & bound.region
    terms = LockTerms(requires_python=bound.apply(request.requires_python), universe=universe, sdists=question.sdists)
    inside = propagate(resolution.pins, request.roots, universe, repository, resolution.statistics)
    return terms, inside


def _tell_missing_extras(resolution: Resolution, repository: IndexRepository, listener: Listener) -> None:
    """An extra that the chosen release does not provide asks for nothing: worth a word, never an older release."""
    for (name, version), node in resolution.nodes.items():
        facts = repository.facts(name, version)
        provided = facts.extras if facts is not None else frozenset()
        for extra, _ in node.extras:
            if extra not in provided:
                listener.note(f"{name} {version} has no extra named {extra}")


def _prove(found: Pylock, question: Question, repository: IndexRepository, terms: LockTerms) -> tuple[Gap, ...]:
    def dependencies(name: str, version: Version) -> Iterable[Dependency]:
        facts = repository.facts(name, version)
        return facts.dependencies if facts is not None else ()

    inside = terms.universe.without_extras_and_groups()
    samples = [s for s in question.samples if inside.evaluate(s.environment)]
    request = question.request
    return prove(
        found,
        roots=request.roots,
        dependencies=dependencies,
        samples=samples,
        choices=choices_of(request),
        universe=terms.universe,
    )


def _validate(text: str) -> None:
    report = validate(text, path="pylock.toml")
    errors = [issue for issue in report.issues if issue.severity == "error"]
    if errors:
        raise LocksetError(
            "internal-invalid",
            f"The lock that was made breaks the standard: {errors[0].message}",
            hint="Nothing was written; this is a bug in lockset: report it with the project that shows it",
        )
