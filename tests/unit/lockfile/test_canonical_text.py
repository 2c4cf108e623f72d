"""How a written lock file looks, to the byte."""

from __future__ import annotations

import pytest

from lockset.errors import LocksetError
from lockset.lockfile.model import Pylock
from lockset.lockfile.read import read_document
from lockset.lockfile.write import write

SOURCE = """
created-by = "hand"
lock-version = "1.0"
dependency-groups = ["b", "a"]
extras = []
requires-python = ">= 3.9"
environments = ["sys_platform == 'win32'"]
[tool.zeta]
b = {x = 1}
a = "y"
[[packages]]
name = "zeta"
directory = {editable = true, path = "."}
[[packages]]
name = "alpha"
version = "2.0"
marker = "python_version >= '3.12' and 'x' in extras"
dependencies = [{name = "zeta"}, {vcs = {url = "u"}, name = "beta"}]
attestation-identities = [{repository = "a/b", kind = "GitHub"}]
[[packages.wheels]]
hashes.sha256 = "2"
hashes.blake2b = "1"
url = "https://files.example.org/alpha-2.0-py3-none-any.whl"
upload-time = 2025-01-25T13:30:10.5+02:00
[[packages.wheels]]
hashes.sha256 = "3"
size = 10
path = "alpha-2.0-py2-none-any.whl"
[packages.tool.hand]
note = 'say "hi"'
[[packages]]
name = "alpha"
version = "1.0"
sdist = {name = "alpha-1.0.tar.gz", url = "https://files.example.org/x", hashes = {sha256 = "4"}}
"""

WRITTEN = """\
lock-version = "1.0"
environments = [
    'sys_platform == "win32"',
]
requires-python = ">=3.9"
extras = []
dependency-groups = ["a", "b"]
created-by = "hand"

[[packages]]
name = "alpha"
version = "1.0"
sdist = {name = "alpha-1.0.tar.gz", url = "https://files.example.org/x", hashes = {sha256 = "4"}}

[[packages]]
name = "alpha"
version = "2.0"
marker = 'python_version >= "3.12" and "x" in extras'
dependencies = [
    {name = "beta", vcs = {url = "u"}},
    {name = "zeta"},
]
wheels = [
    {path = "alpha-2.0-py2-none-any.whl", size = 10, hashes = {sha256 = "3"}},
    {upload-time = 2025-01-25T11:30:10.500000Z, url = "https://files.example.org/alpha-2.0-py3-none-any.whl", \
hashes = {blake2b = "1", sha256 = "2"}},
]
attestation-identities = [
    {kind = "GitHub", repository = "a/b"},
]

[packages.tool.hand]
note = "say \\"hi\\""

[[packages]]
name = "zeta"
directory = {path = ".", editable = true}

[tool.zeta]
a = "y"

[tool.zeta.b]
x = 1
"""


def test_keys_packages_and_files_stand_in_one_order() -> None:
    assert write(read_document(SOURCE).lock) == WRITTEN
    assert write(read_document(WRITTEN).lock) == WRITTEN


def test_an_empty_lock_is_four_lines_at_most() -> None:
    text = 'lock-version = "1.0"\ncreated-by = "hand"\npackages = []\n'
    assert write(read_document(text).lock) == text


@pytest.mark.parametrize("text", ['a"b', "a'b", "a'\"b", "a\\b", "a\nb", "\t", "\x00\x7f", "é", "a\r\n"])
def test_any_text_is_written_so_that_it_is_read_again(text: str) -> None:
    lock = Pylock.from_dict({"lock-version": "1.0", "created-by": text, "packages": [], "extras": []})
    assert read_document(write(lock)).lock == lock


def test_values_that_toml_cannot_express_are_refused() -> None:
    lock = Pylock.from_dict({"lock-version": "1.0", "created-by": "x", "packages": [], "tool": {"x": {"y": object()}}})
    with pytest.raises(LocksetError) as caught:
        write(lock)
    assert caught.value.diagnostic.code == "lock-not-expressible"
