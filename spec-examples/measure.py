"""Measure what packaging, pip, uv and lockset make of every example, and write the table for the documentation.

Tools are asked without network and only whether they take the file; what they would do next is cut off:
a refusal counts where the message is about the file, not where a download fails.
"""  # noqa: INP001 - a script, no package

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli
from packaging.pylock import Pylock, is_valid_pylock_path

from lockset.lockfile.validate.report import validate_document

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
# Longest time for one file; a tool that tries the network for longer has taken the file.
SECONDS = 60
# What a tool says when it has taken the file and could not go on without network or source.
BEYOND = (
    "resolve IP", "dns error", "Network connectivity", "network was disabled", "offline", "Failed to download",
    "Distribution not found", "does not appear to be a Python project", "git clone", "Git operation failed",
    "Failed to fetch", "Could not install packages", "No such file or directory", "Connection", "Max retries",
    "svn", "Cannot find command", "Failed to build", "error sending request", "Could not connect",
    "Failed to determine installation plan", "not supported wheel on this platform",
    # The file is fine, and not for the machine that measures.
    "does not satisfy any of the environments", "target environment is not supported", "No wheel found matching",
    "wheel for the current platform", "does not satisfy the Python version", "is incompatible with the `pylock",
)  # fmt: skip


def by_packaging(path: Path) -> str | None:
    """Why packaging refuses the file, or None."""
    if not is_valid_pylock_path(path):
        return "the file name"
    try:
        Pylock.from_dict(tomli.loads(path.read_bytes().decode()))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a refusal
        return str(error).splitlines()[0]
    return None


def by_lockset(path: Path) -> str | None:
    """Why lockset refuses the file, or None."""
    errors = validate_document(path.read_bytes(), path=str(path)).errors
    return errors[0].message if errors else None


def by_command(*command: str) -> Callable[[Path], str | None]:
    """A measure by a command line that gets the file as its last argument."""

    def refusal(path: Path) -> str | None:
        with tempfile.TemporaryDirectory() as folder:
            call = [part.replace("{folder}", folder) for part in command]
            try:
                done = subprocess.run(
                    [*call, str(path)], cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
                )
            except subprocess.TimeoutExpired:
                return None
        told = done.stderr + done.stdout
        if done.returncode == 0 or any(sign in told for sign in BEYOND):
            return None
        return next((line for line in reversed(told.strip().splitlines()) if line.strip()), "no message")

    return refusal


def called(tool: str) -> str:
    """Name and version of a tool, as it tells them."""
    done = subprocess.run([tool, "--version"], capture_output=True, text=True, check=True)
    return " ".join(done.stdout.split()[:2])


def measured(cases: list[dict[str, Any]], tools: dict[str, Callable[[Path], str | None]]) -> dict[str, list[bool]]:
    """For every tool, whether it accepted each case."""
    with ThreadPoolExecutor(2) as pool:
        return {
            name: list(pool.map(lambda case, tool=tool: tool(HERE / case["file"]) is None, cases))
            for name, tool in tools.items()
        }


def page(cases: list[dict[str, Any]], results: dict[str, list[bool]]) -> str:
    """The table, the sums first."""
    right = {
        name: [accepted == (case["verdict"] == "valid") for case, accepted in zip(cases, row, strict=True)]
        for name, row in results.items()
    }
    lines = [
        "# Conformance of other tools",
        "",
        "Written by `spec-examples/measure.py`. Only acceptance is compared, not the messages: a tool refuses a file",
        "if its message is about the file. A failure due to the network or the platform counts as accepted.",
        "",
        "| tool | invalid files refused | valid files accepted |",
        "|---|---|---|",
    ]
    for name, row in right.items():
        sums = {
            verdict: [ok for ok, case in zip(row, cases, strict=True) if case["verdict"] == verdict]
            for verdict in ("invalid", "valid")
        }
        shares = " | ".join(f"{sum(sums[key])} of {len(sums[key])}" for key in ("invalid", "valid"))
        lines.append(f"| {name} | {shares} |")
    lines += ["", f"| file | has to be | {' | '.join(results)} |", "|---|---|" + "---|" * len(results)]
    for location, case in enumerate(cases):
        verdict = {True: "accepted", False: "refused"}
        cells = [
            verdict[row[location]] if right[name][location] else f"**{verdict[row[location]]}**"
            for name, row in results.items()
        ]
        lines.append(f"| {case['file']} | {verdict[case['verdict'] == 'valid']} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure with the tools that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pip", help="path of a pip")
    parser.add_argument("--uv", help="path of a uv")
    parser.add_argument("--out", type=Path, required=True, help="page to write")
    args = parser.parse_args()
    cases = json.loads((HERE / "manifest.json").read_text("utf-8"))["cases"]
    tools: dict[str, Callable[[Path], str | None]] = {
        f"lockset {version('lockset')}": by_lockset,
        f"packaging {version('packaging')}": by_packaging,
    }
    if args.pip:
        name = called(args.pip)
        options = ("--no-deps", "--no-index", "--isolated", "--retries", "0", "--target", "{folder}/t")
        tools[name] = by_command(args.pip, "install", "--dry-run", *options, "-r")
    if args.uv:
        name = called(args.uv)
        more = (
            "--offline",
            "--no-cache",
            "--no-config",
            "--preview",
            "--python",
            sys.executable,
            "--target",
            "{folder}/t",
        )
        tools[name] = by_command(args.uv, "pip", "sync", "--dry-run", *more)
    text = page(cases, measured(cases, tools))
    args.out.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
