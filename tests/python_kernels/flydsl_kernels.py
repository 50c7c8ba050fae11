# ruff: noqa: N803, N806
"""FlyDSL kernels for the tests; wavesim imports this file with a stand-in for torch where there is none."""

import flydsl.compiler as flyc
import flydsl.expr as fx

BLOCK = 64


@flyc.kernel
def add_kernel(A: fx.Tensor, B: fx.Tensor, C: fx.Tensor):
    tid, bid = fx.thread_idx.x, fx.block_idx.x
    blocks = [fx.slice(fx.logical_divide(X, fx.make_layout(BLOCK, 1)), (None, bid)) for X in (A, B, C)]
    tA, tB, tC = [fx.logical_divide(X, fx.make_layout(1, 1)) for X in blocks]
    atom = fx.make_copy_atom(fx.UniversalCopy32b(), fx.Float32)
    rA, rB, rC = [fx.make_rmem_tensor(1, fx.Float32) for _ in range(3)]
    fx.copy_atom_call(atom, fx.slice(tA, (None, tid)), rA)
    fx.copy_atom_call(atom, fx.slice(tB, (None, tid)), rB)
    fx.memref_store_vec(fx.arith.addf(fx.memref_load_vec(rA), fx.memref_load_vec(rB)), rC)
    fx.copy_atom_call(atom, rC, fx.slice(tC, (None, tid)))


@flyc.jit
def add(A: fx.Tensor, B: fx.Tensor, C: fx.Tensor, n: fx.Int32, stream: fx.Stream = fx.Stream(None)):
    add_kernel(A, B, C).launch(grid=((n + BLOCK - 1) // BLOCK, 1, 1), block=(BLOCK, 1, 1), stream=stream)


@flyc.kernel
def product_kernel(A: fx.Tensor, B: fx.Tensor, C: fx.Tensor):
    tid, bid = fx.thread_idx.x, fx.block_idx.x
    A, B, C = [fx.rocdl.make_buffer_tensor(X) for X in (A, B, C)]
    bA = fx.slice(fx.zipped_divide(A, (64, 8)), (None, bid))
    bB = fx.slice(fx.zipped_divide(B, (64, 8)), (None, bid))
    bC = fx.slice(fx.zipped_divide(C, (64, 64)), (None, bid))
    mma_atom = fx.make_mma_atom(fx.rocdl.MFMA(16, 16, 4, fx.Float32))
    tiled_mma = fx.make_tiled_mma(mma_atom, fx.make_layout((2, 2, 1), (1, 2, 0)))
    mine = tiled_mma.thr_slice(tid)
    atom = fx.make_copy_atom(fx.rocdl.BufferCopy32b(), fx.Float32)
    copy_A = fx.make_tiled_copy_A(atom, tiled_mma).get_slice(tid)
    copy_B = fx.make_tiled_copy_B(atom, tiled_mma).get_slice(tid)
    copy_C = fx.make_tiled_copy_C(atom, tiled_mma).get_slice(tid)
    rA, rB, rC = mine.make_fragment_A(bA), mine.make_fragment_B(bB), mine.make_fragment_C(bC)
    fx.copy(atom, copy_A.partition_S(bA), copy_A.retile(rA), pred=None)
    fx.copy(atom, copy_B.partition_S(bB), copy_B.retile(rB), pred=None)
    rC.fill(0)
    fx.gemm(mma_atom, rC, rA, rB, rC)
    fx.copy(atom, copy_C.retile(rC), copy_C.partition_S(bC), pred=None)


@flyc.jit
def product(A: fx.Tensor, B: fx.Tensor, C: fx.Tensor, stream: fx.Stream = fx.Stream(None)):
    product_kernel(A, B, C).launch(grid=(1, 1, 1), block=(256, 1, 1), stream=stream)
