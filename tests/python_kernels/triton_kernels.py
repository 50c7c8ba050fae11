# ruff: noqa: N803
"""Triton kernels for the tests. Triton reads their text in this file."""

import triton
import triton.language as tl


@triton.jit
def add_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = i < n
    tl.store(out_ptr + i, tl.load(x_ptr + i, mask=inside) + tl.load(y_ptr + i, mask=inside), mask=inside)


@triton.jit
def softmax_kernel(out_ptr, x_ptr, stride, columns, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    i = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * stride + i, mask=i < columns, other=-float("inf"))
    e = tl.exp(x - tl.max(x, axis=0))
    tl.store(out_ptr + row * stride + i, e / tl.sum(e, axis=0), mask=i < columns)


@triton.jit
def matmul_kernel(
    a_ptr, b_ptr, c_ptr, K, sam, sak, sbk, sbn, scm, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    om = tl.program_id(0) * BM + tl.arange(0, BM)
    on = tl.program_id(1) * BN + tl.arange(0, BN)
    ok = tl.arange(0, BK)
    a = a_ptr + om[:, None] * sam + ok[None, :] * sak
    b = b_ptr + ok[:, None] * sbk + on[None, :] * sbn
    acc = tl.zeros((BM, BN), dtype=tl.float32)
    for _ in range(0, K, BK):
        acc = tl.dot(tl.load(a), tl.load(b), acc)
        a += BK * sak
        b += BK * sbk
    tl.store(c_ptr + om[:, None] * scm + on[None, :], acc)


@triton.autotune(configs=[triton.Config({"BM": 64, "BN": 32})], key=["N"])
@triton.jit
def attention_kernel(
    q_ptr, k_ptr, v_ptr, scale, out_ptr, N, D: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr
):
    om = tl.program_id(0) * BM + tl.arange(0, BM)
    on = tl.arange(0, BN)
    od = tl.arange(0, D)
    q = tl.load(q_ptr + om[:, None] * D + od[None, :])
    highest = tl.zeros([BM], tl.float32) - float("inf")
    total = tl.zeros([BM], tl.float32)
    acc = tl.zeros([BM, D], tl.float32)
    for n in range(0, (tl.program_id(0) + 1) * BM, BN):  # causal
        k = tl.load(k_ptr + (n + on)[None, :] * D + od[:, None])
        qk = tl.dot(q, k) * (scale * 1.44269504)
        qk = tl.where(om[:, None] >= (n + on)[None, :], qk, -1.0e6)
        higher = tl.maximum(highest, tl.max(qk, 1))
        p = tl.math.exp2(qk - higher[:, None])
        alpha = tl.math.exp2(highest - higher)
        total = total * alpha + tl.sum(p, 1)
        v = tl.load(v_ptr + (n + on)[:, None] * D + od[None, :])
        acc = tl.dot(p.to(v.dtype), v, acc * alpha[:, None])
        highest = higher
    tl.store(out_ptr + om[:, None] * D + od[None, :], (acc / total[:, None]).to(out_ptr.dtype.element_ty))


@triton.jit
def wrong_kernel(x_ptr, BLOCK: tl.constexpr):
    tl.store(x_ptr + tl.arange(0, BLOCK), no_such_name)  # noqa: F821
