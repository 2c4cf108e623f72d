"""The options and the result of a conversion to a lock file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from lockset._dataclass import dataclass, replace
from lockset.conversion.model.formats import Format
from lockset.errors import UsageError
from lockset.files.output_file import write_result
from lockset.option_values import check_options

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from lockset.conversion.model.imported_lock import Loss
    from lockset.conversion.pipeline.verify import Proof
    from lockset.lockfile.model import Pylock

__all__ = ["Conversion", "ConvertOptions", "FormatName", "refuse_pylock_options"]

FormatName: TypeAlias = Literal["requirements", "poetry", "uv", "pdm", "pipfile", "conda-lock", "pylock"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertOptions:
    """Options of a conversion; the same as those of `lockset convert`.

    Attributes:
        format: The input's format, or its name as in `--from`; None to detect it.
        python: Pythons that the lock file supports if the input does not say, such as `>=3.10`.
        files: Files of pins without hashes: `all`, or only `wheels`; `as-hashed` takes all if no pin has a hash.
        pyproject: The pyproject.toml that the input was made from; None for the one in the input's folder.
        members: Workspace members whose requirements count as the project's.
        all_members: Take all workspace members.
        with_project: Add an entry for the project itself, if the input has one.
        allow_conda: Allow packages installed by pip to depend on packages installed by conda.
        sizes: Request unknown sizes from the servers that have the files.
        own_indexes: Use the indexes that the input names for its packages.
        strict: Refuse a conversion that loses anything.
        platforms: For pylock files: platforms to keep; empty for all.
        extras: For pylock files: extras to settle on.
        groups: For pylock files: groups to settle on, in addition to the default groups.
        only_groups: For pylock files: groups to settle on, instead of the default groups.
        settle: For pylock files: settle on extras and groups, even if none is named.
        fill: For pylock files: add sizes and upload times from the index.
    """

    format: Format | FormatName | None = None
    python: str | None = None
    files: Literal["as-hashed", "all", "wheels"] = "as-hashed"
    pyproject: Path | None = None
    members: tuple[str, ...] = ()
    all_members: bool = False
    with_project: bool = True
    allow_conda: bool = False
    own_indexes: bool = True
    sizes: bool = False
    strict: bool = False
    platforms: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    only_groups: tuple[str, ...] = ()
    settle: bool = False
    fill: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.format, str) and self.format in {one.value for one in Format}:
            object.__setattr__(self, "format", Format(self.format))
        elif isinstance(self.format, str):
            known = ", ".join(f"`{one.value}`" for one in Format)
            message = f"`ConvertOptions.format` must be one of {known} or None, not {self.format!r}"
            raise UsageError("option-value", message)
        check_options(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """A verified conversion.

    Attributes:
        format: The input's format.
        lock: The lock file.
        text: Its canonical text.
        losses: Properties of the input that the lock file does not have; those with `note` are for information.
        proof: What was compared.
        path: The absolute path of the lock file; None if it has no file.
    """

    format: str
    lock: Pylock
    text: str
    losses: tuple[Loss, ...]
    proof: Proof
    path: Path | None = None

    def write(self, path: str | os.PathLike[str] | None = None) -> None:
        """Write the lock file atomically to `path`, or to the output that it was made for.

        Raises:
            LocksetError: `output-not-writable`; the file is unchanged.
        """
        write_result(path, self.text, made_for=self.path)

    def for_file(self, path: Path | None) -> Conversion:
        """The same conversion with another output path."""
        return replace(self, path=path)


def refuse_pylock_options(options: ConvertOptions) -> None:
    """Refuse options that only apply to pylock files.

    Raises:
        UsageError: `pylock-only` if one is set.
    """
    names = {"fill": "fill", "platform": "platforms", "extra": "extras", "group": "groups", "settle": "settle"}
    names["only-group"] = "only_groups"
    for option, name in names.items():
        if getattr(options, name):
            raise UsageError(
                "pylock-only",
                f"`--{option}` is only for pylock files",
                hint="Convert the file first, then run `lockset convert` on the result with this option",
            )
