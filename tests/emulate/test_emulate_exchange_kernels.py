"""Compiled kernels whose threads work together, against numpy: atomics, DPP, ballots, buffers, dots."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from wavesim.asm.text.parse import parse_program
from wavesim.emulate.run import emulate
from wavesim.front.launch.model import Launch, MatrixArgument
from wavesim.isa.load import load_machine

SOURCE = Path(__file__).with_name("exchange_kernels.hip")
ARCHS = ("gfx90a", "gfx942", "gfx950")
LANE = np.arange(256)
WHOLE = 0xFFFFFFFF
Words = np.ndarray


def words(seed: int) -> Words:
    return np.random.default_rng(seed).integers(0, 2**32, 256, dtype=np.uint64).astype(np.uint32)


A, B = words(1), words(2)
FLOATS = [np.random.default_rng(seed).uniform(-2, 2, 256).astype(np.float32) for seed in (3, 4)]


def run(kernel: str, arch: str, size: int, inputs: list[Words], start: Words | None = None) -> Words:
    """What the kernel leaves in O, ``size`` words; ``start`` is what its first words hold before."""
    compiler = next(filter(None, map(shutil.which, ("clang-22", "clang-21", "clang-20", "clang"))), None)
    if compiler is None:
        pytest.skip("no clang on this machine")
    flags = ("-x", "hip", "--cuda-device-only", "-nogpulib", "-nogpuinc", "-O3", "-S", "-ffp-contract=off")
    made = subprocess.run(
        [compiler, *flags, f"--offload-arch={arch}", f"-DK_{kernel}", "-o", "-", str(SOURCE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert not made.returncode, made.stderr
    content = np.zeros(size, np.uint32)
    if start is not None:
        content[: len(start)] = start
    types = {np.dtype(np.uint32): "u32", np.dtype(np.float32): "f32"}
    arguments = (
        *(
            MatrixArgument(name, types[each.dtype], 1, 256, "given", content=each.tobytes())
            for name, each in zip("AB", inputs, strict=False)
        ),
        MatrixArgument("O", "u32", 1, size, "given", content=content.tobytes()),
    )
    program = parse_program(made.stdout, "k.s", arch)
    execution = emulate(program, Launch(arguments, 256), load_machine(arch))
    assert execution.complete
    assert not execution.findings
    return execution.matrix("O", (0, 0, 1, size))[0]


def signed(values: Words) -> Words:
    return values.view(np.int32).astype(np.int64)


def common_atomics(got: Words) -> None:
    """The nine 32-bit operations on words 0 to 8."""
    total = int(A.astype(np.int64).sum())
    assert got[0] == total & WHOLE
    assert got[1] == -total & WHOLE
    assert got[2] == np.bitwise_and.reduce(A | 0xFF)
    assert got[3] == np.bitwise_or.reduce(A & 0x10101)
    assert got[4] == np.bitwise_xor.reduce(A)
    assert got[5].view(np.int32) == signed(A).min()
    assert got[6].view(np.int32) == max(0, signed(A).max())
    assert got[7] == A.min()
    assert got[8] == A.max()


def check_global_atomics(arch: str) -> None:
    start = np.zeros(24, np.uint32)
    start[[2, 7]], start[5] = WHOLE, 0x7FFFFFFF
    got = run("global_atomics", arch, 544, [A], start)
    common_atomics(got)
    wide = got[10:18].view(np.uint64)
    values = A.astype(np.uint64) << np.uint64(20) | LANE.astype(np.uint64)
    assert wide[0] == values.sum()
    assert wide[1] == np.bitwise_xor.reduce(values)
    assert wide[2] == values.max()
    assert wide[3].view(np.int64) == min(0, (values << np.uint64(24)).view(np.int64).min())
    assert sorted(got[32:288].tolist()) == list(range(0, 768, 3))
    assert got[20] == 768
    assert got[21] == (A & 15).sum()
    chain = sorted([*got[288:544].tolist(), int(got[22])])
    assert chain == list(range(257))  # each value is met once, as an old one or at the end


def check_lds_atomics(arch: str) -> None:
    got = run("lds_atomics", arch, 288, [A])
    common_atomics(got)
    wide = got[16:22].view(np.uint64)
    values = A.astype(np.uint64) << np.uint64(20)
    assert wide[0] == values.sum()
    assert wide[1] == values.max()
    assert wide[2] == np.bitwise_or.reduce(np.uint64(1) << (A & 63).astype(np.uint64))
    assert got[22].view(np.float32) == (A & 63).sum()
    assert got[9] == 256
    assert got[10] == (A & 0xFFFF).max()
    assert sorted(got[32:288].tolist()) == list(range(256))


def check_float_atomics(arch: str) -> None:
    got = run("float_atomics", arch, 64, [A])
    values = (A & 255).astype(np.float64)
    doubles = got.view(np.float64)
    assert doubles[0] == values.sum() / 2
    assert got[4].view(np.float32) == values.sum()
    assert (doubles[3], doubles[4]) == (values.max(), -values.max())


def check_dpp(arch: str) -> None:
    got = run("dpp", arch, 1280, [A]).reshape(5, 256)
    values = (A & 0xFFFF).reshape(4, 64)
    np.testing.assert_array_equal(got[0].reshape(4, 64), np.cumsum(values, axis=1))
    rows = values.reshape(16, 16)
    np.testing.assert_array_equal(
        got[1].reshape(16, 16), np.pad(rows[:, 1:], ((0, 0), (0, 1)), constant_values=7)
    )
    np.testing.assert_array_equal(got[2], values.reshape(64, 4)[:, ::-1].reshape(-1))
    np.testing.assert_array_equal(got[3], rows[:, ::-1].reshape(-1))
    turned = np.roll(rows, 1, axis=1)
    row, bank = np.indices((16, 16))
    written = ((row & 1) == 0) & (bank // 4 < 2)
    np.testing.assert_array_equal(got[4].reshape(16, 16), np.where(written, turned, 9))


def check_ballots(arch: str) -> None:
    got = run("ballots", arch, 1792, [A]).reshape(7, 4, 64)
    waves = A.reshape(4, 64)
    odd = waves & 1
    np.testing.assert_array_equal(got[0], np.cumsum(odd, axis=1) - odd)
    np.testing.assert_array_equal(got[1], (odd.sum(1) + (waves[:, 0] & 0xFF) * 1000)[:, None].repeat(64, 1))
    np.testing.assert_array_equal(got[2], waves[:, 37:38].repeat(64, 1))
    lane = np.arange(64)
    np.testing.assert_array_equal(got[3], waves[:, lane * 7 % 64])
    pushed = np.zeros_like(waves)
    pushed[:, (lane * 5 + 3) % 64] = waves
    np.testing.assert_array_equal(got[4], pushed)
    np.testing.assert_array_equal(got[5], waves[:, lane ^ 16])
    np.testing.assert_array_equal(got[6], (waves.max(1) ^ 64)[:, None].repeat(64, 1))


def check_resources(arch: str) -> None:
    got = run("resources", arch, 1536, [A])
    padded = np.zeros(260, np.uint32)
    padded[:250] = A[:250]  # the range: 1000 bytes
    copied = np.stack([padded[at : at + 256] for at in range(4)], axis=1)
    copied[255, 2:] = 0  # the range of O ends in the last thread's element
    np.testing.assert_array_equal(got[:1024].reshape(256, 4), copied)
    np.testing.assert_array_equal(got[1024:1280], A.view(np.uint8)[8:264])
    np.testing.assert_array_equal(got[1280:], np.pad(A, (10, 0))[:256])


def check_dots(arch: str) -> None:
    got = run("dots", arch, 2048, [A, B]).reshape(8, 256)
    small = [each.view(np.int8).reshape(256, 4).astype(np.int64) for each in (A, B)]
    bytes_ = [each.view(np.uint8).reshape(256, 4).astype(np.int64) for each in (A, B)]
    halves = [each.view(np.int16).reshape(256, 2).astype(np.int64) for each in (A, B)]
    places = 4 * np.arange(8)
    nibbles = [((each[:, None] >> places & 15).astype(np.int64) ^ 8) - 8 for each in (A, B)]
    expected = [(x * y).sum(1) + c for (x, y), c in ((small, 77), (bytes_, 77), (halves, 5), (nibbles, -3))]
    for row, values in enumerate(expected):
        np.testing.assert_array_equal(got[row], values & WHOLE, err_msg=f"row {row}")
    both = np.concatenate([bytes_[1], bytes_[0]], axis=1)  # bytes 0 to 3 of the second, then of the first
    select = np.stack([LANE & 3, np.full(256, 5), np.full(256, 2), np.full(256, 7)], axis=1)
    chosen = np.take_along_axis(both, select, axis=1)
    np.testing.assert_array_equal(got[4], (chosen << 8 * np.arange(4)).sum(1))
    wide = A.astype(np.uint64) << np.uint64(32) | B.astype(np.uint64)
    np.testing.assert_array_equal(got[5], wide >> (LANE & 31).astype(np.uint64) & np.uint64(WHOLE))
    np.testing.assert_array_equal(got[6], np.abs(bytes_[0] - bytes_[1]).sum(1) + 1000)
    unsigned = A.astype(np.int64) >> (LANE & 31) & 511
    size = np.minimum(7, 32 - (LANE & 31))  # fewer bits are left near the top
    cut = B.astype(np.int64) >> (LANE & 31) & (1 << size) - 1
    extended = (cut ^ 1 << size - 1) - (1 << size - 1)
    np.testing.assert_array_equal(got[7], unsigned + extended & WHOLE)


def to_bf16(values: Words) -> Words:
    bits = values.astype(np.float32).view(np.uint32)
    return (bits + 0x7FFF + (bits >> 16 & 1) >> 16).astype(np.uint32)


def from_bf16(bits: Words) -> Words:
    return (bits << 16).astype(np.uint32).view(np.float32)


def check_bf16(arch: str) -> None:
    got = run("bf16", arch, 1024, FLOATS).reshape(4, 256)
    a, b = FLOATS
    x = from_bf16(to_bf16(a)), from_bf16(to_bf16(b))
    y = from_bf16(to_bf16(a * np.float32(3))), from_bf16(to_bf16(b[::-1]))
    np.testing.assert_array_equal(got[0], to_bf16(x[0] + y[0]) | to_bf16(x[1] + y[1]) << 16)
    np.testing.assert_array_equal(got[1], to_bf16(x[0] * y[0]) | to_bf16(x[1] * y[1]) << 16)
    np.testing.assert_array_equal(got[2].view(np.float32), x[0] + y[1])
    halves = np.stack(FLOATS, axis=1).astype(np.float16)
    result = halves * halves + np.array([1, -2], np.float16)
    np.testing.assert_array_equal(got[3], np.ascontiguousarray(result).view(np.uint32)[:, 0])


CHECKS = {
    name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")
}


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS.keys())
def test_kernel(check: Callable[[str], None], arch: str) -> None:
    check(arch)
