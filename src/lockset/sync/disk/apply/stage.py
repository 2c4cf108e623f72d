"""Stage new files in a private folder on the target's file system, before they are moved into place."""

# Paths are strings here: there are thousands of them a run.
from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.files.atomic import read_remembered, remove_tree, set_aside
from lockset.files.system import BINARY
from lockset.hashes import hash_text, quick_sha256
from lockset.sync.disk.store.link import DamagedStore
from lockset.sync.installed import SOURCE_FILE
from lockset.sync.placement import PlacedDistribution, Placement, collision, record_rows
from lockset.sync.target import STATE_FOLDER, is_within
from lockset.sync.wheel.file_lists import format_record
from lockset.sync.wheel.scripts import rewrite_script, shebang

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lockset.sync.desired import DesiredDistribution
    from lockset.sync.disk.store.cache import StoredWheel
    from lockset.sync.disk.store.link import Linker
    from lockset.sync.target import Layout, Target
    from lockset.sync.wheel.file_lists import StoredFile, StoredScript

__all__ = ["Stage", "staged_distribution"]


def staged_distribution(stored: StoredWheel, distribution: DesiredDistribution, target: Target) -> PlacedDistribution:
    """The final path of every file of `stored` in `target`, and the files that are generated for this target.

    Raises:
        DamagedStore: A stored script was changed since it was unpacked.
    """
    layout, manifest = target.layout, stored.manifest
    roots = layout.roots_of(manifest.name)
    info = f"{roots[manifest.root_scheme]}{os.sep}{manifest.dist_info}"
    files: list[Placement] = []
    for file in manifest.files:
        path = f"{roots[file.scheme]}{os.sep}{file.path if os.sep == '/' else file.path.replace('/', os.sep)}"
        if file.rewrite:
            content = rewrite_script(_read_stored(stored, file), target.interpreter.executable)
            files.append(_generated(path, content, executable=True, made_from=f"`.data/scripts/{file.path}`"))
        else:
            files.append(Placement(path, file.hash, file.size, file, None, file.executable))
    for script in manifest.scripts:
        name, content = _script(script, target)
        path = f"{roots['scripts']}{os.sep}{name}"
        made_from = f"the command `{script.name}` of its entry_points.txt"
        files.append(_generated(path, content, executable=True, made_from=made_from))
    for name, content in _facts(distribution).items():
        files.append(_generated(f"{info}{os.sep}{name}", content, executable=False))
    return PlacedDistribution(name=manifest.name, version=manifest.version, info=info, files=tuple(files))


def _read_stored(stored: StoredWheel, file: StoredFile) -> bytes:
    """The verified content of a small file of the store, from which another file is generated."""
    import hashlib  # here, since few wheels have such files

    source = file.location(stored.folder)
    content = read_remembered(source)
    algorithm = file.hash.partition("=")[0]
    if hash_text(algorithm, hashlib.new(algorithm, content, usedforsecurity=False).digest()) != file.hash:
        raise DamagedStore(source)
    return content


def _generated(path: str, content: bytes, *, executable: bool, made_from: str = "metadata of lockset") -> Placement:
    digest = hash_text("sha256", quick_sha256(content))
    return Placement(path, digest, len(content), None, content, executable, made_from)


def _script(script: StoredScript, target: Target) -> tuple[str, bytes]:
    interpreter = target.interpreter
    if interpreter.launcher == "posix":
        return script.name, shebang(interpreter.executable) + script.body
    from lockset.sync.disk.store.unpack import launcher

    return launcher(script, interpreter.executable, interpreter.launcher)


def _spelling(path: str) -> str:
    """The same for paths that file systems without case, or with one way of writing accents (macOS), treat as one."""
    from unicodedata import normalize

    return normalize("NFD", normalize("NFD", path).casefold())


def _facts(distribution: DesiredDistribution) -> Mapping[str, bytes]:
    """The files of dist-info about the install: INSTALLER, REQUESTED, and the origin (PEP 376, PEP 610, PEP 710)."""
    files = {"INSTALLER": b"lockset\n"}
    if distribution.requested:
        files["REQUESTED"] = b""
    direct_url = distribution.direct_url
    if direct_url is not None:
        files["direct_url.json"] = json.dumps(direct_url).encode()
        if distribution.tree is not None:
            files[SOURCE_FILE] = json.dumps({"tree": distribution.tree}).encode()
    else:
        origin = {"url": distribution.source_url, "archive_info": {"hashes": dict(distribution.hashes)}}
        files["provenance_url.json"] = json.dumps(origin).encode()
    return files


