"""`lockset tree`: what a lock file holds, and who asked for it."""

from __future__ import annotations

import argparse
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lockset._dataclass import dataclass
from lockset.cli.exit_codes import DONE
from lockset.cli.options.common import add_cache, normal_name, standard_input
from lockset.cli.output.streams import plain
from lockset.composition.open_lock import open_lock
from lockset.lockfile.dependency_graph import build_graph, region_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lockset.cli.output.streams import Output
    from lockset.lockfile.dependency_graph import LockEntry, LockGraph

__all__ = ["add_arguments", "add_view_arguments", "condition_text", "entry_json", "run", "view"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `lockset tree`."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="lock file, or - (default: pylock.toml, found upwards)")
    parser.add_argument("--invert", action="store_true", help="show what depends on a package below it")
    parser.add_argument("--depth", type=_depth, metavar="N", help="show no more than N levels below the first")
    parser.add_argument(
        "--package", action="append", default=[], metavar="NAME", help="begin with this package (repeatable)"
    )
    add_view_arguments(parser)
    parser.add_argument("--json", action="store_true", help="write the graph as JSON")
    add_cache(parser, needless=True)


def add_view_arguments(parser: argparse.ArgumentParser) -> None:
    """Options on what part of the lock is looked at."""
    group = parser.add_argument_group("what is looked at (default: everything)")
    group.add_argument("--extra", action="append", metavar="NAME", help="only what is installed with this extra")
    group.add_argument("--group", action="append", metavar="NAME", help="only what is installed with this group")
    group.add_argument("--python", metavar="VERSION", help="only for this Python (3.12, 3.12.4, or a range)")
    group.add_argument(
        "--platform", metavar="NAME", help="only for this platform (linux, macos, windows, win_amd64, ...)"
    )


def run(args: argparse.Namespace, out: Output) -> int:
    """Show the tree."""
    graph = view(args)
    if args.json:
        out.json(_json(graph))
        return DONE
    if not graph.recorded and graph.entries:
        out.line(f"{plain(graph.created_by)} recorded no dependencies in this lock file: its packages are listed flat")
    branches: Mapping[int, tuple[int, ...]] = graph.parents if args.invert else graph.children
    starts = graph.leaves if args.invert else graph.roots
    if args.package:
        starts = tuple(number for name in args.package for number in graph.named(name))
    if not starts:
        out.line("The lock file installs nothing there")
    tree = _Tree(graph=graph, branches=branches, depth=args.depth, out=out)
    out.data("\n".join(tree.lines(starts)))
    if tree.repeated:
        out.line("(*) shown in full above")
    return DONE


def view(args: argparse.Namespace) -> LockGraph:
    """The graph that the arguments of `add_view_arguments` and `file` describe."""
    within = region_of(python=args.python, platform=args.platform) if args.python or args.platform else None
    lock = open_lock(args.file, folder=Path.cwd(), stdin=standard_input).lock
    extras, groups = (None if given is None else list(map(normal_name, given)) for given in (args.extra, args.group))
    return build_graph(lock, within=within, extras=extras, groups=groups)


def condition_text(condition: str | None, out: Output) -> str:
    """Where something applies, dimmed, to stand behind it; nothing where it always does."""
    return "" if condition is None else " " + out.style(f"; {plain(condition)}", "dim", stdout=True)


def entry_json(entry: LockEntry) -> dict[str, str | None]:
    """One entry as JSON."""
    return {"name": entry.name, "version": entry.version, "marker": entry.condition}


@dataclass(slots=True, kw_only=True)
class _Tree:
    """Draws branches below entries; what has been drawn with its branches once is not drawn again.

    A branch says where it applies within what it hangs below.
    """

    graph: LockGraph
    branches: Mapping[int, tuple[int, ...]]
    depth: int | None
    out: Output
    shown: set[int] = field(default_factory=set)
    repeated: bool = False

    def lines(self, starts: tuple[int, ...]) -> Iterator[str]:
        """The lines of all trees."""
        for start in dict.fromkeys(starts):
            yield from self._drawn(start)

    def _drawn(self, start: int) -> Iterator[str]:
        # An own stack: graphs deeper than Python's must not end the run.
        waiting = [_Branch(level=0, number=start, condition=self.graph.entries[start].condition, before="", below="")]
        while waiting:
            branch = waiting.pop()
            further = self.branches[branch.number]
            again = branch.number in self.shown and bool(further)
            name = plain(str(self.graph.entries[branch.number]))
            yield f"{branch.before}{name}{condition_text(branch.condition, self.out)}{' (*)' if again else ''}"
            self.repeated |= again
            if again or (self.depth is not None and branch.level >= self.depth):
                continue
            self.shown.add(branch.number)
            waiting.extend(reversed([self._below(branch, number, last=number == further[-1]) for number in further]))

    def _below(self, branch: _Branch, number: int, *, last: bool) -> _Branch:
        return _Branch(
            level=branch.level + 1,
            number=number,
            condition=self.graph.condition_within(number, branch.number),
            before=branch.below + ("└── " if last else "├── "),
            below=branch.below + ("    " if last else "│   "),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Branch:
    """One line to be drawn; `below` begins the lines of its own branches."""

    level: int
    number: int
    condition: str | None
    before: str
    below: str


def _json(graph: LockGraph) -> dict[str, Any]:
    def name(number: int) -> dict[str, str | None]:
        entry = graph.entries[number]
        return {"name": entry.name, "version": entry.version}

    return {
        "created-by": graph.created_by,
        "dependencies-recorded": graph.recorded,
        "roots": [name(number) | {"requirements": list(graph.requested.get(number, ()))} for number in graph.roots],
        "packages": [
            entry_json(entry) | {"dependencies": [name(child) for child in graph.children[number]]}
            for number, entry in graph.entries.items()
        ],
    }


def _depth(text: str) -> int:
    if not text.isdecimal():
        message = f"`{text}` is not a number of levels"
        raise argparse.ArgumentTypeError(message)
    return int(text)
