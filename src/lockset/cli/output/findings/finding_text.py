"""Findings of `lockset validate` for people: with the source line, in one line, and the summary."""

from __future__ import annotations

from lockset.cli.output.findings.excerpt import rendered
from lockset.cli.output.findings.findings import known_rule
from lockset.cli.output.streams import count_text, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lockset.cli.output.findings.findings import Line, ValidatedFile
    from lockset.cli.output.streams import Output

__all__ = ["concise_text", "explain_hint", "finding_text", "summary_lines"]

_STYLES = {"error": "bold red", "warning": "bold yellow"}


def finding_text(path: str, line: Line, out: Output) -> str:
    """The finding, its source line with a caret below the wrong value, and the hint; no line end at its end."""
    code = out.link(line.rule, line.section) if line.section else line.rule
    level = out.style(f"{line.level}[{code}]", _STYLES[line.level], stdout=True)
    parts = [f"{_position(path, line)}: {level} {_one_line(line.message)}", *_excerpt(line, out)]
    if line.hint:
        parts.append(f"  {out.style('hint', 'bold cyan', stdout=True)}: {_one_line(line.hint)}")
    return "\n".join(parts)


def concise_text(path: str, line: Line, out: Output) -> str:
    """The finding in one line: `PATH:LINE:COLUMN: RULE MESSAGE`."""
    code = out.link(line.rule, line.section) if line.section else line.rule
    return f"{_position(path, line)}: {out.style(code, _STYLES[line.level], stdout=True)} {_one_line(line.message)}"


def _position(path: str, line: Line) -> str:
    return f"{plain(path)}:{line.start[0]}:{line.start[1]}"


def _excerpt(line: Line, out: Output) -> Iterator[str]:
    if line.excerpt is None:
        return
    number = str(line.start[0])
    gutter = f"  {number} | "
    text, before, width = rendered(line.excerpt, out.columns(stdout=True) - len(gutter), out.as_written)
    yield gutter + text
    mark = out.style("^" * width, _STYLES[line.level], stdout=True)
    yield f"  {' ' * len(number)} | {' ' * before}{mark}"


def _one_line(text: str) -> str:
    """Values of the file may have line ends, which would look like further findings."""
    return plain(text.replace("\n", "\\n"))


def summary_lines(files: Sequence[ValidatedFile], *, strict: bool) -> Iterator[str]:
    """A summary of the findings in all files, and a hint."""
    fixed = sum(len(file.fixed or ()) for file in files)
    if fixed:
        yield f"Fixed {count_text(fixed, 'problem')} in {count_text(sum(bool(file.fixed) for file in files), 'file')}"
    lines = [line for file in files for line in file.lines]
    errors = sum(line.level == "error" for line in lines)
    warnings = len(lines) - errors
    if not lines:
        yield f"Checked {count_text(len(files), 'file')}: no errors"
        return
    counts = [count_text(errors, "error")] if errors else []
    counts += [count_text(warnings, "warning")] if warnings else []
    with_findings = sum(bool(file.lines) for file in files)
    total = f"{with_findings} of " if with_findings < len(files) else ""
    fixable = sum(file.fixable for file in files)
    more = f" ({fixable} fixable with --fix)" if fixable else ""
    failing = "; warnings are errors with --strict" if strict and not errors else ""
    yield f"Found {' and '.join(counts)} in {total}{count_text(len(files), 'file')}{more}{failing}"


def explain_hint(files: Sequence[ValidatedFile], out: Output) -> str:
    """How to see the page of the first rule that has a finding; empty if none has."""
    codes = (line.rule for file in files for line in file.lines if known_rule(line.rule) is not None)
    code = next(codes, None)
    if code is None:
        return ""
    return f"{out.style('hint', 'bold cyan')}: `lockset validate --explain {code}` shows what a rule requires and why"
