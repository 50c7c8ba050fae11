"""Microbenchmarks of the LDS and of global memory."""

from __future__ import annotations

from collections.abc import Iterator
from struct import pack

from wavesim.calibrate.bench.benchmark import LDS_BYTES, WIDTHS, Benchmark, register, repeat
from wavesim.calibrate.bench.template import Body
from wavesim.isa.machine import Machine


def lds_setup(stride_shift: int) -> list[str]:
    """v4: LDS byte address of the lane at ``lane << stride_shift``, plus 4 KiB per wave (modulo 32 KiB)."""
    return [
        "v_and_b32_e32 v4, 63, v0",
        f"v_lshlrev_b32_e32 v4, {stride_shift}, v4",
        "v_lshrrev_b32_e32 v5, 6, v0",
        "v_lshlrev_b32_e32 v5, 12, v5",
        "v_add_u32_e32 v4, v4, v5",
        f"v_and_b32_e32 v4, {LDS_BYTES - 1:#x}, v4",
    ]


def lds_benchmarks(machine: Machine) -> Iterator[Benchmark]:
    """Latency, rate, queue and conflicts of the LDS."""
    drain = ["s_waitcnt lgkmcnt(0)"]
    fill = ["v_mov_b32_e32 v8, 0", "v_mov_b32_e32 v9, 0", "v_mov_b32_e32 v10, 0", "v_mov_b32_e32 v11, 0"]
    for suffix, (width, registers) in WIDTHS.items():
        shift = width.bit_length() - 1
        setup = [*lds_setup(shift), *fill]
        target, source = register(16, registers), register(8, registers)
        read, write = f"ds_read_{suffix} {target}, v4", f"ds_write_{suffix} v4, {source}"
        yield Benchmark(
            f"lds_read_latency_{suffix}",
            "one LDS read at a time",
            ("lds.read_latency_clk",),
            Body(repeat(32, read, *drain), setup, lds_bytes=LDS_BYTES, operations=32),
        )
        yield Benchmark(
            f"lds_write_latency_{suffix}",
            "one LDS write at a time",
            (f"lds.write_latency_clk.{width}",),
            Body(repeat(32, write, *drain), setup, lds_bytes=LDS_BYTES, operations=32),
        )
        for waves in (1, 2, 4, 8):
            yield Benchmark(
                f"lds_read_rate_{suffix}_{waves}",
                f"LDS reads in a row, {waves} wave(s)",
                ("lds.port_bytes_per_clk",)
                if suffix != "b32"
                else ("lds.queue_entries", "lds.queue_hold_clk"),
                Body(repeat(32, read), setup, drain, waves=waves, lds_bytes=LDS_BYTES, operations=32),
            )
            yield Benchmark(
                f"lds_write_rate_{suffix}_{waves}",
                f"LDS writes in a row, {waves} wave(s)",
                (f"lds.write_hold_clk.{width}",),
                Body(repeat(32, write), setup, drain, waves=waves, lds_bytes=LDS_BYTES, operations=32),
            )
    # reads that take the banks for 32 or 64 clk: a place is free only long after the last issue; with two
    # rates, the number of places can be told from how long each is held. Two waves share the queue of their
    # SIMD pair: one alone cannot fill more places than lgkmcnt counts.
    for shift, busy_clk in ((6, 32), (7, 64)):
        for waves, counts in ((1, range(6, 13)), (2, range(4, 10))):
            for count in counts:
                yield Benchmark(
                    f"lds_queue_{busy_clk}_{waves}_{count}",
                    f"the issue of {count} LDS reads of {busy_clk} clk each, not their data; {waves} wave(s)",
                    ("lds.queue_entries", "lds.queue_hold_clk"),
                    Body(
                        repeat(count, "ds_read_b64 v[16:17], v4"),
                        [*lds_setup(shift), *fill],
                        waves=waves,
                        lds_bytes=LDS_BYTES,
                        operations=count,
                    ),
                )
    for ways in (2, 4, 8):
        conflict = [*lds_setup(3 + ways.bit_length() - 1), *fill]
        yield Benchmark(
            f"lds_conflict_{ways}",
            f"ds_read_b64 with {ways}-way bank conflicts",
            (),
            Body(repeat(32, "ds_read_b64 v[16:17], v4"), conflict, drain, lds_bytes=LDS_BYTES, operations=32),
        )
    yield Benchmark(
        "valu_to_lds",
        "an LDS read behind the vector instruction that makes its address",
        ("gap.valu_to_memory_clk",),
        Body(
            repeat(32, "v_add_u32_e32 v4, 0, v4", "ds_read_b32 v16, v4", *drain),
            [*lds_setup(2)],
            lds_bytes=LDS_BYTES,
            operations=32,
        ),
    )


