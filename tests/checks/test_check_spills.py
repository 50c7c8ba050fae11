"""Spilled registers: how many, what they cost in the loop, and with how many waves they would fit."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from wavesim.checks.run import check_kernel
from wavesim.front.launch.file import LaunchOptions
from wavesim.pipeline.run import RunOptions, prepare
from wavesim.program import Finding, Severity

ROOT = Path(__file__).resolve().parents[2]
SPILL = ROOT / "kernels" / "wrong" / "register-spill.s"


def spills(path: Path, launch: LaunchOptions | None = None, arch: str | None = None) -> list[Finding]:
    kernel, machine = prepare(path, RunOptions(arch=arch, launch=launch or LaunchOptions()))
    found = check_kernel(kernel, machine, execute=launch is not None).findings
    return [each for each in found if each.rule == "register-spill"]


def test_the_loop_and_its_simulated_cost() -> None:
    (found,) = spills(SPILL, LaunchOptions(block=64, arguments=("C=f32[1,64]:unwritten",)))
    assert found.severity is Severity.NOTE
    assert "1 spilled register: 1 scratch load and 1 scratch store in the loop" in found.message
    assert "clk per iteration (simulated)" in found.message
    assert "at most 7 waves per SIMD" in found.fix


def test_without_a_launch_the_cost_is_what_the_bytes_need(tmp_path: Path) -> None:
    path = tmp_path / "k.s"
    path.write_text(SPILL.read_text())
    (found,) = spills(path)
    assert "hold the memory path for at least" in found.message


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("v2, off, off", "v2, v3, off"),  # an array: the address is computed
        ("scratch_load_dword v2, off, off", "v_mov_b32 v2, v3"),  # never read back
    ],
)
def test_other_uses_of_scratch_are_not_named(old: str, new: str, tmp_path: Path) -> None:
    path = tmp_path / "k.s"
    text = SPILL.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    assert not spills(path)


KERNEL = """
typedef float f16 __attribute__((ext_vector_type(16)));
extern "C" __attribute__((global)) __attribute__((amdgpu_flat_work_group_size(256, 256)))
__attribute__((amdgpu_waves_per_eu(WAVES, WAVES))) void k(const f16 *a, f16 *c) {
  int t = __builtin_amdgcn_workitem_id_x();
  f16 x[6];
#pragma unroll
  for (int i = 0; i < 6; i++) x[i] = a[i * 256 + t];
#pragma unroll 1
  for (int s = 0; s < 4; s++)
#pragma unroll
    for (int i = 0; i < 6; i++) x[i] = x[i] * x[(i + 1) % 6] + a[(s * 6 + i) * 256 + t];
#pragma unroll
  for (int i = 0; i < 6; i++) c[i * 256 + t] = x[i];
}
"""
ARRAY = """
extern "C" __attribute__((global)) void k(int *c, int n) {
  int t = __builtin_amdgcn_workitem_id_x(), x[64];
  for (int i = 0; i < 64; i++) x[i] = i * n;
  for (int i = 0; i < n; i++) x[(i * 7 + t) & 63] += x[c[i] & 63];
  c[t] = x[n & 63];
}
"""


@pytest.mark.parametrize("arch", ["gfx90a", "gfx942"])
@pytest.mark.parametrize(("waves", "found"), [(8, True), (2, False)])
def test_what_a_compiler_spills(arch: str, waves: int, found: bool, tmp_path: Path) -> None:
    if shutil.which("clang-22") is None:
        pytest.skip("needs clang-22")
    path = tmp_path / "k.hip"
    path.write_text(KERNEL.replace("WAVES", str(waves)))
    assert bool(spills(path, arch=arch)) is found


def test_an_array_of_a_compiler_is_no_spill(tmp_path: Path) -> None:
    if shutil.which("clang-22") is None:
        pytest.skip("needs clang-22")
    path = tmp_path / "k.hip"
    path.write_text(ARRAY)
    assert not spills(path, arch="gfx942")
