"""why_not(): explain why a version is not locked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement

from lockset.composition.exclusion import ChosenVersion, WhyNot, explain_exclusion
from lockset.composition.lock_inputs import read_lock_inputs, source_arguments
from lockset.composition.sources.names import with_all_names
from lockset.dependency_specifiers import read_dependency
from lockset.errors import UsageError
from lockset.option_values import check_argument
from lockset.package_names import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.options import IndexOptions
    from lockset.resolve.problem.options import LockOptions
    from lockset.resolve.releases.memory_index import MemoryIndex

__all__ = ["ChosenVersion", "WhyNot", "why_not"]


def why_not(
    package: str,
    sources: str | PathLike[str] | Iterable[str | PathLike[str]] = (),
    *,
    options: LockOptions | None = None,
    indexes: IndexOptions | IndexOverrides | MemoryIndex | None = None,
    output: str | PathLike[str] | None = None,
    context: RunContext | None = None,
) -> WhyNot:
    """Explain why `lock` with the same arguments would not lock a version.

    Args:
        package: `NAME==VERSION`, or `NAME` for its newest final release.
        sources: As for `lock`.
        options: As for `lock`.
        indexes: As for `lock`.
        output: The existing lock file, whose pins are tried first.
        context: Folder, cache, variables, listener and so on.

    Raises:
        UsageError: `package-name` if `package` is not a name with at most one version.
        LocksetError: `unknown-version`; `no-resolution` if the project cannot be locked at all; and as `lock`.
    """
    name, version = _release(check_argument("package", package, "str"))
    named, target = source_arguments(sources, output)
    inputs = with_all_names(read_lock_inputs(named, options, indexes, target, context))
    return explain_exclusion(inputs, name, version)


def _release(text: str) -> tuple[str, str | None]:
    try:
        requirement = read_dependency(text)
    except InvalidRequirement as error:
        raise UsageError(
            "package-name", f"`{text}` is not a valid package name", hint="Write NAME or NAME==VERSION"
        ) from error
    pins = [s.version for s in requirement.specifier if s.operator == "==" and "*" not in s.version]
    if requirement.url or requirement.marker or len(requirement.specifier) != len(pins) or len(pins) > 1:
        raise UsageError("package-name", f"`{text}` is not a single version", hint="Write NAME or NAME==VERSION")
    return str(canonicalize_name(requirement.name)), pins[0] if pins else None
