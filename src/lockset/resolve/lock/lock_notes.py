"""What a lock reports: notes, each handed to the listener once and kept for the result, and entries without a file."""

from __future__ import annotations

from os.path import isabs
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.resolve.problem.direct_source import DirectVersion
from lockset.resolve.problem.python_range import KNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lockset.lockfile.model import Pylock
    from lockset.markers.universe import TargetInterpreter
    from lockset.progress import ProgressListener
    from lockset.resolve.lock.verify import MissingFile
    from lockset.resolve.releases.direct_repository import DirectRepository
    from lockset.resolve.releases.index_repository import IndexRepository
    from lockset.resolve.releases.repository import Repository
    from lockset.resolve.solver.resolution import Resolution

__all__ = [
    "Gap",
    "LockNotes",
    "environments_in_words",
    "gaps",
    "list_few",
    "note_missing_extras",
    "note_sources",
    "note_statuses",
]

# Names in one note; further ones are counted.
_SHOWN = 10


class LockNotes:
    """Hands notes on to the listener, each once, and keeps them."""

    def __init__(self, listener: ProgressListener, first: Iterable[str]) -> None:
        self.listener = listener
        self.texts: list[str] = []
        for text in first:
            self.note(text)

    def note(self, text: str) -> None:
        """Hand on a note."""
        if text in self.texts:
            return
        self.texts.append(text)
        self.listener.note(text)


def list_few(texts: Sequence[str]) -> str:
    """The first three texts, and how many more there are."""
    more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    return f"{', '.join(texts[:3])}{more}"


def note_missing_extras(
    resolution: Resolution, repository: IndexRepository | DirectRepository, listener: LockNotes
) -> None:
    """Report extras that the chosen release does not provide: they have no requirements, and are not an error."""
    for (name, version), node in resolution.nodes.items():
        facts = repository.facts(name, version)
        provided = facts.extras if facts is not None else frozenset()
        missing = sorted({extra for extra, _ in node.extras} - provided)
        if missing:
            more = f" and {len(missing) - _SHOWN} others" if len(missing) > _SHOWN else ""
            listener.note(f"{name} {version} has no extra named {', '.join(missing[:_SHOWN])}{more}")


def note_statuses(resolution: Resolution, repository: IndexRepository | DirectRepository, listener: LockNotes) -> None:
    """Report projects that their index marks as archived or deprecated (PEP 792)."""
    for name in sorted({name for name, version in resolution.nodes if not isinstance(version, DirectVersion)}):
        status = repository.project_status(name)
        if status is not None:
            listener.note(status.text)


def note_sources(lock: Pylock, old: Pylock | None, listener: LockNotes) -> None:
    """Report archives that changed, and paths outside the lock file's folder."""
    _note_changed_archives(lock, old, listener)
    _note_outside_paths(lock, listener)


def _note_changed_archives(lock: Pylock, old: Pylock | None, listener: LockNotes) -> None:
    """Report archives whose content has changed although their URL is the same."""
    known = {p.archive.url: p.archive for p in (old.packages if old is not None else ()) if p.archive and p.archive.url}
    for package in lock.packages:
        before = known.get(package.archive.url or "") if package.archive is not None else None
        if before is not None and package.archive is not None and _differ(before.hashes, package.archive.hashes):
            listener.note(f"{package.archive.url} has changed since it was locked: review the change")


def _note_outside_paths(lock: Pylock, listener: LockNotes) -> None:
    """Report paths outside the lock file's folder, which a sync refuses by default."""
    locations = [
        location for p in lock.packages for location in (p.archive, p.directory, p.vcs) if location is not None
    ]
    files = [file for p in lock.packages for file in (p.sdist, *(p.wheels or ())) if file is not None]
    outside = _outside(location.path for location in locations)
    folders = _outside(f.path and f.path.rpartition("/")[0] + "/" for f in files)
    if outside or folders:
        way = f" or `-f {folders[0]}`" if folders and not outside else " only"
        listener.note(
            f"The lock refers to paths outside its folder, {list_few([*outside, *folders])}:"
            f" `lockset sync` installs them with `--allow-outside-path`{way}"
        )


def _outside(paths: Iterable[str | None]) -> list[str]:
    return sorted({path for path in paths if path and (path.split("/")[0] == ".." or isabs(path))})


def _differ(before: Mapping[str, str], now: Mapping[str, str]) -> bool:
    common = before.keys() & now.keys()
    return any(before[a].lower() != now[a].lower() for a in common)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """An entry that applies in some environments but has no file for them.

    Attributes:
        name: Normalised name of the project.
        version: The version that is locked there.
        environments: In words: `win_amd64 on Python 3.11 and 3.12`.
    """

    name: str
    version: str
    environments: str

    @property
    def text(self) -> str:
        """The warning."""
        return f"{self.name} {self.version} has no file for {self.environments}: it cannot be installed there"


def gaps(missing: Sequence[MissingFile], resolution: Resolution, repository: Repository) -> tuple[Gap, ...]:
    """The gaps at samples, and those in target environments without a sample."""
    environments = {(m.name, m.version): environments_in_words(m.samples) for m in missing}
    for (name, version), node in resolution.nodes.items():
        if isinstance(version, DirectVersion) or (name, str(version)) in environments:
            continue
        wheels = repository.wheels_serve(name, version)
        if wheels is None:
            continue
        unserved = ((node.region & repository.target_region & KNOWN) - wheels).without_extras_and_groups()
        if not unserved.is_empty:
            marker = unserved.text(resolution.universe.without_extras_and_groups())
            environments[name, str(version)] = f"environments where {marker}" if marker else "any environment"
    return tuple(Gap(name=name, version=version, environments=words) for (name, version), words in environments.items())


def environments_in_words(samples: Iterable[TargetInterpreter]) -> str:
    """`linux and win_amd64 on Python 3.12 and 3.13`: platforms with the same Pythons together."""
    from lockset.resolve.explain.affected_environments import pythons_listed  # few locks have gaps
    from lockset.resolve.explain.failure import join_words

    pythons: dict[tuple[str, str], list[str]] = {}
    for sample in samples:
        pythons.setdefault((sample.platform, sample.implementation), []).append(sample.environment.python_version)
    platforms: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (platform, implementation), versions in pythons.items():
        platforms.setdefault((implementation, tuple(dict.fromkeys(versions))), []).append(platform)
    parts = []
    for (implementation, pythons_alike), names in platforms.items():
        kind = {"cpython": "Python", "pypy": "PyPy"}.get(implementation, implementation)
        parts.append(f"{join_words(names)} on {kind} {pythons_listed(list(pythons_alike))}")
    return join_words(parts)
