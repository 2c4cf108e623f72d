"""Options that several commands share, and their values."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from lockset.errors import LocksetError, UsageError
from lockset.files.cache_folder import default_folder, is_trusted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from lockset.cli.output.streams import Output
    from lockset.composition.run_context import IndexOverrides, RunContext

__all__ = [
    "EVERYTHING",
    "PRERELEASES",
    "RIVALS_OF_INDEXES",
    "RIVALS_OF_LOCKING",
    "actions_of",
    "add_builds",
    "add_cache",
    "add_common",
    "add_index",
    "add_network",
    "add_requirement",
    "build_options",
    "cache_dir",
    "env_flag",
    "env_text",
    "index_overrides",
    "named_files",
    "names",
    "normal_name",
    "other_spelling",
    "packages_or_all",
    "python_versions",
    "run_context",
    "standard_input",
]

PRERELEASES = ("if-necessary", "allow", "disallow")
# In lists of packages: all of them, and none of those before it.
EVERYTHING, _NOTHING = ":all:", ":none:"
# Pairs of options that exclude each other, in all commands with indexes, and in `lock` and `why-not`.
RIVALS_OF_INDEXES = (("no_index", "index"), ("no_index", "extra_index_url"), ("no_index", "default_index"))
RIVALS_OF_LOCKING = (
    *(("this_environment", other) for other in ("python", "platform", "implementation", "environment")),
    *(("only_group", other) for other in ("group", "all_groups", "extra", "all_extras", "with_project")),
    ("with_project", "without_project"), ("extra", "all_extras"), ("group", "all_groups"),
    *(("check", other) for other in ("dry_run", "upgrade", "upgrade_package", "upgrade_group")),
)  # fmt: skip
# The defaults of `--timeout`, in seconds, and `--retries`.
_TIMEOUT = 30.0
_RETRIES = 4
# Values of options as uv and pip spell them.
_OTHER_SPELLINGS = {
    "explicit": "if-necessary", "if-necessary-or-explicit": "if-necessary", "requires-python": "newest",
    "cp": "cpython", "pp": "pypy", "requirements.txt": "requirements-txt",
}  # fmt: skip
# The largest value of both, since a run would wait for hours with more.
_MOST = 3600


def env_text(name: str) -> str | None:
    """Value of the environment variable `LOCKSET_<name>`, None when unset or empty."""
    return os.environ.get(f"LOCKSET_{name}") or None


def env_flag(name: str) -> bool:
    """Whether `LOCKSET_<name>` is set to a true value (1, true, yes, on).

    Raises:
        UsageError: `env-value` if the value is neither true nor false.
    """
    text = (env_text(name) or "0").lower()
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise UsageError("env-value", f"LOCKSET_{name} must be true or false, not {text!r}")


def other_spelling(text: str) -> str:
    """The name in lockset of a value that other tools spell differently; any other text unchanged."""
    return _OTHER_SPELLINGS.get(text, text)


def normal_name(text: str) -> str:
    """The normalized name of a package, extra or group from an option.

    Raises:
        UsageError: `option-value` if it is not a valid name.
    """
    from lockset.package_names import InvalidName, canonicalize_name

    try:
        return str(canonicalize_name(text, validate=True))
    except InvalidName as error:
        hint = "Names consist of letters, digits, `-`, `_` and `.`, without a version"
        raise UsageError("option-value", f"`{text}` is not a valid name", hint=hint) from error


def names(texts: Iterable[str]) -> tuple[str, ...]:
    """Normalized names of packages, extras or groups; several in one text are separated by commas.

    Raises:
        UsageError: `option-value` if one is not a valid name.
    """
    return tuple(normal_name(part.strip()) for text in texts for part in text.split(","))


def packages_or_all(texts: Iterable[str]) -> tuple[str, ...]:
    """Names, or `:all:`; separated by commas, and `:none:` resets all before it, as in pip."""
    parts: list[str] = []
    for part in (part.strip() for text in texts for part in text.split(",")):
        if part == _NOTHING:
            parts.clear()
        elif part:
            parts.append(part if part == EVERYTHING else normal_name(part))
    return tuple(dict.fromkeys(parts))


def python_versions(text: str) -> str:
    """`3.12` for `python3.12` and `cpython@3.12`, as uv names Pythons; any other text unchanged."""
    for prefix in ("cpython@", "python@", "cpython", "python"):
        version = text.removeprefix(prefix)
        if version != text and version.replace(".", "").isdigit():
            return version
    return text


def standard_input() -> bytes:
    """Read the standard input, up to the largest size of a lock file.

    Raises:
        LocksetError: `lock-unreadable` if it is closed.
    """
    from lockset.lockfile.read import MAX_BYTES

    if sys.stdin is None:
        raise LocksetError("lock-unreadable", "The standard input is closed")
    return sys.stdin.buffer.read(MAX_BYTES + 1)


def actions_of(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """The options and arguments of a parser, in order."""
    return parser._actions  # noqa: SLF001 - argparse has no public way


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add the options of every command; the top parser has their defaults, as they may precede the command."""
    group = parser.add_argument_group("common options")
    group.add_argument(
        "-q", "--quiet", action="store_true", default=argparse.SUPPRESS, help="print only errors and data"
    )
    group.add_argument("-v", "--verbose", action="store_true", default=argparse.SUPPRESS, help="print more details")
    group.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default=argparse.SUPPRESS,
        help="when to use colours (default: auto; NO_COLOR is respected)",
    )
    group.add_argument("--no-progress", action="store_true", default=argparse.SUPPRESS, help="hide progress output")
    group.add_argument(
        "--directory",
        type=Path,
        default=argparse.SUPPRESS,
        metavar="DIR",
        help="change to DIR before running the command",
    )
    group.add_argument(
        "--config",
        type=Path,
        default=argparse.SUPPRESS,
        metavar="FILE",
        help="read [tool.lockset] from FILE instead of the project's pyproject.toml",
    )
    group.add_argument("--no-config", action="store_true", default=argparse.SUPPRESS, help="ignore [tool.lockset]")
    actions = actions_of(parser)
    if any("--json" in action.option_strings for action in actions):
        # The name of uv and pip for the same.
        parser.add_argument(
            "--output-format", choices=("text", "json"), dest="json", action=_Json, help=argparse.SUPPRESS
        )
    # The usage line has only arguments, as `--help` lists the options below it.
    positionals = [a for a in actions if not a.option_strings and a.nargs != argparse.PARSER]
    parser.usage = " ".join(["%(prog)s [OPTIONS]", *map(_usage, positionals)])


