"""Changes to which releases count: pre-releases, yanked and late ones, builds, constraints, pins, overrides."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from lockset._dataclass import replace
from lockset.errors import LocksetError
from lockset.markers import MarkerSet
from lockset.resolve.explain.failure import Failure, Suggestion, join_words
from lockset.resolve.explain.minimal_conflict import with_constraints
from lockset.resolve.problem.direct_source import DirectVersion, host_of, source_of
from lockset.resolve.problem.requirement import ANY_VERSION, ordered_text, parse_dependency, replaced
from lockset.sources.requirements.requirement_line import parse_requirement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.version import Version

    from lockset.resolve.problem.file_policy import FileRules
    from lockset.resolve.problem.requirement import Dependency, RootRequirement

__all__ = ["by_admission", "by_constraint", "by_override", "by_pin", "by_rules", "by_url"]

# Overrides to try: they are a last resort, and each needs a search with other metadata.
_OVERRIDES = 3
# Pins to loosen one by one.
_PINS = 6


def by_admission(failure: Failure) -> Iterator[Suggestion]:
    """Pre-releases and yanked releases, if some match."""
    request, policy = failure.request, failure.request.policy
    for name in failure.names:
        releases, specifiers = failure.repository.releases(name), failure.specifiers_on(name)
        fitting = [(i, v) for i, v in enumerate(releases.versions) if not isinstance(v, DirectVersion)]
        fitting = [(i, v) for i, v in fitting if all(s.admits(v) for s in specifiers)]
        unstable = [v for i, v in fitting if not releases.stable >> i & 1]
        mode = policy.prerelease_of.get(name, policy.prerelease)
        if unstable and mode != "allow":
            changed = replace(policy, prerelease_of={**policy.prerelease_of, name: "allow"})
            opt_in = f"require `{name}>={unstable[0]}`, or " if mode == "if-necessary" else ""
            yield Suggestion(
                request=replace(request, policy=changed),
                repository=failure.repository,
                text=f"To use a pre-release, {opt_in}allow them: `--prerelease-package {name}=allow`",
                shows=name,
            )
        withdrawn = next((v for i, v in fitting if releases.yanked >> i & 1), None)
        if withdrawn is not None:
            pin = f"{name}=={withdrawn}"
            yield Suggestion(
                request=replace(request, roots=_pinned(request.roots, failure, pin)),
                repository=failure.repository,
                text=f"Yanked releases are used only where they are pinned: require `{pin}`",
            )


def _pinned(roots: tuple[RootRequirement, ...], failure: Failure, text: str) -> tuple[RootRequirement, ...]:
    """`roots`, with those of the conflict on the same project pinned, or with the pin added."""
    pin = parse_dependency(text)
    mine = {r.dependency.name for r in failure.conflict.roots}
    if pin.name in mine:
        exact = pin.specifier
        return tuple(
            replace(r, dependency=replace(r.dependency, specifier=exact)) if r.dependency.name == pin.name else r
            for r in roots
        )
    return (*roots, replace(failure.conflict.roots[0], dependency=pin))


def by_rules(failure: Failure) -> Iterator[Suggestion]:
    """Limits on files that the user set: time of upload, wheels, sdists."""
    rules = failure.repository.rules
    for name in failure.names:
        for changed, text in _relaxed(rules, name):
            yield Suggestion(
                request=failure.request, repository=failure.repository.under(changed), text=text, shows=name
            )
    if not rules.required.is_disjoint(failure.conflict.region):
        text = "Do not require wheels: leave out `--require-wheels-for`"
        changed = replace(rules, required=MarkerSet.none(), strictly={})
        yield Suggestion(request=failure.request, repository=failure.repository.under(changed), text=text)


def _relaxed(rules: FileRules, name: str) -> Iterator[tuple[FileRules, str]]:
    if rules.cooldown_limit(name) is not None:
        text = f"Lift the cooldown for it: `--cooldown-package {name}='0 days'`"
        yield replace(rules, cooldown_of={**rules.cooldown_of, name: None}), text
    if rules.upload_limit(name) is not None:
        limits = {**rules.uploaded_before_of, name: None}
        text = f"Lift the date limit for it: `--exclude-newer-package {name}=false`"
        yield replace(rules, uploaded_before_of=limits), text
    if rules.no_sdist:
        yield replace(rules, no_sdist=False), "Record source distributions too: leave out `--no-sdist`"
    if not rules.may_build(name):
        changed = replace(rules, no_build=rules.no_build - {":all:", name}, build_nothing=False)
        yield changed, f"Allow its source distribution: {' and '.join(rules.undo_sources(name))}"
    if not rules.may_use_wheels(name):
        changed = replace(rules, no_binary=rules.no_binary - {":all:", name})
        yield changed, f"Allow its wheels: {' and '.join(rules.undo_wheels(name))}"


def by_url(failure: Failure) -> Iterator[Suggestion]:
    """URLs in the metadata of index releases; tried without their requirement, and never fetched."""
    repository = failure.repository
    for name, version in failure.requiring_releases():
        facts = repository.facts(name, version)
        for dependency in facts.dependencies if facts is not None else ():
            host = _allowable(name, version, dependency)
            if host:
                text = f"To allow it: `--allow-direct-url {host}`, or `allow-direct-urls` in [tool.lockset]"
                excludes = repository.rules.excludes | {dependency.name}
                changed = repository.under(replace(repository.rules, excludes=excludes))
                yield Suggestion(request=failure.request, repository=changed, text=text)


def _allowable(name: str, version: Version, dependency: Dependency) -> str:
    """The host that has to be allowed for a URL to which a release points; "" where that would not help."""
    host = host_of(dependency.url or "")
    if not host:
        return ""
    try:
        line = parse_requirement(f"{dependency.name} @ {dependency.url}", origin=f"{name} {version}")
        source = source_of(line, base=Path(), folder=Path())
    except LocksetError:
        return ""
    return "" if source.path is not None else host


def by_constraint(failure: Failure) -> Iterator[Suggestion]:
    """Constraints of the conflict, loosened one by one."""
    request = failure.request
    every = [(n, s) for n, held in request.policy.constraints.items() for s, _ in held]
    for name, specifier in failure.conflict.constraints:
        kept = [c for c in every if c != (name, specifier)]
        location = request.policy.locations.get((name, specifier), "")
        text = f"Loosen the constraint `{name}{specifier}`"
        if location.rpartition("/")[2].startswith("pylock."):
            pin = specifier.text.lstrip("=")
            text = f"Upgrade what holds {name} at {pin}: `lockset lock -P {name} -o {quote(location)}`"
        yield Suggestion(
            request=with_constraints(request, kept),
            repository=failure.repository,
            text=text,
            shows=name,
        )


def by_pin(failure: Failure) -> Iterator[Suggestion]:
    """Requirements of the project that bound versions, each without its bounds."""
    request = failure.request
    for root in failure.own_roots[:_PINS]:
        dependency = root.dependency
        if not dependency.specifier.text or dependency.specifier.source is not None:
            continue
        loose = replace(root, dependency=replace(dependency, specifier=ANY_VERSION, text=dependency.name))
        roots = tuple(loose if r is root else r for r in request.roots)
        yield Suggestion(
            request=replace(request, roots=roots),
            repository=failure.repository,
            text=f"Loosen `{dependency.text}`{failure.location_of(root)}",
            shows=dependency.name,
        )


def by_override(failure: Failure) -> Iterator[Suggestion]:
    """Requirements of releases, overridden; and existing overrides, removed."""
    rules = failure.repository.rules
    own = {r.dependency.name for r in failure.request.roots}
    for name in dict.fromkeys((*failure.names, *failure.chain_names)):
        if name in rules.overrides and name not in own:
            left = {n: texts for n, texts in rules.overrides.items() if n != name}
            message = f"Change the override `{join_words(rules.overrides[name])}`"
            changed = failure.repository.under(replace(rules, overrides=left))
            yield Suggestion(request=failure.request, repository=changed, text=message, shows=name)
    tried = 0
    for name, specifier in failure.override_specifiers():
        if name in rules.overrides or tried == _OVERRIDES:
            continue
        tried += 1
        text = f"{name}{ordered_text(specifier.specifiers)}"
        overridden = failure.repository.under(replace(rules, overrides={**rules.overrides, name: (text,)}))
        message = f'If it works with other versions, set `overrides = ["{text}"]` in [tool.lockset]'
        yield Suggestion(
            request=replace(failure.request, roots=tuple(_overridden(failure.request.roots, name, text))),
            repository=overridden,
            text=message,
            shows=name,
            kind=f"override {name}",
        )


def _overridden(roots: tuple[RootRequirement, ...], name: str, text: str) -> Iterator[RootRequirement]:
    for root in roots:
        if root.dependency.name != name or root.dependency.specifier.source is not None:
            yield root
        else:
            yield replace(root, dependency=replaced(root.dependency, text))
