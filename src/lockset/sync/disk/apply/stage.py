"""Stage new files in a private folder on the target's file system, before they are moved into place."""

# Paths are strings here: there are thousands of them a run.
from __future__ import annotations

import os
from contextlib import contextmanager
from functools import partial

from lockset._named_tuple import NamedTuple
from lockset.errors import LocksetError
from lockset.files.atomic import read_remembered, remove_tree, set_aside
from lockset.files.system import BINARY, processors
from lockset.hashes import hash_text, quick_sha256
from lockset.sync.disk.store.link import DamagedStore
from lockset.sync.installed import SOURCE_FILE
from lockset.sync.json_text import json_text
from lockset.sync.placement import PlacedDistribution, PlacedGroup, Placement, collision, record_rows
from lockset.sync.target import STATE_FOLDER, is_within
from lockset.sync.wheel.file_lists import format_record
from lockset.sync.wheel.scripts import rewrite_script, shebang

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from lockset.progress import ProgressListener
    from lockset.sync.desired import DesiredDistribution
    from lockset.sync.disk.store.cache import StoredWheel
    from lockset.sync.disk.store.link import Linker
    from lockset.sync.target import Layout, Target
    from lockset.sync.wheel.file_lists import StoredFile, StoredGroup, StoredScript

__all__ = ["DamagedWheel", "Stage", "fill", "naming_damaged", "staged_distribution"]

# Number of files from which a second process puts some of them into the stage.
_MANY = 2000
# A new folder, and a file that is written, cost as much as that many links.
_FOLDER, _WRITTEN = 2, 3


def staged_distribution(stored: StoredWheel, distribution: DesiredDistribution, target: Target) -> PlacedDistribution:
    """The final path of every file of `stored` in `target`, and the files that are generated for this target.

    Raises:
        DamagedStore: A stored script was changed since it was unpacked.
    """
    layout, manifest = target.layout, stored.manifest
    roots = layout.roots_of(manifest.name)
    info = f"{roots[manifest.root_scheme]}{os.sep}{manifest.dist_info}"
    groups: list[PlacedGroup] = []
    others: list[Placement] = []
    for group in manifest.groups:
        folder = f"{roots[group.scheme]}{os.sep}{group.inside}" if group.inside else roots[group.scheme]
        if not group.rewrite:
            groups += _below_roots(folder, group, layout)
            continue
        for file in group.rows():
            path = f"{roots[group.scheme]}{os.sep}{file.path if os.sep == '/' else file.path.replace('/', os.sep)}"
            content = rewrite_script(_read_stored(stored, file), target.script_python)
            others.append(_generated(path, content, executable=True, made_from=f"`.data/scripts/{file.path}`"))
    for script in manifest.scripts:
        name, content = _script(script, target)
        path = f"{roots['scripts']}{os.sep}{name}"
        made_from = f"the command `{script.name}` of its entry_points.txt"
        others.append(_generated(path, content, executable=True, made_from=made_from))
    for name, content in _facts(distribution).items():
        others.append(_generated(f"{info}{os.sep}{name}", content, executable=False))
    return PlacedDistribution(manifest.name, manifest.version, info, tuple(groups), tuple(others))


def _below_roots(folder: str, group: StoredGroup, layout: Layout) -> Iterator[PlacedGroup]:
    """The files of `group` below `folder`, those in deeper roots of the target apart: they are staged apart."""
    start = f"{folder}{os.sep}"
    rest: StoredGroup | None = group
    for root in layout.roots:  # the deepest first
        if rest is None or not root.startswith(start):
            continue
        relative = root[len(start) :].replace(os.sep, "/")
        if relative in rest.folders.split("\0"):
            inside = f"{group.inside}/{relative}" if group.inside else relative
            within, rest = rest.split(inside, [file.path.startswith(f"{inside}/") for file in rest.rows()])
            if within is not None:
                yield PlacedGroup(root, within)
    if rest is not None:
        yield PlacedGroup(folder, rest)


