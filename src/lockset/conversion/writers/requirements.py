"""Write requirements and constraints files."""

from __future__ import annotations

from pathlib import PurePosixPath
from shlex import quote
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.conversion.model.imported_lock import Loss
from lockset.conversion.writers.unlisted_files import unlisted_files
from lockset.errors import LocksetError
from lockset.index.options import DEFAULT_INDEX, same_index
from lockset.lockfile.model import artifacts, describe
from lockset.lockfile.secrets import secret_in_address
from lockset.option_values import check_options
from lockset.url_secrets import has_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lockset.conversion.writers.entries import ExportedEntry, ExportedLock
    from lockset.lockfile.model import (
        Artifact,
        Package,
        PackageArchive,
        PackageDirectory,
        PackageSdist,
        PackageVcs,
        PackageWheel,
    )

__all__ = ["RequirementsStyle", "omitted_trees", "to_constraints", "to_requirements"]

# The hash algorithms that requirements files support.
_ALGORITHMS = ("sha256", "sha384", "sha512")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementsStyle:
    """How a requirements file is written.

    Attributes:
        hashes: Write `--hash` for every file.
        annotate: Write `# via` comments.
        index_lines: Write the indexes.
        trees: Write entries that are source trees. With them, installers accept no hashes at all.
        source: Name of the lock file, for comments.
    """

    hashes: bool = True
    annotate: bool = True
    index_lines: bool = False
    trees: bool = True
    source: str = "pylock.toml"

    def __post_init__(self) -> None:
        check_options(self)


def to_requirements(exported: ExportedLock, style: RequirementsStyle) -> tuple[str, tuple[Loss, ...]]:
    """A requirements file that installs the entries, and what it cannot express.

    Raises:
        LocksetError: `not-expressible` if a requirements file cannot express an entry.
    """
    losses: list[Loss] = []
    omitted = omitted_trees(exported, style)
    losses += _omissions(omitted, style)
    entries = [entry for entry in exported.entries if entry.package.name not in omitted]
    hashes = style.hashes and _may_have_hashes(entries, losses)
    unlisted = unlisted_files([entry.package for entry in entries])
    losses += unlisted.losses
    lines = list(_header(exported, style))
    lines += _index_lines(entries, style, losses)
    has_graph = any(entry.package.dependencies for entry in entries)
    for number, entry in enumerate(entries):
        head, texts = _pin(entry, unlisted.by_url.get(number), losses)
        if has_secret(head):
            raise secret_in_address(f"a secret of `{entry.package.name}`", head, location=style.source)
        condition = "" if entry.marker is None else f" ; {entry.marker}"
        lines.append(" \\\n".join([f"{head}{condition}", *(f"    --hash={text}" for text in texts if hashes)]))
        if style.annotate and has_graph:
            lines += _annotation(entry, style)
    return "\n".join(lines) + "\n", tuple(losses)


def to_constraints(exported: ExportedLock, *, source: str = "pylock.toml") -> tuple[str, tuple[Loss, ...]]:
    """A constraints file, with versions only."""
    losses: list[Loss] = []
    lines = list(_header(exported, RequirementsStyle(source=source)))
    for entry in exported.entries:
        package = entry.package
        if package.version is None:
            message = f"{package.name} has no version, which a constraint needs"
            losses.append(Loss(kind="no-version", message=message))
            continue
        lines.append(f"{package.name}=={package.version}{_condition(entry)}")
    return "\n".join(lines) + "\n", tuple(losses)


def omitted_trees(exported: ExportedLock, style: RequirementsStyle) -> tuple[str, ...]:
    """The names of source trees that are not written.

    The project itself is one of them if only its dependencies bring it into the lock file, and nothing else keeps the
    file from having hashes: who installs from the file has the project.
    """
    packages = [entry.package for entry in exported.entries]
    trees = [package for package in packages if package.vcs is not None or package.directory is not None]
    required = {edge.get("name") for package in packages for edge in package.dependencies or ()}
    if style.trees and not (style.hashes and all(_is_project(tree) and tree.name in required for tree in trees)):
        return ()
    return tuple(dict.fromkeys(tree.name for tree in trees))


def _is_project(package: Package) -> bool:
    """Whether the entry is the folder of the lock file."""
    directory = package.directory
    return directory is not None and directory.path == "." and directory.subdirectory is None


def _omissions(names: Iterable[str], style: RequirementsStyle) -> Iterator[Loss]:
    for name in names:
        message = f"{name} is a source tree, and is left out"
        if style.trees:
            message = (
                f"{name} is the project itself, which cannot have a hash, and is left out: install it with"
                " `pip install --no-deps -e .`"
            )
        yield Loss(kind="trees-left-out", message=message, note=True)


def _may_have_hashes(entries: list[ExportedEntry], losses: list[Loss]) -> bool:
    trees = [e.package.name for e in entries if e.package.vcs is not None or e.package.directory is not None]
    if not trees:
        return True
    message = (
        f"{', '.join(trees)} cannot have a hash, and pip then refuses all hashes: the file is written without any "
        "(`--no-trees` leaves them out)"
    )
    losses.append(Loss(kind="hashes-left-out", message=message))
    return False


