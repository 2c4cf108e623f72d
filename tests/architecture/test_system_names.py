"""Names that some operating systems lack are used in two modules, which say what happens without them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import lockset

ROOT = Path(lockset.__file__).parent
ALLOWED = {ROOT / "files" / "system.py", ROOT / "files" / "copies.py"}
# Runs alone in the interpreter that is asked, which may be any.
ALONE = ROOT / "sync" / "disk" / "inspect" / "interpreter_script.py"
NAMES = {
    "os": {
        "O_BINARY", "O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_NOINHERIT", "chown", "confstr", "copy_file_range",
        "fchdir", "fchmod", "fchown", "fork", "getegid", "geteuid", "getgid", "getuid", "kill", "killpg", "lchown",
        "mkfifo", "setsid", "sysconf", "uname", "waitpid",
    },
    "select": {"epoll", "kqueue", "poll"},
    "selectors": {"EpollSelector", "KqueueSelector", "PollSelector"},
    "signal": {"SIGALRM", "SIGHUP", "SIGKILL", "alarm", "pthread_sigmask", "setitimer"},
    "mmap": {"MADV_DONTNEED", "MAP_PRIVATE", "PROT_READ"},
}  # fmt: skip
MODULES = {"fcntl", "grp", "msvcrt", "pty", "pwd", "resource", "termios", "tty", "winreg"}


def used(source: str) -> set[str]:
    """The names in `source` that some systems lack, also as texts of `getattr` and `hasattr`."""
    results: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.attr in NAMES.get(node.value.id, ()):
                results.add(f"{node.value.id}.{node.attr}")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"getattr", "hasattr"}:
            results |= {
                text.value for text in node.args if isinstance(text, ast.Constant) and text.value in NAMES["os"]
            }
        elif isinstance(node, ast.Import):
            results |= {alias.name for alias in node.names if alias.name in MODULES}
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES | NAMES.keys():
            names = {alias.name for alias in node.names}
            results |= {node.module} if node.module in MODULES else names & NAMES[node.module]
    return results


def test_names_that_some_systems_lack_are_used_in_two_modules() -> None:
    locations = (path for path in sorted(ROOT.rglob("*.py")) if path not in ALLOWED | {ALONE})
    offenders = {str(path.relative_to(ROOT)): names for path in locations if (names := used(path.read_text("utf-8")))}
    assert offenders == {}


@pytest.mark.parametrize(
    "source",
    ["import fcntl", "from os import fork", "import os\nos.getuid()", "import os\nf = getattr(os, 'O_NONBLOCK', 0)"],
)
def test_such_names_are_seen(source: str) -> None:
    assert used(source)