class _Json(argparse.Action):
    """`--output-format json` is `--json`."""

    def __call__(self, _parser: object, namespace: argparse.Namespace, values: object, _option: object = None) -> None:
        """Set `json`; `text` is the default."""
        namespace.json = values == "json"


def _usage(action: argparse.Action) -> str:
    name = str(action.metavar or action.dest)
    return {"*": f"[{name} ...]", "?": f"[{name}]", "+": f"{name} ..."}.get(str(action.nargs), name)


def add_requirement(parser: argparse.ArgumentParser, name: str) -> None:
    """Add `-r`, another way to give the argument `name`."""
    parser.add_argument(
        "-r",
        "--requirement",
        "--requirements",
        action="append",
        default=[],
        metavar="FILE",
        help=f"the same as {name}, for compatibility with pip (repeatable)",
    )


def named_files(args: argparse.Namespace) -> list[str]:
    """The files of a command with lock files, in this order: arguments, then those of `-r`."""
    return [*args.files, *args.requirement]


def add_cache(parser: argparse.ArgumentParser, *, needless: bool = False) -> None:
    """Add the options of the cache; if `needless`, they are accepted but hidden, as the command uses no cache."""
    group = parser.add_argument_group("cache")
    actions = [
        group.add_argument("--cache-dir", type=Path, metavar="DIR", help="the cache folder (LOCKSET_CACHE_DIR)"),
        group.add_argument("--no-cache", action="store_true", help="do not read or write the cache"),
        group.add_argument("--refresh", action="store_true", help="revalidate all cached index pages"),
        group.add_argument(
            "--refresh-package",
            action="append",
            default=[],
            metavar="NAME",
            help="revalidate the cached index page of NAME (repeatable)",
        ),
        group.add_argument("--offline", action="store_true", help="use only the cache, no network (LOCKSET_OFFLINE)"),
    ]
    if needless:
        _hide(actions)