def _header(exported: ExportedLock, style: RequirementsStyle) -> Iterator[str]:
    yield f"# Made by `lockset export` from {style.source}; do not edit"
    lock = exported.lock
    if exported.one is not None:
        one = exported.one
        yield f"# for Python {one.python_full_version} on {one.sys_platform} {one.platform_machine}"
        return
    if lock.requires_python is not None:
        yield f"# for Python {lock.requires_python}"
    for marker in lock.environments or ():
        yield f"# for {marker}"


def _index_lines(entries: list[ExportedEntry], style: RequirementsStyle, losses: list[Loss]) -> Iterator[str]:
    locations = dict.fromkeys(_folder(f.path) for e in entries for f in _files(e.package) if f.path is not None)
    for location in locations:
        yield f"--find-links {quote(location)}"  # pip splits options like a shell
    indexes = list(dict.fromkeys(e.package.index for e in entries if e.package.index is not None))
    if not style.index_lines:
        if not all(same_index(index, DEFAULT_INDEX) for index in indexes):
            message = f"Packages come from {', '.join(indexes)}, which the file does not name: see `--index-lines`"
            losses.append(Loss(kind="index-left-out", message=message, note=len(indexes) == 1))
        return
    for number, index in enumerate(indexes):
        if has_secret(index):
            raise secret_in_address("a secret", index, location=style.source)
        yield f"--{'extra-' if number else ''}index-url {index}"
    if len(indexes) > 1:
        message = "Requirements files do not tie packages to indexes: installers may use any of them"
        losses.append(Loss(kind="index-untied", message=message))


def _folder(path: str) -> str:
    folder = PurePosixPath(path.replace("\\", "/")).parent.as_posix()
    return folder if folder.startswith((".", "/")) else f"./{folder}"


def _files(package: Package) -> list[PackageWheel | PackageSdist]:
    return [*(package.wheels or ()), *([package.sdist] if package.sdist is not None else [])]


def _pin(
    entry: ExportedEntry, unlisted: PackageWheel | PackageSdist | None, losses: list[Loss]
) -> tuple[str, list[str]]:
    """The requirement, and the hashes of its files. `unlisted`: the file to name by its URL."""
    package = entry.package
    if unlisted is None:
        return _requirement(package), _hashes(package, artifacts(package), losses)
    return f"{package.name} @ {unlisted.url}", _hashes(package, [unlisted], losses)


def _annotation(entry: ExportedEntry, style: RequirementsStyle) -> Iterator[str]:
    dependents = entry.required_by or (style.source,)
    if len(dependents) == 1:
        yield f"    # via {dependents[0]}"
    else:
        yield from ("    # via", *(f"    #   {name}" for name in dependents))


def _condition(entry: ExportedEntry) -> str:
    return "" if entry.marker is None else f" ; {entry.marker}"


def _requirement(package: Package) -> str:
    if package.vcs is not None:
        return _vcs(package.name, package.vcs)
    if package.directory is not None:
        return _directory(package.directory)
    if package.archive is not None:
        return _archive(package.name, package.archive)
    return f"{package.name}=={package.version}"


def _vcs(name: str, vcs: PackageVcs) -> str:
    if vcs.url is None or "://" not in vcs.url:
        raise LocksetError(
            "not-expressible",
            f"`{name}` comes from the repository `{vcs.url or vcs.path}`, which a requirements file cannot name",
            hint="Leave it out with `--no-trees`",
        )
    tail = f"#subdirectory={vcs.subdirectory}" if vcs.subdirectory else ""
    prefix = "" if vcs.url.startswith(f"{vcs.type}+") else f"{vcs.type}+"
    return f"{name} @ {prefix}{vcs.url}@{vcs.commit_id}{tail}"


def _directory(directory: PackageDirectory) -> str:
    path = PurePosixPath(directory.path.replace("\\", "/"))
    if directory.subdirectory:
        path /= directory.subdirectory
    text = path.as_posix()
    shown = text if text.startswith((".", "/")) else f"./{text}"
    return f"-e {shown}" if directory.editable else shown


def _archive(name: str, archive: PackageArchive) -> str:
    tail = f"#subdirectory={archive.subdirectory}" if archive.subdirectory else ""
    if archive.url is not None:
        return f"{name} @ {archive.url}{tail}"
    path = (archive.path or "").replace("\\", "/")
    return (path if path.startswith((".", "/")) else f"./{path}") + tail


def _hashes(package: Package, files: Iterable[Artifact], losses: list[Loss]) -> list[str]:
    """One hash for each file: the first that requirements files support."""
    chosen = []
    for artifact in files:
        hashes = getattr(artifact, "hashes", None)
        if hashes is None:
            continue
        known = next((a for a in _ALGORITHMS if a in hashes), None)
        if known is None:
            message = f"{describe(package)}: a file has no hash that requirements files support ({', '.join(hashes)})"
            texts = tuple(f"{a}:{v}" for a, v in hashes.items())
            losses.append(Loss(kind="hash-not-expressible", message=message, hashes=texts))
            continue
        chosen.append(f"{known}:{hashes[known]}")
    return sorted(dict.fromkeys(chosen))
