"""The lines of a requirements file: decoded, joined, split into a requirement and options; and how options combine."""

from __future__ import annotations

import codecs
import os.path
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass, field, replace
from lockset._pattern import lazy_pattern
from lockset.errors import LocksetError
from lockset.package_names import canonicalize_name
from lockset.sources.project import SourceOptions
from lockset.sources.requirements.requirement_line import is_url
from lockset.sources.toml_table import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lockset.sources.requirements.requirement_line import ReferencedFiles

__all__ = [
    "GivenOption",
    "LogicalLine",
    "OptionSum",
    "decode_requirements",
    "logical_lines",
    "split_line",
    "with_names",
]

# UTF-32 before UTF-16, since its mark begins with that of UTF-16.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CODING = lazy_pattern(rb"coding[:=]\s*([-\w.]+)")
_COMMENT_LINE = lazy_pattern(r"\s*#")
_COMMENT = lazy_pattern(r"(^|\s)#.*")
_VARIABLE = lazy_pattern(r"\$\{([A-Z0-9_]+)\}")
# Shorter values are not secrets, and occur in many words.
_SHORTEST = 4
_UNDECODED = lazy_pattern("[\udc80-\udcff]")
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
class LogicalLine:
    """One logical line. It is not empty, and has no blanks around it.

    Attributes:
        number: Number of its first physical line.
        text: The line with variables replaced by their values.
        written: The line as written, with the names of variables.
        values: The replaced variables: `${NAME}` and value.
    """

    number: int
    text: str
    written: str
    values: tuple[tuple[str, str], ...] = ()


def decode_requirements(data: bytes, *, location: str) -> str:
    """Decode a file by its byte order mark, else by a `coding:` comment in the first two lines, else as UTF-8.

    Invalid bytes become lone surrogates, which `logical_lines` refuses outside comments.

    Raises:
        LocksetError: `encoding` if a named encoding is unknown or the file is not valid in it.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _decode_as(data[len(mark) :], encoding, location)
    for line in data.split(b"\n", 2)[:2]:
        named = _CODING.search(line) if line.startswith(b"#") else None
        if named:
            return _decode_as(data, named[1].decode("ascii", "replace"), location)
    return data.decode("utf-8", "surrogateescape")


def logical_lines(text: str, *, environ: Mapping[str, str], location: str) -> Iterator[LogicalLine]:
    """The logical lines, with the steps in pip's order: join, strip comments, replace variables.

    A variable that is not set or empty in `environ` stays as written.

    Raises:
        LocksetError: `encoding` if a line has bytes that could not be decoded.
    """
    for number, joined in _join_continued(enumerate(text.splitlines(), start=1)):
        line = _without_comment(joined).strip()
        if not line:
            continue
        if _UNDECODED.search(line):
            raise LocksetError(
                "encoding",
                "The line is not UTF-8",
                location=f"{location}:{number}",
                hint="Save the file as UTF-8, or name its encoding in the first line: `# -*- coding: NAME -*-`",
            )
        values = {match[0]: value for match in _VARIABLE.finditer(line) if (value := environ.get(match[1]))}
        text = _with_values(line, values)
        yield LogicalLine(number=number, text=text, written=line, values=tuple(values.items()))


def _with_values(line: str, values: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: values.get(match[0], match[0]), line)


def with_names(text: str, values: tuple[tuple[str, str], ...]) -> str:
    """Replace the values of variables by their names, for messages. A value may be a secret."""
    for name, value in values:
        if len(value) >= _SHORTEST:
            text = text.replace(value, name).replace(value.lower(), name)
    return text


def _decode_as(data: bytes, encoding: str, location: str) -> str:
    try:
        # `bytes.decode` refuses codecs that are not text encodings, such as `zip` and `hex`.
        return data.decode(encoding)
    except (LookupError, ValueError) as error:  # UnicodeDecodeError is a ValueError
        raise LocksetError(
            "encoding", f"The file cannot be decoded as {encoding}: {error}", location=location
        ) from error


def _join_continued(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Join lines that end in a backslash with the next one. A comment line ends the joining, even with a backslash."""
    first = 0
    parts: list[str] = []
    for number, line in lines:
        is_comment = _COMMENT_LINE.match(line) is not None
        if not parts:
            first = number
        if line.endswith("\\") and not is_comment:
            parts.append(line.strip("\\"))
            continue
        # The blank keeps the comment recognizable after joining.
        parts.append(f" {line}" if is_comment else line)
        yield first, "".join(parts)
        parts = []
    if parts:  # the last line ends in a backslash
        yield first, "".join(parts)


def _without_comment(line: str) -> str:
    return _COMMENT.sub("", line, count=1) if "#" in line else line


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
    if not written:
        return requirement, ()
    import shlex  # few lines have options

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
