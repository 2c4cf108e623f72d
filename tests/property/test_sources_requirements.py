"""Laws of the requirements file reader."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockset.errors import LocksetError
from lockset.sources.requirements.lines import decode_requirements, logical_lines, split_line
from support.corpus import files_of
from support.fakes.fake_surroundings import requirements
from support.venvs import interpreter

if TYPE_CHECKING:
    from lockset.errors import Diagnostic
    from lockset.sources.project import RootProject

FILES = files_of("requirements")

names = st.from_regex(r"[a-z][a-z0-9]{0,6}(?:[-_.][a-z0-9]{1,4})?", fullmatch=True)
versions = st.lists(st.integers(0, 30), min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts)))
bounds = st.builds("{}{}".format, st.sampled_from(["==", ">=", "<", "!=", "<="]), versions)
markers = st.sampled_from(["", " ; os_name == 'nt'", ' ; python_version < "3.12" and sys_platform == "linux"'])
digests = st.text("0123456789abcdef", min_size=64, max_size=64)
comments = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=12)


@st.composite
def written_requirements(draw: st.DrawFn) -> tuple[str, list[str], list[str]]:
    """A requirement, its hashes, and its parts as they may be spread over lines."""
    head = f"{draw(names)}{draw(st.sampled_from(['', '[x]', '[x,y]']))}{','.join(draw(st.lists(bounds, max_size=2)))}"
    hashes = draw(st.lists(digests, max_size=3, unique=True))
    requirement = head + draw(markers)
    return requirement, hashes, [*requirement.split(" "), *(f"--hash=sha256:{digest}" for digest in hashes)]


def refusal_of(content: str | bytes) -> Diagnostic | None:
    try:
        requirements(content, trees={"/project": "tree"})
    except LocksetError as error:
        return error.diagnostic
    return None


def seen(project: RootProject) -> list[tuple[str, list[str]]]:
    return [(line.text, [each.value for each in line.hashes]) for line in project.dependencies]


@given(st.lists(written_requirements(), max_size=5, unique_by=lambda each: each[0]))
def test_what_is_written_is_read(entries: list[tuple[str, list[str], list[str]]]) -> None:
    text = "\n".join(" ".join(parts) for _, _, parts in entries)
    assert seen(requirements(text)) == [(requirement, hashes) for requirement, hashes, _ in entries]


@given(written_requirements(), st.data())
def test_continuations_and_comments_change_nothing(
    entry: tuple[str, list[str], list[str]], data: st.DataObject
) -> None:
    requirement, hashes, parts = entry
    gaps = st.sampled_from([" ", " \\\n", " \\\n    ", " \\\\\n "])
    text = parts[0] + "".join(data.draw(gaps) + part for part in parts[1:])
    before = "".join(
        f"{data.draw(st.sampled_from(['#', '  # ']))}{comment}\n"
        for comment in data.draw(st.lists(comments, max_size=2))
    )
    after = f" #{data.draw(comments)}" if data.draw(st.booleans()) else ""
    (line,) = requirements(f"{before}{text}{after}\n").dependencies
    assert line.text.split() == requirement.split()
    assert [each.value for each in line.hashes] == hashes
    assert line.origin == f"r.txt:{before.count(chr(10)) + 1}"


@given(st.text(st.characters(exclude_characters="$"), max_size=60))
def test_logical_lines_are_a_fixpoint(text: str) -> None:
    """Lines that have been joined and stripped read as themselves."""
    try:
        first = [line.text for line in logical_lines(text, environ={}, location="r")]
    except LocksetError:
        return
    # A backslash or a bare comment sign at a line's edge can come to mean something only once it stands alone.
    plain = [line for line in first if not line.endswith("\\") and not line.startswith("#")]
    assert [line.text for line in logical_lines("\n".join(plain), environ={}, location="r")] == plain


@given(st.sampled_from(["--index-url", "--extra-index-url", "--find-links", "--trusted-host"]), st.text(min_size=1))
def test_values_survive_quoting(option: str, value: str) -> None:
    for written in (f"{option} {shlex.quote(value)}", f"{option}={shlex.quote(value)}"):
        _, (given_option,) = split_line(written, location="r")
        assert (given_option.name, given_option.value) == (option[2:], value)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_one_sentence(data: bytes) -> None:
    message = refusal_of(data)
    assert message is None or "r.txt" in str(message.location)


@given(st.text(st.sampled_from("ab-=. \\#;@/:[]{}$'\"\n\r\t,<>"), max_size=80))
def test_any_text_of_the_format_s_own_signs_is_read_or_refused(text: str) -> None:
    message = refusal_of(text)
    assert message is None or message.message


# A NUL at the beginning makes the mark of UTF-16 that of UTF-32: such a text is no requirements file.
@given(
    text=st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    encoding=st.sampled_from(["utf-8-sig", "utf-16", "utf-32"]),
)
def test_texts_with_a_byte_order_mark_are_decoded(text: str, encoding: str) -> None:
    assert decode_requirements(text.encode(encoding), location="r") == text


@pytest.mark.corpus
def test_real_files_are_read_or_refused_for_the_true_reason() -> None:
    reasons: dict[str, set[str]] = {}
    for path in FILES:
        message = refusal_of(path.read_bytes())
        if message is not None:
            reasons.setdefault(message.code, set()).add(path.name)
    assert reasons == {
        "requirement-name": {
            "facebookresearch__detectron2__docs__requirements.txt",
            "huggingface__peft__examples__boft_controlnet__requirements.txt",
        },
        # These name files that are not in the corpus.
        "source-missing": {
            path.name
            for path in FILES
            if re.search(r"(?m)^(-r|-c|--requirement|--constraint)", path.read_text(encoding="utf-8"))
        },
    }


REFERENCE = """
import json, sys
from pip._internal.req.req_file import join_lines, ignore_comments, expand_env_variables, break_args_options
lines = enumerate(sys.stdin.read().splitlines(), start=1)
print(json.dumps([(n, *break_args_options(t)) for n, t in expand_env_variables(ignore_comments(join_lines(lines)))]))
"""


@pytest.mark.corpus
def test_lines_of_real_files_are_those_that_pip_sees() -> None:
    python = interpreter("3.12") or interpreter("3.11")
    if python is None or subprocess.run([python, "-c", "import pip"], check=False, capture_output=True).returncode:
        pytest.skip("no Python with pip is here")
    text = "\n".join(path.read_text(encoding="utf-8") for path in FILES)
    done = subprocess.run(
        [python, "-c", REFERENCE], input=text, capture_output=True, text=True, check=True, timeout=300
    )
    expected = [(number, f"{args} {rest}".strip()) for number, args, rest in json.loads(done.stdout)]
    assert [(line.number, line.text) for line in logical_lines(text, environ={}, location="r")] == expected
