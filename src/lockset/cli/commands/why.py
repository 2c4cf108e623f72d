"""`lockset why PACKAGE`: every chain that leads to a package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.cli.commands.tree import add_view_arguments, condition_text, entry_json, view
from lockset.cli.exit_codes import DONE
from lockset.cli.options.common import add_cache
from lockset.cli.output.streams import plain
from lockset.lockfile.dependency_graph import MOST_CHAINS, chains_to

if TYPE_CHECKING:
    import argparse

    from lockset.cli.output.streams import Output
    from lockset.lockfile.dependency_graph import Chain, LockGraph

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `lockset why`."""
    parser.add_argument("package", metavar="PACKAGE", help="the package that is asked about")
    parser.add_argument("file", nargs="?", metavar="FILE", help="lock file, or - (default: pylock.toml, found upwards)")
    add_view_arguments(parser)
    parser.add_argument("--json", action="store_true", help="write the chains as JSON")
    add_cache(parser, needless=True)


def run(args: argparse.Namespace, out: Output) -> int:
    """Show the chains."""
    graph = view(args)
    numbers = graph.named(args.package)
    found = [(number, *chains_to(graph, number)) for number in numbers]
    if args.json:
        out.json(
            {
                "dependencies-recorded": graph.recorded,
                "packages": [
                    entry_json(graph.entries[number])
                    | {"complete": complete, "chains": [_chain_json(graph, chain) for chain in chains]}
                    for number, chains, complete in found
                ],
            }
        )
        return DONE
    if not graph.recorded:
        out.line(
            f"{plain(graph.created_by)} recorded no dependencies in this lock file: it cannot tell who asks for whom"
        )
    for number, chains, complete in found:
        out.data(
            out.style(plain(str(graph.entries[number])), "bold", stdout=True)
            + condition_text(graph.entries[number].condition, out)
        )
        if graph.recorded or number in graph.requested:
            for chain in chains:
                out.data(f"  {_chain_text(graph, chain, out)}")
        if not complete:
            out.line(f"  more than {MOST_CHAINS} chains lead here; these are the shortest")
    return DONE


def _chain_text(graph: LockGraph, chain: Chain, out: Output) -> str:
    first, *_ = chain.entries
    texts = [plain(str(entry)) for entry in chain.entries]
    asked = graph.requested.get(first.number)
    if len(texts) == 1:
        return (
            f"asked for as {', '.join(f'`{plain(text)}`' for text in asked)}" if asked else "nothing else asks for it"
        )
    line = " → ".join(texts)
    condition = graph.condition(chain.region)
    if condition is not None and condition != chain.entries[-1].condition:
        line += condition_text(condition, out)
    return line


def _chain_json(graph: LockGraph, chain: Chain) -> dict[str, object]:
    return {
        "requirements": list(graph.requested.get(chain.entries[0].number, ())),
        "marker": graph.condition(chain.region),
        "chain": [entry_json(entry) for entry in chain.entries],
    }
