"""Code that a compiler makes of a small kernel: divergent loops, division, halves, LDS, lane exchange."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from wavesim.asm.text.parse import parse_program
from wavesim.emulate.run import emulate
from wavesim.front.launch.model import Launch, MatrixArgument, ScalarArgument
from wavesim.isa.load import load_machine

SOURCE = r"""
typedef unsigned u32; typedef _Float16 half;
#define BITS(to, x) __builtin_bit_cast(to, x)
extern "C" __attribute__((global)) __attribute__((amdgpu_flat_work_group_size(256, 256)))
void mix(const float *A, const float *B, float *C, int n) {
  __attribute__((shared)) static float s[256];
  u32 t = __builtin_amdgcn_workitem_id_x();
  float a = A[t], b = B[t], acc = 0;
  for (int i = 0; i < n; i++) { if (i > (int)(t & 7)) break; acc += a * (float)i + b; }
  s[t] = acc;
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
  __builtin_amdgcn_s_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
  float sum = 0; for (int i = 0; i < 4; i++) sum += s[(t + i * 37) & 255];
  float m = a;
  for (int o = 32; o; o >>= 1) {
    float other = BITS(float, __builtin_amdgcn_ds_bpermute(((t ^ o) & 63) << 2, BITS(int, m)));
    m = m > other ? m : other;
  }
  int turned = __builtin_amdgcn_mov_dpp(BITS(int, b), 0x128, 0xf, 0xf, true);
  half h = (half)((half)a * (half)b);
  long long q = (long long)(a * 1000) * (long long)(b * 1000) / ((long long)t + 3);
  u32 x = (u32)(a * 1000 + 5000);
  float *c = C + t * 12;
  c[0] = acc; c[1] = sum; c[2] = m; c[3] = BITS(float, turned); c[4] = a / (b + 4.0f); c[5] = (float)h;
  c[6] = (float)q; c[7] = (float)(x / (t + 1)); c[8] = (float)(x % (t + 1));
  c[9] = __builtin_sqrtf(a * a + b * b); c[10] = __builtin_expf(a); c[11] = (float)(a * (double)b);
}
"""


@pytest.fixture(scope="module")
def compiler() -> str:
    for name in ("clang-22", "clang-20", "clang"):
        found = shutil.which(name)
        if found:
            return found
    pytest.skip("no clang on this machine")


@pytest.mark.parametrize(("arch", "level"), [("gfx942", "-O3"), ("gfx950", "-O1"), ("gfx90a", "-O3")])
def test_compiled_kernel(compiler: str, arch: str, level: str, tmp_path: Path) -> None:
    source, output = tmp_path / "mix.hip", tmp_path / "mix.s"
    source.write_text(SOURCE)
    flags = [
        "-x",
        "hip",
        f"--offload-arch={arch}",
        "--cuda-device-only",
        "-nogpulib",
        "-nogpuinc",
        level,
        "-S",
    ]
    made = subprocess.run(
        [compiler, *flags, "-o", str(output), str(source)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        pytest.skip(f"{compiler} cannot compile for {arch}: {made.stderr.splitlines()[:1]}")
    launch = Launch(
        (
            MatrixArgument("A", "f32", 1, 256, seed=1),
            MatrixArgument("B", "f32", 1, 256, seed=2),
            MatrixArgument("C", "f32", 256, 12, init="unwritten"),
            ScalarArgument("n", "i32", 6),
        ),
        256,
    )
    execution = emulate(parse_program(output.read_text(), str(output), arch), launch, load_machine(arch))
    assert execution.complete
    assert not execution.findings
    a, b = (execution.matrix(name, (0, 0, 1, 256))[0] for name in "AB")
    c = execution.matrix("C", (0, 0, 256, 12))
    lane = np.arange(256)
    acc = np.zeros(256, np.float32)
    for i in range(6):
        acc = np.where(i <= lane % 8, acc + a * np.float32(i) + b, acc)
    thousand = np.float32(1000)
    product = np.trunc(a * thousand).astype(np.int64) * np.trunc(b * thousand).astype(np.int64)
    x = np.trunc(a * thousand + np.float32(5000)).astype(np.int64)
    expected = {
        0: acc,
        1: sum(acc[(lane + i * 37) % 256] for i in range(4)),
        2: np.repeat(a.reshape(4, 64).max(axis=1), 64),
        3: b[lane & ~15 | (lane - 8) % 16],
        4: a / (b + np.float32(4)),
        5: (a.astype(np.float16) * b.astype(np.float16)).astype(np.float32),
        6: np.sign(product) * (abs(product) // (lane + 3)),
        7: x // (lane + 1),
        8: x % (lane + 1),
        9: np.hypot(a, b),
        10: np.exp(a),
        11: a * b,
    }
    for column, values in expected.items():
        np.testing.assert_allclose(c[:, column], values, rtol=1e-5, atol=1e-5, err_msg=f"column {column}")
