"""The Dockerfiles of the documentation, and what strangers do in images: built in layers, and run."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.builders.wheel import make_wheel
from support.images import Base, Image, build, needs_images, python_layer

if TYPE_CHECKING:
    from support.command import Command
    from support.local_index import LocalIndex

pytestmark = needs_images()

PAGES = Path(__file__).parents[2] / "docs/pages/how-to"
LOCKSET = "/opt/lockset/bin/lockset"
STATION = "import hull, keel, os, sys; print(keel.__file__, os.path.exists(sys.prefix))"
CLIENT = """
import importlib, sys
import text
assert text.VERSION == 1
module, name = sys.argv[1].split(".")
sys.path.insert(0, ".")
print(getattr(importlib.import_module(module), name)())
"""


def dockerfiles() -> dict[str, str]:
    """The Dockerfiles of the page, by their heading and number."""
    files: dict[str, str] = {}
    heading = ""
    for title, code in re.findall(
        r"^#+ ([^\n]*)$|^```dockerfile\n(.*?)^```", (PAGES / "images.md").read_text(), re.MULTILINE | re.DOTALL
    ):
        heading = title or heading
        if code:
            files[f"{heading} {sum(name.startswith(heading) for name in files) + 1}"] = code
    return files


@dataclass(kw_only=True)
class Yard:
    """A project `station`, its index, and a folder for builds."""

    folder: Path
    index: LocalIndex
    cli: Command
    bases: dict[str, Base] = field(default_factory=dict)

    @property
    def context(self) -> Path:
        return self.folder / "station"

    def lock(self, *dependencies: str, where: Path | None = None, settings: str = "") -> None:
        """Lock a project with these dependencies."""
        where = where or self.context
        where.mkdir(exist_ok=True)
        listed = ", ".join(f'"{one}"' for one in dependencies)
        (where / "pyproject.toml").write_text(
            f'[project]\nname = "station"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = [{listed}]\n'
            + settings
        )
        self.cli.ok("lock", *([] if settings else ["-i", self.index.url]), cwd=where, env={"LOCKSET_DEFAULT_INDEX": ""})

    def build(self, text: str, **options: object) -> Image:
        return build(text, context=self.context, folder=self.folder / "builds", bases=self.bases, **options)  # type: ignore[arg-type]

    def image(self, *lines: str, base: str = "python:3.13-slim") -> Image:
        """An image with lockset, the lock file in `/app`, and more."""
        start = (f"FROM {base}", "RUN pip install lockset", "WORKDIR /app", "COPY pylock.toml .")
        return self.build("\n".join((*start, *lines)))

    def with_client(self, *, managed: str = "") -> str:
        """The name of a base image whose Python has the runtime client of a service, which needs `text` 1."""
        client = make_wheel("client", "3.0", requires_dist=["text<2"], files={"client.py": CLIENT})
        text = make_wheel("text", "1.0", files={"text.py": "VERSION = 1"})
        layers = python_layer(self.folder / f"layer{len(self.bases)}", client, text, managed=managed)
        name = f"service{len(self.bases)}"
        self.bases[name] = Base(lower=layers)
        return f"{name}:3.13"


@pytest.fixture
def yard(tmp_path: Path, cli: Command, local_index: LocalIndex) -> Yard:
    world = local_index.world.add("hull", "1.0").add("hull", "2.0").add("keel", "1.0", requires=["hull"])
    world.add("mast", "1.0").add("text", "2.0").add("text", "1.0")
    yard = Yard(folder=tmp_path, index=local_index, cli=cli)
    yard.lock("keel")
    (yard.context / "station").mkdir()
    (yard.context / "station/__init__.py").touch()
    (yard.context / "station/__main__.py").write_text(STATION)
    (yard.context / "function.py").write_text("import keel\ndef handler():\n    return keel.__file__\n")
    # What the machine of a developer has, and `.dockerignore` leaves out.
    (yard.context / ".venv").mkdir()
    (yard.context / ".venv/theirs").touch()
    (yard.context / ".dockerignore").write_text(".venv\n")
    return yard


@pytest.mark.parametrize("name", [name for name in dockerfiles() if not name.startswith(("AWS", "Credentials"))])
def test_a_dockerfile_of_the_page_builds_an_image_that_runs(yard: Yard, name: str) -> None:
    image = yard.build(dockerfiles()[name])
    ran = image.start()
    assert ran.code == 0, f"{ran}\n{image.log}"
    assert "/keel/__init__.py True" in ran.stdout
    assert "note" not in "".join(one.stderr for one in image.log)


def test_the_layer_of_the_application_has_no_lockset_and_no_cache(yard: Yard) -> None:
    image = yard.build(dockerfiles()["Build container images (Docker, Podman, Kubernetes) 1"])
    image.ok("! find / -xdev -path '*lockset*' -not -path '*dist-info*' | grep .")
    assert "theirs" not in image.ok("ls -A /app/.venv").stdout


def test_a_cache_mount_is_used_by_the_next_build(yard: Yard) -> None:
    recipe = dockerfiles()["Faster builds with a cache mount 1"]
    yard.build(recipe)
    yard.index.forget()
    assert yard.build(recipe).start().code == 0
    assert yard.index.paths() == []


def test_an_application_that_runs_as_a_user_cannot_change_its_packages(yard: Yard) -> None:
    image = yard.build(dockerfiles()["As another user than root 1"])
    assert image.run("touch /app/.venv/lib/python3*/site-packages/keel/evil.py").code != 0


def test_the_runtime_client_of_a_function_service_survives(yard: Yard) -> None:
    yard.lock("keel", "text==2.0")
    yard.with_client()
    yard.bases["public.ecr.aws/lambda/python"] = Base(
        lower=yard.bases["service0"].lower,
        environ={"LAMBDA_TASK_ROOT": "/var/task"},
        workdir="/var/task",
        entrypoint=("python", "-I", "-m", "client"),
    )
    ran = yard.build(dockerfiles()["AWS Lambda 1"]).start()
    assert ran.code == 0, ran
    assert "/var/task/keel/__init__.py" in ran.stdout


def test_a_token_of_a_private_index_is_in_no_layer(yard: Yard) -> None:
    yard.index.mode = replace(yard.index.mode, credentials=("ci", "s3cret-token"))
    settings = f'[[tool.lockset.index]]\nname = "internal"\nurl = "{yard.index.url}"\n'
    login = {"LOCKSET_INDEX_INTERNAL_USERNAME": "ci", "LOCKSET_INDEX_INTERNAL_PASSWORD": "s3cret-token"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in login.items():
            patch.setenv(name, value)
        yard.lock("keel", settings=settings)
    image = yard.build(dockerfiles()["Credentials while building 1"], secrets={"index-token": "s3cret-token"})
    assert image.start().code == 0
    for layer in ("root", "usr", "local"):
        grep = subprocess.run(["grep", "-rl", "s3cret-token", image.folder / layer], capture_output=True, check=False)
        assert grep.stdout == b""


def test_the_same_lock_gives_the_same_bytes_twice(yard: Yard) -> None:
    recipe = dockerfiles()["Reproducible layers 1"]
    sums = "cd /usr/local && find . -xdev -newer /app/pylock.toml -type f | sort | xargs sha256sum"
    layers = [yard.build(recipe, arguments={"SOURCE_DATE_EPOCH": "0"}).ok(sums).stdout for _ in range(2)]
    assert layers[0] == layers[1]
    assert ".pyc" in layers[0]


def test_without_a_cache_nothing_is_left_behind_but_the_packages(yard: Yard) -> None:
    listing = "find / -xdev -not -path '*site-packages*' -not -path '/tmp/list*' | sort"
    image = yard.image(f"RUN {listing} > /tmp/list1; {LOCKSET} sync --system --no-cache && {listing} > /tmp/list2")
    assert image.run("diff /tmp/list1 /tmp/list2").stdout == ""
    assert image.ok("ls -A /tmp").stdout.split() == ["list1", "list2"]


def test_packages_of_the_base_image_stay(yard: Yard) -> None:
    image = yard.image(f"RUN {LOCKSET} sync --system", base=yard.with_client())
    image.ok("python -c 'import client, text, keel' function.handler || python -c 'import text, keel'")
    image.ok(f"{LOCKSET} sync --system")
    assert "client-3.0.dist-info" in image.ok("ls /usr/local/lib/python3*/site-packages").stdout


def test_a_package_of_a_lower_layer_is_replaced_and_the_client_that_needs_it_is_named(yard: Yard) -> None:
    yard.lock("keel", "text==2.0")
    image = yard.image(base=yard.with_client())
    ran = image.ok(f"{LOCKSET} sync --system")
    assert "~ text 1.0 -> 2.0" in ran.stderr
    assert "warning: client 3.0, which stays, requires `text<2`, but the lock file has text 2.0" in ran.stderr
    assert "`--target`" in ran.stderr
    assert image.ok("python -c 'import importlib.metadata as m; print(m.version(\"text\"))'").stdout == "2.0\n"
    image.ok("test ! -e /usr/local/.lockset")


def test_what_a_package_of_the_base_image_requires_is_not_removed(yard: Yard) -> None:
    yard.lock("keel", "text<2")
    image = yard.image(f"RUN {LOCKSET} sync --system", base=yard.with_client())
    yard.lock("keel")
    image.copied(["pylock.toml"], ".", origin=None, context=yard.context, owner=None)
    ran = image.ok(f"{LOCKSET} sync --system --verbose")
    assert "text 1.0 stays (client, which stays, requires it)" in ran.stderr
    image.ok("python -c 'import text'")


def test_a_managed_python_is_changed_only_on_request(yard: Yard) -> None:
    image = yard.image(base=yard.with_client(managed="Use the packages of the system."))
    ran = image.run(f"{LOCKSET} sync --system")
    assert ran.code == 1
    assert "Use the packages of the system." in ran.stderr
    assert image.run("python -c 'import keel'").code != 0
    image.ok(f"{LOCKSET} sync --system", LOCKSET_BREAK_SYSTEM_PACKAGES="1")
    image.ok("python -c 'import keel, text'")


def test_one_project_after_the_other_in_one_python(yard: Yard) -> None:
    yard.lock("mast", where=yard.folder / "other")
    (yard.context / "pylock.other.toml").write_bytes((yard.folder / "other/pylock.toml").read_bytes())
    image = yard.image("COPY pylock.other.toml .", f"RUN {LOCKSET} sync --system")
    image.ok(f"{LOCKSET} install --system pylock.other.toml && python -c 'import keel, mast'")
    assert "- keel 1.0 (not in the lock file)" in image.ok(f"{LOCKSET} sync --system pylock.other.toml").stderr
    image.ok(f"{LOCKSET} sync --system pylock.toml pylock.other.toml && python -c 'import keel, mast'")


def test_a_requirements_file_is_synced_into_the_system_python(yard: Yard) -> None:
    (yard.context / "requirements.txt").write_text("keel==1.0\nhull==2.0\n")
    image = yard.image("COPY requirements.txt .", "ENV LOCKSET_SYSTEM=1")
    image.ok(f"{LOCKSET} sync requirements.txt -i {yard.index.url} && python -c 'import keel, hull'")


@pytest.mark.parametrize(
    ("user", "command", "named"),
    [
        ("1000", "sync --system", "/usr/local"),
        ("1000", "sync --target /app/lib", "/app/lib"),
        ("1000", "sync --create-venv", "/app/.venv"),
        ("1000", "sync", "There is no virtual environment"),
    ],
)
def test_a_user_who_cannot_write_is_told_what_to_do(yard: Yard, user: str, command: str, named: str) -> None:
    image = yard.image(f"USER {user}")
    yard.index.forget()
    ran = image.run(f"{LOCKSET} {command}")
    assert ran.code == 1
    assert named in ran.stderr
    assert "hint: " in ran.stderr
    assert "Traceback" not in ran.stderr
    assert yard.index.paths() == [], "nothing is downloaded for a target that cannot be changed"


@pytest.mark.parametrize("variables", [{}, {"HOME": "/"}, {"HOME": ""}, {"LOCKSET_CACHE_DIR": "/var/none"}])
def test_a_user_without_a_home_or_a_cache_syncs(yard: Yard, variables: dict[str, str]) -> None:
    image = yard.image("USER 65534")
    ran = image.ok(f"cd /tmp && {LOCKSET} sync /app/pylock.toml --target /tmp/packages", **variables)
    assert ran.stderr.count("note: ") == 1
    assert "cannot be written" in ran.stderr
    image.ok("test -f /tmp/packages/keel/__init__.py")


@pytest.mark.parametrize("target", ["--system", "--target /opt/packages"])
def test_a_read_only_image_is_refused_and_can_be_checked(yard: Yard, target: str) -> None:
    image = yard.image()
    ran = image.run(f"{LOCKSET} sync {target}", read_only=True)
    assert ran.code == 1
    assert "Read-only file system" in ran.stderr
    image.ok(f"{LOCKSET} sync {target}")
    assert image.run(f"{LOCKSET} check-env {target}", read_only=True).code == 0
    assert image.run(f"{LOCKSET} sync --target /tmp/packages", read_only=True).code == 0


def test_an_environment_on_a_read_only_layer_is_synced_alone(yard: Yard) -> None:
    [recipe] = [
        code for code in re.findall(r"^```sh\n(.*?)^```", (PAGES / "targets.md").read_text(), re.MULTILINE | re.DOTALL)
        if "--system-site-packages" in code
    ]  # fmt: skip
    image = yard.image(base=yard.with_client())
    lines = recipe.replace("lockset", LOCKSET).replace("python3", "python").splitlines()
    shown = "extended/bin/python -c 'import text, keel; print(text.__file__, keel.__file__)'"
    ran = image.run(" && ".join(["cd /tmp", "cp /app/pylock.toml .", *lines, shown]), read_only=True)
    assert ran.code == 0, ran
    assert re.fullmatch(r"/usr/local/\S+/text.py /tmp/extended/\S+/keel/__init__.py\n", ran.stdout)
