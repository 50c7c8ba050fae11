"""Random traces that reach every rule of docs/model: loops, barriers, ports, queues, counters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import builders as b
import numpy as np

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.rules import BY_NAME, without
from wavesim.trace import FOLLOWS, CodeEntry, Kind, Room, Spin, Trace, WaveTrace
from wavesim.trace.code import SlotShare

MEMORY = (Kind.VMEM_LOAD, Kind.VMEM_STORE, Kind.SMEM)


def random_parameters(random: Random, arch: str) -> TimingParameters:
    """The stock machine, now and then with short queues, small counters, short latencies, rules off."""
    stock = b.parameters(
        arch,
        memory_latency_clk=random.choice((60, 300, 1000)),
        memory_idle_clk=random.choice((40, 200, 1100)),
    )
    if random.random() < 0.3:
        stock = without(stock, random.sample(sorted(BY_NAME), random.randint(1, 4)))
    if random.random() < 0.5:
        return stock
    queue_entries = random.choice((2, 4, 10))
    return replace(
        stock,
        lds_queue_entries=queue_entries,
        memory_tail_bytes=512 * queue_entries,
        memory_to_lds_held_bytes=300 * (queue_entries == 4),
        memory_queue_entries=random.choice((2, 12)),
        memory_store_queue_bytes=random.choice((512, 2048, 8192)),
        memory_tail_entries=random.choice((3, 14)),
        counter_lgkm_max=random.choice((4, 15)),
        counter_vm_max=random.choice((2, 63)),
        issue_dual_after_mfma_clk=random.choice((0, 12)),
        issue_packed_after_mfma_clk=random.choice((0, 12)),
        issue_turns_idle_clk=random.choice((8, 32)),
        issue_turns_clk=random.choice((0, 24, 128)),
        issue_turn_clk=random.choice((8, 32)),
    )


def with_cold_code(random: Random, p: TimingParameters, trace: Trace) -> tuple[TimingParameters, Trace]:
    """Code that nobody has executed, or that a small instruction cache does not hold; small pages."""
    few = replace(
        p,
        fetch_icache_bytes=random.choice((128, 512, 65536)),
        fetch_icache_line_bytes=random.choice((32, 64, 128)),
        fetch_page_bytes=random.choice((128, 256, 4096)),
        fetch_code_offset_bytes=random.choice((0, 128, 3968)),
        fetch_prefetch_bytes=random.choice((0, 128, 1024)),
        fetch_miss_clk=random.choice((30, 300)),
    )
    return few, replace(trace, cold_code=random.random() < 0.7)


def random_share(random: Random) -> SlotShare:
    """Any classes, and reads up to the banks' limit."""
    return SlotShare(
        random.randrange(3),
        random.randrange(3),
        random.random() < 0.3,
        random.random() < 0.3,
        random.randrange(5),
        random.randrange(5),
        random.random() < 0.5,
        random.random() < 0.5,
    )


def random_entry(random: Random, arch: str, mix: str) -> CodeEntry:
    """One instruction; ``mix`` leans the draw: "any", "lds", "matrix", "memory"."""
    matrix = [b.mfma(b.MFMA_942, 2)]
    if arch == "gfx950":
        matrix = [
            b.mfma(b.MFMA_950, vgprs) if not scaled else b.mfma(b.MFMA_SCALED, vgprs, fmt="fp8", scaled=True)
            for vgprs in (2, 4, 8)
            for scaled in (False, True)
        ]
    widths = (4, 8, 16)
    groups = {
        "lds": [
            b.lds_read(random.choice(widths)),
            b.lds_exchange(*random.choice(((0, 1), (0, 2), (4, 4), (8, 4), (16, 8)))),
            b.lds_write(random.choice(widths)),
            b.load(random.choice((4, 16)), to_lds=True),
            b.wait(lgkm=random.choice((0, 1, 3, 7))),
        ],
        "matrix": [
            *matrix,
            *matrix,
            b.valu(),
            b.valu(random_share(random)),
            b.valu(b.ALONE, packed_f32=True),
            b.valu(b.ALONE, multi_slot=True),
            b.trans(),
        ],
        "memory": [
            b.load(random.choice(widths), reads=(random.randrange(4),)),
            b.load(16),
            b.store(random.choice(widths)),
            b.wait(vm=random.choice((0, 1, 4))),
            b.salu(writes=(random.randrange(4),)),
        ],
        "any": [
            b.smem(random.choice((1, 2, 4))),
            b.wait(lgkm=0, vm=random.choice((None, 2))),
            b.nop(random.randrange(5)),
            b.sleep(random.randrange(3)),
            b.setprio(random.randrange(4)),
            b.valu(random_share(random), writes_sgpr=True),
            b.salu(size_bytes=random.choice((4, 8))),
            b.valu(random_share(random), size_bytes=random.choice((4, 8))),
        ],
    }
    group = mix if random.random() < 0.6 else random.choice(tuple(groups))
    return random.choice(groups[group])


