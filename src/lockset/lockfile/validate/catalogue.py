"""The catalogue of validation rules: id, severity, section of the specification (PEP 751), summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.lockfile.validate.finding import Issue, path_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lockset.lockfile.validate.finding import Finding, Severity
    from lockset.spans import Span

__all__ = ["RULES", "Rule", "rules_of"]

_SPECIFICATIONS = "https://packaging.python.org/en/latest/specifications"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One validation rule.

    Attributes:
        code: Id of the rule.
        severity: Severity of its findings.
        section: Anchor in the specification; empty for lockset's own rules.
        summary: What holds in a valid file, one sentence without a full stop.
        specification: Page of the specification.
    """

    code: str
    severity: Severity
    section: str
    summary: str
    specification: str = "pylock-toml"

    @property
    def url(self) -> str:
        """Address of the section of the specification; empty for lockset's own rules."""
        return f"{_SPECIFICATIONS}/{self.specification}/#{self.section}" if self.section else ""

    def issue(self, finding: Finding, span: Span, position: tuple[int, int]) -> Issue:
        """The issue of a finding of this rule; `position` are the line and column of `span`."""
        line, column = position
        return Issue(
            code=self.code,
            severity=self.severity,
            message=finding.message,
            path=path_text(finding.path),
            span=span,
            line=line,
            column=column,
            section=self.section,
            hint=finding.hint,
        )


# Section of the specification (after `pylock-`), then its rules: id and summary. `?` marks warnings.
_TABLE = """
file-name
  toml-syntax: The file is TOML 1.0 in UTF-8
  file-name: The file is named `pylock.toml` or `pylock.NAME.toml`
  file-name-lowercase: `pylock.` and `.toml` in the file name are lower case
  ? packages-unsorted: Packages are sorted by name and version, wheels by file name, extras and groups by name
  ? unknown-key: Every key is defined by the specification
lock-version
  lock-version-required: `lock-version` is present
  lock-version-type: `lock-version` is a string
  lock-version-value: `lock-version` has the form MAJOR.MINOR
  lock-version-major: The major version is 1
  ? lock-version-minor: The minor version is supported by lockset
environments
  environments-type: `environments` is an array
  environments-item-type: `environments` contains only strings
  environments-marker-syntax: Each environment is a valid marker
  environments-marker-variable: No environment uses `extra`, `extras` or `dependency_groups`
  ? environments-empty: `environments` has at least one environment
  ? environment-overlap: No two environments overlap
  ? environment-unreachable: Each environment matches some interpreter
  ? environment-uncovered: A required package has an entry for every environment
requires-python
  requires-python-type: `requires-python` is a string
  requires-python-specifier: `requires-python` is a valid version specifier
  ? requires-python-empty: Some Python version satisfies `requires-python`
extras
  extras-type: `extras` is an array
  extras-item-type: `extras` contains only strings
  extras-name-valid: Each extra has a valid name
  extras-name-normalized: Each extra is normalized
  ? name-duplicate: No extra and no dependency group is listed twice
dependency-groups
  dependency-groups-type: `dependency-groups` is an array
  dependency-groups-item-type: `dependency-groups` contains only strings
  dependency-groups-name-valid: Each dependency group has a valid name
default-groups
  default-groups-type: `default-groups` is an array
  default-groups-item-type: `default-groups` contains only strings
  default-groups-name-valid: Each default group has a valid name
  ? default-group-public: No default group is also listed in `dependency-groups`
  ? default-group-unused: Each default group is used in a marker
created-by
  created-by-required: `created-by` is present
  created-by-type: `created-by` is a string
  ? created-by-empty: `created-by` is not empty
  ? created-by-normalized: `created-by` is a normalized package name
tool
  tool-type: `tool` is a table
  ? tool-entry-type: `tool` contains only tables, one per tool
packages
  packages-required: `packages` is present
  packages-type: `packages` is an array
  packages-item-type: `packages` contains only tables
  packages-narrow-to-one: For any installation at most one entry of a name applies
  package-source-required: Each package has a source: vcs, directory, archive, sdist or wheels
  package-source-conflict: Each package has only one of vcs, directory, archive, and sdist with wheels
  ? duplicate-overlap: No two entries of a name apply in the same environment
  ? no-file-for-environment: Each entry has a file for every environment in which it applies
  ? wheel-outside-environments: Each wheel fits one of the environments
  ? wheel-outside-requires-python: Each wheel fits a Python that `requires-python` allows
  ? duplicate-file: No file is listed twice, and no two files share a hash
packages-name
  package-name-required: `name` is present
  package-name-type: `name` is a string
  package-name-valid: `name` is a valid project name
  package-name-normalized: `name` is normalized
packages-version
  package-version-type: `version` is a string
  package-version-valid: `version` is a valid version
  package-version-source-tree: `version` is omitted for source trees (vcs, directory)
  ? package-version-recommended: `version` is given for sdists and wheels
packages-marker
  package-marker-type: `marker` is a string
  package-marker-syntax: `marker` is a valid marker
  package-marker-extra: No marker uses `extra`
  marker-set-operator: `extras` and `dependency_groups` are only used on the right of `in` or `not in`
  ? package-unreachable: Each marker is true in some environment
  ? marker-undeclared-extra: Markers only use extras that the file declares
  ? marker-undeclared-group: Markers only use dependency groups and default groups that the file declares
  ? marker-constant: A marker compares a variable with a literal
  ? marker-version-value: A version variable is compared with a version
  ? marker-string-order: A string variable is compared for equality or with `in`
packages-requires-python
  package-requires-python-type: `requires-python` is a string
  package-requires-python-specifier: `requires-python` is a valid version specifier
  ? requires-python-contradiction: A package supports every Python that its entry applies to
packages-dependencies
  dependencies-type: `dependencies` is an array
  dependencies-item-type: `dependencies` contains only tables
  ? dependency-unresolved: Each dependency is an entry of `packages`
  ? dependency-ambiguous: Each dependency identifies exactly one entry
  ? dependency-self: No package depends on itself
packages-index
  package-index-type: `index` is a string
  package-index-url: `index` is an absolute URL
packages-attestation-identities
  attestation-identities-type: `attestation-identities` is an array
  attestation-identities-item-type: `attestation-identities` contains only tables
  attestation-kind-required: Each identity has a `kind`
  attestation-kind-type: `kind` is a string
  ? attestation-kind-unknown: `kind` is a kind of publisher that package indexes know
  ? attestation-keys: An identity has the keys of its kind, and their values are strings
packages-tool
  package-tool-type: `tool` is a table
packages-vcs
  vcs-table-type: `vcs` is a table
  vcs-type-required: `type` is present
  vcs-type-type: `type` is a string
  vcs-url-or-path: There is a `url` or a `path`
  vcs-url-type: `url` is a string
  vcs-url-valid: `url` is an absolute URL
  vcs-url-prefix: `url` has no prefix such as `git+`
  vcs-path-type: `path` is a string
  vcs-requested-revision-type: `requested-revision` is a string
  vcs-commit-id-required: `commit-id` is present
  vcs-commit-id-type: `commit-id` is a string
  vcs-commit-id-immutable: `commit-id` is a full commit hash, for systems that have them
  vcs-subdirectory-type: `subdirectory` is a string
  ? vcs-type-unregistered: `type` is git, hg, bzr or svn
packages-vcs-subdirectory
  subdirectory-relative: `subdirectory` is relative
  subdirectory-escapes: `subdirectory` stays inside the source tree
packages-directory
  directory-table-type: `directory` is a table
  directory-path-required: `path` is present
  directory-path-type: `path` is a string
  directory-editable-type: `editable` is a boolean
  directory-subdirectory-type: `subdirectory` is a string
packages-archive
  archive-table-type: `archive` is a table
  archive-subdirectory-type: `subdirectory` is a string
packages-archive-url
  ? url-insecure: No URL uses an insecure scheme
  ? url-credentials: No URL contains a password or token
packages-archive-path
  ? path-absolute: Paths are relative
  ? path-escapes: Paths stay inside the folder of the lock file
  ? path-not-posix: Paths are written with `/`
  ? path-and-url-differ: `path` and `url` end in the same file name
packages-archive-size
  ? size-range: A size is above zero and below 2**63
packages-archive-upload-time
  ? upload-time-future: No upload time is in the future
  ? upload-time-naive: An upload time has a time zone
packages-archive-hashes
  hash-algorithm-unknown: At least one hash has a known algorithm
  hash-value-length: A hash has the length of its algorithm
  hash-value-hex: A hash is hexadecimal
  ? hash-algorithm-case: Names of hash algorithms are lower case
  ? hash-weak: At least one hash has a strong algorithm
packages-sdist
  sdist-table-type: `sdist` is a table
packages-sdist-name
  sdist-file-name: The file name is a valid sdist file name
  ? sdist-legacy-format: An sdist is a `.tar.gz`
packages-wheels
  wheels-type: `wheels` is an array
  wheels-item-type: `wheels` contains only tables
packages-wheels-name
  wheel-file-name: The file name is a valid wheel file name
  ? file-name-mismatch: `path` and `url` end in `name`
"""

