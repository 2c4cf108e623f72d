"""The options of a requirements file: their spellings, how to parse them, and how they combine."""

from __future__ import annotations

import os.path
import shlex
from dataclasses import field, replace
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from lockset._dataclass import dataclass
from lockset._pattern import lazy_pattern
from lockset.errors import LocksetError
from lockset.sources.project import SourceOptions
from lockset.sources.requirements.requirement_line import is_url
from lockset.sources.toml_table import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lockset.sources.requirements.requirement_line import ReferencedFiles

__all__ = ["GivenOption", "OptionSum", "split_line"]

# Spelling to name of each option.
_WITH_VALUE = {
    "-i": "index-url",
    "--index-url": "index-url",
    "--pypi-url": "index-url",
    "--extra-index-url": "extra-index-url",
    "-f": "find-links",
    "--find-links": "find-links",
    "-r": "requirement",
    "--requirement": "requirement",
    "-c": "constraint",
    "--constraint": "constraint",
    "-e": "editable",
    "--editable": "editable",
    "--no-binary": "no-binary",
    "--only-binary": "only-binary",
    "--all-releases": "all-releases",
    "--only-final": "only-final",
    "--trusted-host": "trusted-host",
    "--use-feature": "use-feature",
    "--hash": "hash",
    "-C": "config-settings",
    "--config-settings": "config-settings",
    "--config-setting": "config-settings",
}
_FLAGS = {
    "--no-index": "no-index",
    "--prefer-binary": "prefer-binary",
    "--pre": "pre",
    "--require-hashes": "require-hashes",
    "--no-require-hashes": "no-require-hashes",
}
_SPELLINGS = (*_WITH_VALUE, *_FLAGS)
# Options on indexes, in the order in which those of one line apply.
_INDEX_ORDER = {"no-index": 1, "index-url": 2, "extra-index-url": 3}
_OPPOSITES = {
    "no-binary": "only-binary",
    "only-binary": "no-binary",
    "all-releases": "only-final",
    "only-final": "all-releases",
}
_FILE_KINDS = frozenset({"no-binary", "only-binary"})
# The marker after an editable must not be split like a shell command: its quotes belong to it.
_CONDITIONAL_EDITABLE = lazy_pattern(r"(?P<option>(?:-e|--editable)[^'\"]*?)\s;\s*(?P<marker>.+)\Z")
_REMOVED = ("--install-option", "--global-option", "--build-option")


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenOption:
    """One option of a line. `name` is the long spelling without dashes. Flags have an empty `value`."""

    name: str
    value: str = ""


def split_line(line: str, *, location: str) -> tuple[str, tuple[GivenOption, ...]]:
    """Split a logical line into its requirement (or an empty string) and the options after it.

    Raises:
        LocksetError: `option-syntax`, `unknown-option` or `option-removed`.
    """
    words = line.split(" ")
    count = next((at for at, word in enumerate(words) if word.startswith("-")), len(words))
    requirement = " ".join(words[:count]).strip()
    written = " ".join(words[count:])
    conditional = _CONDITIONAL_EDITABLE.match(written)
    if conditional:
        written = conditional["option"]
    try:
        tokens = shlex.split(written)
    except ValueError as error:
        raise LocksetError("option-syntax", f"The options cannot be read: {error}", location=location) from error
    options = _options(tokens, location)
    if conditional:
        options[0] = replace(options[0], value=f"{options[0].value} ; {conditional['marker']}")
    return requirement, tuple(options)


def _options(tokens: list[str], location: str) -> list[GivenOption]:
    options: list[GivenOption] = []
    at = 0
    while at < len(tokens):
        spelling, has_value, value = _spelling(tokens[at], location)
        at += 1
        if spelling in _FLAGS:
            if has_value:
                raise LocksetError("option-syntax", f"`{spelling}` does not take a value", location=location)
            options.append(GivenOption(name=_FLAGS[spelling]))
            continue
        if not has_value:
            if at == len(tokens):
                raise LocksetError("option-syntax", f"`{spelling}` needs a value", location=location)
            value = tokens[at]
            at += 1
        options.append(GivenOption(name=_WITH_VALUE[spelling], value=value))
    return options


def _spelling(token: str, location: str) -> tuple[str, bool, str]:
    """The spelling of an option as in the tables, whether a value is attached, and the value."""
    if token.startswith("--"):
        written, equals, value = token.partition("=")
        return _long_spelling(written, location), bool(equals), value
    if token.startswith("-") and token[:2] in _WITH_VALUE:
        return token[:2], len(token) > 2, token[2:].removeprefix("=")
    if token.startswith("-"):
        raise _unknown(token, location)
    raise LocksetError(
        "option-syntax",
        f"`{token}` is not allowed after the options of a line",
        location=location,
        hint="Write one requirement, or one option with its value, on each line",
    )


