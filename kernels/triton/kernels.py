# ruff: noqa: N803
"""The Triton kernels that the assembly here was compiled from; ``python kernels.py`` compiles them again.

Needs ``pip install triton`` (3.9.0 was used) and no GPU; wavesim and its tests do not. Triton looks into this
file for the kernels' source, so it is plain Python that is never imported by a test.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import triton
import triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

HERE = Path(__file__).resolve().parent


@triton.jit
def matmul_kernel(
    a_ptr, b_ptr, c_ptr, M, N, K, stride_am, stride_bk, stride_cm,
    BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr,
):  # fmt: skip
    """C = A . B, with edges that need not fill a tile."""
    om = tl.program_id(0) * BM + tl.arange(0, BM)
    on = tl.program_id(1) * BN + tl.arange(0, BN)
    ok = tl.arange(0, BK)
    a = a_ptr + om[:, None] * stride_am + ok[None, :]
    b = b_ptr + ok[:, None] * stride_bk + on[None, :]
    acc = tl.zeros((BM, BN), dtype=tl.float32)
    for k in range(0, tl.cdiv(K, BK)):
        x = tl.load(a, mask=ok[None, :] < K - k * BK, other=0.0)
        y = tl.load(b, mask=ok[:, None] < K - k * BK, other=0.0)
        acc = tl.dot(x, y, acc)
        a += BK
        b += BK * stride_bk
    c = c_ptr + om[:, None] * stride_cm + on[None, :]
    tl.store(c, acc, mask=(om[:, None] < M) & (on[None, :] < N))


@triton.jit
def mm_kernel(
    a_ptr, b_ptr, c_ptr, K, sa, sb, sc, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):  # fmt: skip
    """C = A . B^T."""
    om = tl.program_id(0) * BM + tl.arange(0, BM)
    on = tl.program_id(1) * BN + tl.arange(0, BN)
    ok = tl.arange(0, BK)
    a = a_ptr + om[:, None] * sa + ok[None, :]
    b = b_ptr + ok[:, None] + on[None, :] * sb
    acc = tl.zeros((BM, BN), dtype=tl.float32)
    for _ in range(0, K, BK):
        acc = tl.dot(tl.load(a), tl.load(b), acc)
        a += BK
        b += BK
    tl.store(c_ptr + om[:, None] * sc + on[None, :], acc)


@triton.jit
def scaled_kernel(
    a_ptr, as_ptr, b_ptr, bs_ptr, c_ptr, K, N, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):  # fmt: skip
    """C = A . B^T of e2m1 items, two to a byte, with a scale for every 32 along K."""
    om = tl.program_id(0) * BM + tl.arange(0, BM)
    on = tl.program_id(1) * BN + tl.arange(0, BN)
    ok = tl.arange(0, BK // 2)
    os = tl.arange(0, BK // 32)
    acc = tl.zeros((BM, BN), tl.float32)
    for k in range(0, tl.cdiv(K, BK)):
        a = tl.load(a_ptr + om[:, None] * (K // 2) + k * (BK // 2) + ok[None, :])
        b = tl.load(b_ptr + (k * (BK // 2) + ok)[:, None] + on[None, :] * (K // 2))
        sa = tl.load(as_ptr + om[:, None] * (K // 32) + k * (BK // 32) + os[None, :])
        sb = tl.load(bs_ptr + on[:, None] * (K // 32) + k * (BK // 32) + os[None, :])
        acc = tl.dot_scaled(a, sa, "e2m1", b, sb, "e2m1", acc)
    tl.store(c_ptr + om[:, None] * N + on[None, :], acc)


def without_debug(text: str) -> str:
    """The assembly without what only a debugger needs."""
    kept, skip = [], False
    for line in text.splitlines():
        if re.match(r'\s*\.section\s+"?\.debug', line):
            skip = True
        elif re.match(r"\s*\.(section|text|amdgpu_metadata|data)\b", line):
            skip = False
        debug = re.match(r"\s*\.(loc|cfi_\w+|file|ident)\b|\.L(tmp|func_\w+|debug\w*|info\w*)\d*:", line)
        if not skip and not debug and line.strip():
            kept.append(re.sub(r"\s*;.*$", "", line) if line.lstrip().startswith(("v_", "s_")) else line)
    return "\n".join(kept) + "\n"


def compiled(kernel, arch, types, constants) -> None:
    """Write one kernel's assembly; ``types`` are those of its arguments in order."""
    names = list(kernel.arg_names)
    signature = dict(zip(names, [*types, *["constexpr"] * len(constants)], strict=True))
    attributes = {(place,): [["tt.divisibility", 16]] for place in range(len(types))}
    source = ASTSource(kernel, signature, constants, attributes)
    found = triton.compile(source, target=GPUTarget("hip", arch, 64), options={"num_warps": 4})
    name = f"{kernel.__name__.removesuffix('_kernel')}_{arch}.s".replace("mm_", "fp8_")
    head = f"; Compiled by Triton {triton.__version__} from kernels.py here (debug information left out).\n"
    (HERE / name).write_text(head + without_debug(found.asm["amdgcn"]))
    print(f"{name}: {found.metadata.shared} bytes of dynamic LDS", file=sys.stderr)


if __name__ == "__main__":
    numbers, bf16 = ["i32"] * 6, ["*bf16", "*bf16", "*fp32"]
    compiled(matmul_kernel, "gfx942", bf16 + numbers, {"BM": 64, "BN": 64, "BK": 32})
    compiled(matmul_kernel, "gfx950", bf16 + numbers, {"BM": 128, "BN": 128, "BK": 64})
    fp8 = ["*fp8e4nv", "*fp8e4nv", "*fp32", *["i32"] * 4]
    compiled(mm_kernel, "gfx950", fp8, {"BM": 128, "BN": 64, "BK": 64})
    compiled(
        scaled_kernel, "gfx950", ["*u8"] * 4 + ["*fp32", "i32", "i32"], {"BM": 128, "BN": 128, "BK": 128}
    )
