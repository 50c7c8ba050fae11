"""What workgroups touch in common, found from a few instructions of each, against executing all of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import builders as b
import numpy as np
import pytest

from wavesim.emulate.addresses import address_traces, emulate_addresses
from wavesim.front.launch.model import Launch, LoadedKernel, MatrixArgument
from wavesim.isa.kinds import Kind
from wavesim.isa.load import load_machine
from wavesim.isa.machine import Machine
from wavesim.pipeline.run import RunOptions, prepare
from wavesim.program import Instruction
from wavesim.timing.memory.predict import Round, predict_memory
from wavesim.timing.memory.sharing import Sharing, Unshared, find_sharing
from wavesim.trace import MemoryLevel as Level
from wavesim.trace import Trace

KERNELS = Path(__file__).parents[2] / "kernels"

PRODUCERS = """
kernel: producers
constants: {M: 8192, N: 8192, K: 8192, TILE: 128, K_STEP: 64}
workgroup: {waves: 8}
memory:
  A: {type: bf16, rows: M, cols: K}
  B: {type: bf16, rows: N, cols: K}
lds:
  As: {type: bf16, rows: TILE, cols: K_STEP}
  Bs: {type: bf16, rows: TILE, cols: K_STEP}
loads:
  load_a: {from: A, to: As, row: grid_y * TILE, threads: 256}
  load_b: {from: B, to: Bs, row: grid_x * TILE, threads: 256}
program:
- if: wave >= 4
  then:
  - loop: t
    from: 0
    to: 8
    body:
    - {global_load: load_a, col: t * K_STEP}
    - {global_load: load_b, col: t * K_STEP}
launch: {grid: [N / TILE, M / TILE], workgroups_per_cu: 1}
"""


def small(units: int) -> tuple[LoadedKernel, Machine, Trace]:
    """The half-split on a device of a few compute units and two XCDs: a grid of 4 x 4 workgroups."""
    sizes = {"M": "512", "N": "512", "K": "512"}
    kernel, _ = prepare(KERNELS / "8wave.yaml", RunOptions(settings=sizes))
    machine = load_machine(
        "MI325X",
        {
            "structure.compute_units": units,
            "memory.l2_caches": 2,
            "memory.mall_bytes": 1 << 16,
            "memory.l2_bytes": 1 << 15,
        },
    )
    return kernel, machine, emulate_addresses(kernel.program, kernel.launch, machine).trace


def test_shared_lines_are_those_of_all_workgroups_executed() -> None:
    units = 6  # two rounds and a part of a third; an XCD has every other workgroup
    kernel, machine, trace = small(units)
    sharing = find_sharing(kernel.program, kernel.launch, machine, trace)
    grid = [(number % 4, number // 4, 0) for number in range(2 * units)]
    traces = list(address_traces(kernel.program, kernel.launch, machine, grid))
    assert sharing.loads
    assert sharing.rounds == 3
    assert sharing.active_units == units
    for code, found in sharing.loads.items():
        assert trace.code[code].kind is Kind.VMEM_LOAD
        touched = []
        for one in traces:
            rows = [np.flatnonzero(wave.code == code) for wave in one.waves]
            middle = min(map(len, rows)) // 2
            touched.append(
                {
                    int(line)
                    for wave, own in zip(one.waves, rows, strict=True)
                    for line in wave.lines[
                        wave.line_offsets[own[middle]] : wave.line_offsets[own[middle] + 1]
                    ]
                }
            )
        device, later = set().union(*touched[:units]), set().union(*touched[units:])
        pieces = 128 // found.piece_bytes
        assert found.device == pieces * len(device)
        assert found.xcds == pieces * sum(len(set().union(*touched[each:units:2])) for each in (0, 1))
        assert found.fresh_later == pieces * len(later - device)


def test_lines_that_are_not_the_others_moved_are_refused() -> None:
    """Streams whose lines drift apart, as no other workgroup's do."""
    kernel, machine, trace = small(6)
    wave = trace.waves[0]
    other = replace(wave, lines=wave.lines + np.arange(len(wave.lines)))
    other_trace = replace(trace, waves=(other, *trace.waves[1:]))
    with pytest.raises(Unshared, match=r"moved|later ones go"):
        find_sharing(kernel.program, kernel.launch, machine, other_trace)
    found = predict_memory(kernel.program, kernel.launch, machine, other_trace)
    shared = predict_memory(kernel.program, kernel.launch, machine, trace)
    assert found.assumed[0].startswith("no workgroup shares lines with another: ")
    for each in found.sharing.loads.values():
        assert each.device == each.xcds >= 6 * each.own // (128 // each.piece_bytes) // 2
    assert found.level_clk[Level.HBM] > 1.5 * shared.level_clk[Level.HBM]


def test_the_first_round_waits_for_the_dram_and_small_matrices_are_held() -> None:
    kernel, machine, trace = small(6)
    cold = predict_memory(kernel.program, kernel.launch, machine, trace, Round.COLD)
    warm = predict_memory(kernel.program, kernel.launch, machine, trace, Round.WARM, cold.sharing)
    assert cold.share[Level.HBM] == pytest.approx(0.333)
    assert cold.share[Level.MALL] == 0
    assert 0 < warm.share[Level.HBM] < 0.2 < warm.share[Level.MALL]
    assert not cold.assumed
    held = predict_memory(kernel.program, kernel.launch, load_machine("MI325X"), trace)
    assert held.share == {Level.L1: 0, Level.L2: 1, Level.MALL: 0, Level.HBM: 0}
    assert "L2" in held.assumed[0]
    again = predict_memory(kernel.program, kernel.launch, machine, trace, "cold")
    for one, two, later in zip(cold.trace.waves, again.trace.waves, warm.trace.waves, strict=True):
        scalar = [row for row, code in enumerate(one.code) if trace.code[code].kind is Kind.SMEM]
        assert one.memory_latency_clk[scalar[0]] == 550
        assert later.memory_latency_clk[scalar[0]] == -1
        assert np.array_equal(one.memory_path_clk16, two.memory_path_clk16)


