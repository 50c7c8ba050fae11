"""Kernels remade before they are scheduled: what nothing relies on may go, and nothing else may."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from reorders import prepared, written

from wavesim.emulate.run import Execution, emulate
from wavesim.isa.kinds import Kind
from wavesim.program import Program
from wavesim.timing.memory.sharing import find_sharing
from wavesim.tuning.parts import unrotated
from wavesim.tuning.proof import Original, failure
from wavesim.tuning.remade import Change, in_step, renamed, staggered, without_barriers
from wavesim.tuning.variant import Variant
from wavesim.tuning.words import changed

HEAD = """\t.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
small:
\tv_readfirstlane_b32 s2, v0
\tv_lshlrev_b32_e32 v1, 3, v0
\tv_mov_b32_e32 v2, 1.0
\tv_mov_b32_e32 v3, 2.0
\tv_mov_b32_e32 v30, 0
\tds_write_b64 v1, v[2:3]
\ts_waitcnt lgkmcnt(0)
\ts_mov_b32 s0, 4
.Lturn:
"""
TAIL = """\ts_sub_u32 s0, s0, 1
\ts_cmp_lg_u32 s0, 0
\ts_cbranch_scc1 .Lturn
\ts_endpgm
\t.amdhsa_kernel small
\t\t.amdhsa_next_free_vgpr 40
\t\t.amdhsa_next_free_sgpr 16
\t\t.amdhsa_accum_offset 40
\t\t.amdhsa_group_segment_fixed_size 4096
\t.end_amdhsa_kernel
"""
REUSED = """\tds_read_b64 v[4:5], v1
\ts_waitcnt lgkmcnt(0)
\tv_add_f32_e32 v30, v4, v30
\tds_read_b64 v[4:5], v1
\ts_waitcnt lgkmcnt(0)
\tv_add_f32_e32 v30, v5, v30
"""
OWN_BYTES = """\tds_read_b64 v[4:5], v1
\ts_waitcnt lgkmcnt(0)
\ts_barrier
\tds_write_b64 v1, v[4:5]
\ts_waitcnt lgkmcnt(0)
\ts_barrier
"""


def small(folder: Path, body: str, waves: int = 1) -> tuple[Original, Variant]:
    original, variants = prepared(written(folder, HEAD + body + TAIL, waves), {})
    return original, variants[0]


def remade(original: Original, variant: Variant, change: Change) -> Variant:
    def execute(program: Program) -> Execution:
        return emulate(program, original.kernel.launch, original.machine, observe_lds=True)

    return variant.remade(change, execute)


def fault(original: Original, variant: Variant) -> str:
    order = variant.as_it_is
    return failure(original, variant, order, variant.recipe(order))


def test_a_register_used_twice_binds_the_order_until_it_is_renamed(tmp_path: Path) -> None:
    """The second read may then come before the use of the first one."""
    original, variant = small(tmp_path, REUSED)
    relaxer, flow = variant.relaxer, variant.relaxer.flow
    (change,) = renamed(variant.trace.program, variant.loop, relaxer.effects, flow, original.machine)
    assert change.values == 1
    early = [0, 2, 1, 3, *variant.as_it_is[4:]]
    assert variant.scheduler.order.broken(early) == (1, 2, "register")
    new = remade(original, variant, change)
    assert new.scheduler.order.broken(early) is None
    assert failure(original, new, early, new.recipe(early)) == ""
    assert new.trace.program.metadata.vgprs == variant.trace.program.metadata.vgprs


def test_barriers_between_own_bytes_may_go(tmp_path: Path) -> None:
    """Each wave reads and writes its own bytes; without the second of two the first may go as well."""
    original, variant = small(tmp_path, OWN_BYTES, waves=2)
    for _ in range(2):
        change = next(without_barriers(variant.loop, variant.relaxer.code))
        variant = remade(original, variant, change)
        assert fault(original, variant) == ""
    assert not any(each.opcode == "s_barrier" for each in variant.trace.program.instructions)


@pytest.mark.parametrize("number", [0, 1])
def test_a_barrier_that_the_half_split_relies_on_stays(number: int) -> None:
    original, variants = prepared("8wave.yaml", {"K": "256"})
    change = list(without_barriers(variants[0].loop, variants[0].relaxer.code))[number]
    assert fault(original, remade(original, variants[0], change)).startswith("lds-race")


def test_half_the_waves_may_run_a_barrier_behind(tmp_path: Path) -> None:
    """Its pair stands behind the loop: without it the waves would not finish."""
    original, variant = small(tmp_path, OWN_BYTES, waves=2)
    relaxer = variant.relaxer
    (change,) = staggered(variant.loop, relaxer.code, relaxer.effects, relaxer.flow, 2)
    new = remade(original, variant, change)
    assert fault(original, new) == ""
    barriers = [
        sum(new.trace.code[index].kind is Kind.BARRIER for index in wave.code.tolist())
        for wave in new.trace.waves
    ]
    assert barriers == [9, 9]
    before = [
        sum(new.trace.code[index].kind is Kind.BARRIER for index in wave.code[: starts[0]].tolist())
        for wave, starts in zip(new.trace.waves, new.loop.passes, strict=True)
    ]
    assert before == [0, 1]


def test_a_stagger_that_makes_a_race_is_found_out() -> None:
    """With one buffer in LDS a wave would write what another still reads."""
    original, variants = prepared("8wave.yaml", {"K": "256"})
    relaxer = variants[0].relaxer
    (change,) = staggered(variants[0].loop, relaxer.code, relaxer.effects, relaxer.flow, 8)
    assert fault(original, remade(original, variants[0], change))


def test_a_stagger_that_nothing_relies_on_may_go() -> None:
    """In step, the ping-pong leaves reads open at barriers at which they were complete."""
    original, (variant, *_) = prepared("8wave_pingpong.yaml", {"K": "256"})
    (change,) = in_step(variant.loop, variant.trace)
    made = remade(original, variant, change)
    assert (variant.in_step, made.in_step) == (False, True)
    assert list(in_step(made.loop, made.trace)) == []
    assert fault(original, made) == ""
    needs, before = (sum(map(len, each.scheduler.waits.needs.values())) for each in (made, variant))
    assert needs < before


def test_a_rotated_kernel_shares_the_lines_that_it_shared() -> None:
    """Its last pass stands behind the loop, so that its loads begin elsewhere if the loop is passed once."""
    original, (_, *turned) = prepared("8wave_pingpong.yaml", {"K": "256"})
    kernel, machine, rotated = original.kernel, original.machine, turned[-1]

    def fresh(program: Program) -> dict[str, int]:
        """Lines that all compute units touch in all passes, by the loads' opcode."""
        trace = emulate(program, kernel.launch, machine).trace
        found: Counter[str] = Counter()
        for code, load in find_sharing(program, kernel.launch, machine, trace).loads.items():
            found[program.instructions[code].opcode] += load.passes * load.device
        return found

    program = rotated.recipe(rotated.as_it_is).applied(kernel.program)
    assert len(program) > len(kernel.program)
    assert fresh(program) == fresh(kernel.program)


