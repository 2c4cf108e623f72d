"""A second lock of the same project, with nothing changed, is the first one."""

from __future__ import annotations

import pytest

from support.worlds.small_world import SmallWorld, entries

# What each world has: a release that lacks a file somewhere, where no choice of releases has one.
WORLDS = {
    "a pin lacks files where another release has some, though what requires it lacks files there too": """
[project]
requires-python = "==3.12.*"
dependencies = ["c ; sys_platform == 'win32'", "b"]
[choices]
fork = "fewest"
[packages]
b.2 = { requires = ["c"], wheels = ["cp312-cp312-win_amd64"] }
c.2 = { wheels = ["cp311-cp311-manylinux_2_17_x86_64"] }
c.1 = { requires = ["a ; sys_platform == 'darwin'"] }
""",
    "a pin gives way to a release that requires an older one of what another root requires": """
[project]
requires-python = "==3.12.*"
dependencies = ["a"]
[choices]
fork = "fewest"
[packages]
a.2 = { requires = ["b"] }
a.1 = { requires = ["b<2 ; sys_platform == 'win32'", "b"], wheels = ["py3-none-macosx_11_0_arm64"] }
b.1 = { wheels = ["py3-none-win_amd64"] }
b.2 = { requires = ["a==1"], wheels = ["cp312-cp312-manylinux_2_17_x86_64"] }
""",
    "a release with files bounds another root where that is needed nowhere else": """
[project]
requires-python = "==3.12.*"
dependencies = ["a ; sys_platform == 'win32'", "c"]
[choices]
fork = "fewest"
[packages]
a.3 = {}
a.2 = {}
c.2 = { wheels = ["cp311-cp311-manylinux_2_17_x86_64"] }
c.1 = { requires = ["a<3 ; sys_platform == 'darwin'"], wheels = ["py3-none-macosx_11_0_arm64", "py3-none-linux_x86_64"]}
""",
    "the bound of a release narrows the lock, and pins lack files beyond it": """
[project]
requires-python = ">=3.11"
dependencies = ["c<2 ; sys_platform == 'darwin'", "a"]
[choices]
fork = "fewest"
[packages]
a.2 = { wheels = ["py3-none-macosx_11_0_arm64"] }
a.1 = { requires = ["c>=2 ; sys_platform == 'linux'"] }
b.1 = { requires-python = "<3.13" }
c.2 = { requires = ["b"] }
c.1 = {}
""",
    "a pin lacks files beyond its own bound": """
[project]
requires-python = ">=3.11"
dependencies = ["c"]
[choices]
fork = "fewest"
[packages]
c.3 = { wheels = ["cp312-cp312-manylinux_2_17_x86_64"], requires-python = "<3.13" }
c.2 = { wheels = ["py3-none-manylinux_2_17_x86_64"] }
c.1 = { wheels = ["py3-none-win_amd64"] }
""",
}


@pytest.mark.parametrize("name", WORLDS)
def test_a_second_lock_is_the_first_one(name: str) -> None:
    world = SmallWorld.read(WORLDS[name])
    first = world.lock()
    again = world.lock(old=first.lock)
    assert entries(again.lock) == entries(first.lock)
    assert again.text == first.text
