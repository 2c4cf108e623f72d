"""Errors as values, which become text only in the command line (`lockset.cli.output.streams`)."""

from __future__ import annotations

from lockset._named_tuple import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "AdvisoryInvalidError",
    "BuildFailedError",
    "BuildNeededError",
    "CooldownSyntaxError",
    "Diagnostic",
    "DownloadFailedError",
    "DownloadTooLargeError",
    "ExcludeNewerSyntaxError",
    "FileMissingError",
    "FileNotRegularError",
    "GroupCycleError",
    "GroupDepthError",
    "GroupDuplicateError",
    "HashMismatchError",
    "HashMissingError",
    "IndexUnreachableError",
    "InvalidValueError",
    "KnownError",
    "LocksetError",
    "MarkerSyntaxError",
    "MetadataInvalidError",
    "OfflineError",
    "OsvAnswerError",
    "RangeRefusedError",
    "RequirementSyntaxError",
    "SourceNotSupportedError",
    "StoppedError",
    "TooManyFailedBuildsError",
    "UsageError",
    "WrongTypeError",
    "YamlSyntaxError",
]


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
    """An error that is reported to the user in one paragraph; the command ends with exit code 1.

    Attributes:
        diagnostic: What the user is shown.
        target_changed: Whether a sync has installed a part of what it was to install.
    """

    target_changed = False

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

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args, self.__dict__)

    def replaced(self, **changes: Any) -> LocksetError:
        """The same error with other parts of its diagnostic: `message`, `location`, `context` or `hint`."""
        error = type(self).__new__(type(self))
        error.__dict__.update(self.__dict__)
        error.diagnostic = self.diagnostic._replace(**changes)
        error.args = (error.diagnostic.message,)
        return error

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


def _restored(kind: type[LocksetError], args: tuple[Any, ...], state: dict[str, Any]) -> LocksetError:
    """A pickled error."""
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class UsageError(LocksetError):
    """The command line itself is wrong (contradictory options, unknown names of options); exit code 2."""


class KnownError(LocksetError):
    """An error that callers tell from others by its class, not by its code. Each subclass has one code."""

    code: str

    def __init__(
        self, message: str, *, location: str | None = None, context: tuple[str, ...] = (), hint: str | None = None
    ) -> None:
        super().__init__(self.code, message, location=location, context=context, hint=hint)


class OfflineError(KnownError):
    """The network is disabled, and the cache does not have what is needed."""

    code = "offline"


class IndexUnreachableError(KnownError):
    """The index cannot be reached."""

    code = "index-unreachable"


class DownloadFailedError(KnownError):
    """A file could not be downloaded."""

    code = "download-failed"


class DownloadTooLargeError(KnownError):
    """The server sent more bytes than the file has."""

    code = "download-too-large"


class RangeRefusedError(KnownError):
    """The server does not support requests for parts of a file."""

    code = "range-refused"


class FileMissingError(KnownError):
    """The server or folder does not have the file."""

    code = "file-not-found"


class FileNotRegularError(KnownError):
    """The path is not a regular file."""

    code = "file-not-regular"


class HashMismatchError(KnownError):
    """A file does not have the hash that was locked."""

    code = "hash-mismatch"


class HashMissingError(KnownError):
    """No strong hash is locked for the file."""

    code = "hash-missing"


class MetadataInvalidError(KnownError):
    """The metadata of a release cannot be read."""

    code = "metadata-invalid"


class NoResolutionError(KnownError):
    """Nothing meets all requirements together.

    Attributes:
        projects: Normalised names of the packages in conflict, whose other releases could end it.
    """

    code = "no-resolution"
    projects: tuple[str, ...] = ()


class RequirementSyntaxError(KnownError):
    """The text is not a valid requirement (dependency specifiers)."""

    code = "requirement-syntax"


class MarkerSyntaxError(KnownError):
    """The text is not a valid marker (dependency specifiers)."""

    code = "marker-syntax"


class AdvisoryInvalidError(KnownError):
    """A file is not a valid advisory (OSV schema)."""

    code = "advisory-invalid"


class OsvAnswerError(KnownError):
    """The response of a service does not follow OSV's API."""

    code = "osv-answer-invalid"


class YamlSyntaxError(KnownError):
    """The text is not YAML that is read here."""

    code = "yaml-syntax"


class BuildNeededError(KnownError):
    """The metadata can only be determined by a build, but builds are off."""

    code = "build-needed"


class BuildFailedError(KnownError):
    """The project could not be built."""

    code = "build-failed"


class BuildEnvironmentError(KnownError):
    """The environment for a build could not be created."""

    code = "build-environment"


class BuildNotLockedError(KnownError):
    """The requirements of a build are not locked, and have to be."""

    code = "build-not-locked"


class TooManyFailedBuildsError(KnownError):
    """Many releases of one project failed to build."""

    code = "too-many-failed-builds"


class SourceNotSupportedError(KnownError):
    """This kind of source cannot be locked."""

    code = "source-not-supported"


class StoppedError(KnownError):
    """A task was stopped because another one failed."""

    code = "stopped"


class ExcludeNewerSyntaxError(KnownError):
    """The value of `exclude-newer` is neither a time nor an age."""

    code = "exclude-newer-syntax"


class CooldownSyntaxError(KnownError):
    """The value is not a valid age."""

    code = "cooldown-syntax"


class GroupCycleError(KnownError):
    """Dependency groups include each other (PEP 735)."""

    code = "group-cycle"


class GroupDepthError(KnownError):
    """Dependency groups are nested too deeply."""

    code = "group-depth"


class GroupDuplicateError(KnownError):
    """Two dependency groups have the same normalized name (PEP 735)."""

    code = "group-duplicate"


class InvalidValueError(KnownError):
    """The value of a key has the right type, and is not valid."""

    code = "invalid-value"


class WrongTypeError(KnownError):
    """The value of a key has the wrong type."""

    code = "wrong-type"
