"""Run an audit: read what is audited, compare it with the advisories, and apply the entries of `ignore`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from lockset._dataclass import replace
from lockset.advisories.vulnerabilities import vulnerabilities_of
from lockset.composition.audits.advisory_sources import AdvisorySources
from lockset.composition.audits.ignore_entries import IgnoreEntries
from lockset.composition.audits.report import AuditFinding, AuditReport, IgnoredFinding
from lockset.composition.audits.subjects import environment_subject, file_subject, lock_subject
from lockset.composition.indexes import project_around, resolve_indexes
from lockset.errors import LocksetError, UsageError
from lockset.sources.audit_settings import AuditSettings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from lockset.advisories.database import AdvisoryDatabase, DatabaseState
    from lockset.composition.audits.report import AuditOptions
    from lockset.composition.audits.subjects import AuditSubject
    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.options import IndexOptions
    from lockset.sources.project import RootProject

__all__ = ["Auditor", "open_auditor"]

_STDIN = "-"
# Days after which the newest advisory is called old: databases change every day.
_OLD_DAYS = 30
# Values that are not valid, each in a warning of its own; further ones are counted.
_MOST_PROBLEMS = 10
# Names in one sentence; further ones are counted.
_SHOWN = 5


def open_auditor(
    path: str | None,
    options: AuditOptions,
    indexes: IndexOptions | IndexOverrides | None,
    context: RunContext,
) -> Auditor:
    """Read what is audited, and the settings around it.

    Raises:
        LocksetError: If the subject or the settings are not valid.
        UsageError: `advisories-missing` without a source of advisories; `option-conflict`.
    """
    subject = _subject(path, options, context)
    folder = context.here
    if subject.kind != "environment" and path != _STDIN:
        folder = (context.here / subject.location).parent
    project = project_around(folder, context)
    settings = project.settings.audit if project is not None else AuditSettings()
    locations = [os.fspath(one) for one in options.advisories]
    base = context.here
    if not locations and project is not None:
        locations, base = list(settings.advisories), project.base
    osv = settings.osv if options.osv is None else options.osv
    if not locations and not osv:
        raise UsageError(
            "advisories-missing",
            "There are no advisories to compare with",
            hint="Name a folder, an archive or a URL with `--advisories`, or query OSV's service with `--osv`;"
            " or set them in `[tool.lockset.audit]`",
        )
    from lockset.composition.audits.osv_service import OSV_ADDRESS

    sources = AdvisorySources(
        locations,
        base=base,
        osv=(options.osv_address or OSV_ADDRESS) if osv else None,
        options=lambda: resolve_indexes(indexes, project, context),
        context=context,
    )
    entries = IgnoreEntries.of(options.ignore, settings.ignore, context.moment.date())
    return Auditor(
        subject=subject,
        sources=sources,
        entries=entries,
        project=project,
        now=context.moment,
        narrowed=_narrowed(options),
    )


def _narrowed(options: AuditOptions) -> dict[str, Any]:
    """The arguments of `lock_subject` that narrow a lock file."""
    return {
        "python": options.python_version,
        "platform": options.platform,
        "extras": None if options.extras is None else tuple(options.extras),
        "groups": None if options.groups is None else tuple(options.groups),
    }


def _subject(path: str | None, options: AuditOptions, context: RunContext) -> AuditSubject:
    of_environment = options.python is not None or options.target is not None or options.prefix is not None
    if of_environment and path is not None:
        raise UsageError("option-conflict", "A file and an environment cannot be audited at once")
    if of_environment:
        if options.fix:
            hint = "Audit its lock file with `--fix`, then sync"
            raise UsageError("option-conflict", "`--fix` changes lock files, not environments", hint=hint)
        if options.python is None:
            raise UsageError("python-missing", "No interpreter is named or described", hint="Pass `python=`")
        from lockset.sync.disk.request import TargetSpec

        spec = TargetSpec(
            python=os.fspath(options.python),
            directory=None if options.target is None else str(context.here / options.target),
            prefix=None if options.prefix is None else str(context.here / options.prefix),
            managed=True,
        )
        return environment_subject(spec, cache=context.cache_folder)
    return _of_file(path, options, context)


def _of_file(path: str | None, options: AuditOptions, context: RunContext) -> AuditSubject:
    from lockset.composition.open_lock import open_lock
    from lockset.files.read_file import read_file
    from lockset.lockfile.file_name import is_lock_file_name
    from lockset.lockfile.read import read_document

    if path is None or is_lock_file_name(os.path.basename(path)):
        document = open_lock(path, context)
    else:
        if path == _STDIN and context.stdin is None:
            raise LocksetError("source-missing", "`-` stands for the standard input, but there is none")
        data = (
            context.stdin()
            if path == _STDIN and context.stdin is not None
            else read_file(context.here / path, location=path, hint="Name a lock file or a requirements file")
        )
        if not _is_pylock(data, path):
            subject = file_subject(path, data, context)
            _refuse_narrowing(options, path)
            return subject
        document = read_document(data, path="<stdin>" if path == _STDIN else path)
    shown = path or os.path.relpath(document.path or "pylock.toml", context.here)
    return lock_subject(document, location=shown, **_narrowed(options))


def _is_pylock(data: bytes, path: str) -> bool:
    from lockset.conversion.model.formats import Format, recognize

    return recognize(data.decode("utf-8-sig", "replace"), name=path, location=path) is Format.PYLOCK


def _refuse_narrowing(options: AuditOptions, path: str) -> None:
    narrowed = options.python_version or options.platform or options.extras is not None or options.groups is not None
    if narrowed or options.fix:
        what = "fixed" if options.fix else "narrowed to one environment, extras or groups"
        raise UsageError(
            "option-conflict",
            f"Only a pylock file can be {what}: {path} is another file",
            hint="Convert it with `lockset convert`",
        )


class Auditor:
    """An audit that is ready to run.

    Attributes:
        subject: What is audited.
        sources: The advisories, to be entered before `database`.
        entries: The entries of `ignore`.
        project: The project around the subject; None without one.
        now: The time of the audit.
    """

    def __init__(
        self,
        *,
        subject: AuditSubject,
        sources: AdvisorySources,
        entries: IgnoreEntries,
        project: RootProject | None,
        now: datetime,
        narrowed: Mapping[str, Any],
    ) -> None:
        self.subject = subject
        self.sources = sources
        self.entries = entries
        self.project = project
        self.now = now
        self._narrowed = narrowed

    def of_lock(self, text: str | None) -> Auditor:
        """The same audit of another text of the lock file; None for the same one."""
        if text is None:
            return self
        from lockset.lockfile.read import read_document

        location = self.subject.location
        subject = lock_subject(read_document(text, path=location), location=location, **self._narrowed)
        return Auditor(
            subject=subject,
            sources=self.sources,
            entries=self.entries,
            project=self.project,
            now=self.now,
            narrowed=self._narrowed,
        )

    def database(self) -> AdvisoryDatabase:
        """The advisories about the packages of the subject."""
        return self.sources.advisories((one.name, str(one.version)) for one in self.subject.packages)

    def findings(self, database: AdvisoryDatabase) -> tuple[AuditFinding, ...]:
        """Every finding, whether it is ignored or not; the most severe come first."""
        subject = self.subject
        made: dict[tuple[str, str, str], AuditFinding] = {}
        pairs = [
            (one, each) for one in subject.packages for each in vulnerabilities_of(database, one.name, one.version)
        ]
        for package, vulnerability in sorted(pairs, key=lambda pair: pair[1].order):
            key = (vulnerability.id, vulnerability.name, vulnerability.version)
            if key in made:  # another entry of the same version
                condition = _either(made[key].condition, package.condition)
                made[key] = replace(made[key], condition=condition)
                continue
            line, column = subject.position(package)
            made[key] = AuditFinding(
                vulnerability=vulnerability,
                condition=package.condition,
                line=line,
                column=column,
                chain=subject.chain(package),
            )
        return tuple(made.values())

    def report(self, database: AdvisoryDatabase) -> AuditReport:
        """The report, without fixes."""
        counted: list[AuditFinding] = []
        ignored: list[IgnoredFinding] = []
        for finding in self.findings(database):
            entry = self.entries.current(finding.vulnerability)
            if entry is not None:
                ignored.append(IgnoredFinding(finding=finding, entry=entry))
            else:
                counted.append(replace(finding, expired=self.entries.expired(finding.vulnerability)))
        return AuditReport(
            kind=self.subject.kind,
            location=self.subject.location,
            packages=len({(one.name, str(one.version)) for one in self.subject.packages}),
            findings=tuple(counted),
            ignored=tuple(ignored),
            unchecked=self.subject.unchecked,
            databases=database.states,
            warnings=tuple(self._warnings(database)),
            notes=tuple(self.entries.unused()),
            audited_on=self.now.date(),
        )

    def _warnings(self, database: AdvisoryDatabase) -> Iterator[str]:
        for state in database.states:
            yield from _state_warnings(state, self.now)
        names = {one.name for one in self.subject.packages}
        problems = [
            f"{advisory.id} ({name}): {problem}"
            for name in sorted(names)
            for advisory in database.of_package(name)
            for problem in advisory.problems.get(name, ())
        ]
        yield from problems[:_MOST_PROBLEMS]
        if len(problems) > _MOST_PROBLEMS:
            yield f"{len(problems) - _MOST_PROBLEMS} more values in advisories are not valid"


def _state_warnings(state: DatabaseState, now: datetime) -> Iterator[str]:
    age = state.age(now)
    if age is not None and age.days > _OLD_DAYS and state.newest is not None:
        yield (
            f"The newest advisory of {state.source} is from {state.newest:%Y-%m-%d}, {age.days} days ago:"
            " later vulnerabilities are missing"
        )
    elif age is None and not state.is_live:
        yield f"The advisories of {state.source} do not say when they were modified: they may be old"
    if state.unreadable:
        number = len(state.unreadable)
        named = listed([f"{one.path} ({one.reason})" for one in state.unreadable])
        yield f"{number} {'advisory' if number == 1 else 'advisories'} of {state.source} cannot be read: {named}"


def _either(one: str | None, other: str | None) -> str | None:
    """The marker of both conditions; None is everywhere."""
    return None if one is None or other is None else f"({one}) or ({other})"


def listed(texts: Sequence[str]) -> str:
    """The first few of `texts`, and how many more there are."""
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return f"{', '.join(texts[:_SHOWN])}{more}"


def names_of(findings: Collection[AuditFinding]) -> tuple[str, ...]:
    """The affected packages, each once."""
    return tuple(dict.fromkeys(finding.vulnerability.name for finding in findings))