_OF_FILES = """
-url
  url-or-path: There is a `url` or a `path`
  url-type: `url` is a string
  url-valid: `url` is an absolute URL
-path
  path-type: `path` is a string
-size
  size-type: `size` is an integer
-upload-time
  upload-time-type: `upload-time` is a datetime
  upload-time-utc: `upload-time` is in UTC
-hashes
  hashes-required: `hashes` is present
  hashes-type: `hashes` is a table
  hashes-empty: `hashes` has at least one entry
  hash-value-type: Values of `hashes` are strings
"""

_OF_DISTRIBUTIONS = """
-name
  name-type: `name` is a string
  name-required: The file name is given by `name`, or is the last component of `path` or `url`
  name-matches-package: The file name has the name of the package
  version-matches-package: The file name has the version of the package
"""


def rules_of(table: str, *, prefix: str = "", section_prefix: str = "pylock-") -> Iterator[Rule]:
    """The rules of a text: lines with a section, each followed by indented lines `CODE: SUMMARY`, `?` for a warning.

    A section is an anchor of the specification of lock files, or `PAGE#ANCHOR`, or `-` for none.
    """
    section, page = "", "pylock-toml"
    for line in table.strip("\n").splitlines():
        if not line.startswith(" "):
            page, _, section = line.rpartition("#") if "#" in line else ("pylock-toml", "", section_prefix + line)
            section = "" if line == "-" else section
            continue
        code, summary = line.strip().removeprefix("? ").split(": ", 1)
        severity: Severity = "warning" if line.strip().startswith("?") else "error"
        yield Rule(code=prefix + code, severity=severity, section=section, summary=summary, specification=page)


def _all_rules() -> Iterator[Rule]:
    yield from rules_of(_TABLE)
    for file, key in (("archive", "archive"), ("sdist", "sdist"), ("wheel", "wheels")):
        yield from rules_of(_OF_FILES, prefix=f"{file}-", section_prefix=f"pylock-packages-{key}")
        if file != "archive":
            yield from rules_of(_OF_DISTRIBUTIONS, prefix=f"{file}-", section_prefix=f"pylock-packages-{key}")


# Id -> rule.
RULES: Mapping[str, Rule] = {rule.code: rule for rule in _all_rules()}
