"""Find installs older than dist-info: `.egg-info`, `.egg-link`, `.egg`, and the lines of easy-install.pth.

setuptools and distutils created them:

    .egg-info file      distutils: metadata alone, no list of files
    .egg-info folder    metadata, and sometimes a list of files (installed-files.txt)
    .egg-link           a source tree elsewhere (`setup.py develop`), imported by a line of easy-install.pth
    .egg folder, file   all of the modules and the metadata, imported by a line of easy-install.pth
"""

# Paths are strings here: there may be thousands of them.
from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from lockset._pattern import lazy_pattern
from lockset.sync.disk.inspect.metadata_text import HEAD, name_and_version, normalized, read_text
from lockset.sync.installed import EASY_INSTALL, InstalledDistribution, InstalledFile, PathLine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lockset.sync.target import Layout

__all__ = ["egg_distributions", "without_lines"]

_EGG = lazy_pattern(r"(?P<name>.+?)(?:-(?P<version>[^-]+)(?:-py[\d.]+.*)?)?\.(?:egg-info|egg-link|egg)", re.IGNORECASE)
# What setuptools writes into the second line of the commands that it generates.
_COMMAND = lazy_pattern(rb"# EASY-INSTALL-(?:ENTRY-|DEV-)?SCRIPT: ['\"](?P<name>[A-Za-z0-9._-]+)")
# Files next to the `-script.py` of a command on Windows.
_LAUNCHER_ENDINGS = (".exe", ".exe.manifest")
# Limits for an installer's list of files, and for a .pth file.
_MOST_LISTED, _MOST_LINES = 64 << 20, 1 << 20


def egg_distributions(library: str, names: Sequence[str], layout: Layout) -> list[InstalledDistribution]:
    """The installs in the folder `library` with these file `names`, and those that its easy-install.pth refers to."""
    lines = _path_lines(library)
    eggs = [egg for name in names if (egg := _egg(library, name, lines, layout)) is not None]
    used = {line for egg in eggs for line in egg.lines}
    for line, path in lines:
        if line not in used and os.path.dirname(path) != library:
            eggs += (egg._replace(lines=(line,)) for egg in _linked_trees(path))
    commands = _commands(layout) if eggs else {}
    return [_with_commands(egg, commands) for egg in eggs]


def without_lines(content: str, lines: Sequence[str]) -> str | None:
    """`content` of a .pth file without these `lines`; None if no path is left in it."""
    left = [line for line in content.splitlines(keepends=True) if line.strip() not in lines]
    paths = [line for line in left if line.strip() and not line.lstrip().startswith(("import ", "import\t", "#"))]
    own = [line for line in left if line.lstrip().startswith("import") and "sys.__plen" not in line]
    return "".join(left) if paths or own else None


def _path_lines(library: str) -> list[tuple[PathLine, str]]:
    """The lines of easy-install.pth that name a path, with the absolute path."""
    content = read_text(library, EASY_INSTALL, _MOST_LINES) or ""
    rows = dict.fromkeys(line.strip() for line in content.splitlines())
    return [
        (PathLine(f"{library}{os.sep}{EASY_INSTALL}", row), os.path.normpath(os.path.join(library, row)))
        for row in rows
        if row and not row.startswith(("import ", "import\t", "#")) and "\0" not in row
    ]


def _egg(
    library: str, entry: str, lines: Sequence[tuple[PathLine, str]], layout: Layout
) -> InstalledDistribution | None:
    match = _EGG.fullmatch(entry)
    if match is None:
        return None
    path = f"{library}{os.sep}{entry}"
    name, version = match["name"], match["version"] or ""
    kind = entry.lower().rpartition(".")[2]
    if kind == "egg-info":
        return _egg_info(path, name, version, layout)
    if kind == "egg-link":
        name = entry[: -len(".egg-link")]  # it has no version; a hyphen is part of the name
        tree = ((read_text(library, entry) or "").splitlines() or [""])[0].strip()
        goal = os.path.normpath(os.path.join(library, tree)) if tree else ""
        named = [egg for egg in _linked_trees(goal) if egg.name == normalized(name)] if goal else []
        return InstalledDistribution(
            name=normalized(name),
            version=named[0].version if named else "",
            info=path,
            lines=tuple(line for line, location in lines if goal and _is_same(location, goal)),
            tree=goal or path,
        )
    own = tuple(line for line, location in lines if location == path)
    metadata = _egg_metadata(path)
    if metadata is None and not own:
        return None  # not created by setuptools
    name, version = name_and_version(metadata, name, version)
    return InstalledDistribution(name=name, version=version, info=path, lines=own)


