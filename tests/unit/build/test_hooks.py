"""Build backends are called in their own environment, announced, and their failures told with what they printed."""

from __future__ import annotations

import io
import signal
import threading
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lockset.build.hooks import BuildSystem, HookBuilder, read_build_system
from lockset.errors import LocksetError
from lockset.progress import NullListener
from support.builders.sdist import make_sdist
from support.fakes.fake_environment import BareEnvironmentMaker

if TYPE_CHECKING:
    from support.builders.archives import Artifact


class Notes(NullListener):
    """Keeps what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)


def metadata_of(sdist: Artifact, environments: BareEnvironmentMaker | None = None, notes: Notes | None = None) -> bytes:
    builder = HookBuilder(environments or BareEnvironmentMaker(), listener=notes)
    return builder.archive_metadata(io.BytesIO(sdist.content), sdist.filename)


def test_the_metadata_a_build_would_give() -> None:
    notes = Notes()
    result = metadata_of(make_sdist(requires_dist=["a>=1"], dynamic=["Requires-Dist"]), notes=notes)
    assert b"Requires-Dist: a>=1" in result
    assert notes.said == ["Building sample-1.0.tar.gz to obtain its metadata: this runs code from the package"]


def test_build_requirements_go_to_the_environment() -> None:
    environments = BareEnvironmentMaker()
    metadata_of(make_sdist(build_requires=["hatchling>=1"]), environments)
    assert environments.wanted == ["hatchling>=1"]


def test_a_wheel_is_built(tmp_path: Path) -> None:
    sdist = make_sdist(requires_dist=["a>=1"])
    builder = HookBuilder(BareEnvironmentMaker())
    wheel = builder.archive_wheel(io.BytesIO(sdist.content), sdist.filename, tmp_path)
    assert wheel.parent == tmp_path
    assert wheel.name == "sample-1.0-py3-none-any.whl"
    assert wheel.is_file()


@pytest.mark.parametrize("hook", ["prepare_metadata_for_build_wheel", "get_requires_for_build_wheel"])
def test_a_failing_build_shows_what_it_printed(hook: str) -> None:
    with pytest.raises(LocksetError) as caught:
        metadata_of(make_sdist(fails={hook: "no compiler here"}))
    assert caught.value.diagnostic.code == "build-failed"
    assert any("no compiler here" in line for line in caught.value.diagnostic.context)


def backend_of(source: str) -> Artifact:
    pyproject = '[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["."]\n'
    return make_sdist(more={"pyproject.toml": pyproject, "own.py": source})


WHEEL_ONLY = """
import zipfile, os
def build_wheel(directory, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(os.path.join(directory, "sample-1.0-py3-none-any.whl"), "w") as archive:
        archive.writestr("sample-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: sample\\nVersion: 1.0\\n")
    return "sample-1.0-py3-none-any.whl"
"""


def test_a_backend_without_the_metadata_hook_builds_a_wheel() -> None:
    assert b"Name: sample" in metadata_of(backend_of(WHEEL_ONLY))


@pytest.mark.parametrize(
    "source",
    [
        "raise ImportError('gone')",
        "def build_wheel(*args): return '../sample-1.0-py3-none-any.whl'",
        "def build_wheel(*args): return '/etc/passwd'",
        "def build_wheel(*args): return None",
        "def build_wheel(*args): return 'missing-1.0-py3-none-any.whl'",
        "def build_wheel(*args): raise SystemExit(3)",
        "def prepare_metadata_for_build_wheel(*args): return '..'",
        "def prepare_metadata_for_build_wheel(*args): return 'nothing.dist-info'",
    ],
)
def test_a_backend_that_misbehaves_is_a_failed_build(source: str) -> None:
    with pytest.raises(LocksetError) as caught:
        metadata_of(backend_of(source))
    assert caught.value.diagnostic.code == "build-failed"


@pytest.mark.parametrize("wanted", ["['a', 'not a requirement -r x']", "['--index-url http://x']", "'a'", "[5]"])
def test_a_backend_cannot_smuggle_options_among_its_requirements(wanted: str) -> None:
    source = f"def get_requires_for_build_wheel(settings=None): return {wanted}"
    with pytest.raises(LocksetError) as caught:
        metadata_of(backend_of(source))
    assert caught.value.diagnostic.code == "build-system"


def test_secrets_and_foreign_paths_do_not_reach_a_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKSET_INDEX_PRIVATE_PASSWORD", "secret")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("CC", "my-compiler")
    source = (
        "import os\n"
        "def prepare_metadata_for_build_wheel(*args):\n"
        "    print(sorted(k for k in os.environ if k.startswith(('LOCKSET', 'PYTHONPATH', 'CC'))))\n"
        "    raise SystemExit(3)\n"
    )
    with pytest.raises(LocksetError) as caught:
        metadata_of(backend_of(source))
    assert "['CC']" in caught.value.diagnostic.context


def test_an_interpreter_that_is_gone_is_a_failed_build() -> None:
    with pytest.raises(LocksetError) as caught:
        metadata_of(make_sdist(), BareEnvironmentMaker(python=Path("/nowhere/python")))
    assert caught.value.diagnostic.code == "build-failed"


def test_a_backend_path_that_leaves_the_tree_is_refused() -> None:
    pyproject = '[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["../.."]\n'
    with pytest.raises(LocksetError) as caught:
        metadata_of(make_sdist(more={"pyproject.toml": pyproject}))
    assert caught.value.diagnostic.code == "build-system"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, BuildSystem()),
        ("", BuildSystem()),
        ("[project]\nname = 'x'", BuildSystem()),
        ("[build-system]\nrequires = ['a']", BuildSystem(requires=("a",))),
        (
            "[build-system]\nrequires = []\nbuild-backend = 'b'\nbackend-path = ['.']",
            BuildSystem(requires=(), backend="b", backend_path=(".",)),
        ),
    ],
)
def test_the_build_system_a_project_says(text: str | None, expected: BuildSystem) -> None:
    assert read_build_system(text, what="sample") == expected


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "build-system = 5",
        "[build-system]",
        "[build-system]\nrequires = 'a'",
        "[build-system]\nrequires = [5]",
        "[build-system]\nrequires = ['not a (requirement']",
        "[build-system]\nrequires = ['a\\n--index-url x']",
        "[build-system]\nrequires = []\nbuild-backend = 5",
        "[build-system]\nrequires = []\nbuild-backend = 'b'\nbackend-path = 'x'",
    ],
)
def test_a_build_system_that_breaks_the_rules_is_refused(text: str) -> None:
    with pytest.raises(LocksetError) as caught:
        read_build_system(text, what="sample")
    assert caught.value.diagnostic.code == "build-system"


def test_errors_name_the_release() -> None:
    with pytest.raises(LocksetError, match=r"other-2\.5"):
        metadata_of(make_sdist("other", "2.5", fails={"prepare_metadata_for_build_wheel": "x"}))


def test_only_the_exception_of_a_backend_traceback_is_shown() -> None:
    with pytest.raises(LocksetError) as caught:
        metadata_of(make_sdist(fails={"prepare_metadata_for_build_wheel": "the compiler is missing"}))
    message = "\n".join(caught.value.diagnostic.context)
    assert "the compiler is missing" in message
    assert "Traceback" not in message
    assert 'File "' not in message


SLOW = """
import os, pathlib, time
def prepare_metadata_for_build_wheel(directory, config_settings=None):
    pathlib.Path(os.environ["BEGUN"]).touch()
    time.sleep(60)
def build_wheel(directory, config_settings=None, metadata_directory=None):
    raise SystemExit(1)
"""


def test_a_build_that_another_thread_ends_says_nothing_about_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = tmp_path / "begun"
    monkeypatch.setenv("BEGUN", str(begun))
    builder, sdist = HookBuilder(BareEnvironmentMaker()), backend_of(SLOW)
    caught: list[LocksetError] = []

    def build() -> None:
        with pytest.raises(LocksetError) as error:
            builder.archive_metadata(io.BytesIO(sdist.content), sdist.filename)
        caught.append(error.value)

    thread = threading.Thread(target=build)
    thread.start()
    while not begun.exists() and thread.is_alive():
        time.sleep(0.01)
    builder.end()
    thread.join(20)
    assert not thread.is_alive()
    # Only failures of the package itself are stored for later runs.
    assert caught[0].diagnostic.code == "build-environment"
    with pytest.raises(LocksetError, match="interrupted"):
        builder.archive_metadata(io.BytesIO(sdist.content), sdist.filename)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals of POSIX")
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_a_build_that_a_signal_ends_is_no_failure_of_the_package(number: str) -> None:
    source = f"import os, signal\nsignal.signal(signal.SIGINT, signal.SIG_DFL)\nos.kill(os.getpid(), signal.{number})\n"
    with pytest.raises(LocksetError) as caught:
        metadata_of(backend_of(source))
    assert caught.value.diagnostic.code == "build-environment"


def test_warnings_of_backends_are_not_repeated_also_where_several_builds_run() -> None:
    """One of two builds ends while the other one is running: each would restore the filters that it has found."""
    source = WHEEL_ONLY.replace("import zipfile, os", "import zipfile, os, time, warnings") + (
        "def get_requires_for_build_wheel(config_settings=None):\n"
        "    time.sleep(float(os.environ.get('WAIT', '0')))\n"
        "    warnings.warn('deprecated')\n    return []\n"
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        threads = [
            threading.Thread(target=metadata_of, args=(backend_of(source.replace("'0'", f"'{n}'")),)) for n in (0, 1)
        ]
        for thread in threads:
            thread.start()
            time.sleep(0.2)
        for thread in threads:
            thread.join()
    assert [str(one.message) for one in caught] == []
