"""HIP kernels that clang compiles (-O3), executed and compared with numpy: what compilers really print."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from wavesim.asm.text.parse import parse_program
from wavesim.emulate.elements import f32_to_bf16, minifloat
from wavesim.emulate.run import Execution, emulate
from wavesim.front.launch.model import Launch, MatrixArgument, ScalarArgument
from wavesim.isa.load import load_machine

SOURCE = Path(__file__).with_name("compiled_kernels.hip")
FLAGS = ("-x", "hip", "--cuda-device-only", "-nogpulib", "-nogpuinc", "-O3", "-S")
Array = np.ndarray
f32 = np.float32


@cache
def compiled(kernel: str, arch: str) -> str:
    """Assembly of one kernel; skips without a compiler for the architecture."""
    compiler = next(filter(None, map(shutil.which, ("clang-22", "clang-21", "clang-20", "clang"))), None)
    if compiler is None:
        pytest.skip("no clang on this machine")
    made = subprocess.run(
        [compiler, *FLAGS, f"--offload-arch={arch}", f"-DK_{kernel}", "-o", "-", str(SOURCE)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        pytest.skip(f"{compiler} cannot compile {kernel} for {arch}: {made.stderr.splitlines()[:1]}")
    return made.stdout


class Run:
    """One executed kernel; A and B hold random numbers, ``n`` is the last argument."""

    def __init__(
        self,
        kernel: str,
        arch: str,
        a: int,
        b: int,
        c: int,
        *,
        dtype: str = "f32",
        init: str = "unwritten",
        n: int = 6,
        block: int = 256,
        grid: tuple[int, int, int] = (1, 1, 1),
        groups: tuple[tuple[int, int, int], ...] = ((0, 0, 0),),
    ) -> None:
        self.sizes = {"A": a, "B": b, "C": c}
        arguments = (
            MatrixArgument("A", dtype, 1, a, seed=1),
            MatrixArgument("B", dtype, 1, b, seed=2),
            MatrixArgument("C", "f32", 1, c, init),
            ScalarArgument("n", "i32", n),
        )
        program = parse_program(compiled(kernel, arch), f"{kernel}.s", arch)
        self.execution: Execution = emulate(
            program, Launch(arguments, block, grid, groups), load_machine(arch)
        )
        assert self.execution.complete
        assert not self.execution.findings

    def __getitem__(self, name: str) -> Array:
        return np.asarray(self.execution.matrix(name, (0, 0, 1, self.sizes[name]))[0])


def close(got: Array, expected: Array, rtol: float = 1e-5, atol: float = 1e-5) -> None:
    np.testing.assert_allclose(np.asarray(got, np.float64), np.asarray(expected, np.float64), rtol, atol)


def softmax(arch: str) -> None:
    run = Run("softmax", arch, 8 * 256, 64, 8 * 256, n=8)
    powers = np.exp(run["A"].reshape(8, 256).astype(np.float64))
    close(run["C"].reshape(8, 256), powers / powers.sum(axis=1, keepdims=True))


def gemms(arch: str) -> None:
    run = Run("gemms", arch, 1024, 1024, 4096, dtype="f16", init="zero", block=64)
    a, b, c = run["A"], run["B"], run["C"]
    wide, right = (each.reshape(32, 32).astype(np.float64) for each in (a, b))
    close(c[256:1280], (wide @ right.T).ravel(), 1e-4, 1e-4)
    wide, right = wide[:16], right[:16]
    close(c[:256], (wide @ right.T).ravel(), 1e-4, 1e-4)
    whole = [np.trunc((each.astype(np.float16) * np.float16(100)).astype(f32)) for each in (wide, right)]
    close(c[1280:1536], (whole[0] @ whole[1].T).ravel())
    small = [
        minifloat(kind, arch).decode(minifloat(kind, arch).encode(each)).astype(np.float64)
        for kind, each in (("fp8", wide), ("bf8", right))
    ]
    close(c[1536:1792], (small[0] @ small[1].T).ravel(), 1e-4, 1e-4)
    close(c[1792:2048], (wide @ right.T).ravel(), 1e-6, 1e-6)
    rounded = [
        (f32_to_bf16(each[:256]).astype(np.uint32) << 16).view(f32).reshape(16, 4, 4) for each in (a, b)
    ]
    close(c[2048:2304], np.einsum("bik,bjk->bij", *rounded).ravel(), 1e-4, 1e-4)


def atomics(arch: str) -> None:
    run = Run("atomics", arch, 256, 256, 64, init="zero")
    c = run["C"].astype(f32)
    whole = c.view(np.int32)
    bins = np.minimum(np.trunc((run["A"].astype(f32) + f32(1)) * f32(8)).astype(int), 15)
    np.testing.assert_array_equal(whole[:16], np.bincount(bins, minlength=16))
    picked = [whole[16], whole[17], whole[32], whole[33], whole[35], whole[36]]
    assert [int(each) for each in picked] == [128, 32640, 32640, 255, -1, 15]
    assert c[34] == 64
    assert c[38:40].view(np.float64)[0] == 128


def to_lds(arch: str) -> None:
    run = Run("to_lds", arch, 1024, 256, 1024)
    thread = np.arange(256)
    expected = np.stack([run["A"][(thread * 4 + i * 5) & 1023] for i in range(4)], axis=1)
    close(run["C"].reshape(256, 4), expected, 0, 0)


def packed(arch: str) -> None:
    run = Run("packed", arch, 512, 512, 2560)
    a, b = (run[name].astype(f32).reshape(256, 2) for name in "AB")
    c = run["C"].reshape(256, 10)
    first = a * b + a - b * np.array([2, 3], f32)
    close(c[:, :2], a * first + b, 1e-4)
    x, y = a.astype(np.float16), b.astype(np.float16)
    halves = (x.astype(f32) * y + y).astype(np.float16)
    close(c[:, 2:4], np.minimum(np.maximum(halves, x), np.array([0.5, 0.75], np.float16)), 2e-3, 2e-3)
    i, j = (np.trunc(each * f32(1000)).astype(np.int16) for each in (a, b))
    shifted = (i * np.array([3, 5], np.int16) + j) >> np.array([1, 2], np.int16)
    close(c[:, 4:6], np.maximum(shifted, j))
    close(c[:, 6], (x.astype(np.float64) * y).sum(axis=1) + 1.5, 1e-4)
    bytes_a = np.ascontiguousarray(a[:, 0]).view(np.int8).reshape(256, 4).astype(int)
    bytes_b = np.ascontiguousarray(b[:, 1]).view(np.int8).reshape(256, 4).astype(int)
    close(c[:, 7], (bytes_a * bytes_b).sum(axis=1) + 7)
    high, low = (np.ascontiguousarray(each[:, 0]).view(np.uint32).astype(np.uint64) for each in (a, b))
    pair = high << np.uint64(32) | low
    chosen = [(pair >> np.uint64(8 * byte) & np.uint64(255)) for byte in (0, 5, 2, 7)]
    close(c[:, 8], sum(byte << np.uint64(8 * at) for at, byte in enumerate(chosen)).astype(f32))
    close(c[:, 9], np.median(np.stack([a[:, 0], a[:, 1], b[:, 0]]), axis=0))


def private(arch: str) -> None:
    n = 9
    run = Run("private", arch, 2560, 512, 128, n=n, block=64)
    values, few = run["A"].astype(f32).reshape(40, 64).copy(), run["B"].astype(f32).reshape(8, 64).copy()
    lane = np.arange(64)
    for i in range(n):
        j, k = (lane * 7 + i * 13) % 40, (lane * 3 + i) % 40
        x = values[j, lane].copy()
        values[j, lane] = values[k, lane] + f32(1)
        values[k, lane] = x
    close(run["C"][:64], (values * np.arange(1, 41, dtype=f32)[:, None]).sum(axis=0), 1e-4, 1e-3)
    total = np.zeros(64, f32)
    for i in range(n):
        place = (i * 5 + n) & 7
        total = total + few[place]
        few[place] = total * f32(0.5)
    close(run["C"][64:], total, 1e-4)


def wide_integers(arch: str) -> None:
    run = Run("wide", arch, 256, 256, 3072)
    c = run["C"].reshape(256, 12)
    for t, (x, y) in enumerate(zip(run["A"].astype(f32), run["B"].astype(f32), strict=True)):
        a, b = int(f32(x * f32(1e9))) * 1000003, int(f32(y * f32(1e6))) | 1
        unsigned, size = a * 3 % 2**64, abs(b)
        quotient = abs(a) // size * (1 if (a < 0) == (b < 0) else -1)
        short = ((a >> 20) % 2**32 ^ 1 << 31) - (1 << 31)
        ratio = abs(short) // size * (1 if (short < 0) == (b < 0) else -1)
        expected = [
            *(quotient, a - quotient * b, unsigned // size, unsigned % size, a >> (t & 31)),
            *(unsigned >> (t & 63), 64 - (unsigned | 1).bit_length(), unsigned.bit_count()),
            *((unsigned * size) % 2**64 >> 40, a * 0.5, ratio, short - ratio * b),
        ]
        close(c[t], np.array([f32(each) for each in expected]), 1e-6, 0)


def floats(arch: str) -> None:
    run = Run("floats", arch, 256, 256, 4096)
    a, b = run["A"].astype(f32), run["B"].astype(f32)
    da, db = a.astype(np.float64), b.astype(np.float64)
    rounded = (f32_to_bf16(a + b).astype(np.uint32) << 16).view(f32)
    expected = [
        *(da / db, da / db, a.astype(np.float16) / b.astype(np.float16), np.sqrt(da * da + 1)),
        *(np.sqrt(da * da + 2), np.floor(a * f32(10)) + np.ceil(b * f32(10)), np.rint(a * f32(10))),
        *(np.trunc(b * f32(7)), np.abs(a) - np.copysign(b, a), da * db + da, np.exp2(da)),
        *(np.log2(db * db + 1), rounded, 1 / (da + 3)),
        *(np.trunc(a * f32(100)) + np.trunc(b * f32(50) + f32(60)), np.ldexp(a, (b * f32(10)).astype(int))),
    ]
    c = run["C"].reshape(256, 16)
    for column, values in enumerate(expected):
        close(c[:, column], values, 1e-3 if column == 2 else 2e-6, 1e-6)


def branches(arch: str) -> None:
    n = 8
    run = Run("branches", arch, 256, 256, 1024, n=n)
    c = run["C"].reshape(256, 4)
    results, sums = np.zeros(256, f32), np.zeros(256)
    for t, (x, other) in enumerate(zip(run["A"].astype(f32), run["B"].astype(f32), strict=True)):
        results[t] = x = _switched(t, x, other)
        sums[t] = _looped(t, float(x), n)
    close(c[:, 0], results)
    close(c[:, 1], sums)
    positive = (results > 0).reshape(4, 64)
    close(c[:, 2], (np.cumsum(positive, axis=1) - positive).ravel())
    close(c[:, 3], np.repeat(results[::64], 64))


def _switched(t: int, x: f32, other: f32) -> f32:
    match t % 7:
        case 0:
            return f32(x + f32(1))
        case 1:
            return f32(x * f32(2) - f32(3))
        case 2:
            return f32(x - f32(3))
        case 3:
            for i in range(t):
                if i * i > 900:
                    break
                x = f32(x + f32(0.5))
            return x
        case 5:
            return f32(-x)
    return other


def _looped(t: int, x: float, n: int) -> int:
    s = 0
    for i in range(n):
        if (t + i) & 1:
            if x > 0.5:
                s += i
                continue
            s -= 1
        elif x < -0.5:
            s += 100
            if s > 250:
                break
        s += sum(range(t & 3))
    return s


def bytes_and_halves(arch: str) -> None:
    run = Run("bytes", arch, 256, 256, 2048, dtype="u32", init="zero")
    a, b = (run[name].astype(np.uint32) for name in "AB")
    c = run["C"].astype(f32)
    columns = c[:1024].reshape(256, 4)
    x, y = (each.view(np.uint8).reshape(256, 4) for each in (a, b))
    close(columns[:, 0], ((x + y).astype(float) * np.maximum(x, y)).sum(axis=1))
    close(columns[:, 1], ((a >> 7 & 0x1FF).astype(np.int64) * (b & 0xFFF)).astype(f32))
    thread = np.arange(256)
    byte, half = a.view(np.int8)[thread * 3].astype(int), b.view(np.int16)[thread + 5].astype(int)
    close(columns[:, 2], byte - half)
    joined = (a.astype(np.uint64) << np.uint64(32) | b) >> np.uint64(13)
    close(columns[:, 3], (a >> 5 & 511).astype(f32) + joined.astype(np.uint32).astype(f32))
    np.testing.assert_array_equal(c.view(np.uint8)[4096:4352], (byte + half) & 255)
    np.testing.assert_array_equal(c[1152:1280].view(np.int16), (byte * half).astype(np.int16))


def buffers(arch: str) -> None:
    run = Run("buffers", arch, 2048, 256, 2048, init="zero")
    a = run["A"]
    values = a[:1024].reshape(256, 4).copy()
    thread = np.arange(256)
    values[:, 0] += np.where(thread * 8 < 1024, a[thread * 8], 0)
    expected = np.zeros(2048)
    expected[16:1040] = values.ravel()
    close(run["C"], expected)


def transposed(arch: str) -> None:
    run = Run("tr", arch, 1024, 64, 256, dtype="f16", block=64)
    rows = run["A"].reshape(16, 64)
    close(run["C"].reshape(64, 4), rows[:4].T, 0, 0)


def scaled(arch: str) -> None:
    run = Run("scaled", arch, 512, 512, 512, dtype="u32", init="zero", block=64)
    a, b, c = run["A"].astype(np.uint32), run["B"].astype(np.uint32), run["C"].astype(f32)
    decode = minifloat("fp8", arch).decode
    left = decode((a & 0x3F3F3F3F).view(np.uint8)).reshape(4, 16, 32).astype(np.float64)
    right = decode((b & 0x37373737).view(np.uint8)).reshape(4, 16, 32).astype(np.float64)
    lane = np.arange(64)
    scales = [0x7F7E7D80 + (lane & 1) >> 8 & 255, np.full(64, 0x80807F7F >> 16 & 255)]
    factors = [(2.0 ** (scale - 127.0)).reshape(4, 16, 1) for scale in scales]
    product = np.einsum("gik,gjk->ij", left * factors[0], right * factors[1])
    expected = product + np.array([1, 2, 3, 4])[np.arange(16) % 4][:, None]
    got = c[:256].reshape(4, 16, 4).transpose(0, 2, 1).reshape(16, 16)
    close(got, expected, 1e-5, 1e-3)
    x, y = a[:64], b[:64]
    swapped = []
    for size in (32, 16):
        odd = lane // size % 2 == 1
        swapped += [np.where(odd, y[lane - size * odd], x), np.where(odd, y, x[(lane + size) % 64])]
    np.testing.assert_array_equal(c[256:].view(np.uint32).reshape(64, 4), np.stack(swapped, axis=1))


def grid(arch: str) -> None:
    groups = ((0, 0, 0), (1, 0, 0), (0, 1, 0), (1, 1, 0))
    run = Run("grid", arch, 256, 256, 1024, grid=(2, 2, 1), groups=groups)
    close(run["C"].reshape(4, 256), np.stack([run["A"] + value for value in (0, 10, 1, 11)]))


def lookup(arch: str) -> None:
    run = Run("lookup", arch, 64, 64, 64, block=64)
    table = np.array([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3], f32)
    lane = np.arange(64)
    chosen = np.array([7, 19, -4, 1000, 33, 2, 77] + [1] * 6)[lane % 13]
    close(run["C"], run["A"] * table[(lane * 5) & 15] + chosen)


def calls(arch: str) -> None:
    n = 3
    run = Run("calls", arch, 64, 64, 64, n=n, block=64)

    def helper(x: Array, y: Array, count: int) -> Array:
        total = x.astype(np.float64)
        for _ in range(count):
            total = total * y + x
        return total

    close(run["C"], helper(run["A"], run["B"], n) + helper(run["B"], run["A"], 2), 1e-4)


BOTH: list[Callable[[str], None]] = [
    *(softmax, gemms, atomics, to_lds, packed, private, wide_integers, floats, branches),
    *(bytes_and_halves, buffers, grid, lookup, calls),
]


@pytest.mark.parametrize("arch", ["gfx942", "gfx950"])
@pytest.mark.parametrize("check", BOTH, ids=lambda check: check.__name__)
def test_kernel(check: Callable[[str], None], arch: str) -> None:
    check(arch)


@pytest.mark.parametrize("check", [transposed, scaled], ids=lambda check: check.__name__)
def test_kernel_of_gfx950(check: Callable[[str], None]) -> None:
    check("gfx950")
