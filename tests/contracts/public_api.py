"""The public API as a stub that griffe makes from the source, and the stub of the last release, `public_api.txt`.

python tests/contracts/public_api.py            list what would break users of the last release
python tests/contracts/public_api.py --write    record the API of this release
"""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import griffe

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MODULES", "RECORD", "breakages", "current"]

RECORD = Path(__file__).with_name("public_api.txt")
SOURCE = Path(__file__).parents[2] / "src"
MODULES = ("lockset", "lockset.lockfile", "lockset.markers", "lockset.errors")
MARKS = {
    griffe.ParameterKind.positional_only: "", griffe.ParameterKind.positional_or_keyword: "",
    griffe.ParameterKind.keyword_only: "", griffe.ParameterKind.var_positional: "*",
    griffe.ParameterKind.var_keyword: "**",
}  # fmt: skip


def current() -> str:
    """The stub of the source as it is: the public names of `MODULES`, those of submodules in a class of that name."""
    loaded = griffe.load("lockset", search_paths=[SOURCE], resolve_aliases=True, allow_inspection=False)
    lines: list[str] = []
    for module in MODULES:
        part = module.removeprefix("lockset").lstrip(".")
        lines += [f"class {part}:"] if part else []
        for name in sorted(import_module(module).__all__):
            value = getattr(import_module(module), name)
            home = getattr(value, "__module__", "")
            if home.startswith("lockset."):  # else a constant, or what another library defines
                defined = loaded[f"{home.removeprefix('lockset.')}.{value.__name__}"]
                lines += ["    " * bool(part) + line for line in stub(defined, name)]
    return "\n".join(lines) + "\n"


def stub(of: griffe.Object | griffe.Alias, name: str) -> Iterator[str]:
    """The lines that declare `of` as `name`, with its public members."""
    if isinstance(of, griffe.Function):
        yield from (f"@{decorator.value}" for decorator in of.decorators if str(decorator.value) != "override")
        yield f"def {name}({', '.join(parameters(of))}) -> {of.returns}: ..."
    elif isinstance(of, griffe.Class):
        bases = ", ".join(map(str, of.bases))
        yield f"class {name}({bases}):" if bases else f"class {name}:"
        members = [member for key, member in of.members.items() if not key.startswith("_") or key == "__init__"]
        for member in members:
            yield from (f"    {line}" for line in stub(member, member.name))
        if not members:
            yield "    ..."
    elif isinstance(of, griffe.Attribute):
        yield f"{name}: {of.annotation}" + (f" = {of.value}" if of.value is not None and of.annotation else "")


def parameters(of: griffe.Function) -> Iterator[str]:
    """Each parameter of `of` as it is written, with the marks that say how it may be given."""
    named = False
    for parameter in of.parameters:
        named = named or parameter.kind is griffe.ParameterKind.var_positional
        if parameter.kind is griffe.ParameterKind.keyword_only and not named:
            named = True
            yield "*"
        text = MARKS[parameter.kind or griffe.ParameterKind.positional_or_keyword] + parameter.name
        text += f": {parameter.annotation}" if parameter.annotation is not None else ""
        optional = parameter.default is not None and parameter.kind in {
            griffe.ParameterKind.keyword_only, griffe.ParameterKind.positional_or_keyword
        }  # fmt: skip
        yield f"{text} = {parameter.default}" if optional else text


def breakages() -> list[str]:
    """What of the last release is no longer as it was, a line each."""
    codes = (RECORD.read_text("utf-8"), current())
    stubs = [griffe.visit("api", filepath=RECORD, code=code) for code in codes]
    return [
        _plain(change.explain(griffe.ExplanationStyle("oneline"))) for change in griffe.find_breaking_changes(*stubs)
    ]


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[\d+m", "", text)


if __name__ == "__main__":
    if "--write" in sys.argv:
        RECORD.write_text(current(), "utf-8")
    else:
        print("\n".join(breakages()))
