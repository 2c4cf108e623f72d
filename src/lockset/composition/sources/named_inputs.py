"""Learn the names of projects that are required by URL or path alone, and of a project whose name only a build shows.

The old lock file has the names of what it locked; otherwise the source is fetched, and built if its files do not show
its metadata. What was read so is not read again by the lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import replace
from lockset.composition.sources.locked_names import names_in_lock, unlocked_text
from lockset.errors import SourceNotSupportedError
from lockset.package_names import canonicalize_name
from lockset.resolve.problem.build_problem import build_problem
from lockset.resolve.problem.direct_source import DirectSource, relative_path, source_of
from lockset.sources.project import RequirementLine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from lockset.composition.lock_inputs import LockInputs
    from lockset.resolve.problem.direct_source import SourceFacts
    from lockset.sources.project import DynamicFields, RootProject

__all__ = ["named_inputs", "without_nameless"]


def without_nameless(inputs: LockInputs) -> LockInputs:
    """`inputs` with the names that the old lock file has, and without the requirements that it has no name for."""
    lines = _nameless_lines(inputs)
    names = names_in_lock(lines, inputs.pins, inputs.project.base, inputs.folder, local=True)
    unknown = tuple(f"{line.origin}: {unlocked_text(line)}" for line in lines if line not in names)
    named = _replaced(inputs, lambda line: line.with_name(names[line]) if line in names else None)
    return replace(named, unknown=unknown)


def named_inputs(inputs: LockInputs) -> LockInputs:
    """`inputs` with the names of all projects, and with what was read of their sources.

    Raises:
        LocksetError: A source cannot be fetched, read or built; `requirement-name` if nothing reads sources.
    """
    lines = _nameless_lines(inputs)
    names: dict[RequirementLine, str] = {}
    if not inputs.options.upgrade:
        known = names_in_lock(lines, inputs.pins, inputs.project.base, inputs.folder)
        names.update({line: name for line, name in known.items() if name not in inputs.options.upgrade_packages})
    sources = {line: _source(line, inputs) for line in lines if line not in names}
    unbuilt = {_project_source(one, inputs.folder): one for one in inputs.project.unbuilt if not one.name}
    known_facts = _read(inputs, (*sources.values(), *unbuilt)) if sources or unbuilt else {}
    names.update({line: known_facts[source].metadata.name for line, source in sources.items()})
    named = _replaced(inputs, lambda line: line.with_name(names[line]))
    project = named.project
    for source, fields in unbuilt.items():
        project = _with_project_name(project, fields, known_facts[source].metadata.name)
    # With settings of their own, they are built again, once it is known whose settings these are.
    again = {source for line, source in sources.items() if line.config_settings}
    settled = {s: f for s, f in known_facts.items() if s not in again and f.metadata.name not in _with_settings(inputs)}
    of_names = {replace(source, name=facts.metadata.name): facts for source, facts in settled.items()}
    return replace(named, project=project, known=of_names)


def _with_settings(inputs: LockInputs) -> set[str]:
    """The projects that are built in another way than others."""
    settings, options = inputs.project.settings, inputs.options
    names = (*settings.config_settings_package, *options.config_settings_package)
    return {str(canonicalize_name(n)) for n in (*names, *settings.no_build_isolation, *options.no_build_isolation)}


def _nameless_lines(inputs: LockInputs) -> tuple[RequirementLine, ...]:
    """The requirements whose names are not known, each once."""
    lines = (*inputs.project.dependencies, *inputs.options.requirements, *inputs.options.overrides)
    return tuple(dict.fromkeys(line for line in lines if isinstance(line, RequirementLine) and not line.is_named))


def _replaced(inputs: LockInputs, named: Callable[[RequirementLine], RequirementLine | None]) -> LockInputs:
    """`inputs` with `named` for each requirement without a name; None leaves it out."""

    def named_line(line: RequirementLine) -> RequirementLine | None:
        return line if line.is_named else named(line)

    def given(lines: Iterable[RequirementLine | str]) -> tuple[RequirementLine | str, ...]:
        each = (line if isinstance(line, str) else named_line(line) for line in lines)
        return tuple(line for line in each if line is not None)

    project, options = inputs.project, inputs.options
    dependencies = tuple(line for line in map(named_line, project.dependencies) if line is not None)
    return replace(
        inputs,
        project=replace(project, dependencies=dependencies),
        options=replace(options, requirements=given(options.requirements), overrides=given(options.overrides)),
    )


def _source(line: RequirementLine, inputs: LockInputs) -> DirectSource:
    return replace(source_of(line, base=inputs.project.base, folder=inputs.folder), name="")


def _project_source(fields: DynamicFields, folder: Path) -> DirectSource:
    path = str(fields.base)
    shown = relative_path(path, folder)
    return DirectSource(name="", kind="directory", path=path, shown=shown, location=fields.location)


def _read(inputs: LockInputs, sources: Iterable[DirectSource]) -> Mapping[DirectSource, SourceFacts]:
    """What the sources contain."""
    from lockset.composition.lock_pipeline import lock_repository

    listener = inputs.context.heard
    rest = without_nameless(inputs)
    # Which projects may be built does not depend on the requirements. Extras may be known only after a build.
    project, options = replace(rest.project, settings=replace(rest.project.settings, conflicts=())), rest.options
    if project.unbuilt:
        options = replace(options, extras=None, all_extras=True)
    rules = build_problem(project, options, old=None, now=inputs.context.moment, folder=inputs.folder).rules
    with lock_repository(inputs)(rules, listener) as opened:
        reader = opened.sources
        if reader is None or inputs.memory is not None:
            raise SourceNotSupportedError("Names of sources are not known, and nothing reads sources here")
        different = list(dict.fromkeys(sources))
        for source in different:
            if source.kind != "directory":
                listener.note(f"Reading {source.shown} to learn the name of its project")
        reader.begin((source, None) for source in different if different[1:])
        return {source: reader.read(source) for source in different}


def _with_project_name(project: RootProject, fields: DynamicFields, name: str) -> RootProject:
    unbuilt = tuple(replace(one, name=name) if one is fields else one for one in project.unbuilt)
    return replace(project, name=project.name or name, unbuilt=unbuilt)