def add_builds(group: argparse._ArgumentGroup) -> None:
    """Add the options on builds."""
    group.add_argument(
        "-C",
        "--config-setting",
        "--config-settings",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="pass to build backends (repeatable)",
    )
    group.add_argument(
        "--config-settings-package",
        action="append",
        default=[],
        metavar="NAME:KEY=VALUE",
        help="pass to the build backend of NAME (repeatable)",
    )
    group.add_argument(
        "--no-build-isolation", action="store_true", help="build in the existing environment, with what it contains"
    )
    group.add_argument(
        "--no-build-isolation-package",
        action="append",
        default=[],
        metavar="NAME",
        help="the same for NAME (repeatable)",
    )
    add_build_hashes(group)


def add_build_hashes(group: argparse._ArgumentGroup) -> None:
    """Add the options on locked build requirements."""
    group.add_argument(
        "--require-build-hashes",
        action="store_true",
        help="refuse builds whose requirements are not in pylock.build.toml (`lock --build` writes it)",
    )
    group.add_argument(
        "--no-require-build-hashes", action="store_true", help="allow them, whatever [tool.lockset] says"
    )


def build_options(args: argparse.Namespace) -> dict[str, Any]:
    """The fields of `LockOptions` and `SyncOptions` on builds.

    Raises:
        UsageError: `config-setting` or `option-value`.
    """
    isolation = (":all:",) if args.no_build_isolation else tuple(map(normal_name, args.no_build_isolation_package))
    settings: dict[str, Any] = {}
    if args.config_setting or args.config_settings_package:
        from lockset.cli.options.config_settings import parse_config_settings, parse_package_settings  # rare

        settings["config_settings"] = parse_config_settings(args.config_setting)
        settings["config_settings_package"] = parse_package_settings(args.config_settings_package, normal_name)
    return settings | {
        "no_build_isolation": isolation,
        "require_build_hashes": args.require_build_hashes or (False if args.no_require_build_hashes else None),
    }


def add_index(parser: argparse.ArgumentParser, *, needless: bool = False) -> None:
    """Add the options of indexes; if `needless`, they are accepted but hidden, as the command rarely uses an index."""
    before = len(actions_of(parser))
    _add_index(parser)
    if needless:
        _hide(actions_of(parser)[before:])


def _hide(actions: Iterable[argparse.Action]) -> None:
    """Leave options out of the help."""
    for action in actions:
        action.help = argparse.SUPPRESS