def memory_benchmarks(machine: Machine) -> Iterator[Benchmark]:
    """Latency by level, rate, queue and counter of global memory."""
    for level in LEVELS:
        yield _chase(level)
    drain = ["s_waitcnt vmcnt(0)"]
    for suffix, registers in (("dword", 1), ("dwordx2", 2), ("dwordx4", 4)):
        for waves, count in ((1, 16), (4, 48)):  # 16: fewer than may be in flight
            yield Benchmark(
                f"global_rate_{suffix}_{waves}",
                f"{count} global loads in a row, {waves} wave(s)",
                ("memory.bytes_per_clk",) if waves == 1 else (),
                Body(
                    _stream(count, suffix, registers),
                    _STREAM_SETUP,
                    drain,
                    waves=waves,
                    data=bytes(_REGION),
                    vgprs=128,
                    operations=count,
                ),
            )
    yield Benchmark(
        "global_rate_l1",
        "bursts of eight wide global loads of the same lines, in L1",
        ("memory.bytes_per_clk",),
        Body(
            [*repeat(8, "global_load_dwordx4 v[16:19], v64, s[4:5]"), *drain] * 12,
            [*_STREAM_SETUP, "global_load_dwordx4 v[16:19], v64, s[4:5]"],
            data=bytes(_REGION),
            vgprs=128,
            operations=96,
        ),
    )
    yield Benchmark(
        "global_rate_lane",
        "16 global loads of a single lane",
        ("memory.min_service_clk",),
        Body(
            _stream(16, "dword", 1),
            [*_STREAM_SETUP, "s_mov_b64 s[22:23], exec", "s_mov_b64 exec, 1"],
            [*drain, "s_mov_b64 exec, s[22:23]"],
            data=bytes(_REGION),
            vgprs=128,
            operations=16,
        ),
    )
    for suffix, registers in (("dword", 1), ("dwordx2", 2), ("dwordx4", 4)):
        for count in (16, 24, 32, 40):
            yield Benchmark(
                f"global_queue_{suffix}_{count}",
                f"four bursts of {count} global loads",
                ("memory.queue_entries", "memory.tail_bytes"),
                Body(
                    [*_stream(count, suffix, registers), *drain] * 4,
                    _STREAM_SETUP,
                    data=bytes(_REGION),
                    vgprs=128,
                    operations=4 * count,
                ),
            )
    for count in (12, 14, 16, 18, 20, 22, 24, 26):
        yield Benchmark(
            f"global_issue_{count}",
            f"the issue of {count} wide global loads, not their data",
            ("memory.queue_entries", "memory.tail_bytes"),
            Body(
                _stream(count, "dwordx4", 4),
                _STREAM_SETUP,
                data=bytes(_REGION),
                vgprs=128,
                operations=count,
            ),
        )
    yield Benchmark(
        "vm_full",
        "more global loads than vmcnt counts",
        ("counter.vm_max",),
        Body(_stream(80, "dword", 1), _STREAM_SETUP, data=bytes(_REGION), vgprs=128, operations=80),
    )
    again = ["global_load_dword v6, v64, s[4:5]", *drain]
    add = ["s_add_u32 s20, s20, 1", *again]
    yield Benchmark(
        "salu_to_vmem",
        "a global load behind a scalar instruction",
        ("gap.salu_to_vmem_clk",),
        Body(
            repeat(16, *add),
            [*_STREAM_SETUP, "s_mov_b32 s20, 0", *again],
            data=bytes(_REGION),
            vgprs=128,
            operations=16,
        ),
    )
    move = ["v_add_u32_e32 v64, 0, v64", *again]
    yield Benchmark(
        "valu_to_vmem",
        "a global load behind a vector instruction",
        ("gap.valu_to_memory_clk",),
        Body(repeat(16, *move), [*_STREAM_SETUP, *again], data=bytes(_REGION), vgprs=128, operations=16),
    )
    store = ["v_mov_b32_e32 v8, 0", "v_lshlrev_b32_e32 v4, 2, v0"]
    yield Benchmark(
        "store_wait",
        "one global store at a time",
        ("memory.store_latency_clk",),
        Body(repeat(8, "global_store_dword v4, v8, s[4:5]", *drain), store, operations=8),
    )


