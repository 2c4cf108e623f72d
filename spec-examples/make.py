"""Make what follows from the examples and the rules: manifest.json, the examples shown by `--explain`, the pages.

Each rule of lock files has a page of its own; those of project files share one, and keep their examples in
src/lockset/sources/validate/rule_notes.toml.

Run it after every change of an example or a rule: `python spec-examples/make.py`. With `--check` nothing is written,
and the exit code tells whether anything would be.
"""  # noqa: INP001 - a script, no package

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from lockset.lockfile.validate.catalogue import RULES
from lockset.lockfile.validate.rule_pages import _data, page
from lockset.sources.validate.rule_pages import every_rule_page

HERE = Path(__file__).parent
ROOT = HERE.parent
ANNOTATION = re.compile(r"# rule: ([a-z0-9-]+), line: (\d+)\n")
# The valid example in which what a rule is about occurs and is right: the first prefix that fits.
KEPT = {
    "archive-": "archive", "sdist-": "sdist", "wheel": "wheel", "vcs-": "vcs", "subdirectory-": "vcs",
    "directory-": "directory", "path-": "directory", "environment": "environments", "no-file": "environments",
    "requires-python": "environments", "package-requires-python": "environments", "extras": "multi-use",
    "dependency-groups": "multi-use", "default-group": "multi-use", "marker-": "multi-use", "name-": "multi-use",
    "package-marker": "multi-use", "package-unreachable": "one-of-two", "packages-narrow": "one-of-two",
    "duplicate-overlap": "one-of-two", "attestation": "attestation", "dependenc": "dependencies",
    "tool-": "tool", "package-tool": "package-tool", "hash-": "hash-sha512", "upload-time": "wheel", "size-": "wheel",
    "url-": "wheel", "file-name-mismatch": "wheel", "duplicate-file": "sdist-and-wheel", "package-": "wheel",
    "packages-unsorted": "one-of-two",
}  # fmt: skip


def cases() -> list[dict[str, object]]:
    """Every file with what has to be said about it."""
    found: list[dict[str, object]] = []
    for folder, verdict in (("invalid", "invalid"), ("warned", "valid")):
        for path in sorted((HERE / folder).glob("*.toml")):
            matched = ANNOTATION.match(path.read_text("utf-8"))
            assert matched is not None, path
            rule = RULES[matched[1]]
            found.append(
                {
                    "file": f"{folder}/{path.name}",
                    "verdict": verdict,
                    "rule": rule.code,
                    "level": rule.severity,
                    "line": int(matched[2]),
                    "says": rule.summary,
                    "section": rule.url,
                    "kept": f"valid/{kept(rule.code)}",
                }
            )
    valid = sorted((HERE / "valid").glob("*.toml"))
    found += [{"file": f"valid/{path.name}", "verdict": "valid", "rule": None} for path in valid]
    return found


def kept(code: str) -> str:
    """The name of a valid file that keeps the rule."""
    name = next((example for prefix, example in KEPT.items() if code.startswith(prefix)), None)
    return f"pylock.{name}.toml" if name else "pylock.toml"


def outputs() -> dict[Path, str]:
    """Path to text of everything that is made."""
    known = cases()
    broken = {str(case["rule"]): case for case in known if case["rule"] is not None}
    texts = {
        code: (HERE / str(case["file"])).read_text("utf-8").split("\n", 1)[1] for code, case in sorted(broken.items())
    }
    examples = "".join(
        f"[{code}]\nline = {int(str(broken[code]['line'])) - 1}\ntext = {json.dumps(text, ensure_ascii=True)}\n"
        for code, text in texts.items()
        if text.isascii()
    )
    example_file = ROOT / "src" / "lockset" / "lockfile" / "validate" / "rule_examples.toml"
    made = {
        HERE / "manifest.json": json.dumps({"format": 1, "cases": known}, indent=1) + "\n",
        example_file: "# Made by spec-examples/make.py.\n" + examples,
    }
    if not example_file.is_file() or example_file.read_text("utf-8") != made[example_file]:
        example_file.write_text(made[example_file], "utf-8")  # the pages show it
        _data.cache_clear()
    pages = ROOT / "docs" / "pages" / "rules"
    made |= {pages / f"{code}.md": page(code) for code in RULES}
    rows = [f"| [`{code}`]({code}.md) | {rule.severity} | {rule.summary} |" for code, rule in sorted(RULES.items())]
    head = "# Rules one by one\n\n`lockset validate --explain RULE` shows the same pages. "
    head += "[Those of project files](project.md) are on one page.\n\n"
    made[pages / "project.md"] = every_rule_page()
    made[pages / "index.md"] = head + "\n".join(["| rule | level | what holds |", "|---|---|---|", *rows]) + "\n"
    return made


def main() -> int:
    """Write what has changed, or tell of it."""
    changed = [path for path, text in outputs().items() if not path.is_file() or path.read_text("utf-8") != text]
    if "--check" in sys.argv[1:]:
        return 1 if changed else 0
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(outputs()[path], "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