def test_without_barriers_nobody_is_staggered() -> None:
    _, variants = prepared("lessons/strong_wait.s", {})
    relaxer = variants[0].relaxer
    assert not list(staggered(variants[0].loop, relaxer.code, relaxer.effects, relaxer.flow, 4))


def test_a_part_of_the_lds_may_be_read_while_another_is_written() -> None:
    """The half-split's tiles of A and B share no byte: what reads and writes one may come a barrier later."""
    original, variants = prepared("8wave.yaml", {"K": "256"})
    base = variants[0]
    changes = list(base.shifts())  # three parts: half of the waves read each half of B
    assert len(changes) == 5
    new = remade(original, base, changes[0])
    assert fault(original, new) == ""
    kinds = [entry.kind for entry in new.entries]
    first, second = (n for n, kind in enumerate(kinds) if kind is Kind.BARRIER)
    between = set(kinds[first:second])
    assert {Kind.LDS_READ, Kind.LDS_WRITE} <= between
    assert Kind.LDS_READ in kinds[second:]
    assert Kind.LDS_WRITE not in kinds[second:]


def test_a_kernel_with_more_barriers_is_said_and_unrotated() -> None:
    """What was put in was nothing before: it has no place there."""
    original, variants = prepared("8wave.yaml", {"K": "256"})
    base = variants[0]
    new = remade(original, base, list(base.shifts())[-1])
    assert -1 in new.origin.values()
    recipe = new.recipe(new.as_it_is)
    said = changed(base.own.pieces, recipe.pieces, base.relaxer.code, new.origin)
    assert any("come behind it now" in each for each in said)
    order = unrotated(base, new, new.as_it_is)
    assert sorted(order) == base.as_it_is
    assert base.scheduler.order.broken(order) is None
