"""LOCKSET_ variables, which set options that are not on the command line."""

from __future__ import annotations

import os

from lockset.cli.options.common import RIVALS_OF_INDEXES, RIVALS_OF_LOCKING, actions_of
from lockset.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from typing import Any

__all__ = ["apply_variables", "variables"]

_PREFIX = "LOCKSET_"
_TRUE, _FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})

# Options that have the same meaning in all commands: LOCKSET_<OPTION> sets them everywhere.
_EVERYWHERE = frozenset({
    "index", "default_index", "extra_index_url", "find_links", "no_index", "index_strategy", "cert", "client_cert",
    "system_certs",
    "torch_backend", "torch_index", "proxy", "keyring_provider", "timeout", "retries", "allow_insecure_host",
    "cache_dir", "no_cache", "refresh", "refresh_package", "offline", "quiet", "verbose", "color", "no_progress",
    "directory", "config", "no_config",
})  # fmt: skip
# Commands whose other options have such a variable, too, except for those named here: these are about a single run, or
# have another meaning elsewhere, and a variable for one command must not affect another.
_OF_LOCKING = frozenset({
    "output", "dry_run", "check", "build", "online", "json", "stats", "editable", "environment", "python",
    "implementation", "platform", "this_environment", "extra", "all_extras", "group", "only_group", "no_group",
    "all_groups",
})  # fmt: skip
_OF_SYNCING = frozenset({"dry_run", "check", "json", "reinstall", "reinstall_package", "dest", "all_files"})
_NOT_SHARED = {
    "lock": _OF_LOCKING,
    "why-not": _OF_LOCKING,
    **dict.fromkeys(("sync", "install", "check-env", "download"), _OF_SYNCING),
}
# Commands that also use the variables of other commands: `why-not` explains what `lock` would do.
_AS = {"why-not": ("lock",)}

# Pairs of options that exclude each other: one on the command line overrides the variable of the other.
_TARGETS = ("python", "system", "target", "prefix")
_RIVALS_OF_SYNCING = (
    *((one, other) for one in _TARGETS for other in _TARGETS if one < other),
    *((one, other) for one in ("python", "system") for other in ("platform", "python_version", "implementation")),
    ("only_group", "group"), ("only_group", "all_groups"), ("strict", "no_strict"),
)  # fmt: skip
_RIVALS = {
    **dict.fromkeys(("lock", "why-not"), RIVALS_OF_LOCKING),
    **dict.fromkeys(("sync", "install", "check-env", "download"), _RIVALS_OF_SYNCING),
    "diff": (("format", "json"), ("format", "markdown")),
}
_RIVALS_EVERYWHERE = (
    *RIVALS_OF_INDEXES, ("quiet", "verbose"),
    ("annotate", "no_annotate"), ("require_build_hashes", "no_require_build_hashes"), ("json", "markdown"),
    ("config", "no_config"),
)  # fmt: skip
_WITHOUT = frozenset({"help", "version", "explain"})
# Read where the cache is opened, which a cached run does before there is a parser.
_ELSEWHERE = frozenset({"cache_dir", "no_cache"})


def variables(command: str, action: argparse.Action) -> tuple[str, ...]:
    """The variables of an option of `command`, of which the first that is set is used; empty if it has none."""
    names = [option[2:] for option in action.option_strings if option.startswith("--")]
    if not names or action.dest in _WITHOUT:
        return ()
    words = [name.upper().replace("-", "_") for name in names]
    if action.dest in _ELSEWHERE:
        return tuple(_PREFIX + word for word in words)
    own = [f"{of.upper().replace('-', '_')}_{word}" for of in (command, *_AS.get(command, ())) for word in words]
    if action.dest in _EVERYWHERE or (command in _NOT_SHARED and action.dest not in _NOT_SHARED[command]):
        own += words
    return tuple(_PREFIX + name for name in own)


def apply_variables(args: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Set options of `parser` that were not given from variables, and list them in `args.by_variable`.

    Raises:
        UsageError: `env-value` if the value of a variable is not valid for its option.
    """
    values = {name: value for name, value in os.environ.items() if value and name.startswith(_PREFIX)}
    if not values:
        return
    given = {name for name, value in vars(args).items() if not _is_unset(value)}
    outdone = frozenset(_outdone(args.command, given))
    applied = set()
    for action in actions_of(parser):
        if action.dest in given or action.dest in outdone or action.dest in _ELSEWHERE:
            continue
        name = next((name for name in variables(args.command, action) if name in values), None)
        if name is not None:
            setattr(args, action.dest, _value(action, name, values[name]))
            applied.add(action.dest)
    args.by_variable = frozenset(applied)


def _is_unset(value: object) -> bool:
    return value is None or value is False or value == []


def _outdone(command: str, given: set[str]) -> Iterator[str]:
    for one, other in (*_RIVALS.get(command, ()), *_RIVALS_EVERYWHERE):
        if one in given:
            yield other
        if other in given:
            yield one


def _value(action: argparse.Action, name: str, text: str) -> Any:
    if action.nargs == 0:
        return action.const if _truth(name, text) else action.default
    if isinstance(action.default, list) or type(action).__name__ == "_AppendAction":
        return [_one(action, name, part) for part in _parts(action.dest, text)]
    return _one(action, name, text)


def _truth(name: str, text: str) -> bool:
    word = text.lower()
    if word not in _TRUE | _FALSE:
        raise UsageError("env-value", f"{name} must be true or false, not {text!r}", hint="Write 1 or 0")
    return word in _TRUE


def _parts(dest: str, text: str) -> list[str]:
    """Split a list at spaces; at line ends if it has any, or if values may contain spaces, as markers do."""
    if "\n" in text or dest == "environment":
        return [line.strip() for line in text.splitlines() if line.strip()]
    return text.split()


def _one(action: argparse.Action, name: str, text: str) -> Any:
    try:
        value = action.type(text) if callable(action.type) else text
    except ValueError as error:
        raise UsageError("env-value", f"{name} must be a number, not {text!r}") from error
    except Exception as error:  # argparse's own, which is imported only for wrong usage
        raise UsageError("env-value", f"{name}: {error}") from error
    if action.choices is not None and value not in action.choices:
        raise UsageError("env-value", f"{name} must be one of {', '.join(map(str, action.choices))}, not {text!r}")
    return value
