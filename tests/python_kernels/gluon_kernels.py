# ruff: noqa: N803
"""A Gluon kernel for the tests: a product through a swizzled LDS layout and explicit MFMA."""

from triton.experimental import gluon
from triton.experimental.gluon import language as gl


@gluon.jit
def product_kernel(a_ptr, b_ptr, c_ptr, K, M: gl.constexpr, N: gl.constexpr, BK: gl.constexpr):
    mfma: gl.constexpr = gl.amd.AMDMFMALayout(
        version=3, instr_shape=[32, 32, 8], transposed=True, warps_per_cta=[2, 2]
    )
    rows: gl.constexpr = gl.BlockedLayout([1, 8], [16, 4], [4, 1], [1, 0])
    left: gl.constexpr = gl.DotOperandLayout(0, mfma, 4)
    right: gl.constexpr = gl.DotOperandLayout(1, mfma, 4)
    om = gl.program_id(0) * M + gl.arange(0, M, layout=gl.SliceLayout(1, rows))
    on = gl.program_id(1) * N + gl.arange(0, N, layout=gl.SliceLayout(1, rows))
    ok = gl.arange(0, BK, layout=gl.SliceLayout(0, rows))
    acc = gl.zeros([M, N], gl.float32, mfma)
    swizzled: gl.constexpr = gl.SwizzledSharedLayout(8, 1, 4, [1, 0])
    lds_a = gl.allocate_shared_memory(gl.float16, [M, BK], swizzled)
    lds_b = gl.allocate_shared_memory(gl.float16, [N, BK], swizzled)
    for k in range(0, K, BK):
        lds_a.store(gl.load(a_ptr + om[:, None] * K + (k + ok)[None, :]))
        lds_b.store(gl.load(b_ptr + on[:, None] * K + (k + ok)[None, :]))
        acc = gl.amd.cdna3.mfma(lds_a.load(left), lds_b.permute([1, 0]).load(right), acc)
    cm = gl.program_id(0) * M + gl.arange(0, M, layout=gl.SliceLayout(1, mfma))
    cn = gl.program_id(1) * N + gl.arange(0, N, layout=gl.SliceLayout(0, mfma))
    gl.store(c_ptr + cm[:, None] * (gl.num_programs(1) * N) + cn[None, :], acc)


@gluon.jit
def through_lds_kernel(x_ptr, y_ptr, shared: gl.constexpr):
    rows: gl.constexpr = gl.BlockedLayout([1, 8], [8, 8], [4, 1], [1, 0])
    at = gl.arange(0, 128, layout=gl.SliceLayout(1, rows))[:, None] * 64
    at += gl.arange(0, 64, layout=gl.SliceLayout(0, rows))[None, :]
    held = gl.allocate_shared_memory(gl.bfloat16, [128, 64], shared, gl.load(x_ptr + at))
    gl.store(y_ptr + at, held.load(rows))
