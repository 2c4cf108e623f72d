"""The requirements file format."""

from __future__ import annotations

import pytest

from lockset.errors import Diagnostic, LocksetError
from lockset.sources.project import SourceOptions
from support.fakes.fake_surroundings import requirements

DIGEST = "0123456789abcdef" * 4


def refusal(content: str | bytes, **more: object) -> Diagnostic:
    with pytest.raises(LocksetError) as caught:
        requirements(content, **more)  # type: ignore[arg-type] # each test gives the fitting ones
    return caught.value.diagnostic


def asked(content: str | bytes, **more: object) -> list[str]:
    read = requirements(content, **more)  # type: ignore[arg-type] # each test gives the fitting ones
    return [str(line.requirement) for line in read.dependencies]


def options(content: str, **more: object) -> SourceOptions:
    return requirements(content, **more).options  # type: ignore[arg-type] # each test gives the fitting ones


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a\nb>=1 # why\n\n  # c\n", ["a", "b>=1"]),
        ("a==1 \\\n  ; os_name == 'nt'", ['a==1; os_name == "nt"']),
        ("a==1 \\\n# comment ends the joining\nb", ["a==1", "b"]),
        ("a==1 \\", ["a==1"]),
        ("a \\\\\\\n>=2", ["a>=2"]),
        ("# comment with a backslash \\\na", ["a"]),
        ("a @ https://e.example.org/x.zip#subdirectory=p", ["a @ https://e.example.org/x.zip#subdirectory=p"]),
        ("a#no-comment-without-blank", None),
        ("a\x0cb\u2028c", ["a", "b", "c"]),
        ("A_b[X]", ["A_b[X]"]),
        ("", []),
    ],
)
def test_lines_are_joined_and_comments_dropped(content: str, expected: list[str] | None) -> None:
    if expected is None:
        assert refusal(content).code == "requirement-syntax"
    else:
        assert asked(content) == expected


def test_locations_are_those_of_the_first_physical_line() -> None:
    read = requirements("\n# c\na \\\n  >=1\nb\n")
    assert [line.origin for line in read.dependencies] == ["r.txt:3", "r.txt:5"]


def test_variables_are_replaced_only_when_set_and_of_upper_case() -> None:
    content = "--index-url https://${USER_1}:${PASS}@${lower}.example.org/$HOME/${EMPTY}\n"
    environ = {"USER_1": "me", "lower": "x", "HOME": "h", "EMPTY": ""}
    assert options(content, environ=environ).index_url == "https://me:${PASS}@${lower}.example.org/$HOME/${EMPTY}"


def test_a_hash_sign_in_a_variable_does_not_begin_a_comment() -> None:
    assert options('-i "https://${A}/"', environ={"A": "a #b"}).index_url == "https://a #b/"


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbfa\xc3\xa4" + b" # x",
        "aä".encode("utf-16"),
        "aä".encode("utf-32"),
        b"\xff\xfe" + "aä".encode("utf-16-le"),
        "# -*- coding: latin-1 -*-\naä".encode("latin-1"),
        "#!/bin/sh\n# vim: set coding=cp1252 :\naä".encode("cp1252"),
    ],
)
def test_encodings_are_recognized(data: bytes) -> None:
    message = refusal(data)
    assert message.code == "requirement-syntax"
    assert "`aä`" in message.message


def test_invalid_utf_8_is_accepted_in_comments_and_refused_elsewhere() -> None:
    assert asked(b"a # caf\xe9\n# caf\xe9\nb\n") == ["a", "b"]
    message = refusal(b"a\n\nb-caf\xe9\n")
    assert (message.code, message.location) == ("encoding", "r.txt:3")


@pytest.mark.parametrize("name", ["no-such", "zip", "ascii"])
def test_a_named_encoding_that_does_not_fit_is_refused(name: str) -> None:
    assert refusal(f"# coding: {name}\na\n".encode() + b"\x80").code == "encoding"


