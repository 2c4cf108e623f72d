"""Print facts about the running interpreter as one line of JSON after a marker, with the standard library of 3.8."""

# Runs on Python 3.8, outside of lockset: plain constructs, answers by print. A first sync waits for it, so that it
# imports little: neither `json` nor, on Linux, `platform`, which import `re` and take longer than all else.
# ruff: noqa: T201, UP032
from __future__ import annotations

import os
import struct
import sys
import sysconfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__: list[str] = []


def _markers() -> dict[str, str]:
    version = sys.implementation.version
    implementation_version = "{0.major}.{0.minor}.{0.micro}".format(version)
    if version.releaselevel != "final":
        implementation_version += version.releaselevel[0] + str(version.serial)
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": implementation_version,
        "os_name": os.name,
        "sys_platform": sys.platform,
        **(_of_linux() or _of_platform()),
    }


def _of_platform() -> dict[str, str]:
    import platform

    return {
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
    }


def _of_linux() -> dict[str, str] | None:
    """The same by what `platform` calls on Linux; None elsewhere, and if the interpreter's own start imported that."""
    full = sys.version.split()[0]
    usual = full.count(".") == 2 and full.replace(".", "").replace("+", "").isalnum()
    running = (sys.platform, sys.implementation.name)
    if running != ("linux", "cpython") or "platform" in sys.modules or not usual:
        return None
    system, _, release, version, machine = ("" if text == "unknown" else text for text in os.__dict__["uname"]())
    return {
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_release": release,
        "platform_system": system,
        "platform_version": version,
        "python_full_version": full,
        "python_version": full.rpartition(".")[0],
    }


def _normalized(text: str) -> str:
    return text.replace(".", "_").replace("-", "_").replace(" ", "_")


def _abis() -> list[str]:
    if sys.implementation.name == "cpython":
        nodot = "cp{}{}".format(*sys.version_info[:2])
        threads = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
        if sysconfig.get_config_var("Py_DEBUG") or hasattr(sys, "gettotalrefcount"):
            return [nodot + threads + "d", nodot + threads]
        return [nodot + threads]
    parts = (sysconfig.get_config_var("EXT_SUFFIX") or "").split(".")
    if len(parts) < 3 or not parts[1]:
        return []
    kept = {"pypy": 2, "graalpy": 3}.get(sys.implementation.name)
    return [_normalized("-".join(parts[1].split("-")[:kept]))]


def _elf() -> tuple[int, int, int, str] | None:
    """Header of the running executable: class, machine, flags, path of its loader."""
    with open(os.path.realpath(sys.executable), "rb") as file:
        head = file.read(64)
        if head[:4] != b"\x7fELF":
            return None
        order = "<" if head[5] == 1 else ">"
        wide = head[4] == 2
        machine = struct.unpack_from(order + "H", head, 18)[0]
        flags = struct.unpack_from(order + "I", head, 48 if wide else 36)[0]
        table = struct.unpack_from(order + ("Q" if wide else "I"), head, 32 if wide else 28)[0]
        size, count = struct.unpack_from(order + "HH", head, 54 if wide else 42)
        loader = ""
        for index in range(count):
            file.seek(table + size * index)
            entry = file.read(size)
            if struct.unpack_from(order + "I", entry)[0] == 3:
                offset = struct.unpack_from(order + ("Q" if wide else "I"), entry, 8 if wide else 4)[0]
                length = struct.unpack_from(order + ("Q" if wide else "I"), entry, 32 if wide else 16)[0]
                file.seek(offset)
                loader = os.fsdecode(file.read(length)).strip("\0")
    return head[4], machine, flags, loader


def _glibc() -> tuple[int, int] | None:
    try:
        name, version = (os.__dict__["confstr"]("CS_GNU_LIBC_VERSION") or "").split()
        major, minor = version.split(".")[:2]
        digits = "".join(c for c in minor.split("-")[0] if c.isdigit())
        return (int(major), int(digits)) if name == "glibc" else None
    except (KeyError, OSError, ValueError):
        return None


def _musl(loader: str) -> tuple[int, int] | None:
    if "musl" not in loader:
        return None
    import re
    import subprocess

    banner = subprocess.run([loader], stderr=subprocess.PIPE, check=False).stderr.decode("utf-8", "replace")
    match = re.search(r"^Version (\d+)\.(\d+)", banner, re.MULTILINE)
    return (int(match.group(1)), int(match.group(2))) if match else None


def _is_manylinux(major: int, minor: int, arch: str, module: object) -> bool:
    if module is None:
        return True
    if hasattr(module, "manylinux_compatible"):
        answer = module.manylinux_compatible(major, minor, arch)
        return True if answer is None else bool(answer)
    name = {(2, 5): "manylinux1", (2, 12): "manylinux2010", (2, 17): "manylinux2014"}.get((major, minor))
    return bool(getattr(module, name + "_compatible", True)) if name else True


def _manylinux(arch: str, elf: tuple[int, int, int, str] | None) -> Iterator[str]:
    """PEP 600 tags of the C library, newest first."""
    glibc = _glibc()
    hard_float = elf and elf[0] == 1 and elf[1] == 40 and elf[2] & 0xFF000400 == 0x05000400
    fits = {"armv7l": hard_float, "i686": elf and elf[0] == 1 and elf[1] == 3}.get(
        arch, arch in ("x86_64", "aarch64", "ppc64", "ppc64le", "s390x", "loongarch64", "riscv64")
    )
    if glibc is None or glibc[0] != 2 or not fits:
        return
    try:
        import _manylinux as module  # type: ignore[import-not-found]
    except ImportError:
        module = None
    oldest = 5 if arch in ("x86_64", "i686") else 17
    for minor in range(glibc[1], oldest - 1, -1):
        if _is_manylinux(2, minor, arch, module):
            yield "manylinux_2_{}_{}".format(minor, arch)
            legacy = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}.get(minor)
            if legacy:
                yield "{}_{}".format(legacy, arch)