def _long_spelling(written: str, location: str) -> str:
    if written in _SPELLINGS:
        return written
    if written in _REMOVED:
        raise LocksetError(
            "option-removed",
            f"`{written}` is no longer an option of requirements files",
            location=location,
            hint="Use `--config-settings KEY=VALUE` for build settings",
        )
    # Installers accept an unambiguous prefix of an option.
    fitting = [spelling for spelling in _SPELLINGS if spelling.startswith(written)]
    if written != "--" and len({_WITH_VALUE.get(each, each) for each in fitting}) == 1:
        return fitting[0]
    raise _unknown(written, location)


def _unknown(written: str, location: str) -> LocksetError:
    return LocksetError(
        "unknown-option",
        f"`{written}` is not an option of requirements files",
        location=location,
        hint=nearest(written, _SPELLINGS),
    )


@dataclass(slots=True, kw_only=True)
class OptionSum:
    """Combines the options of all files of one run, in order. Mutable; used while files are read.

    `base`: the folder to which `--find-links` is relative if the path does not exist next to its file.
    """

    base: str
    surroundings: ReferencedFiles
    _index_url: str | None = None
    _extra_index_urls: list[str] = field(default_factory=list)
    _find_links: list[str] = field(default_factory=list)
    _trusted_hosts: list[str] = field(default_factory=list)
    _flags: set[str] = field(default_factory=set)
    _require_hashes: bool | None = None
    _choices: dict[str, dict[str, None]] = field(default_factory=dict)

    def add_line(self, options: Sequence[GivenOption], *, path_or_url: str, location: str) -> None:
        """Add the options of one line of the file at `location`. Options that do not affect locking are ignored.

        Raises:
            LocksetError: `option-syntax` if a list of packages begins with a dash.
        """
        for option in sorted(options, key=lambda each: _INDEX_ORDER.get(each.name, 0)):
            if option.name in _INDEX_ORDER:
                self._add_index(option)
            elif option.name in _OPPOSITES:
                self._choose(option, location)
            elif option.name == "find-links":
                self._find_links.append(self._find_links_location(option.value, path_or_url))
            elif option.name == "trusted-host":
                self._trusted_hosts.append(option.value)
            elif option.name in {"require-hashes", "no-require-hashes"}:
                self._require_hashes = option.name == "require-hashes"
            else:
                self._flags.add(option.name)

    def options(self) -> SourceOptions:
        """The combined options."""
        return SourceOptions(
            index_url=self._index_url,
            extra_index_urls=tuple(dict.fromkeys(self._extra_index_urls)),
            no_index="no-index" in self._flags,
            find_links=tuple(dict.fromkeys(self._find_links)),
            no_binary=tuple(self._choices.get("no-binary", ())),
            only_binary=tuple(self._choices.get("only-binary", ())),
            prefer_binary="prefer-binary" in self._flags,
            pre="pre" in self._flags,
            all_releases=tuple(self._choices.get("all-releases", ())),
            only_final=tuple(self._choices.get("only-final", ())),
            require_hashes=self._require_hashes,
            trusted_hosts=tuple(dict.fromkeys(self._trusted_hosts)),
        )

    def _add_index(self, option: GivenOption) -> None:
        """Add an index option. As in pip, `--no-index` is final, and `--index-url` replaces earlier indexes."""
        if option.name == "no-index":
            self._flags.add("no-index")
            self._index_url = None
            self._extra_index_urls.clear()
        elif "no-index" not in self._flags and option.name == "index-url":
            self._index_url = option.value
            self._extra_index_urls.clear()
        elif "no-index" not in self._flags:
            self._extra_index_urls.append(option.value)

    def _find_links_location(self, value: str, path_or_url: str) -> str:
        if is_url(value):
            return value
        neighbour = os.path.normpath(os.path.join(os.path.dirname(path_or_url), value))
        if self.surroundings.exists(neighbour):
            return neighbour
        return os.path.normpath(os.path.join(self.base, value))

    def _choose(self, option: GivenOption, location: str) -> None:
        """Add to a list of packages. `:all:` replaces it, `:none:` empties it, names move from the opposite list.

        For `--no-binary` and `--only-binary`, a name takes precedence over `:all:` in any order, as in uv. In pip, a
        later `:all:` drops the names of the opposite list.
        """
        if option.value.startswith("-"):
            message = f"`--{option.name}` needs a list of packages, not `{option.value}`"
            raise LocksetError("option-syntax", message, location=location)
        chosen = self._choices.setdefault(option.name, {})
        others = self._choices.setdefault(_OPPOSITES[option.name], {})
        words = [word.strip() for word in option.value.split(",") if word.strip()]
        keeps_names = option.name in _FILE_KINDS
        while ":all:" in words:
            kept = [name for name in others if keeps_names and name != ":all:"]
            others.clear()
            others.update(dict.fromkeys(kept))
            chosen.clear()
            chosen[":all:"] = None
            del words[: words.index(":all:") + 1]
            if ":none:" not in words:
                # Names add nothing to `:all:`.
                return
        for word in words:
            if word == ":none:":
                chosen.clear()
                continue
            package = canonicalize_name(word)
            others.pop(package, None)
            chosen[package] = None