def test_scratch_that_an_xcds_l2_does_not_hold_is_slower() -> None:
    """348 bytes a lane, 8 waves and 38 compute units are 6.8 MB of a 4 MiB L2: a third and more misses."""
    waves = [b.wave([0, 1], simd=number % 4, number=number) for number in range(8)]
    loads = b.trace(b.one_chunk([b.load(4), b.endpgm()]), waves)
    scratch = replace(loads.code[0], instruction=Instruction("scratch_load_dword"))
    trace = replace(loads, code=(scratch, loads.code[1]))
    machine = load_machine("MI300X")
    found = {}
    for size in (120, 348):
        program = replace(trace.program, metadata=replace(trace.program.metadata, scratch_bytes=size))
        launch = Launch((), 512, grid=(4096, 1, 1))
        predicted = predict_memory(program, launch, machine, trace, sharing=Sharing({}, 304, 1, 14))
        found[size] = int(predicted.trace.waves[0].memory_latency_clk[0])
    share = 4 * 2**20 / (348 * 512 * 38)
    assert found == {120: 288, 348: round(share * 288 + (1 - share) * 685)}


def test_stores_take_the_share_of_what_the_device_writes() -> None:
    """1 KiB of each of 304 compute units: at 5 TB/s of 2.1 GHz 130.7 clk, and 92.9 where all L2 caches have
    it together. A returning atomic is a load; what goes to scratch takes no path."""
    code = b.one_chunk([b.store(16), b.load(4), b.store(16), b.endpgm()])
    loads = b.trace(code, [b.wave([0, 1, 2, 3], memory_bytes={0: 1024, 1: 256, 2: 1024})])
    names = ("global_store_dwordx4", "global_atomic_add", "scratch_store_dwordx4")
    entries = [replace(each, instruction=Instruction(name)) for each, name in zip(code, names, strict=False)]
    trace = replace(loads, code=(*entries, code[3]))
    found = {}
    for rows in (8192, 1024):
        matrix = MatrixArgument("C", "f32", rows, 8192, "unwritten", 0)
        launch = Launch((matrix,), 64, grid=(4096, 1, 1))
        sharing = Sharing({}, 304, 1, 14)
        predicted = predict_memory(trace.program, launch, load_machine("MI325X"), trace, sharing=sharing)
        wave = predicted.trace.waves[0]
        assert wave.memory_latency_clk[:2].tolist() == [288, 288]
        assert wave.memory_path_clk16[1:].tolist() == [0, 0, 0]
        found[rows] = int(wave.memory_path_clk16[0])
    assert found == {8192: round(16 * 1024 * 304 / (5000 / 2.1)), 1024: round(16 * 1024 * 304 / (8 * 419))}


def test_waves_that_load_nothing_do_not_hide_what_others_share(tmp_path: Path) -> None:
    """The first four waves load nothing; what workgroups share is seen from the fifth."""
    path = tmp_path / "producers.yaml"
    path.write_text(PRODUCERS)
    kernel, machine = prepare(path, RunOptions(arch="MI350X"))
    trace = emulate_addresses(kernel.program, kernel.launch, machine).trace
    sharing = find_sharing(kernel.program, kernel.launch, machine, trace)
    assert not sharing.assumed
    assert len(sharing.loads) == 8
    for load in sharing.loads.values():
        assert load.device <= load.own * sharing.active_units / 4


def test_the_first_load_of_a_page_waits_for_its_translation() -> None:
    """Two waves load lines of a page of 2 MiB and of the next one. The second wave is the first to load the
    former; the latter both load with their second instruction, so that the first wave is. Later loads of both
    pages, and later rounds, find the translations."""
    code = b.one_chunk([b.load(4), b.load(4), b.load(4), b.endpgm()])
    touched = ([[], [1 << 14], [5]], [[9], [(1 << 14) + 1], [5]])
    waves = []
    for number, lines in enumerate(touched):
        wave = b.wave([0, 1, 2, 3], simd=number, number=number)
        sizes = [len(each) for each in lines]
        flat = np.array([line for each in lines for line in each], np.int64)
        offsets = np.cumsum([0, *sizes, 0]).astype(np.int64)
        waves.append(replace(wave, line_offsets=offsets, lines=flat))
    trace = b.trace(code, waves)
    launch = Launch((), 128, grid=(4096, 1, 1))
    found = {}
    for round in Round:
        predicted = predict_memory(
            trace.program, launch, load_machine("MI325X"), trace, round, Sharing({}, 304, 1, 14)
        )
        found[round] = [wave.memory_latency_clk[:3].tolist() for wave in predicted.trace.waves]
    assert found[Round.COLD] == [[288, 876, 288], [876, 288, 288]]
    assert found[Round.WARM] == [[288] * 3] * 2
