"""Errors as values, which become text only in the command line (`lockset.cli.output.report`)."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Diagnostic", "LocksetError", "UsageError"]


class Diagnostic(NamedTuple):
    """What is wrong, where, and what to do.

    Attributes:
        code: Stable kebab-case id, such as `hash-mismatch`.
        message: One sentence without a full stop; names package, version and location if known. It may contain
            unescaped input: the command line escapes control characters and limits the length.
        location: File, file:line:column, URL (without credentials) or target, or None.
        context: Further details, one per line, shown below the message.
        hint: One sentence on what to do, or None.
    """

    code: str
    message: str
    location: str | None = None
    context: tuple[str, ...] = ()
    hint: str | None = None


class LocksetError(Exception):
    """An error that is reported to the user in one paragraph; the command ends with exit code 1."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        location: str | None = None,
        context: tuple[str, ...] = (),
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.diagnostic = Diagnostic(code=code, message=message, location=location, context=context, hint=hint)

    def render(self) -> str:
        """The error as the command line shows it, without colour: where, what, the facts, and what to do.

        Text from outside is in it as it came, except that credentials in addresses are masked and control characters
        are written out.
        """
        from lockset.url_secrets import plain  # only an error needs it

        one = self.diagnostic
        location = f"{plain(one.location)}: " if one.location else ""
        lines = [f"{location}error: {plain(one.message)}", *(f"  {plain(fact)}" for fact in one.context)]
        if one.hint:
            first, *more = plain(one.hint).split("\n")
            lines += [f"  hint: {first}", *(f"    {line}" for line in more)]
        return "\n".join(lines)


class UsageError(LocksetError):
    """The command line itself is wrong (contradictory options, unknown names of options); exit code 2."""