def _add_index(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("indexes")
    group.add_argument(
        "--index",
        action="append",
        default=[],
        metavar="[NAME=]URL",
        help="an additional index, searched before the default index (repeatable)",
    )
    group.add_argument(
        "-i",
        "--default-index",
        "--index-url",
        dest="default_index",
        metavar="[NAME=]URL",
        help="the default index, instead of PyPI (LOCKSET_DEFAULT_INDEX)",
    )
    group.add_argument(
        "--extra-index-url",
        action="append",
        default=[],
        metavar="URL",
        help="the same as --index, for compatibility with pip",
    )
    group.add_argument(
        "-f",
        "--find-links",
        action="append",
        default=[],
        metavar="DIR",
        help="a folder of wheels and sdists (repeatable)",
    )
    group.add_argument("--no-index", action="store_true", help="ignore all indexes, use only --find-links")
    group.add_argument(
        "--index-strategy",
        choices=("first-index", "unsafe-first-match", "unsafe-best-match"),
        help="if several indexes have a package: use only the first that has it (default), "
        "the first that has a version that fits, or the best version of all",
    )
    group.add_argument(
        "--torch-backend",
        metavar="NAME",
        help="take PyTorch packages from its index for cpu, cu128, rocm6.4, xpu and the like, or auto for this machine",
    )
    group.add_argument("--torch-index", metavar="URL", help="the address below which the indexes of PyTorch are")
    add_network(parser)


def add_network(parser: argparse.ArgumentParser) -> None:
    """Add the options of connections."""
    group = parser.add_argument_group("network")
    group.add_argument("--system-certs", action="store_true", help="trust the system's certificates (the default)")
    group.add_argument("--cert", type=Path, metavar="FILE", help="CA certificates to trust, instead of the system's")
    group.add_argument(
        "--client-cert", type=Path, metavar="FILE", help="client certificate and key, for servers that require one"
    )
    group.add_argument("--proxy", metavar="URL", help="proxy for all requests, instead of HTTPS_PROXY and the like")
    group.add_argument(
        "--keyring-provider",
        choices=("disabled", "subprocess"),
        help="query the keyring command if a server requires credentials (default: disabled)",
    )
    group.add_argument("--timeout", type=float, metavar="SECONDS", help="seconds to wait for a server (default: 30)")
    group.add_argument("--retries", type=int, metavar="N", help="number of retries (default: 4)")
    group.add_argument(
        "--allow-insecure-host",
        action="append",
        default=[],
        metavar="HOST",
        help="do not verify the certificate of HOST (repeatable)",
    )


def cache_dir(args: argparse.Namespace) -> Path | None:
    """The cache folder; None without caching or a home folder, or if the default folder belongs to another user."""
    if getattr(args, "no_cache", False) or env_flag("NO_CACHE"):
        return None
    chosen = getattr(args, "cache_dir", None) or env_text("CACHE_DIR")
    if chosen is not None:
        return Path(chosen).expanduser().absolute()
    usual = default_folder(os.environ) or _rare_folder()
    return Path(usual) if usual and is_trusted(usual) else None


def _rare_folder() -> str | None:
    """The default folder of the cache on systems that `default_folder` does not know."""
    from platformdirs import user_cache_dir

    try:
        return user_cache_dir("lockset", appauthor=False)
    except RuntimeError:
        return None  # a user without a home folder


def run_context(args: argparse.Namespace, out: Output, *, caching: bool = True) -> RunContext:
    """The context from the common options and the process; without `caching`, it has no cache."""
    from lockset.composition.run_context import RunContext  # not needed by all commands

    return RunContext(
        cache=cache_dir(args) if caching else None,
        offline=args.offline,
        environ=dict(os.environ),
        use_settings=not args.no_config,
        config=args.config,
        stdin=standard_input,
        listener=out.listener(),
        indexes=index_overrides(args) if hasattr(args, "default_index") else None,
    )


def index_overrides(args: argparse.Namespace, *, timeout: float = _TIMEOUT, retries: int = _RETRIES) -> IndexOverrides:
    """The index options of the command line and variables, which override the project's settings.

    `timeout` and `retries` are the defaults of these options.

    Raises:
        UsageError: `option-value` if a number or a proxy is not valid.
    """
    from lockset.composition.run_context import IndexOverrides

    return IndexOverrides(
        default_index=args.default_index,
        indexes=(*args.index, *args.extra_index_url),
        find_links=tuple(args.find_links),
        no_index=bool(args.no_index),
        strategy=args.index_strategy,
        torch_backend=args.torch_backend,
        torch_index=args.torch_index,
        refresh=args.refresh,
        refresh_packages=tuple(map(normal_name, args.refresh_package)),
        read_timeout=float(_number(args, "timeout", timeout)),
        retries=int(_number(args, "retries", retries)),
        insecure_hosts=tuple(args.allow_insecure_host),
        cert=_path(args.cert),
        client_cert=_path(args.client_cert),
        proxy=_proxy(args.proxy),
        keyring=args.keyring_provider == "subprocess" if args.keyring_provider else None,
    )


def _path(text: object) -> str | None:
    return str(text) if text else None


def _number(args: argparse.Namespace, name: str, default: float) -> float:
    """As given, or the default."""
    given: float | None = getattr(args, name)
    value = default if given is None else given
    if not 0 <= value <= _MOST or (name == "timeout" and value == 0):
        source = f"LOCKSET_{name.upper()}" if name in args.by_variable else f"--{name}"
        least = "more than 0, and at most" if name == "timeout" else "between 0 and"
        raise UsageError("option-value", f"{source} must be {least} {_MOST}, not {value:g}")
    return value


def _proxy(url: str | None) -> str | None:
    if url and url.partition("://")[0] not in {"http", "https", "socks5", "socks5h"}:
        # The URL is not shown, as it may contain a password.
        raise UsageError("option-value", "--proxy is not a valid proxy URL", hint="Write it as `http://HOST:PORT`")
    return url
