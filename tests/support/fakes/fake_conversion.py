"""Conversions without a network: an index that has exactly what an input names, and files and repositories by table."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lockset.composition.conversions.conversion import Conversion, ConvertOptions
from lockset.composition.conversions.foreign import convert_imported
from lockset.composition.conversions.foreign_input import read_input
from lockset.errors import OfflineError
from support.builders.pages import PageFile
from support.fakes.fake_index import FakeIndex, detail_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from lockset.conversion.model.imported_lock import ImportedLock
    from lockset.index.pages.project_page import DistributionFile, ProjectDetail

__all__ = ["FILES", "DraftIndex", "FakeRemote", "convert_text", "sha", "wheel_file"]

FILES = "https://files.example.org"


def sha(mark: str) -> str:
    """A sha256 that is easy to tell from others."""
    return (mark.encode().hex() + "0" * 64)[:64]


def wheel_file(
    name: str, version: str, *, tags: str = "py3-none-any", mark: str | None = None, **more: object
) -> PageFile:
    """A wheel as an index shows it; its hash is `sha(mark)`."""
    filename = f"{name.replace('-', '_')}-{version}-{tags}.whl"
    values = {"filename": filename, "url": f"{FILES}/{filename}", "hashes": {"sha256": sha(mark or filename)}}
    return PageFile(**(values | more))  # type: ignore[arg-type]


@dataclass(slots=True)
class FakeRemote:
    """`lockset.conversion.model.ports.Remote` from tables; what is not in them is offline."""

    fingerprints: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    hashes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    commits: Mapping[tuple[str, str | None], str] = field(default_factory=dict)
    needs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    has_sizes: bool = False

    def fingerprint(self, path_or_url: str) -> tuple[str, int]:
        if path_or_url not in self.fingerprints:
            raise OfflineError(f"{path_or_url} is not asked")
        return self.fingerprints[path_or_url]

    def digests_at(self, path_or_url: str, algorithms: Iterable[str]) -> Mapping[str, str]:
        if path_or_url not in self.hashes:
            raise OfflineError(f"{path_or_url} is not read")
        return self.hashes[path_or_url]

    def digests(self, file: DistributionFile, algorithms: Iterable[str]) -> Mapping[str, str]:
        if file.filename not in self.hashes:
            raise OfflineError(f"{file.filename} is not read")
        return self.hashes[file.filename]

    def sizes(self, files: Sequence[DistributionFile]) -> Mapping[str, int]:
        return {file.url: 1 for file in files if self.has_sizes}

    def hint(self, files: Sequence[DistributionFile]) -> None:
        del files

    def requires(self, files: Sequence[DistributionFile]) -> Sequence[str] | None:
        return self.needs.get(files[0].project)

    def commit(self, url: str, revision: str | None) -> str:
        if (url, revision) not in self.commits:
            raise OfflineError(f"{url} is not asked")
        return self.commits[url, revision]


class DraftIndex:
    """An index that has the files a draft names, and for hashes alone files of made-up names."""

    def __init__(self, imported: ImportedLock) -> None:
        self._files: defaultdict[str, list[PageFile]] = defaultdict(list)
        for package in imported.packages:
            for file in package.files:
                if file.url is None and file.name is not None:
                    page = PageFile(filename=file.name, url=f"{FILES}/{file.name}", hashes=dict(file.hashes))
                    self._files[package.name].append(page)
            if package.bare_hashes or package.every_file:
                self._files[package.name] += self._made_up(package.name, str(package.version), package.bare_hashes)

    def _made_up(self, name: str, version: str, digests: Sequence[object]) -> list[PageFile]:
        texts = [str(d) for d in digests] or [f"sha256:{sha(name)}"]
        stem = f"{name.replace('-', '_')}-{version}"
        results = []
        for number, text in enumerate(texts):
            algorithm, _, value = text.partition(":")
            filename = f"{stem}.tar.gz" if number == 0 else f"{stem}-{number}-py3-none-any.whl"
            results.append(PageFile(filename=filename, url=f"{FILES}/{filename}", hashes={algorithm: value}))
        return results

    def hint(self, names: Iterable[str]) -> None:
        del names

    def renew(self, names: Iterable[str]) -> bool:
        del names
        return False

    def project(self, name: str) -> ProjectDetail:
        return detail_of(name, self._files[name])


def convert_text(
    folder: Path,
    name: str,
    text: str,
    *,
    projects: Mapping[str, Sequence[PageFile]] | None = None,
    remote: FakeRemote | None = None,
    strict: bool = False,
    environ: Mapping[str, str] | None = None,
    options: ConvertOptions | None = None,
) -> Conversion:
    """The conversion of a file called `name` in `folder`; without `projects` the index has just what it names."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    output = folder / "pylock.toml"
    imported, _ = read_input(path, options or ConvertOptions(), output=output, environ=environ or {})
    index = DraftIndex(imported) if projects is None else FakeIndex(projects)
    return convert_imported(imported, index, remote or FakeRemote(), output=output, strict=strict)
