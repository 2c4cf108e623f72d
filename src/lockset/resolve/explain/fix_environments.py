"""Changes of the environments to lock for: extras and groups, Pythons, platforms, markers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import replace
from lockset.dependency_specifiers import read_specifiers
from lockset.markers import MarkerSet
from lockset.resolve.explain.failure import Suggestion, join_words
from lockset.resolve.problem.python_range import is_open_above

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from packaging.specifiers import SpecifierSet

    from lockset.resolve.explain.failure import Failure
    from lockset.resolve.problem.request import LockRequest
    from lockset.resolve.problem.requirement import RootRequirement
    from lockset.resolve.releases.repository import AdjustableRepository

__all__ = ["by_declaring", "by_group", "by_leaving_out", "by_marker", "by_platform", "by_python"]

_OPTIONS = {"linux": "linux", "darwin": "macos", "win32": "windows"}
_SHOWN = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}
# Requirements to put under a marker or leave out, one by one.
_ROOTS = 6


def _within(failure: Failure, region: MarkerSet) -> LockRequest:
    request = failure.request
    inside = request.universe & region
    return replace(
        request,
        universe=inside,
        open_above=is_open_above(inside),
        samples=tuple(s for s in request.samples if inside.without_extras_and_groups().evaluate(s)),
        probes=tuple(s for s in request.probes if inside.without_extras_and_groups().evaluate(s)),
    )


def _capped(failure: Failure, request: LockRequest) -> AdjustableRepository:
    """The repository, for which upper bounds of releases count where the range is closed above."""
    rules = failure.repository.rules
    if rules.ignore_caps == request.open_above:
        return failure.repository
    return failure.repository.under(replace(rules, ignore_caps=request.open_above))


def by_declaring(failure: Failure) -> Iterator[Suggestion]:
    """Extras and groups of the conflict, declared never to be chosen together."""
    if len(failure.extras) + len(failure.groups) < 2:
        return
    yield _declaring(failure, failure.extras, failure.groups)
    # Extras and groups that require the same packages are often alternatives.
    regions = [r.region for r in failure.request.roots if r.dependency.name in failure.names]
    extras = {*failure.extras, *(e for region in regions for e in region.extras())}
    groups = {*failure.groups, *(g for region in regions for g in region.groups())}
    yield _declaring(failure, sorted(extras), sorted(groups - {failure.request.default_group or ""}))


def _declaring(failure: Failure, extras: Sequence[str], groups: Sequence[str]) -> Suggestion:
    chosen = [MarkerSet.extra(e) for e in extras] + [MarkerSet.group(g) for g in groups]
    together = MarkerSet.none()
    for at, one in enumerate(chosen):
        for other in chosen[:at]:
            together |= one & other
    items = [f'{{ extra = "{e}" }}' for e in extras] + [f'{{ group = "{g}" }}' for g in groups]
    text = "Where they are never installed together, declare it under `conflicts` in [tool.lockset]:"
    text = f"{text} `conflicts = [[{', '.join(items)}]]`"
    return Suggestion(request=_within(failure, ~together), repository=failure.repository, text=text, kind="declare")


def by_group(failure: Failure) -> Iterator[Suggestion]:
    """A group of the conflict left out of the lock."""
    if len(failure.extras) + len(failure.groups) != 1:
        return
    for group in failure.groups:
        text = f"Lock without the group: `--no-group {group}`"
        request = _within(failure, ~MarkerSet.group(group))
        yield Suggestion(request=request, repository=failure.repository, text=text)


def by_python(failure: Failure) -> Iterator[Suggestion]:
    """The range of Pythons, cut where the conflict ends."""
    boundaries = list(failure.python_boundaries())
    verbs = {"!=": "Leave Pythons out of the range", ">=": "Raise the range of Pythons"}
    for boundary, region in boundaries:
        request = _within(failure, region)
        text = _bounded(request.requires_python, boundary)
        request = replace(request, requires_python=read_specifiers(text))
        verb = verbs.get(boundary[:2], "Close the range of Pythons")
        message = f"{verb}: `requires-python = \"{text}\"`, or `--python '{text}'`"
        # A boundary that excludes fewer Pythons comes first, and is enough if it helps.
        kind = "python" if boundaries[0][0].startswith("!=") else f"python {verb}"
        yield Suggestion(request=request, repository=_capped(failure, request), text=message, kind=kind)


def _bounded(requires_python: SpecifierSet | None, boundary: str) -> str:
    """`requires_python` with the bound in the place of the one on the same side; `!=` goes with all."""
    replaced_ones = {">=": {">=", ">"}, "!=": set[str]()}.get(boundary[:2], {"<", "<="})
    kept = [str(s) for s in requires_python or () if s.operator not in replaced_ones]
    order = {">": 0, "~": 1, "=": 1, "!": 2, "<": 3}
    return ",".join(sorted([*kept, boundary], key=lambda text: (order[text[0]], text)))


def by_platform(failure: Failure) -> Iterator[Suggestion]:
    """The platforms without the only one that fails."""
    system = failure.only_system
    if system is None:
        return
    request = _within(failure, MarkerSet.parse(f"sys_platform != '{system}'"))
    left = list(dict.fromkeys(e.sys_platform for e in failure.conflict.holding))
    repository = failure.repository
    if request.environments:
        text = f"Leave {_SHOWN.get(system, system)} out of the requested platforms"
    else:
        options = " ".join(f"--platform {_OPTIONS.get(s, s)}" for s in left)
        systems = join_words([_SHOWN.get(s, s) for s in left])
        text = f"Lock for {systems} only: `{options}`, or `platforms` in [tool.lockset]"
    yield Suggestion(request=request, repository=repository, text=text)


def by_marker(failure: Failure) -> Iterator[Suggestion]:
    """Requirements of the conflict, restricted to where it does not arise."""
    marker = failure.marker
    if marker is None:
        return
    for root in failure.own_roots[:_ROOTS]:
        changed = replace(root, region=root.region & MarkerSet.parse(marker))
        if (changed.region & failure.request.universe).is_empty:
            continue
        condition = root.dependency.condition
        text = f"{root.dependency.text} ; {marker}" if condition is None else _both(root, marker)
        message = f"Require it only where it fits: `{text}`"
        yield Suggestion(request=_with(failure, root, changed), repository=failure.repository, text=message)


def _both(root: RootRequirement, marker: str) -> str:
    condition = str(root.dependency.condition)
    condition = f"({condition})" if " or " in condition else condition
    return f"{root.dependency.text} ; {condition} and {marker}"


def by_leaving_out(failure: Failure) -> Iterator[Suggestion]:
    """Requirements of the conflict, removed."""
    if len(failure.request.roots) < 2:
        return
    for root in failure.own_roots[:_ROOTS]:
        text = f"Remove `{root.dependency.text}`{failure.location_of(root)}"
        yield Suggestion(request=_with(failure, root, None), repository=failure.repository, text=text)


def _with(failure: Failure, root: RootRequirement, changed: RootRequirement | None) -> LockRequest:
    roots = [changed if r is root else r for r in failure.request.roots]
    return replace(failure.request, roots=tuple(r for r in roots if r is not None))
