"""Which volume a path lies on: whole names of folders count, not their beginnings."""

from __future__ import annotations

import pytest

from tui.hyperv.model import Volume
from tui.hyperv.volumes import is_shared, volume_of

NAMES = ("C:\\", "D:", "D:\\Mount", "D:\\Mount2\\", "C:\\ClusterStorage\\Vol1\\",
         "C:\\ClusterStorage\\Vol1-fast\\", "\\\\?\\Volume{0}\\", "")  # fmt: skip
VOLUMES = tuple(Volume(name, "", 1, 1) for name in NAMES)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("c:\\vms\\a.vhdx", "C:\\"),
        ("D:\\a.vhdx", "D:"),
        ("D:\\MOUNT\\a.vhdx", "D:\\Mount"),
        ("D:\\Mount2\\a.vhdx", "D:\\Mount2\\"),
        ("D:\\Mount22\\a.vhdx", "D:"),
        ("C:\\ClusterStorage\\Vol1", "C:\\ClusterStorage\\Vol1\\"),
        ("C:\\ClusterStorage\\Vol1-fast\\a.vhdx", "C:\\ClusterStorage\\Vol1-fast\\"),
        ("E:\\a.vhdx", None),
        ("", None),
    ],
)
def test_the_longest_name_of_a_folder_above_it(path: str, name: str | None) -> None:
    found = volume_of(VOLUMES, path)
    assert (found.name if found else None) == name


def test_what_lies_on_a_shared_volume() -> None:
    assert is_shared("X:\\clusterstorage\\Vol1\\a.vhdx")
    assert not is_shared("C:\\ClusterStorage2\\a.vhdx")
