"""Workgroups of two and three dimensions: ids of work-items, sizes that a kernel reads, and a HIP kernel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from wavesim.asm.compile import find_compiler
from wavesim.asm.tools import MissingTool
from wavesim.cli.main import cli
from wavesim.emulate.launch_state import _dispatch_packet, _hidden, _work_item_ids
from wavesim.emulate.memory import Memory
from wavesim.errors import UserError
from wavesim.front.launch.file import read_launch
from wavesim.front.launch.model import Launch
from wavesim.front.launch.write import launch_text

TURN = """\
#include <hip/hip_runtime.h>
__global__ void turn(const float *x, float *y, int n) {
  __shared__ float tile[8][17];
  int column = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y * blockDim.y + threadIdx.y;
  tile[threadIdx.y][threadIdx.x] = x[row * n + column];
  __syncthreads();
  y[row * n + column] = 2 * tile[threadIdx.y][threadIdx.x] + (blockDim.y - 8) + (blockDim.x - 16);
}
"""
WORDS = ("--arg", "x=f32[16,32]", "--arg", "y=f32[16,32]:unwritten", "--arg", "n=32", "--grid", "1,1")


def test_ids_are_packed_and_sizes_told() -> None:
    launch = Launch((), 24, (5, 6, 7), shape=(2, 3, 4))
    ids = _work_item_ids(np.arange(24)[None], launch, 3)[0]
    assert [(each & 1023, each >> 10 & 1023, each >> 20) for each in ids.tolist()] == [
        (x, y, z) for z in range(4) for y in range(3) for x in range(2)
    ]
    assert _work_item_ids(np.arange(24)[None], launch, 1).max() == 1
    assert [_hidden(f"hidden_group_size_{axis}", launch) for axis in "xyz"] == [2, 3, 4]
    packet = np.frombuffer(_dispatch_packet(launch, Memory().add_bytes("kernarg", b"")), np.uint16)
    assert packet[2:5].tolist() == [2, 3, 4]
    assert packet.view(np.uint32)[3:6].tolist() == [10, 18, 28]
    assert _work_item_ids(np.arange(64)[None], Launch((), 64), 3).tolist() == [[*range(64)]]


def test_a_launch_file_says_them(tmp_path: Path) -> None:
    path = tmp_path / "k.launch.yaml"
    path.write_text("workgroup: [16, 8]\narguments: {n: 1}\n")
    launch = read_launch(path, {})
    assert (launch.workgroup_size, launch.workgroup_shape) == (128, (16, 8, 1))
    path.write_text(launch_text(launch))
    assert read_launch(path, {}) == launch
    path.write_text("workgroup: [64, 32]\narguments: {n: 1}\n")
    with pytest.raises(UserError, match="workgroup: 2048"):
        read_launch(path, {})


@pytest.mark.parametrize("arch", ["gfx90a", "gfx942"])
def test_a_hip_kernel_of_two_dimensions(arch: str, tmp_path: Path) -> None:
    try:
        find_compiler(arch)
    except MissingTool as missing:
        pytest.skip(str(missing))
    path = tmp_path / "k.hip"
    path.write_text(TURN)
    words = ("run", str(path), "--arch", arch, "--block", "16,8", *WORDS)
    done = CliRunner().invoke(cli, [*words, "--expect", "y = 2 * x", "--tile", "8,16"])
    assert (done.exit_code, "numbers right" in done.output) == (0, True), done.output
    done = CliRunner().invoke(cli, ["run", str(path), "--block", "16x8", *WORDS])
    assert (done.exit_code, "such as 256 or 16,16" in done.output) == (2, True), done.output
