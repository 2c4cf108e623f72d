"""Selection refuses with the package, the target and the way out."""

from __future__ import annotations

from typing import Any

import pytest
from packaging.tags import Tag

from lockset.composition.conversions.export import ExportOptions, export_lock
from lockset.errors import LocksetError
from lockset.lockfile.read import read_document
from lockset.lockfile.select import Selection, select_entries
from lockset.markers.environment import Environment

TOP = 'lock-version = "1.0"\ncreated-by = "hand"\n'
LINUX = Environment.of_platform("linux", "3.12.1")
TAGS = (Tag("cp312", "cp312", "manylinux_2_28_x86_64"), Tag("py3", "none", "any"))
DIGEST = "a" * 64


def package(*lines: str, name: str = "sample") -> str:
    return "\n".join(["[[packages]]", f'name = "{name}"', *lines, ""])


def wheels(*tags: str) -> str:
    files = (f'{{path = "sample-1.0-{tag}.whl", hashes = {{sha256 = "{DIGEST}"}}}}' for tag in tags)
    return f'version = "1.0"\nwheels = [{", ".join(files)}]'


def chosen(text: str, **options: Any) -> Selection:
    return select_entries(read_document(TOP + text).lock, environment=LINUX, tags=TAGS, **options)


def refusal(text: str, **options: Any) -> tuple[str, str, tuple[str, ...], str | None]:
    with pytest.raises(LocksetError) as caught:
        chosen(text, **options)
    result = caught.value.diagnostic
    return result.code, result.message, result.context, result.hint


DIRECTORY = 'directory = {path = "."}'


def test_a_package_without_a_matching_wheel_lists_the_tags_of_its_wheels() -> None:
    assert refusal(package(wheels("cp312-cp312-win_amd64", "cp311-cp311-win_amd64"))) == (
        "no-usable-file",
        "`sample 1.0` has no wheel for CPython 3.12.1 on linux x86_64 and no sdist",
        (
            "its wheels are for: cp311-cp311-win_amd64, cp312-cp312-win_amd64",
            "the target's best tag: cp312-cp312-manylinux_2_28_x86_64",
        ),
        "Lock for it, too: `lockset lock --platform linux`, with `--platform` for each of the others",
    )


@pytest.mark.parametrize(
    "tag", ["cp313-cp313-manylinux_2_28_x86_64", "cp311-cp311-manylinux2014_x86_64.manylinux_2_28_x86_64"]
)
def test_wheels_for_the_platform_but_another_python_lead_to_the_python(tag: str) -> None:
    assert refusal(package(wheels("cp312-cp312-win_amd64", tag)))[3] == (
        "Lock for Python 3.12, too (`requires-python`, or `lockset lock --python`), "
        "or choose a Python that its wheels are for"
    )


def test_many_wheels_are_counted() -> None:
    context = refusal(package(wheels(*(f"cp{number}-cp{number}-win32" for number in range(300, 310)))))[2]
    assert context[0].endswith("cp305-cp305-win32 and 4 more")


def test_unknown_extras_and_groups_list_the_known_ones() -> None:
    text = 'extras = ["docs", "web"]\ndependency-groups = ["Dev_Tools"]\npackages = []\n'
    assert refusal(text, extras=["x", "Docs"]) == (
        "unknown-extra",
        "The lock file has no extra `x`",
        (),
        "It has: `docs`, `web`",
    )
    code, message, _, hint = refusal(text, groups=["y"])
    assert (code, message) == ("unknown-group", "The lock file has no dependency group `y`")
    assert hint == "It has: `dev-tools`"
    assert refusal("packages = []\n", extras=["x"])[3] == "It was locked without extras"
    assert chosen(text, extras=["DOCS"], groups=["dev.tools"]).groups == {"dev-tools"}


def test_default_groups_are_chosen_unless_others_are() -> None:
    text = 'dependency-groups = ["dev"]\ndefault-groups = ["main"]\n' + package(
        "marker = \"'main' in dependency_groups\"", DIRECTORY
    )
    assert len(chosen(text).items) == 1
    assert len(chosen(text, groups=[]).items) == 0
    assert len(chosen(text, groups=["dev", "main"]).items) == 1


def test_a_python_that_is_not_supported_is_refused() -> None:
    assert refusal('requires-python = ">=3.13"\npackages = []\n')[:2] == (
        "python-not-supported",
        "The lock file requires Python >=3.13, but the target has 3.12.1",
    )
    assert refusal(package('requires-python = "<3.12"', DIRECTORY))[:2] == (
        "python-not-supported",
        "`sample` requires Python <3.12, but the target has 3.12.1",
    )


def test_an_environment_that_is_not_supported_is_refused() -> None:
    code, message, context, _ = refusal("environments = [\"os_name == 'nt'\"]\npackages = []\n")
    assert (code, message) == (
        "environment-not-supported",
        "The lock file does not support CPython 3.12.1 on linux x86_64",
    )
    assert context == ('it supports: os_name == "nt"',)


def test_an_empty_list_of_environments_admits_no_environment() -> None:
    """The list is specified and no expression in it is satisfied: the standard asks for an error."""
    code, message, _, hint = refusal("environments = []\npackages = []\n")
    assert (code, message) == (
        "environment-not-supported",
        "The lock file supports no environment: its `environments` is empty",
    )
    assert hint is not None
    assert "remove `environments`" in hint
    with pytest.raises(LocksetError) as caught:
        export_lock(read_document(TOP + "environments = []\npackages = []\n").lock, ExportOptions())
    assert caught.value.diagnostic.code == "environment-not-supported"


def test_two_entries_that_both_apply_are_refused() -> None:
    code, message, context, _ = refusal(package(DIRECTORY) + package("marker = \"os_name == 'posix'\"", DIRECTORY))
    assert (code, message) == ("ambiguous-package", "The lock file has two entries for `sample` that both apply here")
    assert context == ("packages[0]: sample", 'packages[1]: sample if os_name == "posix"')


@pytest.mark.parametrize("marker", ["extra == 'x'", "extras == 'x'"])
def test_a_marker_without_meaning_is_an_error_and_no_answer(marker: str) -> None:
    code, message, context, _ = refusal(package(f'marker = "{marker}"', DIRECTORY))
    assert code == "marker-not-usable"
    assert "`sample`" in message
    assert context


def test_an_interpreter_from_an_untagged_checkout_has_a_version() -> None:
    values = LINUX.as_dict() | {"python_full_version": "3.14.0+", "python_version": "3.14"}
    lock = read_document(TOP + 'requires-python = ">=3.14"\npackages = []\n').lock
    assert select_entries(lock, environment=values, tags=TAGS).items == ()


def test_the_best_wheel_is_chosen_and_the_sdist_where_it_is_preferred() -> None:
    text = package(
        wheels("py3-none-any", "cp312-cp312-manylinux_2_17_x86_64.manylinux_2_28_x86_64"),
        f'sdist = {{path = "sample-1.0.tar.gz", hashes = {{sha256 = "{DIGEST}"}}}}',
    )
    [item] = chosen(text).items
    assert item.package.wheels is not None
    assert item.artifact is item.package.wheels[1]
    [item] = chosen(text, prefer_sdist=lambda name: name == "sample").items
    assert item.artifact is item.package.sdist