def test_hashes_belong_to_their_requirement() -> None:
    read = requirements(f"a==1 \\\n    --hash=sha256:{DIGEST} \\\n    --hash sha512:{DIGEST * 2}\nb\n")
    assert [str(each) for each in read.dependencies[0].hashes] == [f"sha256:{DIGEST}", f"sha512:{DIGEST * 2}"]
    assert read.dependencies[0].text == "a==1"
    assert [warning.code for warning in read.warnings] == ["hashes-mixed"]


def test_settings_for_the_build_are_kept_in_order() -> None:
    read = requirements('a --config-settings "x=1" --config-settings=y=a=b -C z=')
    assert read.dependencies[0].config_settings == (("x", "1"), ("y", "a=b"), ("z", ""))


@pytest.mark.parametrize(
    ("content", "expected", "editable"),
    [
        ("./lib", "demo @ file:///project/lib", False),
        ("lib/", "demo @ file:///project/lib", False),
        ("-e .", "root @ file:///project", True),
        ("-e lib", "demo @ file:///project/lib", True),
        ("--editable=./lib[x,y]", "demo[x,y] @ file:///project/lib", True),
        ("-e ./lib ; os_name == 'nt'", 'demo @ file:///project/lib ; os_name == "nt"', True),
        ("./lib;os_name == 'nt'", 'demo @ file:///project/lib ; os_name == "nt"', False),
        ("other @ ./lib", "other @ file:///project/lib", False),
        ("other[z] @ file:lib", "other[z] @ file:///project/lib", False),
        ("x-1.0-py3-none-any.whl", "x @ file:///project/x-1.0-py3-none-any.whl", False),
        ("./my dir", "spaced @ file:///project/my%20dir", False),
        ("https://e.example.org/x-1.0.tar.gz", "x @ https://e.example.org/x-1.0.tar.gz", False),
        ("https://e.example.org/v1-2.zip#egg=real", "real @ https://e.example.org/v1-2.zip", False),
        (
            "https://e.example.org/x-1.0-py3-none-any.whl ; os_name == 'nt'",
            'x @ https://e.example.org/x-1.0-py3-none-any.whl ; os_name == "nt"',
            False,
        ),
        (
            "git+https://e.example.org/r.git@main#egg=demo&subdirectory=sub",
            "demo @ git+https://e.example.org/r.git@main#subdirectory=sub",
            False,
        ),
        ("-e git+ssh://git@e.example.org/r#egg=demo", "demo @ git+ssh://git@e.example.org/r", True),
        ("demo @ git+file:///r@v1", "demo @ git+file:///r@v1", False),
    ],
)
def test_paths_and_urls_become_direct_references(content: str, expected: str, *, editable: bool) -> None:
    trees = {"/project": "root", "/project/lib": "demo", "/project/my dir": "spaced"}
    read = requirements(content, trees=trees, files={"/project/x-1.0-py3-none-any.whl": ""})
    assert [str(line.requirement) for line in read.dependencies] == [expected]
    assert read.dependencies[0].editable is editable


def test_a_hash_in_a_url_is_a_hash() -> None:
    read = requirements(f"a @ https://e.example.org/a.zip#sha256={DIGEST.upper()}&subdirectory=p")
    assert [str(each) for each in read.dependencies[0].hashes] == [f"sha256:{DIGEST}"]
    assert read.dependencies[0].requirement.url == "https://e.example.org/a.zip#subdirectory=p"


def test_a_url_without_a_name_gets_a_suggestion_without_secrets() -> None:
    message = refusal("git+https://token@e.example.org/fvcore.git@main")
    assert message.code == "requirement-name"
    assert message.hint == "Add the name: `fvcore @ git+https://****@e.example.org/fvcore.git@main`"
    assert "token" not in repr(message)


@pytest.mark.parametrize("user", ["token", "user:secret", "user:p@ss", "user:secret@git", ":secret"])
def test_no_part_of_credentials_is_shown(user: str) -> None:
    message = refusal(f"git+https://{user}@e.example.org/x.git")
    assert "https://****@e.example.org" in message.message
    assert "git+ssh://git@e.example.org" in refusal("git+ssh://git@e.example.org/x").message


# A few hundred thousand signs: what takes quadratic time would not end.
MANY = 200_000


