"""The matrix says what an installer would do in each environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from lockset.errors import LocksetError, UsageError
from lockset.lockfile.read import read_document
from lockset.lockfile.report.environments import REPORT_PLATFORMS, environments_text, report_environments
from lockset.lockfile.report.matrix import build_matrix
from lockset.lockfile.select import select_entries
from support.builders import make_lock
from support.builders.graph_locks import entry, lock_of
from support.strategies.lock_values import locks

if TYPE_CHECKING:
    from lockset.lockfile.model import Pylock
    from lockset.lockfile.report.matrix import Matrix

PYTHONS = ("3.10", "3.13")
A = "a" * 64


def matrix_of(lock: Pylock, **choices: tuple[str, ...]) -> Matrix:
    return build_matrix(lock, report_environments(lock, usual_pythons=PYTHONS, **choices))


def files(name: str, *tags: str, version: str = "1.0", sdist: bool = False, **more: Any) -> dict[str, Any]:
    wheels = [
        {
            "name": f"{name}-{version}-{tag}.whl",
            "path": f"{name}-{version}-{tag}.whl",
            "size": 10,
            "hashes": {"sha256": A},
        }
        for tag in tags
    ]
    archive = {"path": f"{name}-{version}.tar.gz", "size": 7, "hashes": {"sha256": A}}
    sources: dict[str, object] = {"wheels": wheels} if wheels else {}
    return {"name": name, "version": version, **sources, **({"sdist": archive} if sdist else {}), **more}


def kinds(matrix: Matrix, name: str) -> dict[str, str]:
    row = next(row for row in matrix.rows if row.name == name)
    return {
        env.name: " ".join(f"{each.version} {each.kind}" for each in cell)
        for env, cell in zip(matrix.environments, row.cells, strict=True)
    }


@given(lock=locks())
def test_the_matrix_agrees_with_select(lock: Pylock) -> None:
    """For a default installation: the same entries, kinds and files, or a refusal for what has nothing."""
    matrix = matrix_of(lock)
    for column, env in enumerate(matrix.environments):
        cells = {row.name: [each for each in row.cells[column] if each.by_default] for row in matrix.rows}
        try:
            chosen = select_entries(lock, environment=env.target.environment, tags=env.target.tags).items
        except LocksetError as error:
            code = error.diagnostic.code
            if code in {"no-usable-file", "no-source", "python-not-supported"} and env.supported:
                assert any(each.kind == "nothing" for cell in cells.values() for each in cell)
            elif code == "ambiguous-package":
                assert any(len(cell) > 1 for cell in cells.values())
            elif code == "environment-not-supported":
                assert not env.supported
            continue
        assert {row: [each.entry for each in cell] for row, cell in cells.items() if cell} == {
            item.package.name: [item.index] for item in chosen
        }
        for item in chosen:
            [each] = cells[item.package.name]
            kind = {"PackageWheel": "wheel", "PackageSdist": "sdist"}.get(type(item.artifact).__name__, "source")
            assert each.kind == kind


def test_a_fork_names_the_version_of_each_python() -> None:
    lock = lock_of(
        files("numpy", "cp310-cp310-manylinux_2_17_x86_64", version="1.0", marker="python_version < '3.11'"),
        files("numpy", "cp313-cp313-win_amd64", version="2.0", sdist=True, marker="python_version >= '3.11'"),
    )
    cells = kinds(matrix_of(lock), "numpy")
    assert cells["Linux x86_64, Python 3.10"] == "1.0 wheel"
    assert cells["Linux aarch64, Python 3.10"] == "1.0 nothing"
    assert cells["Windows x86_64, Python 3.13"] == "2.0 wheel"
    assert cells["macOS arm64, Python 3.13"] == "2.0 sdist"


def test_extras_and_groups_stay_open_and_conflicting_ones_share_a_cell() -> None:
    lock = lock_of(
        files("torch", "py3-none-any", version="1.0", marker="'cpu' in extras and 'gpu' not in extras"),
        files("torch", "py3-none-any", version="2.0", marker="'gpu' in extras and 'cpu' not in extras"),
        files("pytest", "py3-none-any", marker="'dev' in dependency_groups"),
        files("base", "py3-none-any", marker="'main' in dependency_groups"),
        extras=["cpu", "gpu"],
        dependency_groups=["dev"],
        default_groups=["main"],
    )
    matrix = matrix_of(lock)
    torch, pytest_, base = (next(r for r in matrix.rows if r.name == name) for name in ("torch", "pytest", "base"))
    assert [(each.version, each.by_default, each.extras) for each in torch.cells[0]] == [
        ("1.0", False, ("cpu", "gpu")),
        ("2.0", False, ("cpu", "gpu")),
    ]
    assert [(each.by_default, each.groups) for each in pytest_.cells[0]] == [(False, ("dev",))]
    assert [(each.by_default, each.groups) for each in base.cells[0]] == [(True, ())]
    assert (matrix.default_sizes[0].packages, matrix.default_sizes[0].size) == (1, 10)
    assert (matrix.full_sizes[0].packages, matrix.full_sizes[0].size) == (3, 30)


def test_a_package_that_excludes_the_python_has_nothing_there() -> None:
    [row] = matrix_of(lock_of(files("a", "py3-none-any") | {"requires-python": ">=3.12"})).rows
    assert {each.reason for each in row.cells[0]} == {"requires Python >=3.12"}
    assert [each.kind for each in row.cells[1]] == ["wheel"]


def test_an_unknown_size_counts_as_unknown() -> None:
    size = matrix_of(lock_of(entry("tree"), files("a", "py3-none-any"))).default_sizes[0]
    assert (size.packages, size.size, size.unknown, size.builds) == (2, 10, 1, 1)


def test_the_environments_are_those_of_the_lock_file() -> None:
    only_windows = lock_of(entry("a"), requires_python=">=3.11", environments=["sys_platform == 'win32'"])
    environments = report_environments(only_windows, usual_pythons=PYTHONS)
    assert [(env.name, env.supported) for env in environments] == [("Windows x86_64, Python 3.13", True)]
    assert len(report_environments(lock_of(entry("a")), usual_pythons=PYTHONS)) == len(REPORT_PLATFORMS) * 2


def test_a_rare_platform_of_the_lock_file_is_shown() -> None:
    lock = lock_of(entry("a"), environments=["sys_platform == 'linux' and platform_machine == 's390x'"])
    assert {env.system for env in report_environments(lock, usual_pythons=PYTHONS)} == {"Linux s390x"}


def test_requested_environments_are_shown_even_if_the_lock_file_does_not_support_them() -> None:
    lock = lock_of(entry("a"), requires_python=">=3.11")
    matrix = matrix_of(lock, platforms=("win_arm64",), pythons=("3.9", "3.14t"))
    assert [(env.name, env.supported) for env in matrix.environments] == [
        ("Windows arm64, Python 3.9", False),
        ("Windows arm64, Python 3.14t", True),
    ]
    assert [len(cell) for cell in matrix.rows[0].cells] == [0, 1]


def test_a_lock_file_for_no_environment_has_empty_cells() -> None:
    matrix = matrix_of(lock_of(entry("a"), environments=[]))
    assert {cell for row in matrix.rows for cell in row.cells} == {()}
    assert not any(env.supported for env in matrix.environments)


@pytest.mark.parametrize(
    ("choices", "code"),
    [
        ({"platforms": ("beos",)}, "unknown-platform"),
        ({"pythons": ("three",)}, "python-version-invalid"),
        ({"pythons": ("3.9",)}, "environment-not-supported"),
        ({"pythons": tuple(f"3.{n}" for n in range(30))}, "report-too-large"),
    ],
)
def test_unknown_environments_are_refused(choices: dict[str, tuple[str, ...]], code: str) -> None:
    with pytest.raises((LocksetError, UsageError)) as caught:
        matrix_of(read_document(make_lock([], requires_python=">=3.10")).lock, **choices)
    assert caught.value.diagnostic.code == code


def test_environments_are_named_shortly() -> None:
    every = report_environments(lock_of(entry("a")), usual_pythons=PYTHONS)
    linux = [env for env in every if env.system.startswith("Linux")]
    assert environments_text(every, every) == "everywhere"
    assert environments_text([env for env in every if env.python == "3.13"], every) == "everywhere with Python 3.13"
    assert environments_text(linux, every) == "Linux x86_64, Linux aarch64, Linux (musl) x86_64"
    five = report_environments(lock_of(entry("a")), usual_pythons=("3.10", "3.11", "3.12", "3.13", "3.14"))
    assert (
        environments_text([env for env in five if env.python > "3.11"], five) == "everywhere with Python 3.12 to 3.14"
    )
    assert environments_text([every[0], every[-1]], every) == (
        "Linux x86_64 with Python 3.10; Windows x86_64 with Python 3.13"
    )