def _read_stored(stored: StoredWheel, file: StoredFile) -> bytes:
    """The verified content of a small file of the store, from which another file is generated."""
    source = file.location(stored.folder)
    content = read_remembered(source)
    algorithm = file.hash.partition("=")[0]
    if algorithm == "sha256":
        digest = quick_sha256(content)
    else:
        import hashlib  # here, since it takes longer than the rest

        digest = hashlib.new(algorithm, content, usedforsecurity=False).digest()
    if hash_text(algorithm, digest) != file.hash:
        raise DamagedStore(source)
    return content


def _generated(path: str, content: bytes, *, executable: bool, made_from: str = "metadata of lockset") -> Placement:
    digest = hash_text("sha256", quick_sha256(content))
    return Placement(path, digest, len(content), None, content, executable, made_from)


def _script(script: StoredScript, target: Target) -> tuple[str, bytes]:
    interpreter = target.interpreter
    if interpreter.launcher == "posix":
        return script.name, shebang(target.script_python) + script.body
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
        import json  # here, since most distributions come from an index

        files["direct_url.json"] = json.dumps(direct_url).encode()
        if distribution.tree is not None:
            files[SOURCE_FILE] = json.dumps({"tree": distribution.tree}).encode()
    else:
        url = json_text(distribution.source_url)
        hashes = ", ".join(f"{json_text(name)}: {json_text(value)}" for name, value in distribution.hashes.items())
        files["provenance_url.json"] = f'{{"url": {url}, "archive_info": {{"hashes": {{{hashes}}}}}}}'.encode()
    return files


class DamagedWheel(Exception):
    """The stored wheel of `name` was changed since it was unpacked."""

    def __init__(self, name: str, error: LocksetError | FileNotFoundError) -> None:
        super().__init__(name)
        self.name = name
        self.error = error


@contextmanager
def naming_damaged(name: str) -> Iterator[None]:
    """Raise `DamagedWheel` where the body notices that the stored wheel of `name` was changed."""
    try:
        yield
    except (DamagedStore, FileNotFoundError) as error:
        raise DamagedWheel(name, error) from error


class StagedFiles(NamedTuple):
    """What `Stage.put` does for one distribution. Paths are those in the private folders.

    Attributes:
        store: Folder of its stored wheel.
        info: Its dist-info folder.
        folders: The folders that hold its groups and its other files, each after the one that contains it.
        linked: Files that come from the store, with the folder that they go to.
        written: Files with their content, and whether they are executable.
    """

    distribution: PlacedDistribution
    store: str
    info: str
    folders: Collection[str]
    linked: list[tuple[str, StoredGroup]]
    written: list[tuple[str, bytes, bool]]

    @property
    def links(self) -> int:
        """How many files come from the store."""
        return sum(len(group.sizes) for _, group in self.linked)

    @property
    def cost(self) -> int:
        """About how long `Stage.put` takes, in links."""
        folders = len(self.folders) + sum(group.folders.count("\0") for _, group in self.linked)
        return self.links + _WRITTEN * len(self.written) + _FOLDER * folders


