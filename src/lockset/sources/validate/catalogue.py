"""Every rule that a pyproject.toml, a script or a settings file is checked against."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.lockfile.validate.catalogue import RULES, rules_of
from lockset.lockfile.validate.json_report import REPORT_RULES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lockset.lockfile.validate.catalogue import Rule

__all__ = ["EVERY_RULE", "PROJECT_RULES", "REPORT_RULES"]

# Page and anchor of the specification, then its rules; `?` marks warnings, `-` rules of lockset's own.
_TABLE = """
pyproject-toml#pyproject-toml-spec
  toml-syntax: The file is TOML in UTF-8
  ? table-misspelt: No table has nearly the name of one that lockset reads
pyproject-toml#pyproject-project-table
  ? project-unknown-key: Every key of `[project]` is one that the specification defines
  project-type: Each value of `[project]` has the type that the specification gives it
  project-name-required: `name` is present
  project-name-valid: `name` is a valid project name
  ? project-version-required: `version` is present, or listed in `dynamic`
  project-version-valid: `version` is a valid version
  project-requires-python: `requires-python` is a version specifier
  project-dynamic: `dynamic` lists keys of `[project]` that are not given there
  extra-name-valid: Each extra has a valid name
  extra-duplicate: No two extras have the same normalized name
  ? unknown-extra: A requirement on the project itself names extras that it has
pyproject-toml#pyproject-build-system-table
  build-requires: `[build-system]` has `requires`, an array of strings
dependency-specifiers#dependency-specifiers
  requirement-syntax: Each requirement is a dependency specifier
dependency-groups#dependency-groups
  group-type: Groups are arrays of requirements and of tables `{ include-group = NAME }`
  group-name-valid: Each dependency group has a valid name
  group-duplicate: No two dependency groups have the same normalized name
  unknown-group: Each group that is included exists
  group-cycle: No dependency group includes itself, directly or through others
inline-script-metadata#inline-script-metadata
  script-metadata: A script has one metadata block of the type `script`
  ? script-unknown-key: The block has the keys `dependencies`, `requires-python` and `tool` only
-
  settings-unknown-key: Every key of `[tool.lockset]` is a setting
  settings-type: Each setting has the type that its schema gives it
  settings-value: The value of each setting has a meaning
  settings-name-unknown: Extras and dependency groups that settings name exist
  project-limit: Extras and dependency groups stay within what `lockset lock` follows
"""

# Id -> rule.
PROJECT_RULES: Mapping[str, Rule] = {rule.code: rule for rule in rules_of(_TABLE)}
# The rules of everything that `lockset validate` takes; `toml-syntax` is that of lock files.
EVERY_RULE: Mapping[str, Rule] = {**PROJECT_RULES, **REPORT_RULES, **RULES}
