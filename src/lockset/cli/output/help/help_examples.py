"""Examples and documentation pages of commands, for `--help` and the manual page."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BASIC", "EXAMPLES", "PAGES", "documentation"]

_DOCUMENTATION = "https://lockset.example.org"

# Command -> its page below `reference/`.
PAGES: Mapping[str, str] = {
    **dict.fromkeys(("lock", "why-not"), "lock"),
    **dict.fromkeys(("sync", "install", "check-env", "download"), "sync"),
    **dict.fromkeys(("convert", "export"), "convert"),
    **dict.fromkeys(("tree", "why", "diff", "outdated"), "look"),
    **dict.fromkeys(("report", "graph"), "report"),
    "validate": "validate",
    "audit": "audit",
    "merge-driver": "merge-driver",
    "cache": "cache",
    "self-check": "self-check",
    "completion": "completion",
}

# The options of long commands that `-h` shows. Of other commands, it shows all but those of whole groups.
_LOCK = "output dry_run check constraint extra group python platform upgrade upgrade_package exclude_newer no_build"
_SYNC = "python target extra group all_extras all_groups dry_run check inexact reinstall find_links locked"
BASIC: Mapping[str, frozenset[str]] = {
    "lock": frozenset(_LOCK.split()),
    "why-not": frozenset(_LOCK.split()),
    **dict.fromkeys(("sync", "install", "check-env"), frozenset(_SYNC.split())),
    "download": frozenset(("dest", "platform", "python_version", "all_files", "extra", "group", "find_links")),
    "convert": frozenset(("output", "format", "python", "strict", "verify")),
    "audit": frozenset(("advisories", "osv", "online", "fix", "dry_run", "ignore", "format", "python", "target")),
}

# Command -> what people do with it, and the line that does it.
EXAMPLES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "lock": (
        ("Lock the project in this folder", "lockset lock"),
        ("Upgrade one package, or everything", "lockset lock -P requests"),
        ("", "lockset lock --upgrade"),
        ("Lock requirements for two platforms", "lockset lock requirements.in --platform linux --platform macos"),
        ("Check in CI if the lock file is up to date", "lockset lock --check"),
    ),
    "sync": (
        ("Make .venv match pylock.toml", "lockset sync"),
        ("Include the group `dev`, show the plan only", "lockset sync --group dev --dry-run"),
        ("Fill a folder for another machine", "lockset sync --target site --platform linux --python-version 3.12"),
    ),
    "install": (("Install, and remove nothing", "lockset install"),),
    "check-env": (("Compare .venv with pylock.toml, with all hashes", "lockset check-env --verify-files"),),
    "download": (("Fetch the wheels for Linux and Python 3.12", "lockset download --dest wheels --platform linux"),),
    "convert": (
        ("Convert requirements with hashes", "lockset convert requirements.txt --python '>=3.10'"),
        ("Convert the lock file of another tool", "lockset convert poetry.lock -o pylock.toml"),
    ),
    "export": (
        ("Write a requirements.txt with hashes", "lockset export -o requirements.txt"),
        ("Write a bill of materials", "lockset export --format cyclonedx -o bom.json"),
    ),
    "validate": (
        ("Check the lock file and the project file", "lockset validate pylock.toml pyproject.toml"),
        ("Explain a rule", "lockset validate --explain package-version-valid"),
        ("Annotate a pull request on GitHub", "lockset validate pylock.toml --format github"),
    ),
    "tree": (
        ("Show what requires what", "lockset tree"),
        ("Show what requires idna", "lockset tree --invert --package idna"),
    ),
    "why": (("Show why idna is locked", "lockset why idna"),),
    "why-not": (
        ("Explain why the newest numpy is not locked", "lockset why-not numpy"),
        ("Explain the same for one version", "lockset why-not numpy==2.1.0"),
    ),
    "diff": (("Compare with the last commit", "lockset diff HEAD:pylock.toml"),),
    "audit": (
        ("Compare pylock.toml with a folder of advisories", "lockset audit --advisories advisories/"),
        ("Query OSV, and upgrade what has a fix", "lockset audit --osv --fix"),
    ),
    "graph": (
        ("Draw the graph for a pull request", "lockset graph --format mermaid"),
        ("Write a page with a search", "lockset graph --format html -o graph.html"),
    ),
    "report": (
        ("Write a page about the lock file", "lockset report"),
        ("Fail in CI if a platform lacks a file", "lockset report --format markdown --fail-on missing-file"),
    ),
    "outdated": (
        ("Show newer versions, and what holds them back", "lockset outdated"),
        ("Fail in CI if a newer version fits", "lockset outdated --direct --exit-code"),
    ),
    "merge-driver": (("Let git merge lock files with lockset", "lockset merge-driver --install"),),
    "cache": (
        ("See how large the cache is", "lockset cache size"),
        ("Remove what was not used for two weeks", "lockset cache prune --older-than '2 weeks'"),
        ("Remove all of one package", "lockset cache clean numpy"),
    ),
    "self-check": (
        ("See what lockset finds, for a question or a report", "lockset self-check"),
        ("Check without the network", "lockset self-check --offline"),
    ),
    "completion": (
        ("Set up bash, then zsh", "lockset completion bash > ~/.local/share/bash-completion/completions/lockset"),
        ("", "lockset completion zsh > ~/.zfunc/_lockset"),
    ),
}


def documentation(command: str | None) -> str:
    """The address of the documentation of a command; None for that of lockset."""
    page = PAGES.get(command or "")
    return _DOCUMENTATION if page is None else f"{_DOCUMENTATION}/reference/{page}.html"
