"""why_not(): what keeps a version from being locked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name

from lockset.composition.exclusion import ChosenVersion, WhyNot, explain_exclusion
from lockset.composition.lock_inputs import read_lock_inputs, source_arguments
from lockset.dependency_specifiers import read_dependency
from lockset.errors import UsageError
from lockset.option_values import check_argument

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.options import IndexOptions
    from lockset.resolve.problem.options import LockOptions

__all__ = ["ChosenVersion", "WhyNot", "why_not"]


def why_not(
    package: str,
    sources: str | PathLike[str] | Iterable[str | PathLike[str]] = (),
    *,
    options: LockOptions | None = None,
    indexes: IndexOptions | IndexOverrides | None = None,
    output: str | PathLike[str] | None = None,
    context: RunContext | None = None,
) -> WhyNot:
    """What keeps a version out of the lock that `lock` would make with the same arguments.

    Args:
        package: `NAME==VERSION`, or `NAME` for its newest final version.
        sources: As for `lock`; so are the others.
        options: What to choose beside what the sources say.
        indexes: Where packages come from.
        output: The lock file whose pins count.
        context: Folder, cache, variables, listener and the like.

    Raises:
        UsageError: `package-name`.
        LocksetError: `unknown-version`; `no-resolution`, where nothing can be locked anyway; and those of `lock`.
    """
    name, version = _release(check_argument("package", package, "str"))
    named, target = source_arguments(sources, output)
    return explain_exclusion(read_lock_inputs(named, options, indexes, target, context), name, version)


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
