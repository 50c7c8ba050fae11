"""Microbenchmarks of issue, the matrix pipe, barriers and priorities; and the list of all.

Chains are long, so that a cost resolves below an issue slot; where two parameters show in one program, a
second program has them in another proportion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wavesim.calibrate.bench.benchmark import CHAIN, LDS_BYTES, Benchmark, register, repeat
from wavesim.calibrate.bench.memory import lds_benchmarks, memory_benchmarks
from wavesim.calibrate.bench.template import Body
from wavesim.isa.machine import Machine
from wavesim.isa.opcodes import opcode_table


def _issue(machine: Machine) -> Iterator[Benchmark]:
    yield Benchmark(
        "salu_chain",
        "scalar instructions, each needing the last",
        (),
        Body(repeat(CHAIN, "s_add_u32 s20, s20, 1"), ["s_mov_b32 s20, 0"], operations=CHAIN),
    )
    yield Benchmark(
        "valu_chain",
        "vector instructions, each needing the last",
        ("issue.valu_clk",),
        Body(
            repeat(CHAIN, "v_add_u32_e32 v4, v4, v5"),
            ["v_mov_b32_e32 v4, 0", "v_mov_b32_e32 v5, 1"],
            operations=CHAIN,
        ),
    )
    yield Benchmark(
        "trans_chain",
        "transcendental instructions",
        ("issue.trans_clk",),
        Body(repeat(64, "v_exp_f32_e32 v4, v5"), ["v_mov_b32_e32 v5, 0"], operations=64),
    )
    yield Benchmark("nop", "s_nop 7: eight slots", (), Body(repeat(64, "s_nop 7"), operations=512))
    yield Benchmark(
        "sleep", "s_sleep 1", ("issue.sleep_unit_clk",), Body(repeat(32, "s_sleep 1"), operations=32)
    )
    yield Benchmark(
        "satisfied_waits",
        "s_waitcnt with nothing to wait for",
        (),
        Body(repeat(64, "s_waitcnt lgkmcnt(0)"), operations=64),
    )
    loop = [
        "s_mov_b32 s20, 64",
        ".Lagain:",
        "s_sub_u32 s20, s20, 1",
        "s_cmp_lg_u32 s20, 0",
        "s_cbranch_scc1 .Lagain",
    ]
    yield Benchmark(
        "branch_loop",
        "64 turns of a loop of three instructions",
        ("fetch.restart_first_clk", "gap.salu_to_cbranch_clk"),
        Body(loop, operations=64),
    )
    nops = [
        "s_mov_b32 s20, 64",
        ".Lagain:",
        "s_sub_u32 s20, s20, 1",
        "s_cmp_lg_u32 s20, 0",
        "s_nop 7",
        "s_cbranch_scc1 .Lagain",
    ]
    yield Benchmark(
        "branch_loop_apart",
        "the same with time between compare and branch",
        ("fetch.restart_first_clk",),
        Body(nops, operations=64),
    )
    wide = [
        "s_mov_b32 s20, 32",
        ".Lagain:",
        *repeat(12, "s_add_u32 s21, s21, 0x12345"),
        "s_sub_u32 s20, s20, 1",
        "s_cmp_lg_u32 s20, 0",
        "s_nop 7",
        "s_cbranch_scc1 .Lagain",
    ]
    yield Benchmark(
        "branch_far",
        "a loop of several 32-byte pieces of code",
        ("fetch.restart_next_clk", "fetch.refill_clk"),
        Body(wide, ["s_mov_b32 s21, 0"], operations=32),
    )
    yield Benchmark(
        "wide_code",
        "8-byte scalar instructions in a row",
        ("fetch.refill_clk",),
        Body(repeat(CHAIN, "s_add_u32 s21, s21, 0x12345"), ["s_mov_b32 s21, 0"], operations=CHAIN),
    )
    yield Benchmark(
        "valu_sgpr_scalar",
        "a scalar instruction behind a vector one that writes SGPRs",
        ("gap.valu_sgpr_to_scalar_clk",),
        Body(
            repeat(48, "v_readfirstlane_b32 s20, v4", "s_add_u32 s21, s21, 1"),
            ["v_mov_b32_e32 v4, 0", "s_mov_b32 s21, 0"],
            operations=48,
        ),
    )
    yield Benchmark(
        "scalar_load",
        "one scalar load at a time",
        ("scalar.load_latency_clk",),
        Body(repeat(32, "s_load_dword s20, s[4:5], 0x0", "s_waitcnt lgkmcnt(0)"), operations=32),
    )
    slow = ["ds_read_b128 v[16:19], v4"] * 6
    loads = [f"s_load_dword s{20 + number}, s[4:5], 0x0" for number in range(24)]
    yield Benchmark(
        "lgkm_full",
        "six slow LDS reads and 24 scalar loads behind them, more than lgkmcnt counts",
        ("counter.lgkm_max",),
        Body(
            repeat(8, *slow, *loads, "s_waitcnt lgkmcnt(0)"),
            ["v_and_b32_e32 v4, 63, v0", "v_lshlrev_b32_e32 v4, 4, v4"],
            lds_bytes=LDS_BYTES,
            operations=8,
        ),
    )


OLDER_SHAPES = [
    ("v_mfma_f32_16x16x16bf16_1k", 2, 4),
    ("v_mfma_f32_32x32x8bf16_1k", 2, 16),
    ("v_mfma_f32_16x16x4f32", 1, 4),
    ("v_mfma_f32_32x32x2f32", 1, 16),
    ("v_mfma_i32_16x16x16i8", 1, 4),
]
"""As gfx90a has them. Its successors read the same instructions under newer names."""


def exists(opcode: str, arch: str) -> bool:
    """Whether an architecture has an instruction of this name."""
    info = opcode_table().get(opcode)
    return info is not None and arch in info.archs


def _mfma(machine: Machine) -> Iterator[Benchmark]:
    shapes = [
        ("v_mfma_f32_16x16x16_bf16", 2, 4),
        ("v_mfma_f32_32x32x8_bf16", 2, 16),
        ("v_mfma_f32_16x16x4_f32", 1, 4),
        ("v_mfma_f32_32x32x2_f32", 1, 16),
        ("v_mfma_i32_16x16x32_i8", 2, 4),
        ("v_mfma_f32_16x16x32_fp8_fp8", 2, 4),
        ("v_mfma_f32_16x16x32_bf16", 4, 4),
        ("v_mfma_f32_32x32x16_bf16", 4, 16),
        ("v_mfma_f32_16x16x128_f8f6f4", 8, 4),
        *OLDER_SHAPES,
    ]
    zero = [f"v_mov_b32_e32 v{index}, 0" for index in range(4, 12)]
    for opcode, sources, results in shapes:
        if opcode not in machine.parameters.mfma_table or not exists(opcode, machine.arch):
            continue
        short = opcode.removeprefix("v_mfma_")
        parameter = f"mfma_table.{opcode}"
        operand = register(4, sources)
        # four accumulators in turn: no result is waited for
        lines = [
            f"{opcode} a[{16 * (number % 4)}:{16 * (number % 4) + results - 1}], {operand}, {operand}, "
            f"a[{16 * (number % 4)}:{16 * (number % 4) + results - 1}]"
            for number in range(64)
        ]
        clear = [f"v_accvgpr_write_b32 a{index}, 0" for index in range(64)]
        setup = [*zero, *clear, "s_nop 7"]
        yield Benchmark(
            f"mfma_{short}", "independent MFMAs in a row", (parameter,), Body(lines, setup, operations=64)
        )
        same = [lines[0]] * 64
        yield Benchmark(
            f"mfma_chain_{short}",
            "MFMAs that add to one accumulator",
            (parameter,),
            Body(same, setup, operations=64),
        )
        if sources in (2, 4, 8) and results == 4:
            mixed = [line for number in range(32) for line in (lines[number], "v_add_u32_e32 v20, v20, v21")]
            more = [*setup, "v_mov_b32_e32 v20, 0", "v_mov_b32_e32 v21, 1"]
            yield Benchmark(
                f"mfma_valu_{short}",
                "an MFMA and a vector instruction in turn, two waves",
                (f"mfma.blocks_valu_clk.{sources}",),
                Body(mixed, more, waves=8, operations=32),
            )
            reads = [line for number in range(32) for line in (lines[number], "ds_read_b32 v22, v23")]
            yield Benchmark(
                f"mfma_lds_{short}",
                "an MFMA and an LDS read in turn, two waves",
                (f"mfma.blocks_memory_clk.{sources}",),
                Body(
                    reads,
                    [*more, "v_mov_b32_e32 v23, 0"],
                    ["s_waitcnt lgkmcnt(0)"],
                    waves=8,
                    lds_bytes=LDS_BYTES,
                    operations=32,
                ),
            )


def _order(machine: Machine) -> Iterator[Benchmark]:
    yield Benchmark(
        "barrier_8",
        "barriers of eight waves",
        ("barrier.release_early_clk", "barrier.release_late_clk"),
        Body(repeat(32, "s_barrier"), waves=8, operations=32),
    )
    yield Benchmark(
        "barrier_4",
        "barriers of four waves",
        ("barrier.release_early_clk", "barrier.release_late_clk"),
        Body(repeat(32, "s_barrier"), waves=4, operations=32),
    )
    yield Benchmark(
        "oldest_first",
        "vector instructions of two waves on each SIMD",
        (),
        Body(
            repeat(64, "v_add_u32_e32 v4, v4, v5"),
            ["v_mov_b32_e32 v4, 0", "v_mov_b32_e32 v5, 1"],
            waves=8,
            operations=64,
        ),
    )
    name = "v_mfma_f32_16x16x16_bf16"
    opcode = name if exists(name, machine.arch) else OLDER_SHAPES[0][0]
    yield Benchmark(
        "oldest_first_mfma",
        "MFMAs of two waves on each SIMD",
        (),
        Body(
            repeat(32, f"{opcode} a[0:3], v[4:5], v[4:5], a[0:3]"),
            [
                "v_mov_b32_e32 v4, 0",
                "v_mov_b32_e32 v5, 0",
                *[f"v_accvgpr_write_b32 a{index}, 0" for index in range(4)],
                "s_nop 7",
            ],
            waves=8,
            operations=32,
        ),
    )
    raise_younger = [
        "v_readfirstlane_b32 s20, v0",
        "s_nop 4",
        "s_cmp_lt_u32 s20, 256",
        "s_cbranch_scc1 .Lolder",
        "s_setprio 3",
        ".Lolder:",
    ]
    yield Benchmark(
        "setprio",
        "the same with the younger waves raised",
        (),
        Body(
            repeat(64, "v_add_u32_e32 v4, v4, v5"),
            ["v_mov_b32_e32 v4, 0", "v_mov_b32_e32 v5, 1", *raise_younger],
            waves=8,
            operations=64,
        ),
    )


GROUPS: tuple[Callable[[Machine], Iterator[Benchmark]], ...] = (
    _issue,
    _mfma,
    lds_benchmarks,
    _order,
    memory_benchmarks,
)


def microbenchmarks(machine: Machine) -> tuple[Benchmark, ...]:
    """Every microbenchmark that ``machine`` can run, in the order in which parameters are fitted."""
    return tuple(each for group in GROUPS for each in group(machine))