def _platforms() -> list[str]:
    own = _normalized(sysconfig.get_platform())
    if not own.startswith("linux_"):
        return [own]
    narrow = struct.calcsize("P") == 4
    own = {"linux_x86_64": "linux_i686", "linux_aarch64": "linux_armv8l"}.get(own, own) if narrow else own
    arch = own[len("linux_") :]
    try:
        elf = _elf()
    except (OSError, IndexError, struct.error):
        elf = None
    archs = ["armv8l", "armv7l"] if arch == "armv8l" else [arch]
    platforms = ["linux_" + one for one in archs]
    for one in archs:
        platforms.extend(_manylinux(one, elf))
    musl = _musl(elf[3]) if elf else None
    if musl:
        platforms.extend(
            "musllinux_{}_{}_{}".format(musl[0], minor, one) for one in archs for minor in range(musl[1], -1, -1)
        )
    return platforms


def _mac() -> list[object] | None:
    system = sys.platform
    if system != "darwin":
        return None
    import platform

    version, _, machine = platform.mac_ver()
    if version.startswith("10.16"):
        # What macOS 11 and later say to a Python that was built for older ones.
        version = _without_compatibility() or version
    major, minor = (int(part) for part in (version + ".0").split(".")[:2])
    return [major, minor, machine]


def _without_compatibility() -> str:
    import subprocess

    code = "import platform; print(platform.mac_ver()[0])"
    env = {"SYSTEM_VERSION_COMPAT": "0"}
    done = subprocess.run([sys.executable, "-sS", "-c", code], env=env, stdout=subprocess.PIPE, check=False)
    return done.stdout.decode("ascii", "replace").strip()


def _base_prefix() -> str:
    return str(getattr(sys, "real_prefix", sys.base_prefix))  # the former is from virtualenv before version 20


def _is_relocatable() -> bool:
    """Whether the virtual environment is one that may be moved, as `uv venv --relocatable` notes."""
    try:
        with open(os.path.join(sys.prefix, "pyvenv.cfg"), encoding="utf-8", errors="replace") as file:
            return any(line.lower().replace(" ", "").strip() == "relocatable=true" for line in file)
    except OSError:
        return False


def _managed() -> str | None:
    """Text of EXTERNALLY-MANAGED (PEP 668), which does not apply in virtual environments."""
    if sys.prefix != _base_prefix():
        return None
    path = _marker_file()
    if not os.path.isfile(path):
        return None
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(4000)
    except OSError:
        return ""  # present, but not readable


def _marker_file() -> str:
    return os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")


def _running() -> str:
    """The executable of this process, which differs from the one that was called if that was a shim."""
    try:
        return os.readlink("/proc/self/exe")
    except OSError:
        return os.path.realpath(sys.executable)


def _libraries() -> list[str]:
    """The loaded files of the C library, its loader and libpython, where the system reports them."""
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as file:
            paths = {line.split(None, 5)[5].rstrip("\n") for line in file if line.count("/") > 1}
    except (OSError, IndexError):
        return []
    return sorted(path for path in paths if os.path.basename(path).startswith(("libpython", "libc.", "libc-", "ld-")))


def _stamp(path: str) -> list[int] | None:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _watched() -> list[tuple[str, list[int] | None]]:
    """Files and folders whose content or existence decides the answer, with their stamps."""
    stdlib = sysconfig.get_path("stdlib")
    paths = [stdlib, os.path.join(stdlib, "os.py"), _marker_file(), *_libraries()]
    # Modules that change the answer, in every folder where the interpreter would import them from.
    paths += [os.path.join(folder, name) for folder in sys.path for name in ("_manylinux.py", "sitecustomize.py")]
    return [(path, _stamp(path)) for path in paths]


def _launcher() -> str:
    if os.name != "nt":
        return "posix"
    machine = sysconfig.get_platform()
    return {"win-amd64": "win-amd64", "win-arm64": "win-arm64", "win-arm32": "win-arm"}.get(machine, "win-ia32")


def _facts() -> dict[str, object]:
    watched = _watched()  # first, so that a change meanwhile is noticed the next time
    paths = sysconfig.get_paths()
    headers = paths["include"]
    if sys.prefix != _base_prefix():
        # A virtual environment must not change the headers of its base.
        headers = os.path.join(sys.prefix, "include", "site", "python{}.{}".format(*sys.version_info[:2]))
    return {
        "version": list(sys.version_info[:2]),
        "implementation": sys.implementation.name,
        "markers": _markers(),
        "abis": _abis(),
        "platforms": _platforms(),
        "mac": _mac(),
        "paths": {key: paths[key] for key in ("purelib", "platlib", "scripts", "data", "stdlib")},
        "headers": headers,
        "prefix": sys.prefix,
        "base_prefix": _base_prefix(),
        "relocatable": _is_relocatable(),
        "managed": _managed(),
        "launcher": _launcher(),
        "running": _running(),
        "watched": watched,
    }


def _json(value: object) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, dict):
        return "{" + ", ".join(_json(key) + ": " + _json(each) for key, each in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_json, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def _quoted(text: str) -> str:
    try:
        from _json import encode_basestring_ascii as quote  # what `json` calls
    except ImportError:
        from json import dumps as quote
    return str(quote(text))


# Variables that could change the answer and that `-I` does not ignore.
for _name in [name for name in os.environ if name.startswith(("_PYTHON", "DEB_PYTHON"))]:
    del os.environ[_name]
print("\nlockset-facts:" + _json(_facts()))