@pytest.mark.parametrize(
    "content",
    [
        "a" + " " * MANY + "b",
        "-e " + " " * MANY + "x",
        "-e x" + " ;" * MANY,
        "a" + " " * MANY + "[",
        "${" * MANY,
        "./a" + "[" * MANY,
        "https://" + "a@" * MANY,
        "a ; " + "(" * MANY,
        "a~" + "~ " * MANY,
        "--" + "x" * MANY,
    ],
)
def test_hostile_lines_are_refused_quickly(content: str) -> None:
    assert refusal(content).code in {"requirement-syntax", "requirement-name", "path-missing", "unknown-option"}


@pytest.mark.parametrize(
    ("content", "code", "part"),
    [
        ("foo=1", "requirement-syntax", "`foo=1`"),
        ("./nope", "path-missing", "`./nope`"),
        ("nope-1.0.zip", "path-missing", "`nope-1.0.zip`"),
        ("./unnamed", "requirement-name", "`./unnamed`"),
        ("git+https://e.example.org/x#egg=a[b]", "requirement-name", "`egg=a[b]`"),
        ("-e https://e.example.org/x-1.0.zip", "editable-form", "cannot be editable"),
        ("-e a @ https://e.example.org/x-1.0.zip", "option-syntax", "`@`"),
        (f"-e ./unnamed#egg=x --hash=sha256:{DIGEST}", "hash-of-editable", "editable"),
        ("a @ https://e.example.org/x.zip#md5=" + "0" * 32, "hash-weak", "md5"),
        ("a @ https://e.example.org/x.zip#sha256=00", "hash-malformed", "64 hexadecimal"),
        ("a --hash=md5:" + "0" * 32, "hash-malformed", "md5"),
        ("a --hash=sha256:zz", "hash-malformed", "64 hexadecimal"),
        ("a --hash=sha256", "hash-malformed", "--hash=sha256"),
        ("a --config-settings x", "option-syntax", "KEY=VALUE"),
        ("a --install-option=x", "option-removed", "--install-option"),
        ("--frobnicate", "unknown-option", "`--frobnicate`"),
        ("-z", "unknown-option", "`-z`"),
        ("--no", "unknown-option", "`--no`"),
        ("--", "unknown-option", "`--`"),
        ("--index-url", "option-syntax", "needs a value"),
        ("--pre=1", "option-syntax", "does not take a value"),
        ("--no-binary -x", "option-syntax", "list of packages"),
        ("-i 'x", "option-syntax", "cannot be read"),
        ("--pre a", "option-syntax", "`a`"),
        ("-r nope.txt", "source-missing", "nope.txt"),
    ],
)
def test_errors_name_the_line(content: str, code: str, part: str) -> None:
    message = refusal("\n" + content, trees={"/project/unnamed": None})
    assert message.code == code
    assert part in message.message
    assert "r.txt:2" in f"{message.location} {message.context}"


def test_an_unknown_option_names_the_nearest() -> None:
    assert refusal("--index-urls x").hint == "Did you mean `--index-url`?"


