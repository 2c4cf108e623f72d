"""`lockset why PACKAGE`: show every chain of dependencies that leads to a package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.api.lock_files import MOST_CHAINS
from lockset.api.workspaces import member_graphs, why_in_each
from lockset.cli.exit_codes import DONE
from lockset.cli.options.views import add_why_arguments as add_arguments
from lockset.cli.options.views import read_why_command as read
from lockset.cli.output.graph_text import condition_text, entry_json, requirements_without_markers
from lockset.cli.output.streams import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lockset.api.lock_files import Requirers
    from lockset.api.workspaces import MemberGraph
    from lockset.cli.options.views import WhyCommand
    from lockset.cli.output.streams import Output
    from lockset.lockfile.dependency_graph import Chain, LockGraph

__all__ = ["add_arguments", "read", "run"]


def run(command: WhyCommand, out: Output) -> int:
    """Show the chains."""
    view = command.view
    graphs = member_graphs(view.file, **view.selection, context=view.context)
    results = why_in_each(graphs, command.package)
    if command.json:
        out.json(_json(results))
        return DONE
    for number, (one, requirers) in enumerate(results):
        if one.path is not None:
            lead = f"{one.member}, in {one.path}" if one.member is not None else one.path
            out.data(f"{chr(10) if number else ''}{out.style(plain(lead), 'bold', stdout=True)}:")
        _show(one.graph, requirers, out)
    return DONE


def _show(shown: LockGraph, requirers: Sequence[Requirers], out: Output) -> None:
    if not shown.recorded:
        out.line(
            f"{plain(shown.created_by)} recorded no dependencies in this lock file:"
            " it does not show which package requires which"
        )
    for entry, chains, complete in requirers:
        name = out.style(plain(str(entry)), "bold", stdout=True)
        out.data(out.filled([name, *condition_text(entry.condition, out).split()], indent="  "))
        if shown.recorded or entry.number in shown.requested:
            for chain in chains:
                first, *more = _chain_pieces(shown, chain, out)
                out.data(out.filled([f"  {first}", *more], indent="    "))
        if not complete:
            out.line(f"  more than {MOST_CHAINS} chains lead here, of which these are the shortest")


def _json(results: Sequence[tuple[MemberGraph, Sequence[Requirers]]]) -> dict[str, object]:
    packages = [
        {
            **({} if one.path is None else {"member": one.member, "lock": one.path}),
            **entry_json(entry),
            "complete": complete,
            "chains": [_chain_json(one.graph, chain) for chain in chains],
        }
        for one, requirers in results
        for entry, chains, complete in requirers
    ]
    return {"dependencies-recorded": all(one.graph.recorded for one, _ in results), "packages": packages}


def _chain_pieces(graph: LockGraph, chain: Chain, out: Output) -> list[str]:
    """The chain in pieces that stay on one line: each entry with its arrow, and the words of the condition."""
    first, *_ = chain.entries
    texts = [plain(str(entry)) for entry in chain.entries]
    requirements = requirements_without_markers(graph, first.number)
    if len(texts) == 1:
        if not requirements:
            return ["nothing", "else", "requires", "it"]
        quoted = ", ".join(f"`{plain(text)}`" for text in requirements)
        return ["required", "as", *quoted.split(" ")]
    if requirements and requirements != (first.name,):
        texts.insert(0, out.style(plain(", ".join(requirements)), "dim", stdout=True))
    pieces = [texts[0], *(f"→ {text}" for text in texts[1:])]
    condition = graph.condition(chain.region)
    if condition is not None and condition != chain.entries[-1].condition:
        pieces += condition_text(condition, out).split()
    return pieces


def _chain_json(graph: LockGraph, chain: Chain) -> dict[str, object]:
    return {
        "requirements": list(graph.requested.get(chain.entries[0].number, ())),
        "marker": graph.condition(chain.region),
        "chain": [entry_json(entry) for entry in chain.entries],
    }
