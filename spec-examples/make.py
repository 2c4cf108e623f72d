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
from datetime import datetime, timezone
from pathlib import Path

from lockset.cli.output.findings.excerpt import mark_of, value_span
from lockset.lockfile.fix.fix import fix_text
from lockset.lockfile.validate.catalogue import RULES
from lockset.lockfile.validate.report import validate_document
from lockset.lockfile.validate.rule_pages import page, rule_data
from lockset.sources.validate.rule_pages import every_rule_page

HERE = Path(__file__).parent
ROOT = HERE.parent
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
# Rules about a key; of others the value is marked.
OF_KEYS = {"unknown-key", "hash-algorithm-case"}
# Rules of which `--fix` fixes some violations, but not the one of the example.
FIXABLE = {"archive-size-type", "sdist-size-type", "wheel-size-type", "package-marker-syntax"}
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


def example(code: str, text: str, file: str) -> str:
    """The entry of an example that violates the rule `code`: its text, what is marked in it, and a valid one."""
    name = Path(file).name
    report = validate_document(text, path=name, now=NOW)
    issue = next(issue for issue in report.issues if issue.code == code)
    entry: dict[str, object] = {"text": text, "line": 0, "kept": kept(code)}
    if issue.path and issue.line > 0 and (issue.span.end > issue.span.start):
        lines = report.document.lines
        span = issue.span if code in OF_KEYS else value_span(text, issue.span)
        mark = mark_of(span, lines)
        width = mark.end[1] - mark.start[1] if mark.end[0] == mark.start[0] else len(lines.line(mark.start[0]))
        entry |= {"line": mark.start[0], "column": mark.start[1], "width": width}
    elif code == "toml-syntax":
        entry |= {"line": issue.line, "column": issue.column, "width": 1}
    if code.startswith("file-name") and code != "file-name-mismatch":
        entry |= {"file": name, "right": text}
    fixed = fix_text(text)
    left = {issue.code for issue in validate_document(fixed.text, path=name, now=NOW).issues}
    if fixed.changes and not left:
        entry["right"] = fixed.text
    entry["fixable"] = code in FIXABLE or bool(fixed.changes and code not in left)
    lines_of = [f"{key} = {json.dumps(value, ensure_ascii=True)}" for key, value in entry.items()]
    return "\n".join([f"[rules.{code}]", *lines_of]) + "\n"


def outputs() -> dict[Path, str]:
    """Path to text of everything that is made."""
    known = cases()
    broken = {str(case["rule"]): case for case in known if case["rule"] is not None}
    texts = {
        code: (HERE / str(case["file"])).read_text("utf-8").split("\n", 1)[1] for code, case in sorted(broken.items())
    }
    examples = "".join(example(code, text, str(broken[code]["file"])) for code, text in texts.items() if text.isascii())
    valid = sorted({kept(code) for code in RULES})
    examples += "[valid]\n"
    examples += "".join(
        f"{json.dumps(name)} = {json.dumps((HERE / 'valid' / name).read_text('utf-8'))}\n" for name in valid
    )
    example_file = ROOT / "src" / "lockset" / "lockfile" / "validate" / "rule_examples.toml"
    made = {
        HERE / "manifest.json": json.dumps({"format": 1, "cases": known}, indent=1) + "\n",
        example_file: "# Made by spec-examples/make.py.\n" + examples,
    }
    if not example_file.is_file() or example_file.read_text("utf-8") != made[example_file]:
        example_file.write_text(made[example_file], "utf-8")  # the pages show it
        rule_data.cache_clear()
    pages = ROOT / "docs" / "pages" / "rules"
    made |= {pages / f"{code}.md": page(code) for code in RULES}
    entries = rule_data("rule_examples.toml")["rules"]
    fixable = {code for code, entry in entries.items() if entry["fixable"]}
    rows = [
        f"| [`{code}`]({code}.md) | {rule.severity} | {'yes' if code in fixable else ''} | {rule.summary} |"
        for code, rule in sorted(RULES.items())
    ]
    head = "# Rules of lock files\n\n"
    head += (
        "`lockset validate` checks all of these rules in a lock file. An error makes a file invalid, a warning does "
        "not. Each rule has a\npage with an example; `lockset validate --explain RULE` shows it. "
        "[Rules of project files](project.md) are for pyproject.toml, settings,\nscripts and reports.\n\n"
    )
    made[pages / "project.md"] = every_rule_page()
    made[pages / "index.md"] = (
        head + "\n".join(["| rule | level | `--fix` | what holds |", "|---|---|---|---|", *rows]) + "\n"
    )
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
