"""Select the distributions for a target from lock files, by the user's rules on sources, hashes and paths.

Where several lock files have the same package, they have to agree on it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from lockset.errors import BuildNeededError, HashMissingError, LocksetError
from lockset.hashes import WEAK_ALGORITHMS, Digest, strong_digests
from lockset.lockfile.model import (
    File,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    describe,
    file_name,
)
from lockset.lockfile.select import select_entries
from lockset.package_names import canonicalize_name
from lockset.similar_names import known_names_hint
from lockset.sync.desired import DesiredDistribution, SourcePolicy, public_url
from lockset.sync.target import is_within
from lockset.sync.wheel.safe_path import outside

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from lockset.lockfile.model import Package, Pylock
    from lockset.lockfile.select import SelectedPackage
    from lockset.sync.disk.request import LockSource, SyncRequest
    from lockset.sync.target import Target

__all__ = ["chosen_extras", "chosen_groups", "desired_distributions", "select_distributions", "select_packages"]

# Schemes by which repositories are fetched.
_OF_REPOSITORIES = frozenset({"http", "https", "file", "ssh", "git", "svn", "bzr", "sftp", "lp", "rsync", "ftp"})


def select_distributions(request: SyncRequest, target: Target) -> Sequence[DesiredDistribution]:
    """The distributions that all lock files together select for `target`, sorted by name.

    Raises:
        LocksetError: `locks-disagree`, `unknown-extra`, `unknown-group`, and the errors of `select_packages`.
    """
    selection: dict[str, DesiredDistribution] = {}
    origins: dict[str, LockSource] = {}
    locks = [(source, source.read()) for source in request.sources]
    known_extras = {extra for _, lock in locks for extra in lock.extras or ()}
    known_groups = {g for _, lock in locks for g in (*(lock.dependency_groups or ()), *(lock.default_groups or ()))}
    _refuse_unknown("extra", request.extras, known_extras)
    _refuse_unknown("group", request.groups, known_groups)
    for source, lock in locks:
        for one in _select_from(lock, source.folder, request, target):
            other = selection.setdefault(one.name, one)
            if other is not one and not _agree(one, other):
                raise LocksetError(
                    "locks-disagree",
                    f"Two of the lock files have different files for `{one.name}`: {other} and {one}",
                    context=(f"{_shown(origins[one.name])} has {other.source}", f"{_shown(source)} has {one.source}"),
                    hint="Lock them together, or sync one of them",
                )
            origins.setdefault(one.name, source)
            if one.requested:
                selection[one.name] = one
    return [selection[name] for name in sorted(selection)]


def _shown(source: LockSource) -> str:
    """The path relative to the working folder if it is in it."""
    path = source.path or "a lock file"
    return path.removeprefix(f"{os.getcwd()}{os.sep}")


def select_packages(lock: Pylock, request: SyncRequest, target: Target) -> tuple[SelectedPackage, ...]:
    """The packages of one lock file for `target`, with the extras, groups and kinds of files of `request`.

    Raises:
        LocksetError: `dependency-missing`, and the errors of `lockset.lockfile.select.select_entries`.
    """
    selection = select_entries(
        lock,
        environment=target.environment,
        tags=target.tags,
        extras=chosen_extras(request, lock),
        groups=chosen_groups(request, lock),
        prefer_sdist=lambda name: not _may_use_wheels(request, name),
    )
    if request.strict:
        _refuse_missing(selection.items, lock)
    return selection.items


def _select_from(lock: Pylock, folder: str, request: SyncRequest, target: Target) -> Iterable[DesiredDistribution]:
    for one in desired_distributions(
        select_packages(lock, request, target),
        folder=folder,
        allowed=request.allowed._replace(folders=request.find_links),
        project=_project_folder(lock),
    ):
        _refuse_kind(one, request)
        yield one


def _project_folder(lock: Pylock) -> str:
    """The folder of the project of `lock`, relative to the lock file: for a member of a workspace, its own."""
    table = (lock.tool or {}).get("lockset")
    sources = table.get("sources") if isinstance(table, dict) and "workspace" in table else None
    return (
        sources[0].rpartition("/")[0] if isinstance(sources, list) and sources and isinstance(sources[0], str) else "."
    )


def _agree(one: DesiredDistribution, other: DesiredDistribution) -> bool:
    """Whether two distributions are the same: the same bytes, wherever they come from, or the same source."""
    if one.kind != other.kind or one.version != other.version or one.direct_url != other.direct_url:
        return False
    common = one.hashes.keys() & other.hashes.keys()
    if not one.digests and not other.digests:
        return True
    return bool(common) and all(one.hashes[name] == other.hashes[name] for name in common)


def _may_use_wheels(request: SyncRequest, name: str) -> bool:
    return not _forbids(request.no_binary, request.only_binary, name)


def _may_use_sources(request: SyncRequest, name: str) -> bool:
    return not request.build_nothing and not _forbids(request.only_binary, request.no_binary, name)


def _forbids(these: Collection[str] | None, opposite: Collection[str] | None, name: str) -> bool:
    """Whether `these` (None: all) rule out one kind of file; an explicit name in `opposite` takes precedence."""
    return opposite is None or name not in opposite if these is None else name in these


def _refuse_missing(items: Sequence[SelectedPackage], lock: Pylock) -> None:
    """Refuse a lock file that records a dependency but has no entry for it."""
    known = {package.name for package in lock.packages}
    for item in items:
        for edge in item.package.dependencies or ():
            name = str(edge.get("name", ""))
            if name and canonicalize_name(name) not in known:
                raise LocksetError(
                    "dependency-missing",
                    f"`{describe(item.package)}` depends on `{name}`, which is not in the lock file",
                    hint="Run `lockset lock`, or use `--no-strict` if something else provides it",
                )


def _refuse_kind(one: DesiredDistribution, request: SyncRequest) -> None:
    """Refuse a source where a wheel is required, and the other way round."""
    is_wheel = (one.filename or "").endswith(".whl") and one.kind in {"wheel", "archive"}
    if request.location.described is not None and not is_wheel:
        raise LocksetError(
            "no-usable-file",
            f"`{one}` has no wheel for the described platform, and a source cannot be built for it here",
            hint="Sync on that platform, describe it more precisely, or lock a version that has a wheel for it",
        )
    if not is_wheel and one.kind != "directory" and not _may_use_sources(request, one.name):
        raise BuildNeededError(
            f"{one} is locked as a source ({one.filename or one.source}), but only wheels are allowed",
            hint="Allow building, or lock a version that has a wheel for this target",
        )
    if is_wheel and one.kind == "wheel" and not _may_use_wheels(request, one.name):
        raise LocksetError("no-source", f"{one} has no sdist in the lock file, but wheels are not allowed")


def chosen_extras(request: SyncRequest, lock: Pylock) -> Collection[str]:
    """The selected extras of `lock`."""
    known = frozenset(lock.extras or ())
    return known if request.all_extras else request.extras & known


def chosen_groups(request: SyncRequest, lock: Pylock) -> Collection[str] | None:
    """The selected groups of `lock`."""
    defaults = frozenset(lock.default_groups or ()) if request.default_groups else frozenset()
    known = frozenset(lock.dependency_groups or ())
    return defaults | (known if request.all_groups else request.groups & (known | frozenset(lock.default_groups or ())))


def _refuse_unknown(what: str, requested: Collection[str], known: Collection[str]) -> None:
    unknown = sorted(set(requested) - set(known))
    if unknown:
        raise LocksetError(
            "unknown-extra" if what == "extra" else "unknown-group",
            f"The lock file has no {what} named {', '.join(f'`{name}`' for name in unknown)}",
            hint=known_names_hint(unknown[0], known),
        )


def desired_distributions(
    items: Sequence[SelectedPackage], *, folder: str, allowed: SourcePolicy | None = None, project: str = "."
) -> tuple[DesiredDistribution, ...]:
    """The distributions for the selected `items`; relative paths start from `folder`, that of the lock file.

    `project` is the folder of the project itself, relative to that.

    Raises:
        LocksetError: `hash-missing`, `hash-malformed`, `unsafe-path`, `source-not-allowed`, `commit-malformed`.
    """
    known, needed = _edges(items)
    rules = allowed or SourcePolicy()
    return tuple(
        _desired(item.package, item.artifact, folder, rules, requested=known and item.package.name not in needed)
        for item in items
        if rules.project or not _is_project(item.artifact, project)
    )


def _is_project(artifact: object, project: str) -> bool:
    """Whether it is the source tree of the project itself."""
    if not isinstance(artifact, PackageDirectory) or artifact.subdirectory:
        return False
    return os.path.normpath(artifact.path.replace("\\", "/") or ".") == os.path.normpath(project)


def _edges(items: Sequence[SelectedPackage]) -> tuple[bool, frozenset[str]]:
    """Whether the lock file records dependencies at all, and the names that another package depends on."""
    lists = [item.package.dependencies for item in items if item.package.dependencies]
    return bool(lists), frozenset(str(edge.get("name", "")) for edges in lists for edge in edges or ())


def _desired(
    package: Package, artifact: object, folder: str, allowed: SourcePolicy, *, requested: bool
) -> DesiredDistribution:
    what = describe(package)
    version = str(package.version) if package.version is not None else None
    filename = file_name(artifact) if isinstance(artifact, File) else None
    _check_url(getattr(artifact, "url", None), what, is_file=isinstance(artifact, File) and not artifact.path)
    if isinstance(artifact, PackageVcs):
        _refuse_unless(what, f"a {artifact.type} commit", "--no-vcs", allowed=allowed.vcs)
        return DesiredDistribution(
            name=package.name,
            version_text=version,
            kind="vcs",
            url=artifact.url,
            path=_local(artifact.path, folder, allowed, what) if artifact.path and not artifact.url else None,
            vcs=artifact.type,
            commit=_commit(artifact.commit_id, what),
            revision=artifact.requested_revision,
            subdirectory=artifact.subdirectory,
            requested=requested,
        )
    if isinstance(artifact, PackageDirectory):
        _refuse_unless(what, "a directory", "--no-directory", allowed=allowed.directory)
        return DesiredDistribution(
            name=package.name,
            version_text=version,
            kind="directory",
            path=_local(artifact.path, folder, allowed, what),
            subdirectory=artifact.subdirectory,
            editable=bool(artifact.editable) and allowed.editable,
            requested=requested,
        )
    assert isinstance(artifact, File)
    kind = "wheel" if isinstance(artifact, PackageWheel) else "sdist"
    kind = kind if isinstance(artifact, PackageWheel | PackageSdist) else "archive"
    _refuse_unless(what, "an archive", "--no-archive", allowed=kind != "archive" or allowed.archive)
    path, is_outside = _path(artifact, folder, allowed, what)
    return DesiredDistribution(
        name=package.name,
        version_text=version,
        kind=kind,
        filename=filename,
        url=artifact.url,
        path=path,
        is_outside=is_outside,
        digests=_digests(artifact.hashes, f"`{filename}` of {what}", weak=allowed.weak_hash),
        size=artifact.size,
        subdirectory=getattr(artifact, "subdirectory", None),
        requested=requested,
    )


def _check_url(url: str | None, what: str, *, is_file: bool) -> None:
    """Refuse an address that is malformed, or whose scheme lockset does not fetch."""
    if not url:
        return
    scheme = url.partition(":")[0].lower()
    try:
        parts = urlsplit(url)
        scheme = parts.scheme.lower()
        problem = _address_problem(url, scheme.rpartition("+")[2], parts.hostname or "", parts.port)
    except ValueError as error:
        problem = str(error)
    if problem is not None:
        raise LocksetError(
            "url-malformed",
            f"The URL that `{what}` is locked to is not valid: {problem}",
            hint="Run `lockset lock`",
        )
    if not is_file and (url.startswith("-") or (len(scheme) > 1 and scheme.rpartition("+")[2] not in _OF_REPOSITORIES)):
        raise LocksetError(
            "url-scheme",
            f"`{what}` is locked to `{public_url(url)}`, whose scheme cannot be used for repositories",
            hint="Run `lockset lock` with an https or ssh URL",
        )
    if is_file and scheme not in {"http", "https", "file"}:
        raise LocksetError(
            "url-scheme",
            f"`{what}` is locked to `{public_url(url)}`, but files can only be fetched by http or https",
            hint="Run `lockset lock` with an index or an https URL",
        )


def _address_problem(url: str, scheme: str, host: str, port: int | None) -> str | None:
    if port == 0 or not url.isprintable() or " " in host:
        return "it has a character or a port that is not allowed in a URL"
    if scheme in {"http", "https", "ssh", "git"} and not any(map(str.isalnum, host)):
        return "it has no host"
    return None


def _refuse_unless(what: str, source: str, option: str, *, allowed: bool) -> None:
    if not allowed:
        raise LocksetError(
            "source-not-allowed",
            f"`{what}` is locked as {source}, which {option} refuses",
            hint=f"Run without `{option}`, or lock it from an index",
        )


def _commit(text: str, what: str) -> str:
    """`text` if it is a full commit id. A short id, or a name, may mean another commit tomorrow."""
    if len(text) not in {40, 64} or not set(text.lower()) <= set("0123456789abcdef"):
        raise LocksetError(
            "commit-malformed",
            f"The commit id of `{what}` is not 40 or 64 hexadecimal digits",
            hint="Lock again with a tool that records full commit ids",
        )
    return text.lower()


def _digests(hashes: Mapping[str, str], what: str, *, weak: bool) -> tuple[Digest, ...]:
    try:
        return strong_digests(hashes, what=what)
    except HashMissingError:
        known = {name.lower(): value.lower() for name, value in hashes.items() if name.lower() in WEAK_ALGORITHMS}
        fits = known and all(len(value) == 2 * WEAK_ALGORITHMS[name] for name, value in known.items())
        if not weak or not fits:
            raise
        return tuple(Digest(algorithm=name, value=value) for name, value in sorted(known.items()))


def _path(artifact: File, folder: str, allowed: SourcePolicy, what: str) -> tuple[str | None, bool]:
    """The local path of `artifact`, locked or from its `file:` URL, and whether it lies outside."""
    text = artifact.path
    if not text and artifact.url and artifact.url.lower().startswith("file:"):
        parts = urlsplit(artifact.url)
        if parts.netloc in {"", "localhost"}:
            location = unquote(parts.path)
            text = location if os.sep == "/" else location.lstrip("/")
    if not text:
        return None, False
    location = _location(text, folder)
    is_outside = not allowed.outside_path and not any(
        _leads_into(location, each) for each in (folder, *allowed.folders)
    )
    if is_outside and not allowed.folders:
        raise outside(what, location, f"`-f FOLDER` with a folder that has `{file_name(artifact)}`, or ")
    return location, is_outside


def _local(path: str, folder: str, allowed: SourcePolicy, what: str) -> str:
    location = _location(path, folder)
    if not allowed.outside_path and not _leads_into(location, folder):
        raise outside(what, location)
    return location


def _location(path: str, folder: str) -> str:
    if "\0" in path:
        raise LocksetError("unsafe-path", f"The lock file names a path with a NUL character: `{path}`")
    # A relative path may be written with either separator on every platform.
    portable = path.replace("\\", "/") if os.sep == "/" and "/" not in path else path
    return os.path.normpath(os.path.join(folder, portable))


def _leads_into(location: str, folder: str) -> bool:
    return _is_in(location, folder) and _is_in(_resolved(location), _resolved(folder))


def _is_in(location: str, folder: str) -> bool:
    # On Windows this unifies separators and case; elsewhere it changes nothing.
    location, folder = os.path.normcase(location), os.path.normcase(folder)
    return location == folder or is_within(location, folder, separator=os.sep)


def _resolved(path: str) -> str:
    # A symbolic link can lead out of a repository just as `..` can.
    return os.path.realpath(path)