def random_trace(random: Random, arch: str, *, longest_loop: int = 4) -> Trace:
    """One or two workgroups; the waves of a role share code, every role passes the same barriers."""
    mixes = ("any", "lds", "matrix", "memory")
    roles, segments = random.randint(1, 3), random.randint(1, 3)
    code: list[CodeEntry] = []
    plan: list[list[tuple[int, int, int]]] = []  # per role: (first, last, kind of end) of each segment
    for _ in range(roles):
        of_role = []
        for _ in range(segments):
            mix = random.choice(mixes)
            first = len(code)
            code += [random_entry(random, arch, mix) for _ in range(random.randint(1, 14))]
            ends_with_branch = random.random() < 0.5
            if ends_with_branch:
                code.append(b.cbranch())
            of_role.append((first, len(code), int(ends_with_branch)))
            code.append(b.barrier())
        code.append(b.endpgm())
        plan.append(of_role)
    placed = b.laid_out(code, 4 * random.randrange(8))
    waves = []
    for workgroup in range(random.choice((1, 1, 2))):
        start = 0 if workgroup == 0 else random.randrange(300)
        count = random.choice((1, 2, 4, 5, 8))
        spread = random.random() < 0.3
        for number in range(count):
            rows: list[int] = []
            taken = []
            of_role = plan[number % roles]
            for first, last, ends_with_branch in of_role:
                passes = random.randint(1, longest_loop) if ends_with_branch else 1
                for turn in range(passes):
                    rows += range(first, last)
                    if ends_with_branch and turn + 1 < passes:
                        taken.append(len(rows) - 1)
                rows.append(last)
            rows.append(of_role[-1][1] + 1)
            lds = {r: random.choice((4, 8, 32)) for r, c in enumerate(rows) if random.random() < 0.1}
            memory = {r for r, c in enumerate(rows) if placed[c].kind in MEMORY and random.random() < 0.3}
            waves.append(
                b.wave(
                    rows,
                    simd=random.randrange(4) if spread else number % 4,
                    number=number,
                    workgroup=workgroup,
                    start_clk=start + (random.randrange(60) if spread else 0),
                    taken=taken,
                    array_clk=lds,
                    memory_bytes={r: 128 * random.randrange(9) for r in memory},
                    memory_latency_clk={r: random.randrange(20, 400) for r in memory},
                    memory_path_clk16={r: 37 * r % 2000 for r in memory if r % 3 == 0},
                    memory_hit_bytes={r: 128 * (r % 4) for r in memory},
                )
            )
    if random.random() < 0.25:
        add_polling(random, placed, waves)
    late = [random.choice((-1, 0, 20, 300)) for _ in range(random.choice((0, 0, 40)))]
    return b.trace(placed, waves, arch, memory_head_by_order_clk=np.array(late, np.int32))


def with_followers(random: Random, trace: Trace) -> Trace:
    """Workgroups that start when others have ended: streams of those there are, with less room or more."""
    first = [wave for wave in trace.waves if wave.workgroup == trace.waves[0].workgroup]
    per_simd = max(sum(wave.simd == simd for wave in trace.waves) for simd in range(4))
    followers = [
        replace(wave, workgroup=2 + number, start_clk=FOLLOWS, spins=())
        for number in range(random.choice((1, 3, 9)))
        for wave in first
    ]
    room = Room(per_simd + random.choice((0, 0, 1)), random.choice((1, 2, 3)))
    return replace(trace, waves=(*trace.waves, *followers), room=room)


def add_polling(random: Random, code: Sequence[CodeEntry], waves: list[WaveTrace]) -> None:
    """Lets the first wave poll for a store of another wave before any barrier of either."""
    stores = []
    for position, wave in enumerate(waves[1:], 1):
        for row, index in enumerate(wave.code.tolist()):
            if code[index].kind is Kind.BARRIER:
                break
            if code[index].kind in (Kind.LDS_WRITE, Kind.VMEM_STORE):
                stores.append((position, row))
    kinds = [code[index].kind for index in waves[0].code.tolist()]
    last = next(row for row, kind in enumerate(kinds) if kind in (Kind.COND_BRANCH, Kind.BARRIER))
    if stores and kinds[last] is Kind.COND_BRANCH:
        taken = waves[0].taken.copy()
        taken[last] = False
        position, row = random.choice(stores)
        waves[0] = replace(waves[0], taken=taken, spins=(Spin(0, last, position, row),))