def _egg_info(path: str, name: str, version: str, layout: Layout) -> InstalledDistribution:
    if not os.path.isdir(path) or os.path.islink(path):
        folder, _, base = path.rpartition(os.sep)
        name, version = name_and_version(read_text(folder, base, HEAD), name, version)
        how = "was installed by distutils, which keeps no list of files"
        return InstalledDistribution(name=name, version=version, info=path, unlisted=how)
    name, version = name_and_version(
        read_text(path, "METADATA", HEAD) or read_text(path, "PKG-INFO", HEAD), name, version
    )
    listed = read_text(path, "installed-files.txt", _MOST_LISTED)
    if listed is None or "\0" in listed:
        how = "was installed without a list of its files"
        files = tuple(InstalledFile(location, "", None) for location in _sources(path))
        return InstalledDistribution(name=name, version=version, info=path, files=files, unlisted=how)
    # One path a line, from within its own folder.
    locations = {os.path.normpath(f"{path}{os.sep}{line}") for line in listed.splitlines() if not os.path.isabs(line)}
    files = tuple(InstalledFile(location, "", None) for location in sorted(locations) if layout.holds(location))
    return InstalledDistribution(name=name, version=version, info=path, files=files)


def _sources(info: str) -> Iterator[str]:
    """The modules that SOURCES.txt lists and that exist below the names of top_level.txt."""
    tops = {line.strip() for line in (read_text(info, "top_level.txt") or "").splitlines() if line.strip()}
    library = os.path.dirname(info)
    for line in sorted({*(read_text(info, "SOURCES.txt", _MOST_LISTED) or "").splitlines()}):
        parts = line.strip().split("/")
        start = next((n for n, part in enumerate(parts) if part in tops or part.removesuffix(".py") in tops), None)
        if start is None or "\0" in line or {"", ".", ".."} & set(parts[start:]):
            continue
        location = os.path.join(library, *parts[start:])
        if os.path.isfile(location):
            yield location


def _egg_metadata(path: str) -> str | None:
    """PKG-INFO of the egg at `path`, a folder or a zip file; None if it is not an egg."""
    if os.path.isdir(path):
        return read_text(f"{path}{os.sep}EGG-INFO", "PKG-INFO", HEAD)
    if not os.path.isfile(path):
        return None
    import zipfile  # here, since eggs are rare

    try:
        with zipfile.ZipFile(path) as archive, archive.open("EGG-INFO/PKG-INFO") as member:
            return member.read(HEAD).decode("utf-8", "replace")
    except Exception:  # noqa: BLE001 (an arbitrary file, on which zipfile and its decompressors fail in many ways)
        return None


def _linked_trees(folder: str) -> Iterator[InstalledDistribution]:
    """The projects with metadata in a folder elsewhere, as `importlib.metadata` finds them through a path entry."""
    metadata = _egg_metadata(folder) if folder.lower().endswith(".egg") else None
    if metadata is not None:
        name, version = name_and_version(metadata, os.path.basename(folder)[: -len(".egg")].partition("-")[0], "")
        yield InstalledDistribution(name=name, version=version, info="", tree=folder)
        return
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for entry in names:
        stem, _, ending = entry.rpartition(".")
        if ending.lower() in {"egg-info", "dist-info"}:
            info = f"{folder}{os.sep}{entry}"
            metadata = read_text(info, "PKG-INFO", HEAD) or read_text(info, "METADATA", HEAD)
            name, version = name_and_version(metadata, stem.partition("-")[0], "")
            yield InstalledDistribution(name=name, version=version, info="", tree=folder)


def _is_same(one: str, other: str) -> bool:
    return one == other or os.path.realpath(one) == os.path.realpath(other)


def _commands(layout: Layout) -> dict[str, list[str]]:
    """The commands that setuptools generated, by the normalized name of their project."""
    commands: dict[str, list[str]] = {}
    try:
        names = sorted(os.listdir(layout.scripts))
    except OSError:
        return commands
    for name in names:
        path = f"{layout.scripts}{os.sep}{name}"
        head = (read_text(layout.scripts, name, 4096) or "").encode(errors="replace")
        match = next((m for line in head.splitlines()[1:3] if (m := _COMMAND.match(line))), None)
        if match is None:
            continue
        launchers = [f"{path.rpartition('-script.py')[0]}{ending}" for ending in _LAUNCHER_ENDINGS]
        files = [path, *(one for one in launchers if name.endswith("-script.py") and os.path.isfile(one))]
        commands.setdefault(normalized(match["name"].decode()), []).extend(files)
    return commands


def _with_commands(egg: InstalledDistribution, commands: dict[str, list[str]]) -> InstalledDistribution:
    listed = {file.path for file in egg.files}
    more = [InstalledFile(path, "", None) for path in commands.get(egg.name, ()) if path not in listed]
    return egg._replace(files=(*egg.files, *more)) if more else egg
