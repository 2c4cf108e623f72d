"""Repositories in foreign locks, whatever system they are of and however they are named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lockset.errors import LocksetError
from support.fakes.fake_conversion import FILES, FakeRemote, convert_text, sha

if TYPE_CHECKING:
    from pathlib import Path

COMMIT = "c" * 40


def pipfile(entry: dict[str, Any]) -> str:
    return json.dumps({"_meta": {"pipfile-spec": 6, "sources": []}, "default": {"a": entry}, "develop": {}})


@pytest.mark.parametrize(("kind", "revision"), [("git", COMMIT), ("hg", COMMIT), ("svn", "123"), ("bzr", "7")])
def test_fixed_revisions_are_locked(tmp_path: Path, kind: str, revision: str) -> None:
    url = f"https://{kind}.example.org/a"
    done = convert_text(tmp_path, "Pipfile.lock", pipfile({kind: url, "ref": revision}))
    back = convert_text(tmp_path, "requirements.txt", f"a @ {kind}+{url}@{revision}\n")
    for vcs in (done.lock.packages[0].vcs, back.lock.packages[0].vcs):
        assert vcs is not None
        assert (vcs.type, vcs.url, vcs.commit_id) == (kind, url, revision)


@pytest.mark.parametrize(("kind", "revision"), [("git", "main"), ("hg", "tip"), ("svn", "HEAD"), ("bzr", "last:1")])
def test_revisions_that_are_not_fixed_are_refused(tmp_path: Path, kind: str, revision: str) -> None:
    with pytest.raises(LocksetError) as caught:
        convert_text(tmp_path, "Pipfile.lock", pipfile({kind: f"https://{kind}.example.org/a", "ref": revision}))
    assert "a" in caught.value.diagnostic.message


def test_short_ssh_addresses_become_urls(tmp_path: Path) -> None:
    done = convert_text(tmp_path, "Pipfile.lock", pipfile({"git": "git@git.example.org:team/a.git", "ref": COMMIT}))
    vcs = done.lock.packages[0].vcs
    assert vcs is not None
    assert vcs.url == "ssh://git@git.example.org/team/a.git"


def test_a_repository_on_disk_that_poetry_gave_a_host_has_none(tmp_path: Path) -> None:
    source = f'type = "git"\nurl = "file://None/srv/a"\nreference = "main"\nresolved_reference = "{COMMIT}"\n'
    entry = '[[package]]\nname = "a"\nversion = "1.0"\noptional = false\npython-versions = "*"\nfiles = []\n'
    end = '[extras]\n[metadata]\nlock-version = "2.0"\npython-versions = ">=3.9"\ncontent-hash = "c"\n'
    vcs = convert_text(tmp_path, "poetry.lock", f"{entry}[package.source]\n{source}{end}").lock.packages[0].vcs
    assert vcs is not None
    assert vcs.url == "file:///srv/a"


def test_archives_keep_all_hashes_of_one_file(tmp_path: Path) -> None:
    one, other = f"sha256:{sha('a')}", f"sha512:{'d' * 128}"
    entry = {"file": f"{FILES}/a-1.zip", "hashes": [one, other]}
    archive = convert_text(tmp_path, "Pipfile.lock", pipfile(entry)).lock.packages[0].archive
    assert archive is not None
    assert archive.hashes == {"sha256": sha("a"), "sha512": "d" * 128}
    several = pipfile(entry | {"hashes": [one, f"sha256:{sha('b')}"]})
    with pytest.raises(LocksetError, match="must be read to choose one"):
        convert_text(tmp_path, "Pipfile.lock", several)
    remote = FakeRemote(hashes={f"{FILES}/a-1.zip": {"sha256": sha("b")}})
    archive = convert_text(tmp_path, "Pipfile.lock", several, remote=remote).lock.packages[0].archive
    assert archive is not None
    assert archive.hashes == {"sha256": sha("b")}


@pytest.mark.parametrize("revision", [COMMIT, "main"])
def test_repositories_of_conda_lock_are_kept(tmp_path: Path, revision: str) -> None:
    yaml = pytest.importorskip("yaml")
    entry = {"name": "a", "version": "1.0", "manager": "pip", "platform": "linux-64", "dependencies": {}}
    entry |= {"url": f"git+https://git.example.org/a@{revision}#subdirectory=s", "hash": {"sha256": COMMIT}}
    metadata = {"platforms": ["linux-64"], "channels": [], "content_hash": {}, "sources": []}
    text = yaml.safe_dump({"version": 1, "metadata": metadata, "package": [entry | {"category": "main"}]})
    remote = FakeRemote(commits={("https://git.example.org/a", "main"): COMMIT})
    vcs = convert_text(tmp_path, "conda-lock.yml", text, remote=remote).lock.packages[0].vcs
    assert vcs is not None
    assert (vcs.url, vcs.commit_id, vcs.subdirectory) == ("https://git.example.org/a", COMMIT, "s")


def test_a_file_listed_with_extras_of_a_pdm_lock_belongs_to_the_release(tmp_path: Path) -> None:
    def entry(mark: str, more: str = "") -> str:
        file = f'files = [{{file = "a-1-{mark}-none-any.whl", hash = "sha256:{sha(mark)}"}}]'
        return f'[[package]]\nname = "a"\nversion = "1"\ngroups = ["default"]\n{more}{file}\n'

    head = '[metadata]\ngroups = ["default"]\nstrategy = ["inherit_metadata"]\nlock_version = "4.5.0"\n'
    done = convert_text(tmp_path, "pdm.lock", head + entry("py2") + entry("py3", 'extras = ["x"]\n'))
    assert [w.hashes["sha256"] for w in done.lock.packages[0].wheels or ()] == [sha("py2"), sha("py3")]