class Stage:
    """Private folders for a target's new files until they are moved into place.

    There is one on each file system of the target, since a rename cannot cross file systems.

    Attributes:
        areas: The private folders; the first one holds the journal.
        times: Modification times of the files that were written, by final path; None for one that is not staged.
        shared: Paths that several distributions own, as `check_locations` returns them.

    Args:
        layout: Layout of the target, whose base exists.
        present: Paths that other distributions already have with the same content: they are not staged again.
    """

    def __init__(self, layout: Layout, *, present: Collection[str] = ()) -> None:
        self._present = present
        self._planned: list[StagedFiles] = []
        self._claimed: dict[str, str] = {}
        self._old: set[str] = set()
        self._folders: dict[str, str] = {}
        self._written: dict[str, str] = {}
        self._roots = layout.roots
        self._area_of: dict[str, str] = {}
        self.times: dict[str, int | None] = {}
        self.shared: Collection[str] = ()
        first = f"{layout.base}{os.sep}{STATE_FOLDER}"
        device = _device(layout.base)
        for root in self._roots:
            same = _device(root) == device
            self._area_of[root] = first if same else f"{_existing(root)}{os.sep}{STATE_FOLDER}"
        self.areas = (first, *sorted(set(self._area_of.values()) - {first}))

    def open(self) -> None:
        """Create the private folders, empty; what an earlier run left in them is removed."""
        for noted in (self._folders, self._planned, self._claimed, self._written, self._old, self.times):
            noted.clear()
        self.shared = ()
        self.clear()

    def clear(self) -> None:
        """Remove everything from the private folders."""
        for area in self.areas:
            if os.path.lexists(area):
                remove_tree(area)
            if os.path.isdir(area):
                set_aside(area)
            else:
                os.mkdir(area, 0o700)

    def plan(self, one: PlacedDistribution, stored: StoredWheel) -> StagedFiles:
        """What has to be put into the private folders for `one`, after all that was planned before. Writes nothing."""
        info = one.info
        folders = {info: f"{self._area_of[os.path.dirname(info)]}{os.sep}{os.path.basename(info)}"}
        linked: list[tuple[str, StoredGroup]] = []
        written: list[tuple[str, bytes, bool]] = []
        for group in one.groups:
            own = group.stored if not self.shared else self._claim(group, info)
            if own is not None:
                linked.append((self._folder(group.folder, folders), own))
        for path, _, _, _, content, executable, _ in one.others:
            if content is None or (path in self.shared and not self._is_claimed(path, info)):
                continue
            folder, _, name = path.rpartition(os.sep)
            goal = f"{self._folder(folder, folders)}{os.sep}{name}"
            written.append((goal, content, executable))
            self._written[path] = goal
        self._folders |= folders
        files = StagedFiles(one, stored.folder, folders[info], folders.values(), linked, written)
        self._planned.append(files)
        return files

    def _claim(self, group: PlacedGroup, info: str) -> StoredGroup | None:
        """The files of `group` that the distribution at `info` stages: another one may have the same file."""
        claimed: list[bool] = []
        for path, time in zip(group.paths(), group.stored.times, strict=True):
            claimed.append(path not in self.shared or self._is_claimed(path, info))
            if path in self.shared and claimed[-1]:
                self.times[path] = time
        return group.stored if all(claimed) else group.stored.split(group.stored.inside, claimed)[0]

    def _is_claimed(self, path: str, info: str) -> bool:
        if path not in self._present and self._claimed.setdefault(path, info) == info:
            return True
        self.times.setdefault(path)
        return False

    def put(self, files: StagedFiles, linker: Linker) -> None:
        """Create the folders and files of one distribution.

        Raises:
            DamagedStore: A stored file was changed since it was unpacked.
            OSError: A file cannot be written.
        """
        make = os.mkdir
        for folder in files.folders:
            try:
                make(folder, 0o755)
            except FileExistsError:  # of another distribution, or a file system without case takes its name for another
                continue
        try:
            for goal, group in files.linked:
                linker.put_group(files.store, group, goal)
            for goal, content, executable in files.written:
                _write(goal, content, executable=executable)
        except FileExistsError as error:
            raise self._name_collision(files.distribution, str(error.filename)) from None
        record = format_record(record_rows(files.distribution))
        _write(f"{files.info}{os.sep}RECORD", record, executable=False)

    def read_times(self) -> None:
        """Add the modification times of files that were written, which are known once they are closed."""
        self.times |= {path: os.stat(staged).st_mtime_ns for path, staged in self._written.items()}

    def _name_collision(self, one: PlacedDistribution, staged: str) -> LocksetError:
        """The error for the file of `one` at `staged` when the file system treats another name as the same."""
        above = {f"{made}{os.sep}": folder for folder, made in self._folders.items()}
        start = max((made for made in above if staged.startswith(made)), key=len)
        path = f"{above[start]}{os.sep}{staged[len(start) :]}"
        spelling = _spelling(path)
        file = next(file for file in one.files if file.path == path)
        other = next((o for o in one.files if o.path != path and _spelling(o.path) == spelling), None)
        if other is not None:
            return collision(one, file, other)
        alike = (
            os.path.basename(each.distribution.info)
            for each in self._planned
            for taken in each.distribution.paths()
            if taken != path and _spelling(taken) == spelling
        )
        owner = next(alike, "another distribution")
        return LocksetError(
            "path-conflict",
            f"{one} cannot be installed here: on this file system, `{path}` is the same as a file of {owner}",
            hint="Leave one of them out, or sync to a case-sensitive file system",
        )

    def write(self, path: str, content: bytes) -> None:
        """Stage a file with `content` for `path`, which no distribution owns."""
        folder, _, name = path.rpartition(os.sep)
        folders: dict[str, str] = {}
        goal = f"{self._folder(folder, folders)}{os.sep}{name}"
        for made in folders.values():
            os.makedirs(made, 0o755, exist_ok=True)
        self._folders |= folders
        _write(goal, content, executable=False)

    def kept_path(self, path: str, number: int) -> str:
        """Where the `number`th removed file is moved, on the file system of `path`; the folder is created."""
        folder = f"{self._area_of[self._root_of(path)]}{os.sep}old"
        if folder not in self._old:
            os.mkdir(folder, 0o700)
            self._old.add(folder)
        return f"{folder}{os.sep}{number}"

    def infos(self) -> Sequence[tuple[str, str]]:
        """Staged dist-info folders and their final paths, sorted."""
        infos = sorted([files.distribution.info for files in self._planned])
        return [(self._folders[final], final) for final in infos]

    def trees(self) -> Sequence[tuple[str, str]]:
        """Staged roots that are not empty, and their final paths."""
        return [(self._folders[root], root) for root in self._roots if root in self._folders]

    @property
    def folders(self) -> Collection[str]:
        """The folders of the target that receive staged files."""
        groups = [group for files in self._planned for group in files.distribution.groups]
        return {*self._folders, *(folder for group in groups for folder in group.folders())}

    def _folder(self, final: str, folders: dict[str, str]) -> str:
        """The staged folder for `final`; it is added to `folders`, after those that contain it."""
        staged = folders.get(final)
        if staged is None:
            if final in self._area_of:
                staged = f"{self._area_of[final]}{os.sep}{self._roots.index(final)}"
            else:
                above, _, name = final.rpartition(os.sep)
                staged = f"{folders.get(above) or self._folder(above, folders)}{os.sep}{name}"
            folders[final] = staged
        return staged

    def _root_of(self, path: str) -> str:
        return next(root for root in self._roots if is_within(path, root, separator=os.sep))


