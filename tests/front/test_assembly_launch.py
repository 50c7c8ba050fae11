"""Assembly without a launch gets 256 lanes; a launch file is not silently contradicted."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavesim.errors import UserError
from wavesim.front.assembled import load_assembly
from wavesim.front.launch.file import LaunchOptions

KERNEL = """\t.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
empty:
\ts_endpgm
"""


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    path = tmp_path / "empty.s"
    path.write_text(KERNEL)
    return path


def test_a_workgroup_of_no_said_size_has_256_lanes(kernel: Path) -> None:
    assert load_assembly(kernel, None, {}).launch.workgroup_size == 256
    assert load_assembly(kernel, None, {}, LaunchOptions(block=64)).launch.workgroup_size == 64


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (LaunchOptions(block=128), "--block"),
        (LaunchOptions(grid="1,0"), "--grid"),
        (LaunchOptions(expect="C = A @ B.T"), "--expect"),
        (LaunchOptions(tile="32,32"), "--tile"),
    ],
)
def test_what_a_launch_file_contradicts_is_refused(kernel: Path, options: LaunchOptions, named: str) -> None:
    kernel.with_suffix(".launch.yaml").write_text("workgroup: 64\narguments: {}\n")
    with pytest.raises(UserError, match=rf"{named} is given, but the launch file .*yaml holds"):
        load_assembly(kernel, None, {}, options)


def test_a_block_that_says_the_same_is_welcome(kernel: Path) -> None:
    kernel.with_suffix(".launch.yaml").write_text("workgroup: 64\narguments: {}\n")
    assert load_assembly(kernel, None, {}, LaunchOptions(block=64)).launch.workgroup_size == 64