def test_options_apply_to_the_whole_run_wherever_they_are() -> None:
    read = requirements(
        "-r sub/b.txt\n-i https://a.example.org/\n",
        files={
            "/project/sub/b.txt": "--extra-index-url=https://b.example.org/\n--pre\n-f links\n-f other\n-f https://f.example.org/",
            "/project/sub/links": "",
        },
    )
    # As pip has it, a later --index-url replaces what was named before.
    assert read.options == SourceOptions(
        index_url="https://a.example.org/",
        pre=True,
        find_links=("/project/sub/links", "/project/other", "https://f.example.org/"),
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("-i a\n--extra-index-url b\n--extra-index-url c", SourceOptions(index_url="a", extra_index_urls=("b", "c"))),
        ("--extra-index-url b -i a", SourceOptions(index_url="a", extra_index_urls=("b",))),
        ("-i a\n--no-index\n-i b\n--extra-index-url c", SourceOptions(no_index=True)),
        ("--no-binary a,B_c\n--only-binary b-c", SourceOptions(no_binary=("a",), only_binary=("b-c",))),
        ("--no-binary a\n--no-binary :all:", SourceOptions(no_binary=(":all:",))),
        ("--no-binary :all:\n--no-binary :none:", SourceOptions()),
        ("--only-binary :all:,:none:,x", SourceOptions(only_binary=("x",))),
        ("--all-releases a\n--only-final :all:", SourceOptions(only_final=(":all:",))),
        ("--require-hashes", SourceOptions(require_hashes=True)),
        ("--require-hashes\n--no-require-hashes", SourceOptions(require_hashes=False)),
        ("--prefer-binary --trusted-host h:1", SourceOptions(prefer_binary=True, trusted_hosts=("h:1",))),
        ("--use-feature fast-deps", SourceOptions()),
        ("--trust h", SourceOptions(trusted_hosts=("h",))),
        ("-ihttps://x", SourceOptions(index_url="https://x")),
    ],
)
def test_options_combine_as_in_pip(content: str, expected: SourceOptions) -> None:
    assert options(content) == expected


def test_included_files_are_relative_to_the_including_file() -> None:
    read = requirements(
        "-r sub/b.txt\n-c c.txt\na\n",
        files={
            "/project/sub/b.txt": "b\n-r ../d.txt\n-r /abs/e.txt\n",
            "/project/d.txt": "d\n",
            "/abs/e.txt": "e",
            "/project/c.txt": "c<2\n-c sub/b.txt\n",
        },
    )
    assert [(str(line.requirement), line.origin) for line in read.dependencies] == [
        ("b", "sub/b.txt:1"),
        ("d", "d.txt:1"),
        ("e", "/abs/e.txt:1"),
        ("a", "r.txt:3"),
    ]
    # Below a constraints file, a file named by -r is a requirements file again, and was read already.
    assert [(str(line.requirement), line.origin) for line in read.constraints] == [
        ("c<2", "c.txt:1"),
        ("b", "sub/b.txt:1"),
    ]


def test_included_files_of_a_url_are_joined_as_urls() -> None:
    read = requirements(
        "-r ../b.txt", path_or_url="https://e.example.org/x/r.txt", files={"https://e.example.org/b.txt": "b"}
    )
    assert [line.origin for line in read.dependencies] == ["https://e.example.org/b.txt:1"]


def test_a_file_that_includes_itself_is_refused_with_the_chain() -> None:
    message = refusal("-r b.txt", files={"/project/b.txt": "x\n-r r.txt"})
    assert (message.code, message.location) == ("requirements-cycle", "b.txt:2")
    assert message.context == ("/project/r.txt includes", "/project/b.txt includes", "/project/r.txt")


def test_a_file_included_twice_is_read_once() -> None:
    files: dict[str, str | bytes] = {f"/project/{n}.txt": f"-r {n + 1}.txt\n-r ./{n + 1}.txt\n" for n in range(60)}
    assert asked("-r 0.txt", files=files | {"/project/60.txt": "a"}) == ["a"]


def test_a_very_deep_chain_of_files_is_refused() -> None:
    files: dict[str, str | bytes] = {f"/project/{n}.txt": f"-r {n + 1}.txt" for n in range(2000)}
    assert refusal("-r 0.txt", files=files).code == "requirements-depth"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("a --pre", "option-ignored"),
        (f"--hash=sha256:{DIGEST}", "option-ignored"),
        ("-r b.txt -r c.txt", "include-not-alone"),
    ],
)
def test_what_pip_drops_silently_is_a_warning(content: str, code: str) -> None:
    read = requirements(content, files={"/project/b.txt": ""})
    assert [(warning.code, warning.location) for warning in read.warnings] == [(code, "r.txt:1")]


def test_constraints_only_limit_versions() -> None:
    assert refusal("a[x]<2", constraint=True).code == "constraint-form"
    assert refusal("-e ./lib", constraint=True, trees={"/project/lib": "l"}).code == "constraint-form"
    read = requirements("a<2", constraint=True)
    assert (read.dependencies, [line.text for line in read.constraints]) == ((), ["a<2"])
