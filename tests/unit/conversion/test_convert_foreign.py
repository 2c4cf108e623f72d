"""Lock files of other tools: what they say of extras, groups, forks and sources is kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from packaging.pylock import PylockSelectError

from lockset.composition.conversions.conversion import Conversion, ConvertOptions
from lockset.errors import LocksetError
from lockset.lockfile.select import select_entries
from lockset.markers import Environment
from support.fakes.fake_conversion import FILES, FakeRemote, convert_text, sha

if TYPE_CHECKING:
    from pathlib import Path

HERE = Environment.of_platform("linux", "3.12")
COMMIT = "c" * 40


def markers(done: Conversion) -> dict[str, str | None]:
    return {f"{p.name} {p.version}": str(p.marker) if p.marker else None for p in done.lock.packages}


def kinds(done: Conversion) -> set[str]:
    return {loss.kind for loss in done.losses}


def code_of(folder: Path, name: str, text: str, **options: Any) -> str:
    with pytest.raises(LocksetError) as caught:
        convert_text(folder, name, text, **options)
    assert caught.value.diagnostic.location is not None
    return caught.value.diagnostic.code


# uv


def uv_package(name: str, version: str, *lines: str) -> str:
    wheel = f'{{ url = "{FILES}/{name}-{version}-py3-none-any.whl", hash = "sha256:{sha(name + version)}", size = 5 }}'
    return "\n".join(
        [
            "[[package]]",
            f'name = "{name}"',
            f'version = "{version}"',
            'source = { registry = "https://index.example.org/simple" }',
            *lines,
            f"wheels = [{wheel}]",
            "",
        ]
    )


def uv_lock(project: str, *packages: str, top: str = "") -> str:
    head = f'version = 1\nrevision = 3\nrequires-python = ">=3.10"\n{top}\n'
    return (
        head
        + f'[[package]]\nname = "app"\nversion = "0.1"\nsource = {{ virtual = "." }}\n{project}\n'
        + "\n".join(packages)
    )


UV = uv_lock(
    'dependencies = [{ name = "a" }, { name = "w", marker = "sys_platform == \'win32\'" }]\n'
    '[package.optional-dependencies]\nx = [{ name = "b" }]\n'
    '[package.dev-dependencies]\ndev = [{ name = "t" }]\nlint = [{ name = "l" }]\n',
    uv_package(
        "a", "1", 'dependencies = [{ name = "c", extra = ["fast"], marker = "python_full_version < \'3.12\'" }]'
    ),
    uv_package("b", "1", 'dependencies = [{ name = "c" }]'),
    uv_package("c", "1") + '[package.optional-dependencies]\nfast = [{ name = "f" }]\n',
    uv_package("f", "1"),
    uv_package("l", "1"),
    uv_package("t", "1", 'dependencies = [{ name = "a" }]'),
    uv_package("w", "1"),
)


def test_uv_extras_and_groups_stay_selectable(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'app'\n")
    done = convert_text(tmp_path, "uv.lock", UV)
    assert (done.lock.extras, done.lock.dependency_groups) == (["x"], ["dev", "lint"])
    assert done.lock.default_groups == ["default", "default-dev"]
    result = markers(done)
    assert result["l 1"] == '"lint" in dependency_groups'
    assert result["t 1"] == '"default-dev" in dependency_groups or "dev" in dependency_groups'
    assert result["b 1"] == '"x" in extras'
    assert result["w 1"] == 'sys_platform == "win32" and "default" in dependency_groups'
    assert 'python_version < "3.12"' in str(result["f 1"])
    assert '"x" in extras' in str(result["c 1"])
    assert '"x"' not in str(result["f 1"])
    assert done.proof.lost == 0


def test_uv_without_pyproject_says_that_default_groups_are_unknown(tmp_path: Path) -> None:
    done = convert_text(tmp_path, "uv.lock", UV)
    assert done.lock.default_groups == ["default"]
    assert "default-groups-unknown" in kinds(done)


def test_uv_forks_sources_and_members(tmp_path: Path) -> None:
    git = f'source = {{ git = "https://git.example.org/g?rev=main&subdirectory=s#{COMMIT}" }}'
    text = uv_lock(
        'dependencies = [{ name = "a", version = "1", source = { registry = "https://index.example.org/simple" }, '
        "marker = \"python_full_version < '3.12'\" }, "
        '{ name = "a", version = "2", source = { registry = "https://index.example.org/simple" }, '
        'marker = "python_full_version >= \'3.12\'" }, { name = "g" }, { name = "z" }, { name = "lib" }]\n',
        uv_package("a", "1", "resolution-markers = [\"python_full_version < '3.12'\"]"),
        uv_package("a", "2", "resolution-markers = [\"python_full_version >= '3.12'\"]"),
        f'[[package]]\nname = "g"\nversion = "3"\n{git}\n',
        f'[[package]]\nname = "z"\nversion = "4"\nsource = {{ url = "{FILES}/z-4.zip" }}\n'
        f'sdist = {{ hash = "sha256:{sha("z")}" }}\n',
        '[[package]]\nname = "lib"\nversion = "0"\nsource = { editable = "lib" }\n',
        uv_package("orphan", "1"),
    )
    done = convert_text(tmp_path, "uv.lock", text)
    result = markers(done)
    assert (result["a 1"], result["a 2"]) == ('python_version < "3.12"', 'python_version >= "3.12"')
    by_name = {str(p.name): p for p in done.lock.packages}
    assert by_name["g"].vcs is not None
    assert (by_name["g"].vcs.commit_id, by_name["g"].vcs.subdirectory) == (COMMIT, "s")
    assert by_name["z"].archive is not None
    assert by_name["z"].archive.hashes == {"sha256": sha("z")}
    assert by_name["lib"].directory is not None
    assert by_name["lib"].directory.editable
    assert "not-reached" in kinds(done)
    assert done.proof.lost == 1


def test_uv_conflicts_become_extras(tmp_path: Path) -> None:
    text = uv_lock(
        "[package.optional-dependencies]\n"
        'cpu = [{ name = "a", version = "1", source = { registry = "https://index.example.org/simple" } }]\n'
        'gpu = [{ name = "a", version = "2", source = { registry = "https://index.example.org/simple" } }]\n',
        uv_package("a", "1", 'dependencies = [{ name = "b", marker = "extra == \'extra-3-app-cpu\'" }]'),
        uv_package("a", "2"),
        uv_package("b", "1"),
        top='conflicts = [[{ package = "app", extra = "cpu" }, { package = "app", extra = "gpu" }]]',
    )
    result = markers(convert_text(tmp_path, "uv.lock", text))
    assert result == {"a 1": '"cpu" in extras', "a 2": '"gpu" in extras', "b 1": '"cpu" in extras'}


def test_uv_conflicts_make_a_selection_of_both_ambiguous_and_are_named(tmp_path: Path) -> None:
    old, new = "extra == 'extra-3-app-old'", "extra == 'extra-3-app-new'"
    source = 'source = { registry = "https://index.example.org/simple" }'
    text = uv_lock(
        f'dependencies = [{{ name = "a", version = "1", {source}, marker = "{old}" }}, '
        f'{{ name = "a", version = "2", {source}, marker = "{new} or {old.replace("==", "!=")}" }}]\n'
        f'[package.optional-dependencies]\nold = [{{ name = "a", version = "1", {source} }}]\n'
        f'new = [{{ name = "a", version = "2", {source} }}]\n',
        uv_package("a", "1"),
        uv_package("a", "2"),
        top='conflicts = [[{ package = "app", extra = "old" }, { package = "app", extra = "new" }]]',
    )
    done = convert_text(tmp_path, "uv.lock", text)
    assert markers(done) == {"a 1": '"old" in extras', "a 2": '"new" in extras or "old" not in extras'}
    for chosen, result in ((["old"], "1"), (["new"], "2"), ([], "2")):
        assert [str(p.version) for p, _ in done.lock.select(extras=chosen)] == [result]
    with pytest.raises(PylockSelectError):
        list(done.lock.select(extras=["old", "new"]))
    with pytest.raises(LocksetError) as caught:
        select_entries(done.lock, environment=HERE, tags=(), extras=["old", "new"])
    assert caught.value.diagnostic.code == "conflicting-choice"


def test_uv_conflicts_with_the_project_itself_and_with_default_groups_are_kept(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "app"\n[tool.uv]\ndefault-groups = ["dev"]\n')
    source = 'source = { registry = "https://index.example.org/simple" }'
    text = uv_lock(
        f'dependencies = [{{ name = "a", version = "1", {source} }}]\n[package.dev-dependencies]\n'
        f'dev = [{{ name = "b", version = "1", {source} }}]\n'
        f'alone = [{{ name = "a", version = "2", {source} }}, {{ name = "b", version = "2", {source} }}]\n',
        *(uv_package(name, version) for name in ("a", "b") for version in ("1", "2")),
        top='conflicts = [[{ package = "app" }, { package = "app", group = "alone" }], '
        '[{ package = "app", group = "alone" }, { package = "app", group = "dev" }]]',
    )
    lock = convert_text(tmp_path, "uv.lock", text).lock
    default = list(lock.default_groups or ())
    assert {str(p.version) for p, _ in lock.select()} == {"1"}
    assert {str(p.version) for p, _ in lock.select(dependency_groups=["alone"])} == {"2"}
    for others in (["dev"], default, default[:1]):
        with pytest.raises(PylockSelectError):
            list(lock.select(dependency_groups=["alone", *others]))
        groups = ["alone", *others]
        with pytest.raises(LocksetError) as caught:
            select_entries(lock, environment=HERE, tags=(), groups=groups)
        assert caught.value.diagnostic.code == "conflicting-choice"


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("", "The workspace members app and lib conflict"),
        (', extra = "x"', "The workspace members app and lib each have the extra `x` in one conflict"),
        (', group = "x"', "The workspace members app and lib each have the group `x` in one conflict"),
    ],
)
def test_uv_members_in_conflict_are_named_with_the_option_that_chooses_one(
    tmp_path: Path, choice: str, message: str
) -> None:
    lib = '[[package]]\nname = "lib"\nversion = "0"\nsource = { editable = "lib" }\n'
    top = f'conflicts = [[{{ package = "app"{choice} }}, {{ package = "lib"{choice} }}]]'
    text = uv_lock("", lib, top=top).replace("[[package]]", '[manifest]\nmembers = ["app", "lib"]\n\n[[package]]', 1)
    with pytest.raises(LocksetError) as caught:
        convert_text(tmp_path, "uv.lock", text, options=ConvertOptions(all_members=True))
    assert message in caught.value.diagnostic.message
    assert caught.value.diagnostic.hint == "Convert one of them alone with `--package app` or `--package lib`"
    for member in ("app", "lib"):
        convert_text(tmp_path, "uv.lock", text, options=ConvertOptions(members=(member,)))


@pytest.mark.parametrize("absolute", [True, False])
def test_files_in_a_folder_that_uv_uses_as_an_index_are_found(tmp_path: Path, *, absolute: bool) -> None:
    """For a relative folder, uv writes paths relative to it, and for an absolute one absolute paths."""
    folder = (tmp_path / "wheels").as_posix() if absolute else "wheels"
    file = "a-1-py3-none-any.whl"
    wheel = f'{{ path = "{folder}/{file}" }}' if absolute else f'{{ path = "{file}" }}'
    package = f'[[package]]\nname = "a"\nversion = "1"\nsource = {{ registry = "{folder}" }}\nwheels = [{wheel}]\n'
    remote = FakeRemote(fingerprints={str(tmp_path / "wheels" / file): (sha("a"), 3)})
    done = convert_text(tmp_path, "uv.lock", uv_lock('dependencies = [{ name = "a" }]', package), remote=remote)
    (locked,) = done.lock.packages[-1].wheels or ()
    assert (locked.path, locked.hashes) == (f"wheels/{file}", {"sha256": sha("a")})


def test_uv_conflicts_of_another_member_hold_where_its_extras_are_requested(tmp_path: Path) -> None:
    cpu, gpu = "extra == 'extra-3-lib-cpu'", "extra == 'extra-3-lib-gpu'"
    fast, slow = "extra == 'extra-3-app-fast'", "extra == 'extra-3-app-slow'"
    source = 'source = { registry = "https://index.example.org/simple" }'
    lib = (
        '[[package]]\nname = "lib"\nversion = "0"\nsource = { editable = "lib" }\n'
        f'dependencies = [{{ name = "i", version = "1", {source}, marker = "{cpu}" }}, '
        f'{{ name = "i", version = "2", {source}, marker = "{cpu.replace("==", "!=")} or {gpu}" }}]\n'
        f'[package.optional-dependencies]\ncpu = [{{ name = "i", version = "1", {source} }}]\n'
        f'gpu = [{{ name = "i", version = "2", {source} }}]\n'
    )
    # What asks for an extra justifies it: its own marker speaks of it as chosen.
    text = uv_lock(
        'dependencies = [{ name = "lib" }]\n[package.optional-dependencies]\n'
        'both = [{ name = "app", extra = ["slow"] }]\n'
        f'fast = [{{ name = "lib", extra = ["gpu"], marker = "{gpu} and {fast}" }}]\n'
        f'slow = [{{ name = "lib", extra = ["cpu"], marker = "{cpu} and {slow}" }}]\n',
        lib,
        uv_package("i", "1"),
        uv_package("i", "2"),
        top='conflicts = [[{ package = "lib", extra = "cpu" }, { package = "lib", extra = "gpu" }], '
        '[{ package = "app", extra = "slow" }, { package = "app", extra = "fast" }], '
        '[{ package = "app", extra = "both" }, { package = "app", extra = "fast" }]]\n'
        '[manifest]\nmembers = ["app", "lib"]\n',
    )
    done = convert_text(tmp_path, "uv.lock", text, options=ConvertOptions(members=("app",)))
    result = markers(done)
    assert result["i 1"] == '"both" in extras or "slow" in extras'
    assert result["i 2"] == '"fast" in extras or ("both" not in extras and "slow" not in extras)'


def test_uv_members_can_be_selected(tmp_path: Path) -> None:
    member = (
        '[[package]]\nname = "tool"\nversion = "1"\nsource = { editable = "tool" }\ndependencies = [{ name = "b" }]\n'
    )
    text = uv_lock(
        'dependencies = [{ name = "a" }]',
        member,
        uv_package("a", "1"),
        uv_package("b", "1"),
        top='[manifest]\nmembers = ["app", "tool"]\n',
    )
    assert set(markers(convert_text(tmp_path, "uv.lock", text))) == {"a 1"}
    chosen = convert_text(tmp_path, "uv.lock", text, options=ConvertOptions(members=("tool",)))
    assert {p.name for p in chosen.lock.packages} == {"b", "tool"}
    every = convert_text(tmp_path, "uv.lock", text, options=ConvertOptions(all_members=True))
    assert {p.name for p in every.lock.packages} == {"a", "b", "tool"}
    assert code_of(tmp_path, "uv.lock", text, options=ConvertOptions(members=("nobody",))) == "unknown-member"


# Poetry


def poetry_package(name: str, version: str, *lines: str) -> str:
    return "\n".join(
        [
            "[[package]]",
            f'name = "{name}"',
            f'version = "{version}"',
            'description = ""',
            "optional = false",
            *[line for line in lines if not line.startswith("[")],
            f'files = [{{file = "{name}-{version}-py3-none-any.whl", hash = "sha256:{sha(name + version)}"}}]',
            *[line for line in lines if line.startswith("[")],
            "",
        ]
    )


def poetry_lock(version: str, *packages: str, extras: str = "") -> str:
    tail = f'[metadata]\nlock-version = "{version}"\npython-versions = "^3.10"\ncontent-hash = "x"\n'
    return "\n".join([*packages, extras, tail])


POETRY_PROJECT = """
[tool.poetry.dependencies]
python = "^3.10"
a = "^1.0"
b = {version = "*", optional = true}
n = [{version = "1.*", python = "<3.12"}, {version = "2.*", python = ">=3.12"}]
[tool.poetry.extras]
x = ["b"]
[tool.poetry.group.dev.dependencies]
t = "*"
[tool.poetry.group.docs]
optional = true
[tool.poetry.group.docs.dependencies]
d = "*"
"""


def test_poetry_2_1_states_where_entries_apply(tmp_path: Path) -> None:
    text = poetry_lock(
        "2.1",
        poetry_package("a", "1", 'groups = ["main"]'),
        poetry_package("b", "1", 'groups = ["main"]', "markers = \"extra == 'x'\""),
        poetry_package("t", "1", 'groups = ["main", "dev"]', "markers = {main = \"sys_platform == 'win32'\"}"),
        extras='[extras]\nx = ["b"]\n',
    )
    done = convert_text(tmp_path, "poetry.lock", text)
    result = markers(done)
    assert result["a 1"] == '"default" in dependency_groups'
    assert result["b 1"] == '"x" in extras and "default" in dependency_groups'
    assert '"dev" in dependency_groups' in str(result["t 1"])
    assert str(done.lock.requires_python) == "<4,>=3.10"
    assert done.lock.packages[0].wheels is not None
    assert done.lock.packages[0].wheels[0].url == f"{FILES}/a-1-py3-none-any.whl"


def test_older_poetry_locks_are_walked_from_pyproject(tmp_path: Path) -> None:
    packages = [
        poetry_package("a", "1", '[package.dependencies]\nc = {version = "*", markers = "sys_platform == \'win32\'"}'),
        poetry_package("b", "1"),
        poetry_package("c", "1"),
        poetry_package("d", "1"),
        poetry_package("n", "1.5", 'python-versions = ">=3.8"'),
        poetry_package("n", "2.5", 'python-versions = ">=3.11"'),
        poetry_package("t", "1", '[package.dependencies]\nn = "*"'),
    ]
    text = poetry_lock("2.0", *packages, extras='[extras]\nx = ["b"]\n')
    (tmp_path / "pyproject.toml").write_text(POETRY_PROJECT)
    done = convert_text(tmp_path, "poetry.lock", text)
    result = markers(done)
    assert done.lock.default_groups == ["default", "default-dev"]
    assert result["b 1"] == '"x" in extras'
    assert result["c 1"] == 'sys_platform == "win32" and "default" in dependency_groups'
    assert result["d 1"] == '"docs" in dependency_groups'
    # What the group alone needs has no version of its own where the project does not fork: the newest that fits.
    assert 'python_version < "3.12"' in str(result["n 1.5"])
    assert "pyproject-read" in kinds(done)


def test_poetry_1_1_keeps_its_files_apart(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.poetry.dependencies]\npython = "*"\nA_B = "1"\n')
    text = (
        '[[package]]\nname = "a-b"\nversion = "1"\ndescription = ""\ncategory = "main"\noptional = false\n'
        'python-versions = "*"\n\n[metadata]\nlock-version = "1.1"\npython-versions = "*"\ncontent-hash = "x"\n\n'
        f'[metadata.files]\nA_B = [{{file = "a_b-1-py3-none-any.whl", hash = "sha256:{sha("ab")}"}}]\n'
    )
    done = convert_text(tmp_path, "poetry.lock", text)
    assert markers(done) == {"a-b 1": None}
    assert done.lock.requires_python is None


def test_poetry_sources(tmp_path: Path) -> None:
    source = (
        '[package.source]\ntype = "git"\nurl = "https://git.example.org/g.git"\nreference = "main"\n'
        f'resolved_reference = "{COMMIT}"'
    )
    text = poetry_lock(
        "2.1",
        poetry_package("g", "1", 'groups = ["main"]', source),
        poetry_package(
            "p", "1", 'groups = ["main"]', "develop = true", '[package.source]\ntype = "directory"\nurl = "p"'
        ),
    )
    done = convert_text(tmp_path, "poetry.lock", text)
    g, p = done.lock.packages
    assert g.vcs is not None
    assert (g.vcs.commit_id, g.vcs.requested_revision) == (COMMIT, "main")
    assert p.directory is not None
    assert p.directory.editable


@pytest.mark.parametrize("kind", ["hg", "svn", "", "Git", "legacy2"])
def test_a_poetry_source_of_an_unknown_kind_is_refused(tmp_path: Path, kind: str) -> None:
    source = f'[package.source]\ntype = "{kind}"\nurl = "https://git.example.org/g"\nresolved_reference = "{COMMIT}"'
    text = poetry_lock("2.1", poetry_package("g", "1", 'groups = ["main"]', source))
    with pytest.raises(LocksetError, match="is not supported"):
        convert_text(tmp_path, "poetry.lock", text)


@pytest.mark.parametrize("marker", ["os_name ==", "python_version > 3", "nonsense == 'x'", "'", "(" * 500])
def test_the_marker_of_a_dependency_in_poetry_lock_has_to_be_valid(tmp_path: Path, marker: str) -> None:
    edge = f'[package.dependencies]\nb = {{version = "*", markers = {json.dumps(marker)}}}'
    packages = poetry_package("a", "1", 'groups = ["main"]', edge), poetry_package("b", "1", 'groups = ["main"]')
    with pytest.raises(LocksetError, match="is not a valid marker"):
        convert_text(tmp_path, "poetry.lock", poetry_lock("2.1", *packages))


def test_pyproject_of_another_project_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.poetry.dependencies]\nelse = "1"\n')
    assert code_of(tmp_path, "poetry.lock", poetry_lock("2.0", poetry_package("a", "1"))) == "lock-stale"


# PDM


def pdm_lock(*packages: str, strategy: str = '"inherit_metadata"', groups: str = '"default", "x", "dev"') -> str:
    head = (
        f'[metadata]\ngroups = [{groups}]\nstrategy = [{strategy}]\nlock_version = "4.5.0"\ncontent_hash = "sha256:1"\n'
        '[[metadata.targets]]\nrequires_python = ">=3.10"\n\n'
    )
    return head + "\n".join(packages)


def pdm_package(name: str, version: str, *lines: str) -> str:
    file = f'files = [{{file = "{name}-{version}-py3-none-any.whl", hash = "sha256:{sha(name + version)}"}}]'
    return "\n".join(["[[package]]", f'name = "{name}"', f'version = "{version}"', *lines, file, ""])


PDM_PROJECT = (
    '[project]\nname = "app"\ndependencies = ["a[fast]"]\n[project.optional-dependencies]\nx = ["b"]\n'
    '[dependency-groups]\ndev = ["t"]\n'
)


def test_pdm_extras_entries_are_joined_and_groups_kept(tmp_path: Path) -> None:
    text = pdm_lock(
        pdm_package("a", "1", 'groups = ["default"]'),
        pdm_package("a", "1", 'extras = ["fast"]', 'groups = ["dev"]', 'dependencies = ["a==1", "f"]'),
        pdm_package("b", "1", 'groups = ["x"]', "marker = \"sys_platform == 'win32'\""),
        pdm_package("f", "1", 'groups = ["dev"]'),
    )
    alone = convert_text(tmp_path, "pdm.lock", text)
    assert alone.lock.dependency_groups == ["dev", "x"]
    assert "extras-as-groups" in kinds(alone)
    (tmp_path / "pyproject.toml").write_text(PDM_PROJECT)
    done = convert_text(tmp_path, "pdm.lock", text)
    assert (done.lock.extras, done.lock.dependency_groups) == (["x"], ["dev"])
    result = markers(done)
    assert result["a 1"] == '"default" in dependency_groups or "dev" in dependency_groups'
    assert result["b 1"] == 'sys_platform == "win32" and "x" in extras'
    assert [d["name"] for d in done.lock.packages[0].dependencies or ()] == ["f"]


def test_pdm_without_inherited_metadata_is_walked_from_pyproject(tmp_path: Path) -> None:
    text = pdm_lock(
        pdm_package("a", "1"),
        pdm_package("a", "1", 'extras = ["fast"]', 'dependencies = ["a==1", "f; python_version < \'3.12\'"]'),
        pdm_package("b", "1"),
        pdm_package("f", "1"),
        pdm_package("t", "1", 'dependencies = ["a"]'),
        strategy="",
    )
    (tmp_path / "pyproject.toml").write_text(PDM_PROJECT)
    result = markers(convert_text(tmp_path, "pdm.lock", text))
    assert result["a 1"] == '"default" in dependency_groups or "dev" in dependency_groups'
    assert result["f 1"] == 'python_version < "3.12" and "default" in dependency_groups'
    assert result["b 1"] == '"x" in extras'


# Pipenv


def pipfile_lock(**sections: Any) -> str:
    meta = {"hash": {"sha256": "0"}, "pipfile-spec": 6, "requires": {"python_version": "3.11"}, "sources": []}
    return json.dumps({"_meta": meta, "default": {}, "develop": {}, **sections})


def pinned(version: str, mark: str, **more: Any) -> dict[str, Any]:
    return {"version": f"=={version}", "hashes": [f"sha256:{sha(mark)}"], **more}


def test_pipfile_sections_become_groups(tmp_path: Path) -> None:
    text = pipfile_lock(
        default={"a": pinned("1", "a"), "g": {"git": "https://git.example.org/g", "ref": COMMIT}},
        develop={"a": pinned("1", "a"), "t": pinned("2", "t", markers="sys_platform == 'win32'")},
    )
    done = convert_text(tmp_path, "Pipfile.lock", text)
    assert str(done.lock.requires_python) == "==3.11.*"
    result = markers(done)
    assert result["a 1"] == '"default" in dependency_groups or "dev" in dependency_groups'
    assert result["t 2"] == 'sys_platform == "win32" and "dev" in dependency_groups'


def test_pipfile_pins_that_differ_are_refused(tmp_path: Path) -> None:
    text = pipfile_lock(default={"a": pinned("1", "a")}, develop={"a": pinned("2", "b")})
    assert code_of(tmp_path, "Pipfile.lock", text) == "pins-overlap"


@pytest.mark.parametrize("entry", [{"version": "*"}, {}, {"version": "==1", "hashes": []}])
def test_pipfile_entries_without_pin_or_hash_are_refused(tmp_path: Path, entry: dict[str, Any]) -> None:
    assert code_of(tmp_path, "Pipfile.lock", pipfile_lock(default={"a": entry})) in {"not-pinned", "no-files"}


# conda-lock


def conda_lock(*entries: dict[str, Any], platforms: tuple[str, ...] = ("linux-64", "win-64")) -> str:
    yaml = pytest.importorskip("yaml")
    metadata = {"platforms": list(platforms), "channels": [], "content_hash": {}, "sources": []}
    return str(yaml.safe_dump({"version": 1, "metadata": metadata, "package": list(entries)}, sort_keys=False))


def conda_entry(name: str, platform: str, file: str, *, manager: str = "pip", **more: Any) -> dict[str, Any]:
    url = f"{FILES}/{file}"
    facts = {"name": name, "version": "1.0", "manager": manager, "platform": platform, "dependencies": {}}
    return facts | {"url": url, "hash": {"sha256": sha(file)}, "category": "main", "optional": False} | more


def test_conda_lock_gives_every_platform_its_own_file(tmp_path: Path) -> None:
    text = conda_lock(
        conda_entry("a", "linux-64", "a-1.0-py3-none-any.whl"),
        conda_entry("a", "win-64", "a-1.0-py3-none-any.whl"),
        conda_entry("b", "linux-64", "b-1.0-cp311-cp311-manylinux_2_17_x86_64.whl", category="dev"),
        conda_entry("b", "win-64", "b-1.0-cp311-cp311-win_amd64.whl", category="dev"),
        conda_entry("python", "linux-64", "python-3.11.4.conda", manager="conda", version="3.11.4"),
    )
    done = convert_text(tmp_path, "conda-lock.yml", text)
    assert len(done.lock.environments or ()) == 2
    assert str(done.lock.requires_python) == "==3.11.*"
    assert [p.name for p in done.lock.packages] == ["a", "b", "b"]
    assert {str(p.marker) for p in done.lock.packages[1:]} == {
        'sys_platform == "linux" and "dev" in dependency_groups',
        'sys_platform == "win32" and "dev" in dependency_groups',
    }
    assert "conda-packages" in kinds(done)


def test_conda_lock_that_requires_conda_packages_is_refused_unless_allowed(tmp_path: Path) -> None:
    text = conda_lock(
        conda_entry("a", "linux-64", "a-1.0-py3-none-any.whl", dependencies={"numpy": "*"}),
        conda_entry("numpy", "linux-64", "numpy-1.0.conda", manager="conda"),
        platforms=("linux-64",),
    )
    assert code_of(tmp_path, "conda-lock.yml", text) == "needs-conda"
    done = convert_text(tmp_path, "conda-lock.yml", text, options=ConvertOptions(allow_conda=True))
    assert "conda-needed" in kinds(done)


def test_conda_lock_without_pip_has_nothing_to_convert(tmp_path: Path) -> None:
    text = conda_lock(conda_entry("z", "linux-64", "z-1.0.conda", manager="conda"), platforms=("linux-64",))
    assert code_of(tmp_path, "conda-lock.yml", text) == "nothing-pinned"


# All of them

NEWER = {
    "uv.lock": "version = 9\n[[package]]\nname = 'a'\n",
    "poetry.lock": "[metadata]\nlock-version = '9.0'\n",
    "pdm.lock": "[metadata]\nlock_version = '9.0'\n",
    "Pipfile.lock": '{"_meta": {"pipfile-spec": 99}}',
    "conda-lock.yml": "version: 9\nmetadata:\n  platforms: []\npackage: []\n",
}


@pytest.mark.parametrize("name", NEWER)
def test_newer_formats_are_refused(tmp_path: Path, name: str) -> None:
    assert code_of(tmp_path, name, NEWER[name]) == "format-newer"


@pytest.mark.parametrize("name", NEWER)
def test_merge_conflicts_are_refused(tmp_path: Path, name: str) -> None:
    text = NEWER[name] + "\n<<<<<<< HEAD\na\n=======\nb\n>>>>>>> main\n"
    assert code_of(tmp_path, name, text) in {"merge-conflict", "json-syntax"}


@pytest.mark.parametrize("name", NEWER)
def test_truncated_files_are_refused(tmp_path: Path, name: str) -> None:
    text = {"conda-lock.yml": "metadata:\n  a: [\npackage:\n- b", "Pipfile.lock": '{"_meta": {'}.get(
        name, "[[package]]\nname = 'a"
    )
    assert code_of(tmp_path, name, text) in {"toml-syntax", "json-syntax", "yaml-syntax"}


def test_hashes_of_unknown_algorithms_are_refused(tmp_path: Path) -> None:
    text = uv_lock('dependencies = [{ name = "a" }]', uv_package("a", "1").replace("sha256:", "whirlpool:"))
    assert code_of(tmp_path, "uv.lock", text) == "format-invalid"


def test_invalid_bytes_are_reported_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "uv.lock"
    path.write_bytes(b"version = 1\n[[package]]\nname = 'caf\xe9'\n")
    import lockset

    with pytest.raises(LocksetError) as caught:
        lockset.convert(path, ConvertOptions(), output=tmp_path / "pylock.toml")
    assert str(caught.value.diagnostic.location).endswith("uv.lock:3")


def test_files_without_a_url_are_named(tmp_path: Path) -> None:
    files = ", ".join(
        f'{{url = "{FILES}/a-1{end}", hash = "sha256:{sha(end)}"}}' for end in (".zip", ".tar.gz", "-py2.7.egg")
    )
    text = (
        '[metadata]\ngroups = ["default"]\nstrategy = ["inherit_metadata", "static_urls"]\nlock_version = "4.5.0"\n'
        f'content_hash = "x"\n[[package]]\nname = "a"\nversion = "1"\ngroups = ["default"]\nfiles = [{files}]\n'
    )
    done = convert_text(tmp_path, "pdm.lock", text)
    sdist = done.lock.packages[0].sdist
    assert sdist is not None
    assert sdist.name == "a-1.tar.gz"
    assert {"second-sdist", "file-unknown"} <= kinds(done)
    assert done.proof.lost == 2


def test_errors_about_the_lock_file_name_the_input(tmp_path: Path) -> None:
    text = uv_lock('dependencies = [{ name = "a" }]', uv_package("a", "1").replace("a-1-py3", "other-1-py3"))
    assert code_of(tmp_path, "uv.lock", text) == "input-invalid"
