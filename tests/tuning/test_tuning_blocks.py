"""Loops of several blocks: operations pass branches and loops inside that do not touch them, nothing else."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from reorders import call, prepared, written

from benchmarks.tune import random_order
from wavesim.errors import UserError
from wavesim.tuning.proof import Original, failure
from wavesim.tuning.variant import Variant

NESTED = """\t.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
nested:
\tv_lshlrev_b32_e32 v0, 3, v0
\tv_mov_b32_e32 v2, 1.0
\tv_mov_b32_e32 v3, 2.0
\tv_mov_b32_e32 v20, 0
\tv_mov_b32_e32 v21, 0
\tv_mov_b32_e32 v22, 0
\tds_write_b64 v0, v[2:3]
\ts_waitcnt lgkmcnt(0)
\ts_mov_b32 s0, 6
.Lturn:
\tds_read_b64 v[4:5], v0
\ts_bitcmp1_b32 s0, 0
\ts_cbranch_scc1 .Lodd
\tv_add_f32_e32 v20, 1.0, v20
.Lodd:
\tv_add_f32_e32 v21, v21, v2
\ts_mov_b32 s1, 2
.Linner:
\tv_add_f32_e32 v20, v20, v3
\ts_sub_u32 s1, s1, 1
\ts_cmp_lg_u32 s1, 0
\ts_cbranch_scc1 .Linner
\tv_add_f32_e32 v22, v22, v20
\ts_waitcnt lgkmcnt(0)
\tv_add_f32_e32 v22, v22, v4
\tds_write_b64 v0, v[22:23]
\ts_waitcnt lgkmcnt(0)
\ts_sub_u32 s0, s0, 1
\ts_cmp_lg_u32 s0, 0
\ts_cbranch_scc1 .Lturn
\ts_endpgm
\t.amdhsa_kernel nested
\t\t.amdhsa_next_free_vgpr 40
\t\t.amdhsa_next_free_sgpr 16
\t\t.amdhsa_accum_offset 36
\t\t.amdhsa_group_segment_fixed_size 1024
\t.end_amdhsa_kernel
"""


@pytest.fixture
def nested(tmp_path: Path) -> tuple[Original, Variant]:
    original, variants = prepared(written(tmp_path, NESTED), {})
    return original, variants[0]


def unit(variant: Variant, text: str) -> int:
    """The number of the operation that the kernel has so."""
    lines = [line.strip() for line in NESTED.splitlines()]
    code = [line for line in lines[2:] if line and not line.endswith(":") and not line.startswith(".amdhsa")]
    return variant.loop.operations.index(code.index(text))


def test_blocks_that_are_executed_equally_often_make_a_level(nested: tuple[Original, Variant]) -> None:
    """The block at the head, that behind the branch and that behind the inner loop; each other one alone."""
    loop = nested[1].loop
    labels = [nested[1].trace.program.label_at(block.start) for block in loop.blocks]
    assert labels == [".Lturn", None, ".Lodd", ".Linner", None]
    blocks = [(end.block, end.last) for end in loop.ends.values()]
    assert [*blocks, (loop.last, True)] == [(0, False), (2, False), (4, True), (1, True), (3, True)]


def test_an_operation_passes_what_does_not_touch_it(nested: tuple[Original, Variant]) -> None:
    """v21 is used by nobody else; v20 by the branch's block and by the inner loop, so what reads it stays
    behind them, and the read of LDS may sink to its use."""
    variant = nested[1]
    ends = list(variant.loop.ends)
    before, after = variant.scheduler.order.before, variant.scheduler.order.after
    free, bound = unit(variant, "v_add_f32_e32 v21, v21, v2"), unit(variant, "v_add_f32_e32 v22, v22, v20")
    read = unit(variant, "ds_read_b64 v[4:5], v0")
    assert ends[0] not in before[free]
    assert ends[1] not in after[free]
    assert ends[1] in before[bound]
    assert not after[read] & set(ends[:2])


def test_moved_between_blocks_it_computes_the_same(nested: tuple[Original, Variant]) -> None:
    original, variant = nested
    free, read = unit(variant, "v_add_f32_e32 v21, v21, v2"), unit(variant, "ds_read_b64 v[4:5], v0")
    last = list(variant.loop.ends)[1]
    order = [each for each in variant.as_it_is if each not in (free, read)]
    order.insert(order.index(last) + 1, read)
    order.insert(0, free)
    schedule = variant.scheduler.schedule(order)
    assert [len(block) for block in schedule.blocks] == [3, 1, 1, 4, 8]
    assert failure(original, variant, order, variant.recipe(order)) == ""


def test_random_orders_of_a_nested_loop_are_proven(nested: tuple[Original, Variant]) -> None:
    original, variant = nested
    generator = random.Random(1)
    for _ in range(4):
        order = random_order(variant.scheduler.order, generator)
        assert failure(original, variant, order, variant.recipe(order)) == "", order


def test_a_wait_counts_along_every_way(tmp_path: Path) -> None:
    """One more read on one of two ways: behind them both the first read is the last but one at most."""
    text = NESTED.replace("\tv_add_f32_e32 v20, 1.0, v20\n", "\tds_read_b64 v[6:7], v0\n")
    variant = prepared(written(tmp_path, text), {})[1][0]
    last = variant.scheduler.schedule(variant.as_it_is).blocks[4]
    waits = [str(each.operands[0]) for _, each in last if each.opcode == "s_waitcnt"]
    assert waits[0] == "lgkmcnt(0)"
    text = text.replace("\ts_cbranch_scc1 .Lodd\n", "\ts_nop 0\n")  # now there is but one way
    variant = prepared(written(tmp_path, text), {})[1][0]
    pieces = variant.scheduler.schedule(variant.as_it_is).pieces
    waits = [str(each.operands[0]) for _, each in pieces if each.opcode == "s_waitcnt"]
    assert waits[0] == "lgkmcnt(1)"


@pytest.mark.parametrize(
    ("line", "put", "said"),
    [
        ("\ts_mov_b32 s0, 6\n", "\ts_mov_b32 s0, 6\n\tv_mov_b32 v4, 0\n\ts_cmp_lg_u32 s0, 6\n"
         "\ts_cbranch_scc1 .Lodd\n", "enters it behind its head"),
        ("\ts_mov_b32 s1, 2\n", "\ts_getpc_b64 s[4:5]\n\ts_add_u32 s4, s4, 8\n\ts_setpc_b64 s[4:5]\n"
         "\ts_mov_b32 s1, 2\n", "goes to where a register says"),
    ],
)  # fmt: skip
def test_a_loop_whose_ways_are_not_known_is_refused(tmp_path: Path, line: str, put: str, said: str) -> None:
    path = written(tmp_path, NESTED.replace(line, put))
    with pytest.raises(UserError, match=said) as refused:
        call("tune", path, "--candidates", 4)
    assert refused.value.exit_code == 2
