"""Publishers are recorded by `lock --attestations`, required by `sync`, and travel in a wheelhouse."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import tomli

from support.builders import make_wheel
from support.fakes.fake_sigstore import PUBLISHERS, FakeSigstore, provenance_of
from support.local_index import LocalIndex

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from support.builders import Artifact
    from support.command import Command
    from support.venvs import VenvMaker

GITHUB = PUBLISHERS["GitHub"]
THIEF = {**GITHUB, "repository": "thief/sample"}


@pytest.fixture(scope="module")
def sigstore() -> FakeSigstore:
    return FakeSigstore()


@pytest.fixture(autouse=True)
def index(
    local_index: LocalIndex, sigstore: FakeSigstore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> LocalIndex:
    monkeypatch.setenv("LOCKSET_DEFAULT_INDEX", local_index.url)
    monkeypatch.setenv("LOCKSET_TRUSTED_ROOT", str(sigstore.write_root(tmp_path / "trusted_root.json")))
    return local_index


def publish(
    index: LocalIndex,
    sigstore: FakeSigstore,
    name: str,
    version: str = "1.0",
    *,
    publisher: Mapping[str, str] | None = GITHUB,
    provenance: bytes | None = None,
) -> Artifact:
    wheel = make_wheel(name, version)
    if provenance is None and publisher is not None:
        provenance = provenance_of(publisher, sigstore.attest(publisher, wheel.filename, wheel.sha256))
    index.world.add_file(name, wheel, provenance=provenance)
    return wheel


def write(folder: Path, *requires: str, settings: str = "") -> None:
    project = f'[project]\nname = "app"\nversion = "1"\ndependencies = {list(requires)}\n'
    (folder / "pyproject.toml").write_text(project + settings)


def recorded(folder: Path) -> dict[str, Any]:
    packages = tomli.loads((folder / "pylock.toml").read_text())["packages"]
    return {package["name"]: package.get("attestation-identities") for package in packages}


def replace_provenance(index: LocalIndex, name: str, provenance: bytes | None) -> None:
    index.world.projects[name] = [replace(file, provenance=provenance) for file in index.world.projects[name]]


# Locking.


@pytest.mark.parametrize("form", ["json", "html"])
def test_publishers_of_every_kind_are_recorded(
    cli: Command, index: LocalIndex, sigstore: FakeSigstore, tmp_path: Path, form: str
) -> None:
    index.set_mode(json=form == "json")
    for kind, publisher in PUBLISHERS.items():
        publish(index, sigstore, kind.lower(), publisher=publisher)
    publish(index, sigstore, "plain", publisher=None)
    write(tmp_path, *map(str.lower, PUBLISHERS), "plain")
    output = cli.ok("lock", "--attestations").stderr
    assert "4 of 5 packages have a publisher whose attestations were verified" in output
    assert recorded(tmp_path) == {kind.lower(): [publisher] for kind, publisher in PUBLISHERS.items()} | {"plain": None}
    cli.ok("validate", "--strict")


def test_no_provenance_is_requested_without_the_option(
    cli: Command, index: LocalIndex, sigstore: FakeSigstore, tmp_path: Path
) -> None:
    publish(index, sigstore, "sample")
    write(tmp_path, "sample")
    cli.ok("lock")
    assert index.paths(part="provenance") == []
    assert recorded(tmp_path) == {"sample": None}


def test_the_setting_requests_attestations(
    cli: Command, index: LocalIndex, sigstore: FakeSigstore, tmp_path: Path
) -> None:
    publish(index, sigstore, "sample")
    write(tmp_path, "sample", settings="[tool.lockset]\nattestations = true\n")
    cli.ok("lock")
    assert recorded(tmp_path) == {"sample": [GITHUB]}


def test_provenance_is_fetched_once_for_ever(
    cli: Command, index: LocalIndex, sigstore: FakeSigstore, tmp_path: Path
) -> None:
    publish(index, sigstore, "sample")
    write(tmp_path, "sample")
    cli.ok("lock", "--attestations")
    assert len(index.paths(part="provenance")) == 1
    replace_provenance(index, "sample", b"broken since")
    (tmp_path / "pylock.toml").unlink()
    cli.ok("lock", "--attestations", "--refresh")
    assert recorded(tmp_path) == {"sample": [GITHUB]}
    assert len(index.paths(part="provenance")) == 1


def test_publishers_of_the_same_files_are_kept_without_the_option(
    cli: Command, index: LocalIndex, sigstore: FakeSigstore, tmp_path: Path
) -> None:
    publish(index, sigstore, "sample")
    publish(index, sigstore, "other")
    write(tmp_path, "sample")
    cli.ok("lock", "--attestations")
    write(tmp_path, "sample", "other")
    cli.ok("lock")
    assert recorded(tmp_path) == {"sample": [GITHUB], "other": None}


@pytest.mark.parametrize(
    "case", ["another file", "another content", "swapped", "untrusted", "garbage", "huge", "deep", "html"]
)
def test_a_forged_provenance_refuses_the_lock(
    cli: Command, index: LocalIndex, sigstore: FakeSigstore, tmp_path: Path, case: str
) -> None:
    wheel = make_wheel("sample", "1.0")
    honest = sigstore.attest(GITHUB, wheel.filename, wheel.sha256)
    forged = {
        "another file": provenance_of(GITHUB, sigstore.attest(GITHUB, "sample-2.0.tar.gz", wheel.sha256)),
        "another content": provenance_of(GITHUB, sigstore.attest(GITHUB, wheel.filename, "0" * 64)),
        "swapped": provenance_of(THIEF, honest),
        "untrusted": provenance_of(GITHUB, FakeSigstore().attest(GITHUB, wheel.filename, wheel.sha256)),
        "garbage": b"\xff\x00",
        "huge": b"[" + b" " * 5_000_000 + b"]",
        "deep": b"[" * 500_000,
        "html": b"<html>sign in</html>",
    }[case]
    publish(index, sigstore, "sample", provenance=forged)
    write(tmp_path, "sample")
    output = cli.refused("lock", "--attestations")
    assert f"The attestations of `{wheel.filename}` of sample 1.0 are refused" in output
    assert not (tmp_path / "pylock.toml").exists()


def test_provenance_that_the_index_offers_and_does_not_have_is_a_note(
    cli: Command, index: LocalIndex, sigstore: FakeSigstore, tmp_path: Path
) -> None:
    wheel = publish(index, sigstore, "sample")
    write(tmp_path, "sample")
    index.fault("/provenance/*", status=404)
    output = cli.ok("lock", "--attestations").stderr
    assert f"note: The index lists provenance for {wheel.filename}, but does not have it" in output
    assert recorded(tmp_path) == {"sample": None}
    write(tmp_path, "sample", settings="[tool.lockset.trust]\nrequire-attestations = true\n")
    index.fault("/provenance/*", status=404)
    assert "has no verified attestation, which the project requires" in cli.refused("lock", "--attestations")


def test_a_publisher_that_the_policy_does_not_allow_refuses_the_lock(
    cli: Command, index: LocalIndex, sigstore: FakeSigstore, tmp_path: Path
) -> None:
    publish(index, sigstore, "sample", publisher=THIEF)
    policy = '[tool.lockset.trust.packages.sample]\nidentities = [{kind = "GitHub", repository = "org/sample"}]\n'
    write(tmp_path, "sample", settings=policy)
    output = cli.refused("lock", "--attestations")
    assert "GitHub thief/sample release.yml" in output
    assert "allowed: GitHub org/sample" in output


def test_credentials_of_the_index_do_not_reach_another_host(
    cli: Command, index: LocalIndex, sigstore: FakeSigstore, tmp_path: Path
) -> None:
    wheel = make_wheel("sample", "1.0")
    provenance = provenance_of(GITHUB, sigstore.attest(GITHUB, wheel.filename, wheel.sha256))
    write(tmp_path, "sample")
    with LocalIndex() as other:
        other.world.add_file("sample", wheel, provenance=provenance)
        address = f"{other.origin.replace('127.0.0.1', 'localhost')}/provenance/sample/{wheel.filename}"
        index.world.add_file("sample", wheel, shown={"provenance": address})
        index.set_mode(credentials=("me", "secret"))
        cli.ok("lock", "--attestations", "-i", index.url.replace("http://", "http://me:secret@"))
        assert recorded(tmp_path) == {"sample": [GITHUB]}
        (request,) = [seen for seen in other.seen if "provenance" in seen.path]
        assert "authorization" not in request.headers


def test_redirects_of_provenance_are_followed_and_never_to_files(
    cli: Command, index: LocalIndex, sigstore: FakeSigstore, tmp_path: Path
) -> None:
    wheel = publish(index, sigstore, "sample")
    kept = index.world.projects["sample"][0].provenance
    (tmp_path / "stolen").write_bytes(kept or b"")
    write(tmp_path, "sample")
    index.fault("/provenance/*", redirect=(tmp_path / "stolen").as_uri())
    cli.refused("lock", "--attestations")
    index.heal()
    index.world.add_file("other", wheel, provenance=kept)
    index.fault(f"/provenance/sample/{wheel.filename}", redirect=f"/provenance/other/{wheel.filename}")
    cli.ok("lock", "--attestations")
    assert recorded(tmp_path) == {"sample": [GITHUB]}


def test_the_cost_is_one_request_for_each_file_that_offers_provenance(
    cli: Command, index: LocalIndex, sigstore: FakeSigstore, tmp_path: Path
) -> None:
    for number in range(5):
        publish(index, sigstore, f"p{number}", publisher=GITHUB if number % 2 else None)
    write(tmp_path, *(f"p{number}" for number in range(5)))
    cli.ok("lock", "--attestations")
    assert len(index.paths(part="/provenance/")) == 2


# Changes of publishers.


def test_a_new_publisher_is_noted_and_can_be_refused(
    cli: Command, index: LocalIndex, sigstore: FakeSigstore, tmp_path: Path
) -> None:
    publish(index, sigstore, "sample", "1.0")
    write(tmp_path, "sample")
    cli.ok("lock", "--attestations")
    before = (tmp_path / "pylock.toml").read_bytes()
    publish(index, sigstore, "sample", "2.0", publisher=THIEF)
    fact = "sample 2.0 was published by GitHub thief/sample release.yml; sample 1.0 by GitHub org/sample release.yml"
    output = cli.refused("lock", "-U", "--refuse-new-publisher", "--refresh")
    assert fact in output
    assert (tmp_path / "pylock.toml").read_bytes() == before
    assert f"note: {fact}" in cli.ok("lock", "-U", "--attestations", "--refresh").stderr


def test_attestations_that_vanish_are_noted_and_can_be_refused(
    cli: Command, index: LocalIndex, sigstore: FakeSigstore, tmp_path: Path
) -> None:
    publish(index, sigstore, "sample", "1.0")
    write(tmp_path, "sample")
    cli.ok("lock", "--attestations")
    publish(index, sigstore, "sample", "2.0", publisher=None)
    fact = "No publisher is recorded for sample 2.0; sample 1.0 was published by GitHub org/sample release.yml"
    assert fact in cli.refused("lock", "-U", "--refuse-new-publisher", "--refresh")
    assert f"note: {fact}" in cli.ok("lock", "-U", "--attestations", "--refresh").stderr


def test_a_release_without_attestations_after_one_with_them_is_noted_at_the_first_lock(
    cli: Command, index: LocalIndex, sigstore: FakeSigstore, tmp_path: Path
) -> None:
    publish(index, sigstore, "sample", "1.0")
    publish(index, sigstore, "sample", "2.0", publisher=None)
    write(tmp_path, "sample")
    fact = "sample 2.0 has no attestations, although sample 1.0 has"
    assert fact in cli.refused("lock", "--refuse-new-publisher")
    assert f"note: {fact}" in cli.ok("lock", "--attestations").stderr


def test_two_locks_are_compared_by_their_publishers(
    cli: Command, index: LocalIndex, sigstore: FakeSigstore, tmp_path: Path
) -> None:
    publish(index, sigstore, "sample", "1.0")
    write(tmp_path, "sample")
    cli.ok("lock", "--attestations")
    (tmp_path / "pylock.toml").rename(tmp_path / "pylock.old.toml")
    publish(index, sigstore, "sample", "2.0", publisher=THIEF)
    cli.ok("lock", "--attestations", "--refresh")
    fact = "sample 2.0 was published by GitHub thief/sample release.yml"
    assert f"warning: {fact}" in cli.ok("diff", "pylock.old.toml").stderr
    assert cli("diff", "pylock.old.toml", "--refuse-new-publisher").code == 1
    assert cli("diff", "pylock.toml", "--refuse-new-publisher").code == 0
    assert "**sample**: was published by GitHub org/sample" in cli.ok("diff", "pylock.old.toml", "--markdown").stdout
    (change,) = cli.ok("diff", "pylock.old.toml", "--json").json()["publishers"]
    assert (change["name"], change["kind"]) == ("sample", "changed")
    assert change["new"] == [THIEF]


@pytest.mark.parametrize("form", ["cyclonedx", "spdx"])
def test_bills_of_materials_name_the_publishers(
    cli: Command, index: LocalIndex, sigstore: FakeSigstore, tmp_path: Path, form: str
) -> None:
    publish(index, sigstore, "sample")
    write(tmp_path, "sample")
    cli.ok("lock", "--attestations")
    assert "org/sample" in cli.ok("export", "--format", form).stdout


def test_another_environment_of_the_same_publisher_is_no_change(
    cli: Command, index: LocalIndex, sigstore: FakeSigstore, tmp_path: Path
) -> None:
    publish(index, sigstore, "sample", "1.0")
    write(tmp_path, "sample")
    cli.ok("lock", "--attestations")
    publish(index, sigstore, "sample", "2.0", publisher={**GITHUB, "environment": "release"})
    cli.ok("lock", "-U", "--refuse-new-publisher", "--refresh")


# Syncing.


@pytest.fixture
def locked(cli: Command, index: LocalIndex, sigstore: FakeSigstore, tmp_path: Path, make_venv: VenvMaker) -> Artifact:
    """A lock of one package with its publisher, and an empty environment in .venv."""
    wheel = publish(index, sigstore, "sample")
    write(tmp_path, "sample")
    cli.ok("lock", "--attestations")
    make_venv(".venv")
    return wheel


def installed(folder: Path) -> bool:
    return any((folder / ".venv").rglob("sample-1.0.dist-info"))


def test_attested_files_are_installed(cli: Command, locked: Artifact, tmp_path: Path) -> None:
    cli.ok("sync", "--require-attestations")
    assert installed(tmp_path)
    cli.ok("sync", "--require-attestations", "--check")


def test_a_sync_with_nothing_to_do_asks_for_nothing_and_still_refuses_another_publisher(
    cli: Command, index: LocalIndex, locked: Artifact, tmp_path: Path
) -> None:
    cli.ok("sync", "--require-attestations")
    index.forget()
    cli.ok("sync", "--require-attestations")
    assert index.seen == []
    lock = tmp_path / "pylock.toml"
    lock.write_text(lock.read_text().replace("org/sample", "other/sample"))
    assert "was not published by the publisher" in cli("sync", "--require-attestations").stderr


def test_the_page_of_the_index_says_where_the_provenance_is(
    cli: Command, index: LocalIndex, locked: Artifact, tmp_path: Path
) -> None:
    index.forget()
    cli.ok("sync", "--require-attestations", "--cache-dir", tmp_path / "cold")
    assert len(index.paths(part="/provenance/")) == 1
    assert installed(tmp_path)


@pytest.mark.parametrize("way", ["--require-attestations", "--require-attestations-package", "policy"])
def test_a_file_of_another_publisher_is_refused_before_anything_changes(
    cli: Command, index: LocalIndex, sigstore: FakeSigstore, *, locked: Artifact, tmp_path: Path, way: str
) -> None:
    replace_provenance(index, "sample", provenance_of(THIEF, sigstore.attest(THIEF, locked.filename, locked.sha256)))
    if way == "policy":
        write(tmp_path, "sample", settings='[tool.lockset.trust]\nrequire-attestations = ["sample"]\n')
    options = {"policy": [], "--require-attestations": [way]}.get(way, [way, "Sample"])
    result = cli("sync", *options, "--cache-dir", tmp_path / "cold")
    assert result.code == 1
    for fact in (
        f"`{locked.filename}` of sample 1.0 was not published by the publisher that the lock file records",
        "expected: GitHub org/sample release.yml",
        "found: GitHub thief/sample release.yml",
        "The environment was not changed",
    ):
        assert fact in result.stderr
    assert not installed(tmp_path)


@pytest.mark.parametrize("case", ["vanished", "gone", "forged"])
def test_a_file_without_a_valid_attestation_is_refused(
    cli: Command, index: LocalIndex, sigstore: FakeSigstore, *, locked: Artifact, tmp_path: Path, case: str
) -> None:
    if case == "vanished":
        replace_provenance(index, "sample", None)
    elif case == "gone":
        index.fault("/provenance/*", status=404)
    else:
        replace_provenance(
            index, "sample", provenance_of(GITHUB, FakeSigstore().attest(GITHUB, locked.filename, locked.sha256))
        )
    result = cli("sync", "--require-attestations", "--cache-dir", tmp_path / "cold")
    assert result.code == 1
    message = "are refused" if case == "forged" else "has no attestation, and one is required"
    assert message in result.stderr
    assert not installed(tmp_path)
    cli.ok("sync", "--cache-dir", tmp_path / "cold")


def replaced(index: LocalIndex, folder: Path, provenance: bytes | None = None) -> Artifact:
    """Replace the file on the index and its hash in the lock file, as somebody may who can write to both."""
    (old,) = index.world.projects["sample"]
    evil = make_wheel("sample", "1.0", files={"evil.py": "1"})
    index.world.projects["sample"] = [replace(old, artifact=evil, provenance=provenance or old.provenance)]
    text = (folder / "pylock.toml").read_text().replace(old.artifact.sha256, evil.sha256)
    (folder / "pylock.toml").write_text(text.replace(f"size = {old.artifact.size}", f"size = {evil.size}"))
    return evil


def test_a_hash_that_somebody_edits_in_the_lock_file_is_refused(
    cli: Command, index: LocalIndex, locked: Artifact, tmp_path: Path
) -> None:
    replaced(index, tmp_path)
    result = cli("sync", "--require-attestations", "--cache-dir", tmp_path / "cold")
    assert "it attests different content" in result.stderr
    assert not installed(tmp_path)


def test_hash_and_publisher_that_somebody_edits_in_the_lock_file_are_refused_by_a_policy(
    cli: Command, index: LocalIndex, sigstore: FakeSigstore, locked: Artifact, tmp_path: Path
) -> None:
    evil = make_wheel("sample", "1.0", files={"evil.py": "1"})
    replaced(index, tmp_path, provenance_of(THIEF, sigstore.attest(THIEF, evil.filename, evil.sha256)))
    text = (tmp_path / "pylock.toml").read_text().replace("org/sample", "thief/sample")
    (tmp_path / "pylock.toml").write_text(text)
    identity = '{kind = "GitHub", repository = "org/sample", workflow = "release.yml"}'
    write(tmp_path, "sample", settings=f"[tool.lockset.trust.packages.sample]\nidentities = [{identity}]\n")
    result = cli("sync", "--cache-dir", tmp_path / "cold")
    assert "was not published by anyone whom the project allows" in result.stderr
    assert not installed(tmp_path)


def test_a_lock_without_publishers_is_refused_where_attestations_are_required(
    cli: Command, locked: Artifact, tmp_path: Path
) -> None:
    (tmp_path / "pylock.toml").unlink()
    cli.ok("lock")
    result = cli("sync", "--require-attestations")
    assert result.code == 1
    assert "The lock file does not record who publishes sample 1.0" in result.stderr
    policy = '[tool.lockset.trust.packages.sample]\nidentities = [{kind = "GitHub", repository = "org/sample"}]\n'
    write(tmp_path, "sample", settings=policy)
    cli.ok("sync")
    assert installed(tmp_path)


def test_a_policy_that_is_added_counts_for_an_environment_that_is_up_to_date(
    cli: Command, locked: Artifact, tmp_path: Path
) -> None:
    for _ in range(3):
        cli.ok("sync")
    write(tmp_path, "sample", settings='[tool.lockset.trust.packages.sample]\nidentities = [{kind = "Google"}]\n')
    for _ in range(2):
        assert "not published by anyone whom the project allows" in cli("sync").stderr


@pytest.mark.parametrize(("since", "code"), [("1.0", 1), ("1.1", 0)])
def test_a_policy_holds_from_the_version_that_it_names(
    cli: Command, index: LocalIndex, locked: Artifact, *, tmp_path: Path, since: str, code: int
) -> None:
    replace_provenance(index, "sample", None)
    write(tmp_path, "sample", settings=f'[tool.lockset.trust.packages.sample]\nsince = "{since}"\n')
    assert cli("sync", "--cache-dir", tmp_path / "cold").code == code


def test_exempt_packages_need_no_attestation(
    cli: Command, index: LocalIndex, sigstore: FakeSigstore, locked: Artifact, tmp_path: Path
) -> None:
    publish(index, sigstore, "plain", publisher=None)
    policy = "[tool.lockset.trust]\nrequire-attestations = true\nexempt = "
    write(tmp_path, "sample", "plain", settings=f"{policy}['plain']\n")
    cli.ok("lock", "--attestations")
    cli.ok("sync")
    write(tmp_path, "sample", "plain", settings=f"{policy}[]\n")
    assert cli("sync").code == 1


def test_a_required_package_that_is_not_locked_is_refused(cli: Command, locked: Artifact, tmp_path: Path) -> None:
    result = cli("sync", "--require-attestations-package", "smaple")
    assert result.code == 1
    assert "Attestations of smaple are required, but the lock file has no such package" in result.stderr
    assert not installed(tmp_path)


def test_a_dry_run_says_what_would_be_refused(
    cli: Command, index: LocalIndex, locked: Artifact, tmp_path: Path
) -> None:
    replace_provenance(index, "sample", None)
    assert cli("sync", "--require-attestations", "--dry-run", "--cache-dir", tmp_path / "cold").code == 1


# A wheelhouse.


def test_a_wheelhouse_with_provenance_is_enough_without_network(
    cli: Command, index: LocalIndex, locked: Artifact, tmp_path: Path
) -> None:
    cli.ok("download", "--dest", "wheels", "--attestations", "--cache-dir", tmp_path / "cold")
    assert sorted(path.name for path in (tmp_path / "wheels").iterdir()) == [
        locked.filename,
        f"{locked.filename}.provenance",
    ]
    assert json.loads((tmp_path / "wheels" / f"{locked.filename}.provenance").read_bytes())["version"] == 1
    index.forget()
    cli.ok("sync", "--require-attestations", "--offline", "-f", "wheels", "--cache-dir", tmp_path / "other")
    assert installed(tmp_path)
    assert index.seen == []


def test_a_wheelhouse_can_be_locked_with_its_publishers(cli: Command, locked: Artifact, tmp_path: Path) -> None:
    cli.ok("download", "--dest", "wheels", "--attestations")
    (tmp_path / "pylock.toml").unlink()
    cli.ok("lock", "--attestations", "--no-index", "-f", "wheels", "--cache-dir", tmp_path / "cold")
    assert recorded(tmp_path) == {"sample": [GITHUB]}
    cli.ok("sync", "--require-attestations", "--offline", "--cache-dir", tmp_path / "other")
    assert installed(tmp_path)


def test_a_forged_provenance_in_a_wheelhouse_is_refused(
    cli: Command, sigstore: FakeSigstore, locked: Artifact, tmp_path: Path
) -> None:
    cli.ok("download", "--dest", "wheels")
    provenance = tmp_path / "wheels" / f"{locked.filename}.provenance"
    provenance.write_bytes(provenance_of(THIEF, sigstore.attest(THIEF, locked.filename, locked.sha256)))
    result = cli("sync", "--require-attestations", "-f", "wheels")
    assert "found: GitHub thief/sample release.yml" in result.stderr
    assert not installed(tmp_path)


def test_files_without_provenance_are_downloaded_with_a_note(
    cli: Command, index: LocalIndex, locked: Artifact, tmp_path: Path
) -> None:
    replace_provenance(index, "sample", None)
    output = cli.ok("download", "--dest", "wheels", "--attestations", "--cache-dir", tmp_path / "cold").stderr
    assert f"note: No attestations: {locked.filename}" in output
    assert [path.name for path in (tmp_path / "wheels").iterdir()] == [locked.filename]
