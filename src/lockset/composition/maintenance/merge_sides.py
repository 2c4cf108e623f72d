"""The commits that git is merging, and what their merge makes of other files: for a merge driver, while git works.

git calls a merge driver before it writes the merged files, so that the folder still has those of one side. The driver
gets the three versions of its own file alone; the commits that these are from are found here.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lockset._pattern import lazy_pattern
from lockset.build.git import COMMIT, run_in_repository
from lockset.errors import LocksetError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["MergeSides"]

# git sets one such variable for each commit that it merges.
_HEAD_VARIABLE = lazy_pattern(r"GITHEAD_([0-9a-f]{40}(?:[0-9a-f]{24})?)\Z")
# Commits to search for the one that has a version of the file.
_SEARCHED = "500"
_LABEL = lazy_pattern(r"[0-9A-Za-z][^\s:]*")


class MergeSides:
    """The commits of a merge in the repository that contains `root`, its top folder.

    Args:
        root: The top folder of the working tree.
        path: The file that is merged, relative to `root`.
        versions: Its content in the common base, ours and theirs.
        label: How git calls the other side: a branch, or a commit with its subject; may be empty.
        environ: The variables of the process.
    """

    def __init__(
        self, root: Path, path: str, versions: tuple[bytes, bytes, bytes], label: str, environ: Mapping[str, str]
    ) -> None:
        self._root = root
        self._path = path
        self._blobs = tuple(map(self._blob, versions))
        self._label = label
        self._environ = environ
        self._merged: dict[str, bytes | None] = {}

    def content(self, path: Path) -> bytes | None:
        """What the merge makes of the file at `path` (absolute); None if it is not a file of either side.

        Raises:
            LocksetError: `merge-conflict` if the sides cannot be merged; `merge-sides-unknown`.
        """
        try:
            name = Path(os.path.normpath(path)).relative_to(self._root).as_posix()
        except ValueError:
            return None
        if name not in self._merged:
            self._merged[name] = self._merge(name)
        return self._merged[name]

    def _merge(self, name: str) -> bytes | None:
        theirs_commit, base_commit = self._theirs_and_base
        ours, theirs, base = self._ours(name), self._file(theirs_commit, name), self._file(base_commit, name)
        if theirs in (ours, base):
            return ours
        if ours == base:
            return theirs
        if ours is None or theirs is None:
            raise _conflict(name, "one side has removed it")
        return self._merged_text(name, ours, base or b"", theirs)

    def _merged_text(self, name: str, ours: bytes, base: bytes, theirs: bytes) -> bytes:
        import tempfile

        with tempfile.TemporaryDirectory(prefix="lockset-merge-") as folder:
            paths = []
            for side, content in (("ours", ours), ("base", base), ("theirs", theirs)):
                paths.append(os.path.join(folder, side))
                Path(paths[-1]).write_bytes(content)
            done = run_in_repository("merge-file", "-p", "-q", *paths, folder=self._root)
        if done.returncode != 0:
            raise _conflict(name, "both sides have changed the same lines")
        return done.stdout

    @cached_property
    def _theirs_and_base(self) -> tuple[str, str | None]:
        theirs = next((commit for commit in self._candidates() if self._has(commit, self._blobs[2])), None)
        if theirs is None:
            raise LocksetError(
                "merge-sides-unknown",
                f"The commit that is being merged cannot be determined: no commit has this version of {self._path}",
                hint=f"Finish the merge of the other files, and run `lockset lock` in the folder of {self._path}",
            )
        bases = list(self._bases(theirs))
        return theirs, next((commit for commit in bases if self._has(commit, self._blobs[0])), next(iter(bases), None))

    def _candidates(self) -> Iterator[str]:
        """Commits that may be the other side, the most probable first."""
        heads = [match[1] for name in self._environ if (match := _HEAD_VARIABLE.match(name))]
        if len(heads) == 1:
            yield heads[0]
        label = _LABEL.match(self._label)
        if label is not None:
            yield from self._lines("rev-parse", "--verify", "--quiet", f"{label[0]}^{{commit}}")
        yield from self._picked()
        yield from self._lines("rev-list", "--all", "--reflog", f"--max-count={_SEARCHED}", "--", self._path)

    def _picked(self) -> Iterator[str]:
        """The commit that a rebase is at: the last line of what it has done."""
        for line in self._lines("rev-parse", "--git-path", "rebase-merge/done"):
            try:
                words = (self._root / line).read_text("utf-8").split("\n")[-2].split()
            except (OSError, IndexError, UnicodeDecodeError):
                continue
            if len(words) > 1:
                yield from self._lines("rev-parse", "--verify", "--quiet", f"{words[1]}^{{commit}}")

    def _bases(self, theirs: str) -> Iterator[str]:
        """Commits that may be the common base, the most probable first."""
        yield from self._lines("merge-base", "--all", "HEAD", theirs)
        yield from self._lines("rev-parse", "--verify", "--quiet", f"{theirs}^1")
        yield from self._lines("rev-list", "--all", "--reflog", f"--max-count={_SEARCHED}", "--", self._path)

    def _has(self, commit: str, blob: str) -> bool:
        """Whether the merged file has this content in the commit; an empty file stands for none, too."""
        if self._lines("rev-parse", "--verify", "--quiet", f"{commit}:{self._path}") == [blob]:
            return True
        return blob == self._blob(b"") and self._file(commit, self._path) is None

    def _ours(self, name: str) -> bytes | None:
        """Our version of another file: that of HEAD if the merged file is as in HEAD, else that of the working tree."""
        if self._has("HEAD", self._blobs[1]):
            return self._file("HEAD", name)
        try:
            return (self._root / name).read_bytes()
        except OSError:
            return None

    def _file(self, commit: str | None, name: str) -> bytes | None:
        if commit is None:
            return None
        done = run_in_repository("cat-file", "blob", f"{commit}:{name}", folder=self._root)
        return done.stdout if done.returncode == 0 else None

    def _blob(self, content: bytes) -> str:
        done = run_in_repository("hash-object", "--stdin", "--no-filters", folder=self._root, stdin=content)
        return done.stdout.decode("ascii", "replace").strip()

    def _lines(self, *arguments: str) -> list[str]:
        done = run_in_repository(*arguments, folder=self._root)
        lines = done.stdout.decode("utf-8", "replace").split("\n") if done.returncode == 0 else []
        return [line for line in lines if line and (COMMIT.fullmatch(line) or arguments[0] == "rev-parse")]


def _conflict(name: str, reason: str) -> LocksetError:
    return LocksetError(
        "merge-conflict",
        f"{name} has a merge conflict, too: {reason}",
        hint=f"Resolve the conflict in {name}, and run `lockset lock`: it keeps the pins of both sides",
    )