class Stage:
    """Private folders for a target's new files until they are moved into place.

    There is one on each file system of the target, since a rename cannot cross file systems.

    Attributes:
        areas: The private folders; the first one holds the journal.
        times: Modification times of the staged files, by final path.

    Args:
        layout: Layout of the target, whose base exists.
        present: Paths that other distributions already have with the same content: they are not staged again.
    """

    def __init__(self, layout: Layout, *, present: Collection[str] = ()) -> None:
        self._present = present
        self._infos: list[str] = []
        self._claimed: dict[str, str] = {}
        self._old: set[str] = set()
        self._folders: dict[str, str] = {}
        self._roots = layout.roots
        self._area_of: dict[str, str] = {}
        self.times: dict[str, int] = {}
        first = f"{layout.base}{os.sep}{STATE_FOLDER}"
        device = _device(layout.base)
        for root in self._roots:
            same = _device(root) == device
            self._area_of[root] = first if same else f"{_existing(root)}{os.sep}{STATE_FOLDER}"
        self.areas = (first, *sorted(set(self._area_of.values()) - {first}))

    def open(self) -> None:
        """Create the private folders, empty; what an earlier run left in them is removed."""
        self._folders.clear()
        self._infos.clear()
        self._claimed.clear()
        self._old.clear()
        self.times.clear()
        for area in self.areas:
            if os.path.lexists(area):
                remove_tree(area)
            if os.path.isdir(area):
                set_aside(area)
            else:
                os.mkdir(area, 0o700)

    def put(self, one: PlacedDistribution, stored: StoredWheel, linker: Linker) -> None:
        """Stage the files of `one`.

        Raises:
            DamagedStore: A stored file was changed since it was unpacked.
            OSError: A file cannot be written.
        """
        area = self._area_of[os.path.dirname(one.info)]
        staged_info = f"{area}{os.sep}{os.path.basename(one.info)}"
        os.mkdir(staged_info, 0o755)
        self._folders[one.info] = staged_info
        self._infos.append(one.info)
        folders, times, claim, present = self._folders, self.times, self._claimed.setdefault, self._present
        info, separator = one.info, os.sep
        linked: list[tuple[str, StoredFile]] = []
        written: list[tuple[str, str, bytes, bool]] = []
        for path, _, _, source, content, executable, _ in one.files:
            # Another distribution may have the same file.
            if path in present or (source is None and content is None) or claim(path, info) != info:
                continue
            folder, _, name = path.rpartition(separator)
            goal = f"{folders.get(folder) or self._folder(folder)}{separator}{name}"
            if source is not None:
                linked.append((goal, source))
                times[path] = source.mtime
            elif content is not None:
                written.append((goal, path, content, executable))
        try:
            linker.put_all(stored.folder, linked, area=area if len(self.areas) == 1 else None)
            for goal, path, content, executable in written:
                times[path] = _write(goal, content, executable=executable)
        except FileExistsError as error:
            raise self._name_collision(one, str(error.filename)) from None
        _write(f"{staged_info}{os.sep}RECORD", format_record(record_rows(one)), executable=False)

    def _name_collision(self, one: PlacedDistribution, staged: str) -> LocksetError:
        """The error for the file of `one` at `staged` when the file system treats another name as the same."""
        above, _, name = staged.rpartition(os.sep)
        folders = [folder for folder, made in self._folders.items() if made == above]
        file = next(file for file in one.files if file.path in {f"{folder}{os.sep}{name}" for folder in folders})
        path = file.path
        spelling = _spelling(path)
        other = next((o for o in one.files if o.path != path and _spelling(o.path) == spelling), None)
        if other is not None:
            return collision(one, file, other)
        names = [taken for taken in self._claimed if taken != path and _spelling(taken) == spelling]
        owner = os.path.basename(self._claimed[names[0]]) if names else "another distribution"
        return LocksetError(
            "path-conflict",
            f"{one} cannot be installed here: on this file system, `{path}` is the same as a file of {owner}",
            hint="Leave one of them out, or sync to a case-sensitive file system",
        )

    def write(self, path: str, content: bytes) -> None:
        """Stage a file with `content` for `path`, which no distribution owns."""
        folder, _, name = path.rpartition(os.sep)
        _write(f"{self._folder(folder)}{os.sep}{name}", content, executable=False)

    def kept_path(self, path: str, number: int) -> str:
        """Where the `number`th removed file is moved, on the file system of `path`; the folder is created."""
        folder = f"{self._area_of[self._root_of(path)]}{os.sep}old"
        if folder not in self._old:
            os.mkdir(folder, 0o700)
            self._old.add(folder)
        return f"{folder}{os.sep}{number}"

    def infos(self) -> Sequence[tuple[str, str]]:
        """Staged dist-info folders and their final paths, sorted."""
        return [(self._folders[final], final) for final in sorted(self._infos)]

    def trees(self) -> Sequence[tuple[str, str]]:
        """Staged roots that are not empty, and their final paths."""
        return [(self._folders[root], root) for root in self._roots if root in self._folders]

    @property
    def folders(self) -> Collection[str]:
        """The folders of the target that receive staged files."""
        return self._folders.keys()

    def _folder(self, final: str) -> str:
        """The staged folder for `final`, created with its parents."""
        staged = self._folders.get(final)
        if staged is not None:
            return staged
        if final in self._area_of:
            number = self._roots.index(final)
            staged = f"{self._area_of[final]}{os.sep}{number}"
        else:
            above, _, name = final.rpartition(os.sep)
            staged = f"{self._folder(above)}{os.sep}{name}"
        with suppress(FileExistsError):  # a file system without case takes its name for another
            os.mkdir(staged, 0o755)
        self._folders[final] = staged
        return staged

    def _root_of(self, path: str) -> str:
        return next(root for root in self._roots if is_within(path, root, separator=os.sep))


def _write(path: str, content: bytes, *, executable: bool) -> int:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, 0o755 if executable else 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        time = os.fstat(file.fileno()).st_mtime_ns
    # Windows sets the time when a file is closed.
    return os.stat(path).st_mtime_ns if os.name == "nt" else time


def _existing(path: str) -> str:
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


def _device(path: str) -> int:
    return os.stat(_existing(path)).st_dev