_REGION = 16 * 4096 + 4096
"""Bytes that the streams of loads go through: more than L1 holds, so that loads find their lines in L2."""

_STREAM_SETUP = [
    "v_lshlrev_b32_e32 v64, 4, v0",
    *[f"v_add_u32_e32 v{64 + index}, {4096 * index:#x}, v64" for index in range(1, 16)],
    *[
        f"global_load_dwordx4 v[16:19], v{64 + index}, s[4:5] offset:{offset}"
        for index in range(16)
        for offset in (0, 1024, 2048, 3072)
    ],
]
"""v64 to v79: addresses 4 KiB apart; everything is loaded once, in the order of the stream."""


def _stream(count: int, suffix: str, registers: int) -> list[str]:
    """Loads of 1 KiB of lines each, one behind the other through the region."""
    target = register(16, registers)
    return [
        f"global_load_{suffix} {target}, v{64 + number // 4 % 16}, s[4:5] offset:{1024 * (number % 4)}"
        for number in range(count)
    ]


LEVELS = ("l1", "l2", "mall", "hbm")
WARM_LINES = 64
"""Lines that one load of the warm-up touches."""

CHASE_STEPS = 16
_RING_AT = 128


def _chase(level: str) -> Benchmark:
    """A pointer chase by offsets. Word 0 of the data says how many loads of 64 lines the warm-up makes."""
    setup = [
        "s_load_dword s24, s[4:5], 0x0",
        "v_lshlrev_b32_e32 v5, 7, v0",
        f"v_mov_b32_e32 v4, {_RING_AT}",
        f"s_movk_i32 s25, {WARM_LINES * 128}",
        "s_waitcnt lgkmcnt(0)",
        "s_cmp_eq_u32 s24, 0",
        "s_cbranch_scc1 .Lcold",
        ".Lwarm:",
        "global_load_dword v6, v5, s[4:5]",
        "s_waitcnt vmcnt(0)",
        "v_add_u32_e32 v5, s25, v5",
        "s_sub_u32 s24, s24, 1",
        "s_cmp_lg_u32 s24, 0",
        "s_cbranch_scc1 .Lwarm",
        ".Lcold:",
        "s_mov_b64 s[22:23], exec",
        "s_mov_b64 exec, 1",
    ]
    step = ["global_load_dword v4, v4, s[4:5]", "s_waitcnt vmcnt(0)"]
    forced = level if level in ("mall", "hbm") else ""
    return Benchmark(
        f"chase_{level}",
        f"a pointer chase that finds its lines in {level.upper()}",
        (f"memory.{level}_latency_clk",),
        Body(
            repeat(CHASE_STEPS, *step),
            setup,
            ["s_mov_b64 exec, s[22:23]"],
            data=ring(level, virtual=True),
            operations=CHASE_STEPS,
            forced_level=forced,
        ),
    )


def ring(level: str, *, virtual: bool) -> bytes:
    """Data of a chase: the warm-up's loads, and at each line the offset of the next one.

    ``virtual``: small data for a device whose level is forced. Otherwise what a GPU needs to have the lines
    where they are wanted: a ring of 16 lines (L1), one larger than L1, one larger than an L2, and lines that
    are in no cache because more than all of them hold was written since (HBM; see ``samples.run``). Those are
    a little over 4 KiB apart, so that all are in one large page: it is not translation that is measured.
    """
    if level == "l1":
        lines, warm, apart = CHASE_STEPS, 1, 1
    elif level == "l2":
        lines, warm, apart = 1024, 16, 7
    elif virtual:
        lines, warm, apart = 1024, 0, 7
    elif level == "mall":
        lines, warm, apart = 1 << 18, (1 << 18) // WARM_LINES, 7
    else:
        lines, warm, apart = 1 << 18, 0, 33
    content = bytearray((lines + 1) * 128)
    content[0:4] = pack("<I", warm)
    line = 0
    for _ in range(2 * CHASE_STEPS):
        after = (line + apart) % lines
        content[_RING_AT + line * 128 : _RING_AT + line * 128 + 4] = pack("<I", _RING_AT + after * 128)
        line = after
    return bytes(content)
