"""`lockset tree`: show the packages of a lock file as a dependency tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockset._dataclass import dataclass, field
from lockset.api.lock_files import graph
from lockset.cli.exit_codes import DONE
from lockset.cli.options.views import add_tree_arguments as add_arguments
from lockset.cli.options.views import read_tree_command as read
from lockset.cli.output.graph_text import condition_text, entry_json, entry_text
from lockset.cli.output.streams import count_text, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lockset.cli.options.views import TreeCommand
    from lockset.cli.output.streams import Output
    from lockset.lockfile.dependency_graph import LockGraph

__all__ = ["add_arguments", "read", "run"]


def run(command: TreeCommand, out: Output) -> int:
    """Show the tree."""
    view = command.view
    shown = graph(view.file, **view.selection, context=view.context)
    if command.json:
        out.json(_json(shown))
        return DONE
    if not shown.recorded and shown.entries:
        out.line(f"{plain(shown.created_by)} recorded no dependencies in this lock file: packages are shown as a list")
    branches: Mapping[int, tuple[int, ...]] = shown.parents if command.invert else shown.children
    starts = shown.leaves if command.invert else shown.roots
    if command.packages:
        starts = tuple(number for name in command.packages for number in shown.named(name))
    elif shown.recorded and not command.invert and starts:
        out.line(_summary(shown, "the standard input" if view.file == "-" else view.name))
    if not starts:
        out.line("The lock file has no packages for this selection")
    tree = _Tree(graph=shown, branches=branches, depth=command.depth, out=out)
    out.data("\n".join(tree.lines(starts)))
    if tree.repeated:
        out.line("(*) shown in full above")
    return DONE


def _summary(graph: LockGraph, name: str) -> str:
    """The file, and how many packages of it are shown."""
    entries = len(graph.entries)
    names = len({entry.name for entry in graph.entries.values()})
    return plain(f"{name}: {count_text(names, 'package')}") + (f" ({entries} entries)" if entries != names else "")


@dataclass(slots=True, kw_only=True)
class _Tree:
    """Draws entries with their branches; an entry that has been drawn with its branches is not expanded again.

    A branch shows its marker within the condition of the entry above it.
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
        # An explicit stack, since a graph may be deeper than Python's recursion limit.
        waiting = [_Branch(level=0, number=start, condition=self.graph.entries[start].condition, before="", below="")]
        while waiting:
            branch = waiting.pop()
            further = self.branches[branch.number]
            again = branch.number in self.shown and bool(further)
            name = entry_text(self.graph, branch.number, self.out)
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
    """One line to draw; the lines of its branches begin with `below`."""

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
