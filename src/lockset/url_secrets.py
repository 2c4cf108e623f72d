"""Find secrets in URLs, and remove or mask them."""

from __future__ import annotations

from lockset._pattern import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

__all__ = ["has_secret", "masked", "plain", "plain_url", "without_secrets"]

# User info before the host. It ends at the last `@` before the path, since a user name may contain one. A password may
# have an unescaped slash; digits before a slash are a port. The lengths are limited, here and below, so that the time
# is linear in the length of a text. In a string in double quotes the address ends at the closing one.
_ANYWHERE = lazy_pattern(r"(?:[^/\s]*|[^/\s@:]{1,200}:(?!\d+[/\s])[^\s@]{0,200})@")
_IN_QUOTES = lazy_pattern(r'(?:(?:[^/\s"\\]|\\.)*|[^/\s"@:]{1,200}:(?!\d+[/\s])[^\s"@]{0,200})@')
_QUOTED_SCHEME = lazy_pattern(r'"[A-Za-z][A-Za-z0-9+.-]{0,30}\Z')
# The user of an SSH address, and the user `git`, are not secret without a password.
_NAME_ALONE = lazy_pattern(r"[^:]*\Z")
_PLACEHOLDER = lazy_pattern(r"\$\{\w+\}(?::\$\{\w+\})?\Z|[^:${}]*:\$\{\w+\}\Z")
# Parameters whose values are secrets, in the query or the fragment of a URL.
_PARAMETERS = (
    r"(?:[\w.-]{0,40}(?:token|passw(?:or)?d|passphrase|secret|api[_-]?key|access[_-]?key|signature|credential)[\w.-]{0,40}"
    r"|sig|key|pwd|auth|authorization|jwt|pat|pass|sessionid)"
)
# A quote is a part of a value, not its end, if something follows that does not follow an address in quotes.
_VALUE = r"""(?:[^&#;\s"`\\]|\\(?!["`])|\\?["`]+(?=[\w%+/=~!$*@?(-]|\.\w))+"""
_PARAMETER = lazy_pattern(rf"(?i)(?P<before>[?&#;]{_PARAMETERS}=)(?P<value>{_VALUE})")
_VARIABLE = lazy_pattern(r"\$\{\w+\}\Z")
_MASK = "****"
# Longest text from outside that a message shows; what is beyond is cut.
_LONGEST = 2000
_LONG_WORD = lazy_pattern(r"(\S{300})\S{300,}(\S{20})")


def _user_infos(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of the user info of each address in `text` that has a secret there; the `@` comes after it."""
    start = text.find("://")
    while start >= 0:
        after = start + 3
        quoted = _QUOTED_SCHEME.search(text[max(0, start - 32) : start]) is not None
        match = (_IN_QUOTES if quoted else _ANYWHERE).match(text, after)
        if match is not None:
            if _is_secret_info(text[max(0, start - 3) : start], text[after : match.end() - 1]):
                yield after, match.end() - 1
            after = match.end()
        start = text.find("://", after)


def _is_secret_info(scheme: str, info: str) -> bool:
    if not info.strip("*") or _PLACEHOLDER.match(info):
        return False
    is_name = _NAME_ALONE.match(info) is not None
    return not (is_name and (info == "git" or scheme.lower().endswith("ssh")))


def _replace(text: str, *, info: str | None, value: str | None) -> str:
    """`text` with user info and values of secret parameters replaced; None for asterisks of the same length."""

    def of_value(match: re.Match[str]) -> str:
        if _VARIABLE.match(match["value"]) or not match["value"].strip("*"):
            return match[0]
        return match["before"] + (value if value is not None else "*" * len(match["value"]))

    if "@" in text:
        text = _without_user_info(text, info)
    return _PARAMETER.sub(of_value, text) if "=" in text else text


def _without_user_info(text: str, shown: str | None) -> str:
    """`text` with secret user info, and its `@`, replaced by `shown`; None for asterisks of the same length."""
    parts, position = [], 0
    for start, end in _user_infos(text):
        parts += [text[position:start], "*" * (end - start) + "@" if shown is None else shown]
        position = end + 1
    return "".join(parts) + text[position:]


def without_secrets(text: str) -> str:
    """`text` for messages, with user info and values of secret parameters of its URLs masked."""
    return _replace(text, info=f"{_MASK}@", value=_MASK) if "://" in text else text


def masked(text: str) -> str:
    """`text` with every character of a secret replaced by an asterisk, so that offsets do not change."""
    return _replace(text, info=None, value=None) if "://" in text else text


def has_secret(text: str) -> bool:
    """Whether a URL in `text` has secret user info or a secret parameter; `${NAME}` is not secret."""
    return masked(text) != text


def plain_url(url: str) -> str:
    """`url` without user info; the user of an SSH address is kept without a password, as are query and fragment."""
    from urllib.parse import urlsplit  # most runs show no URL

    try:
        parts = urlsplit(url)
    except ValueError:
        return without_secrets(url)
    info, at, host = parts.netloc.rpartition("@")
    if not at:  # there may still be a password with an unescaped slash
        return _without_user_info(url, "")
    if not _is_secret_info(parts.scheme, info):
        return url
    user = info.partition(":")[0]
    kept = f"{user}@{host}" if parts.scheme.lower().endswith("ssh") and user else host
    return parts._replace(netloc=kept).geturl()


def plain(text: str) -> str:
    """`text` without what a terminal would act on, and without secrets: whoever repeats an address may show it so.

    Control characters are written out, length is bounded.
    """
    text = without_secrets(text).replace("://****@", "://")
    if text.isprintable() and len(text) <= _LONGEST:
        return text
    shown = "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
    if len(shown) > _LONGEST:  # the end says what is wrong with a very long word
        shown = _LONG_WORD.sub(r"\1…\2", shown)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
