"""Which tests do not run under Windows, and why. The only such list: what is not in it runs there, and must pass.

`.ci/windows` runs Windows by Wine 8, which adds limits of its own to those of Windows. A key is a test file, or a file
and a test of it (all of its parameters, or the one in brackets).
"""

from __future__ import annotations

__all__ = ["reason_to_skip"]

_OPEN = "Windows neither moves nor removes a file that is open, which is what the test does"
_COMMANDS = "on Windows the command `run` is run.exe, and a script `run` another file"
_LINKS = "Wine makes no symbolic links that Windows would call such, and Windows wants a right for them"
_SHELL = "a script of the shell"
_MODES = "Windows has no modes that say who may do what"
_CASE = "the file system takes names that differ in case alone for one"
_FAKE = "the file system of the fake has the paths of POSIX; end-to-end tests do the same with real files"

_CANNOT: dict[str, str] = {
    "unit/files/test_sync_lock_file.py::test_a_removed_lock_file_is_not_held": _OPEN,
    "unit/sync/disk/test_sync_integrity.py::"
    "test_what_was_verified_is_what_is_read_whatever_takes_its_place_meanwhile": _OPEN,
    "unit/sync/test_sync_target.py::test_modes_are_ours": _MODES,
    "unit/sync/test_sync_target.py::test_a_managed_python_is_refused": _SHELL,
    "unit/sync/test_sync_target.py::test_a_virtual_environment_works": _SHELL,
    "unit/sync/test_sync_target.py::"
    "test_a_copy_of_a_dist_info_folder_lists_files_of_the_other_and_goes_with_it[SAMPLE-1.0.DIST-INFO]": _CASE,
    "unit/sync/test_sync_values.py::test_a_shim_is_queried_each_time": _SHELL,
    "unit/sync/test_sync_collisions.py::test_a_script_and_a_command_of_one_name_are_named": _COMMANDS,
    "unit/sync/test_sync_overlaps.py::test_commands_of_one_name_overlap_as_files_do": _COMMANDS,
    "unit/sources/requirements/test_requirements_txt.py::test_paths_and_urls_become_direct_references": _FAKE,
    "unit/sources/requirements/test_requirements_txt.py::"
    "test_errors_name_the_line[./unnamed-requirement-name-`./unnamed`]": _FAKE,
    "unit/sources/requirements/test_requirements_txt.py::test_errors_name_the_line"
    f"[-e ./unnamed#egg=x --hash=sha256:{'0123456789abcdef' * 4}-hash-of-editable-editable]": _FAKE,
    "unit/sources/requirements/test_requirements_txt.py::test_options_apply_to_the_whole_run_wherever_they_are": _FAKE,
    "unit/sources/requirements/test_requirements_txt.py::test_included_files_are_relative_to_the_including_file": _FAKE,
    "unit/sources/requirements/test_requirements_txt.py::"
    "test_a_file_that_includes_itself_is_refused_with_the_chain": _FAKE,
    "unit/sources/requirements/test_requirements_txt.py::test_a_file_included_twice_is_read_once": _FAKE,
    "unit/sources/requirements/test_requirements_txt.py::test_a_very_deep_chain_of_files_is_refused": _FAKE,
    "unit/sources/requirements/test_requirements_txt.py::"
    "test_what_pip_drops_silently_is_a_warning[-r b.txt -r c.txt-include-not-alone]": _FAKE,
    "unit/sources/requirements/test_requirements_txt.py::test_constraints_only_limit_versions": _FAKE,
    "unit/build/test_unpack.py::test_a_link_that_leaves_the_tree_is_refused_and_touches_nothing": _LINKS,
    "unit/build/test_unpack.py::test_links_inside_the_tree_are_kept": _LINKS,
    "unit/build/test_unpack.py::test_whatever_links_an_archive_has_none_ends_outside": _LINKS,
    "unit/build/test_unpack.py::test_modes_are_ours_but_for_the_executable_bit": _MODES,
}


def reason_to_skip(node: str) -> str | None:
    """Why the test with the id `node` (from the folder of tests) does not run under Windows; None where it does."""
    file, _, rest = node.partition("::")
    test = rest.partition("[")[0]
    return _CANNOT.get(file) or _CANNOT.get(f"{file}::{test}") or _CANNOT.get(node)