def fill(
    stage: Stage,
    placing: Mapping[str, PlacedDistribution],
    stored: Mapping[str, StoredWheel],
    linker: Linker,
    listener: ProgressListener,
    *,
    check: Callable[[], object],
) -> None:
    """Call `check`, and put all of `placing` into `stage`: in one thread, as several would wait for one another.

    Where there are many files, a copy of this process begins at once, and both take one distribution after another.

    Raises:
        DamagedWheel: A stored wheel was changed since it was unpacked.
        LocksetError: `path-conflict`.
        OSError: A file cannot be written.
        BaseException: The error of `check`.
    """
    parts = {name: stage.plan(one, stored[name]) for name, one in placing.items()}
    own: list[str] = []

    def put(names: Iterable[str]) -> None:
        check()
        listener.phase("Installing", total=len(placing))
        for name in names:
            own.append(name)
            with naming_damaged(name):
                stage.put(parts[name], linker)
            listener.step(name)

    def assist(names: Iterable[str]) -> None:
        linker.mute()
        for name in names:
            stage.put(parts[name], linker)

    if sum(part.links for part in parts.values()) < _MANY or processors() < 2:
        put(parts)
    else:
        from lockset.sync.disk.workers import in_turn, with_copy  # imported here: most syncs are smaller

        # The largest first, so that both end at about the same time.
        with in_turn(sorted(parts, key=lambda name: -parts[name].cost)) as names:
            is_done = with_copy(partial(put, names), partial(assist, names))
        if is_done:
            for name in (name for name in parts if name not in own):
                listener.step(name)
        else:
            # There is no copy, or it failed somewhere. All is done here, and what is wrong reported.
            stage.clear()
            put(parts)
    stage.read_times()


def _write(path: str, content: bytes, *, executable: bool) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, 0o755 if executable else 0o644)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]
    finally:
        os.close(descriptor)


def _existing(path: str) -> str:
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


def _device(path: str) -> int:
    return os.stat(_existing(path)).st_dev
