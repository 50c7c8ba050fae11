"""Which lines a compute unit's L1 has, and what that makes of a predicted run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import builders as b
import numpy as np
import pytest

from wavesim.front.launch.file import LaunchOptions
from wavesim.isa.load import load_machine
from wavesim.pipeline.run import Run, RunOptions, run_kernel
from wavesim.program import Instruction
from wavesim.timing import ENGINES, simulate
from wavesim.timing.memory.l1 import find_hits
from wavesim.trace import MemoryLevel as Level

SMALL = load_machine("MI325X", {"memory.l1_bytes": 8 * 128, "memory.l1_ways": 2})
"""8 lines in 4 sets."""


def hits(accesses: Sequence[tuple[str, Sequence[int]]], waves: int = 1) -> list[list[int]]:
    """Lines found by each access, of waves that issue their accesses in turn."""
    kinds = {"load": b.load(4), "store": b.store(4), "inv": b.store(4), "sc1": b.load(4), "atomic": b.load(4)}
    opcodes = {"inv": "buffer_inv", "atomic": "global_atomic_add"}
    code = list(b.one_chunk([*kinds.values(), b.endpgm()]))
    names = list(kinds)
    for place, name in enumerate(names):
        instruction = Instruction(opcodes.get(name, f"global_{kinds[name].kind.value[5:]}_dword"))
        if name == "sc1":
            instruction = replace(instruction, modifiers=(("sc1", True),))
        code[place] = replace(code[place], instruction=instruction)
    streams = []
    for number in range(waves):
        mine = accesses[number::waves]
        rows = [names.index(name) for name, _ in mine]
        wave = b.wave([*rows, len(names)], simd=number % 4, number=number)
        sizes = [len(lines) for _, lines in mine]
        streams.append(
            replace(
                wave,
                line_offsets=np.cumsum([0, *sizes, 0]).astype(np.int64),
                lines=np.array([line for _, lines in mine for line in lines], np.int64),
            )
        )
    trace = b.trace(code, streams)
    found = find_hits(trace, simulate(trace, SMALL.parameters), SMALL)
    return [each[:-1].tolist() for each in found]


def test_a_line_that_was_loaded_shortly_before_is_found() -> None:
    assert hits([("load", (0, 1)), ("load", (1, 2)), ("load", (0, 1, 2))]) == [[0, 1, 3]]


def test_the_line_used_longest_ago_makes_room_in_its_set() -> None:
    """Lines 0, 4 and 8 are of one set of two. Line 0 was used again, so 4 goes; line 1 is of another set."""
    order = [("load", (line,)) for line in (0, 4, 1, 0, 8, 0, 4, 1)]
    assert hits(order) == [[0, 0, 0, 1, 0, 1, 0, 1]]


def test_another_waves_line_is_found_in_the_order_of_issue() -> None:
    assert hits([("load", (0,)), ("load", (0,)), ("load", (0,)), ("load", (0,))], waves=2) == [[0, 1], [1, 1]]


@pytest.mark.parametrize("name", ["store", "atomic", "inv"])
def test_what_is_stored_or_invalidated_is_not_found(name: str) -> None:
    assert hits([("load", (0,)), (name, (0,)), ("load", (0,)), ("load", (0,))]) == [[0, 0, 0, 1]]


def test_a_load_beyond_the_l1_finds_nothing_and_brings_its_line() -> None:
    assert hits([("load", (0,)), ("sc1", (0,)), ("load", (0,))]) == [[0, 0, 1]]


KERNEL = """
.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
.text
.globl again
.p2align 8
.type again,@function
again:
s_load_dwordx2 s[2:3], s[0:1], 0x0
v_lshlrev_b32_e32 v1, 4, v0
s_mov_b32 s4, 0
s_waitcnt lgkmcnt(0)
.Lloop:
global_load_dwordx4 v[8:11], v1, s[2:3]
global_load_dwordx4 v[12:15], v1, s[2:3]
s_waitcnt vmcnt(0)
s_add_i32 s4, s4, 1
s_cmp_lt_i32 s4, 32
s_cbranch_scc1 .Lloop
s_endpgm
.section .rodata,"a",@progbits
.p2align 6
.amdhsa_kernel again
.amdhsa_next_free_vgpr 64
.amdhsa_next_free_sgpr 32
.amdhsa_accum_offset 64
.amdhsa_kernarg_size 8
.amdhsa_user_sgpr_kernarg_segment_ptr 1
.end_amdhsa_kernel
"""


def predicted(folder: Path, engine: str) -> Run:
    path = folder / "again.s"
    path.write_text(KERNEL)
    launch = LaunchOptions(block=1024, arguments=("A=f32[4096]:random",))
    return run_kernel(path, RunOptions(arch="MI325X", engine=engine, launch=launch))


def test_loads_of_the_same_lines_come_from_the_l1(tmp_path: Path) -> None:
    """16 waves load the same KiB each, twice in 32 passes: 63 of 64 times it is there, and takes 8 clk of the
    path. So a pass takes 256 clk of it (with 16 for each it would be 512)."""
    run = predicted(tmp_path, "auto")
    assert run.memory is not None
    assert run.analysis.loop is not None
    assert run.analysis.bounds is not None
    assert run.memory.prediction.share[Level.L1] == pytest.approx(63 / 64)
    assert 256 <= run.analysis.loop.clk_per_iteration < 300
    assert run.analysis.bounds.global_bytes <= run.analysis.loop.clk_per_iteration


def test_engines_agree_on_it(tmp_path: Path) -> None:
    one, *others = (predicted(tmp_path, engine).timeline for engine in ENGINES)
    for other in others:
        for mine, theirs in zip(one.waves, other.waves, strict=True):
            assert np.array_equal(mine.issue_clk, theirs.issue_clk)
            assert np.array_equal(mine.done_clk, theirs.done_clk)
