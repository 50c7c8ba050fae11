"""Waits and wait states of an order, derived by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from reorders import prepared, written

from wavesim.tuning.variant import Variant

HEAD = """\t.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
small:
\tv_and_b32_e32 v0, 63, v0
\tv_lshlrev_b32_e32 v0, 3, v0
\tv_mov_b32_e32 v2, 0x3f803f80
\tv_mov_b32_e32 v3, 0x3f803f80
\tds_write_b64 v0, v[2:3]
\tds_write_b64 v0, v[2:3] offset:512
\ts_waitcnt lgkmcnt(0)
\tv_mov_b32_e32 v30, 0
\ts_mov_b32 s0, {trips}
.Lturn:
"""
TAIL = """\ts_sub_u32 s0, s0, 1
\ts_cmp_lg_u32 s0, 0
\ts_cbranch_scc1 .Lturn
\ts_endpgm
\t.amdhsa_kernel small
\t\t.amdhsa_next_free_vgpr 40
\t\t.amdhsa_next_free_sgpr 16
\t\t.amdhsa_accum_offset 36
\t\t.amdhsa_group_segment_fixed_size 1024
\t.end_amdhsa_kernel
"""


def variant(folder: Path, body: str, trips: int = 4) -> Variant:
    return prepared(written(folder, HEAD.format(trips=trips) + body + TAIL), {})[1][0]


def shown(chosen: Variant, order: list[int]) -> list[str]:
    """Waits and wait states of an order, and where they stand."""
    found = []
    for place, (_, instruction) in enumerate(chosen.scheduler.schedule(order).pieces):
        if instruction.opcode in ("s_waitcnt", "s_nop"):
            found.append(f"{place}: {instruction.opcode} {instruction.operands[0]}")
    return found


READS = """\tds_read_b64 v[4:5], v0
\tds_read_b64 v[6:7], v0 offset:512
\ts_waitcnt lgkmcnt(0)
\tv_add_f32 v30, v4, v30
\tv_add_f32 v30, v6, v30
"""


def test_each_use_waits_for_its_own_read_and_no_more(tmp_path: Path) -> None:
    """Two reads are out: the first has come when one is left, the second when none is."""
    chosen = variant(tmp_path, READS)
    assert shown(chosen, chosen.as_it_is) == ["2: s_waitcnt lgkmcnt(1)", "4: s_waitcnt lgkmcnt(0)"]


def test_reads_in_another_order_have_other_counts(tmp_path: Path) -> None:
    """The second read goes out first: the use of the first one needs both, the other nothing more."""
    chosen = variant(tmp_path, READS)
    order = [1, 0, *chosen.as_it_is[2:]]
    assert chosen.scheduler.order.broken(order) is None
    assert shown(chosen, order) == ["2: s_waitcnt lgkmcnt(0)"]


def test_a_read_behind_its_use_is_waited_for_in_the_next_pass(tmp_path: Path) -> None:
    """A read may not come before the use of what it overwrites: that pair stays in order."""
    chosen = variant(tmp_path, READS)
    assert chosen.scheduler.order.broken([2, 0, 1, *chosen.as_it_is[3:]]) is not None


MATRIX = """\tv_mfma_f32_16x16x16_bf16 v[8:11], v[2:3], v[2:3], 0
\tv_add_f32 v31, v2, v3
\tv_add_f32 v32, v2, v3
\ts_nop 7
\tv_add_f32 v30, v8, v30
"""


@pytest.mark.parametrize(("between", "states"), [(2, 5), (0, 7)])
def test_a_valu_reads_an_mfma_seven_states_behind_it(tmp_path: Path, between: int, states: int) -> None:
    """16x16x16 has 4 passes: 7 wait states (ISA manual, 4.5); what stands between counts for one each."""
    chosen = variant(tmp_path, MATRIX)
    rest = chosen.as_it_is[4:]
    order = [0, 1, 2, 3, *rest] if between else [1, 2, 0, 3, *rest]
    assert shown(chosen, order) == [f"{1 + 2}: s_nop {states - 1}"]
