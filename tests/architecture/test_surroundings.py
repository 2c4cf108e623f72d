"""What surrounds the process is read and written in few modules: the environment, the clock, the standard streams.

All others get values: the same arguments give the same result.
"""

from __future__ import annotations

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "lockset"
NAMES = {
    ("os", "environ"): "environment",
    ("os", "getenv"): "environment",
    ("time", "time"): "clock",
    ("datetime", "now"): "clock",
    ("sys", "stdout"): "streams",
    ("sys", "stderr"): "streams",
}
PROCESSES = {
    *(("subprocess", name) for name in ("run", "Popen", "call", "check_call", "check_output")),
    *(("os", name) for name in ("fork", "system", "popen", "spawnv", "execv")),
}
# The command line passes variables and the time on as values; a library call passes them in a `RunContext`.
DOORS = {
    "api/validate.py": {"clock"},
    "cli/commands/lock.py": {"clock"},
    "cli/fast_path/lock.py": {"clock"},
    "cli/fast_path/save_lock.py": {"environment"},
    "cli/fast_path/save_sync.py": {"environment"},
    "cli/main.py": {"environment", "streams"},
    "cli/options/common.py": {"environment"},
    "cli/options/lock_options.py": {"environment"},
    "cli/options/pythons.py": {"environment"},
    "cli/options/variables.py": {"environment"},
    "cli/output/help/help_text.py": {"streams"},
    "cli/output/machine_screen.py": {"streams"},
    "cli/output/streams.py": {"streams"},
    "cli/program.py": {"environment", "streams"},
    "composition/connections.py": {"clock"},
    "composition/conversions/export.py": {"clock"},
    "composition/lock_pipeline.py": {"clock", "environment"},
    "composition/sync_ports.py": {"clock"},
    "composition/run_context.py": {"clock", "environment"},
    # Child processes inherit the environment: git, build backends, interpreters.
    "build/git.py": {"environment"},
    "build/hooks.py": {"environment"},
    "composition/builds/environments.py": {"environment"},
    "composition/conversions/live_remote.py": {"environment"},
    "sync/disk/inspect/interpreter_script.py": {"environment"},
    # When an entry of the cache was used last has no effect on a result.
    "files/last_use.py": {"clock"},
    # Credentials, proxies and certificates.
    "index/http/auth.py": {"environment"},
}


def test_only_the_doors_touch_the_environment_the_clock_and_the_streams() -> None:
    used: dict[str, set[str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                kind = NAMES.get((node.value.id, node.attr))
                if kind is not None:
                    used.setdefault(path.relative_to(SOURCE).as_posix(), set()).add(kind)
            elif isinstance(node, ast.ImportFrom) and {(node.module, alias.name) for alias in node.names} & set(NAMES):
                used.setdefault(path.relative_to(SOURCE).as_posix(), set()).add("import")
    assert used == DOORS


def test_few_modules_start_processes() -> None:
    """Their commands are fixed: what comes from outside is an argument behind `--`, or was checked."""
    starting = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in PROCESSES
    }
    assert starting == {
        "build/environment.py",
        "build/git.py",
        "build/hooks.py",
        "composition/builds/environments.py",
        "composition/builds/present_environment.py",
        "composition/torch_indexes.py",
        "files/copies.py",
        "files/system.py",
        "index/http/auth.py",
        "sync/disk/apply/installer.py",
        "sync/disk/create_environment.py",
        "sync/disk/inspect/interpreter.py",
        "sync/disk/inspect/interpreter_script.py",
    }
