"""Names are the field's own: a public name means one thing, and a module is named by a noun or a verb."""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from functools import lru_cache
from pathlib import Path

import lockset

ROOT = Path(lockset.__file__).parent
TREES = {path: ast.parse(path.read_text("utf-8")) for path in sorted(ROOT.rglob("*.py"))}
# The function of each command module.
COMMAND = {"run"}
# Words of another language than that of the people who read this code; see the glossary for those in use.
GONE = {
    "asked", "beside", "draft", "extent", "found", "judge", "lean", "mend", "mended", "nogood", "nogoods", "offers",
    "remedy", "said", "scouted", "scouting", "telling", "told", "unnamed", "wish", "wishes",
}  # fmt: skip
PARTICIPLE = re.compile(r"^(\w+ed|beside|outside|inside|again|apart|together)$")


def test_a_public_name_is_defined_in_one_module() -> None:
    modules: dict[str, list[str]] = defaultdict(list)
    for path, tree in TREES.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith(
                "_"
            ):
                modules[node.name].append(str(path.relative_to(ROOT)))
    assert {name: where for name, where in modules.items() if len(where) > 1 and name not in COMMAND} == {}


def test_no_module_is_named_by_a_participle_or_an_adverb() -> None:
    names = {path.relative_to(ROOT).as_posix() for path in TREES if PARTICIPLE.match(path.stem)}
    # The word is the command's name: `lockset outdated`, as in other tools.
    names -= {"api/outdated.py", "cli/commands/outdated.py", "cli/options/outdated.py"}
    # `sync/installed.py` holds installed distributions, as the specification calls them; `desired.py` what shall be.
    assert names == {"sync/desired.py", "sync/installed.py"}


@lru_cache
def words() -> Counter[str]:
    """The parts of all names: of variables, parameters, attributes, functions, classes and modules."""
    counted: Counter[str] = Counter()
    for path, tree in TREES.items():
        names = [path.stem]
        for node in ast.walk(tree):
            for field in ("id", "arg", "attr", "name"):
                name = getattr(node, field, None)
                # `found` stands in names of errors alone: FileNotFoundError.
                if isinstance(name, str):
                    names.append(re.sub("NotFound|not_found", "Missing", name))
        counted.update(
            part for name in names for part in re.findall(r"[a-z]+", re.sub(r"([A-Z])", r"_\1", name).lower())
        )
    return counted


def test_words_of_a_private_dialect_do_not_come_back() -> None:
    counted = words()
    assert {word: counted[word] for word in sorted(GONE) if counted[word]} == {}
