"""Control flow: divergence, barriers, polling loops, deadlocks, limits, clock reads, unknown instructions."""

from __future__ import annotations

import numpy as np
import pytest
from emulate_harness import execute, make_program, run

from wavesim.emulate import scheduler as scheduler_module
from wavesim.emulate.run import emulate
from wavesim.emulate.runner import batches
from wavesim.emulate.semantics import covered, uncovered
from wavesim.errors import LimitExceeded, UnknownInstruction, UserError
from wavesim.front.launch.model import Launch
from wavesim.isa.load import load_machine
from wavesim.limits import Budget, allowing
from wavesim.trace import Kind, Spin

WAVE = "v_readfirstlane_b32 s4, v0\n s_lshr_b32 s4, s4, 6\n"
"""Wave number to s4."""


def test_slices_of_waves() -> None:
    assert batches([0, 1, 2, 3]) == [slice(0, 4, 1)]
    assert batches([0, 2, 4, 6]) == [slice(0, 7, 2)]
    assert batches([0, 1, 4, 5]) == [slice(0, 2, 1), slice(4, 6, 1)]
    assert batches([0, 3]) == [slice(0, 1, 1), slice(3, 4, 1)]
    for waves in ([0, 1, 3, 4, 5, 8], [1, 3, 4, 6, 8, 9], [7]):
        assert [wave for each in batches(waves) for wave in range(each.start, each.stop, each.step)] == waves


def test_waves_part_and_meet_again() -> None:
    outcome = execute(
        WAVE
        + """
        s_bitcmp1_b32 s4, 0
        s_cbranch_scc1 odd
        s_movk_i32 s5, 0x10
        s_branch join
        odd:
        s_movk_i32 s5, 0x20
        join:
        s_add_u32 s5, s5, s4
        """,
        waves=6,
    )
    assert [outcome.s(5, wave) for wave in range(6)] == [0x10, 0x21, 0x12, 0x23, 0x14, 0x25]


def test_loops_of_different_lengths() -> None:
    execution = run(
        WAVE
        + """
        s_mov_b32 s5, 0
        loop:
        s_add_u32 s5, s5, 1
        s_cmp_le_u32 s5, s4
        s_cbranch_scc1 loop
        """,
        waves=4,
    )
    assert [len(wave) for wave in execution.trace.waves] == [3 + 3 * (wave + 1) + 1 for wave in range(4)]
    last = execution.trace.waves[2]
    assert last.taken[[5, 8, 11]].tolist() == [True, True, False]
    assert last.code.tolist() == [0, 1, 2, 3, 4, 5, 3, 4, 5, 3, 4, 5, 6]


def test_calls() -> None:
    outcome = execute(
        """
        s_getpc_b64 s[6:7]
        here:
        s_add_u32 s6, s6, 0x10
        s_addc_u32 s7, s7, 0
        s_swappc_b64 s[8:9], s[6:7]
        s_branch done
        function:
        s_movk_i32 s10, 0x2a
        s_setpc_b64 s[8:9]
        done:
        """
    )
    assert outcome.s(10) == 42


def test_places_on_the_compute_unit() -> None:
    program = make_program("s_nop 0")
    launch = Launch((), 512, (2, 1, 1), ((0, 0, 0), (1, 0, 0)))
    waves = emulate(program, launch, load_machine("gfx942")).trace.waves
    assert [(wave.workgroup, wave.wave, wave.simd, wave.slot) for wave in waves][6:10] == [
        (0, 6, 1, 1),
        (0, 7, 3, 1),
        (1, 0, 2, 2),
        (1, 1, 1, 2),
    ]
    starts = [wave.start_clk for wave in waves]
    assert starts == sorted(starts)


FLAG = """
    v_mov_b32 v10, 0
    v_mov_b32 v11, 1
    s_cmp_lg_u32 s4, 0
    s_cbranch_scc1 producer
"""


def test_poll_becomes_a_spin_record() -> None:
    """Wave 0 polls a flag in LDS that wave 1 sets: one pass of the loop, and the store it waits for."""
    execution = run(
        "v_mov_b32 v10, 0\n ds_write_b32 v10, v10\n s_barrier\n"
        + WAVE
        + FLAG
        + """
        poll:
        ds_read_b32 v12, v10
        s_waitcnt lgkmcnt(0)
        v_readfirstlane_b32 s6, v12
        s_cmp_eq_u32 s6, 0
        s_cbranch_scc1 poll
        s_branch done
        producer:
        s_nop 0
        s_nop 0
        ds_write_b32 v10, v11
        done:
        """,
        waves=2,
    )
    assert execution.complete
    assert not execution.findings
    poller, producer = execution.trace.waves
    (spin,) = poller.spins
    kinds = [execution.trace.code[code].kind for code in producer.code]
    store = max(row for row, kind in enumerate(kinds) if kind is Kind.LDS_WRITE)
    first = 3 + 2 + 4
    assert spin == Spin(first, first + 4, 1, store)
    assert not poller.taken[spin.last]
    assert [execution.trace.code[code].kind for code in poller.code].count(Kind.COND_BRANCH) == 2


def test_poll_that_succeeds_at_once_is_a_spin_too() -> None:
    """The order in which the emulator runs waves does not decide what timing must wait for."""
    text = (
        "v_mov_b32 v10, 0\n ds_write_b32 v10, v10\n s_barrier\n"
        + WAVE
        + """
        v_mov_b32 v11, 1
        s_cmp_lg_u32 s4, 0
        s_cbranch_scc0 producer
        poll:
        ds_read_b32 v12, v10
        s_waitcnt lgkmcnt(0)
        v_cmp_eq_u32 vcc, 0, v12
        s_cbranch_vccnz poll
        s_branch done
        producer:
        ds_write_b32 v10, v11
        done:
        """
    )
    execution = run(text, waves=3)
    for wave in execution.trace.waves[1:]:
        assert [(spin.last - spin.first, spin.store_wave) for spin in wave.spins] == [(3, 0)]
    assert not execution.trace.waves[0].spins


def test_masked_poll_as_compilers_write_it() -> None:
    execution = run(
        "v_mov_b32 v10, 0\n ds_write_b32 v10, v10\n s_barrier\n"
        + WAVE
        + FLAG
        + """
        s_mov_b64 s[6:7], 0
        poll:
        ds_read_b32 v12, v10
        s_waitcnt lgkmcnt(0)
        v_cmp_ne_u32 vcc, 0, v12
        s_or_b64 s[6:7], vcc, s[6:7]
        s_andn2_b64 exec, exec, s[6:7]
        s_cbranch_execnz poll
        s_or_b64 exec, exec, s[6:7]
        s_branch done
        producer:
        ds_write_b32 v10, v11
        done:
        """,
        waves=2,
    )
    assert execution.complete
    assert [(spin.last - spin.first, spin.store_wave) for spin in execution.trace.waves[0].spins] == [(5, 1)]


def test_loop_that_reads_data_is_no_poll() -> None:
    execution = run(
        """
        v_lshlrev_b32 v1, 2, v0
        ds_write_b32 v1, v1
        s_barrier
        s_mov_b32 s5, 0
        v_mov_b32 v2, 0
        loop:
        ds_read_b32 v3, v2
        s_waitcnt lgkmcnt(0)
        v_add_u32 v2, 4, v2
        s_add_u32 s5, s5, 1
        s_cmp_lt_u32 s5, 4
        s_cbranch_scc1 loop
        """,
        waves=2,
    )
    assert not any(wave.spins for wave in execution.trace.waves)
    assert len(execution.trace.waves[0]) == 5 + 4 * 6 + 1


def test_spin_deadlock() -> None:
    execution = run(
        "v_mov_b32 v10, 0\n ds_write_b32 v10, v10\n"
        + """
        poll:
        ds_read_b32 v12, v10
        s_waitcnt lgkmcnt(0)
        v_readfirstlane_b32 s6, v12
        s_cmp_eq_u32 s6, 0
        s_cbranch_scc1 poll
        """,
        waves=2,
    )
    assert not execution.complete
    assert not execution.trace.complete
    (finding,) = execution.findings
    assert (finding.rule, finding.waves) == ("spin-deadlock", (0, 1))
    assert "waves 0-1 poll at test.s:" in finding.message
    assert [len(wave) for wave in execution.trace.waves] == [2, 2]


def test_endless_loop_without_memory() -> None:
    execution = run("loop:\n s_nop 0\n s_branch loop")
    assert [finding.rule for finding in execution.findings] == ["spin-deadlock"]


def test_barrier_deadlock_names_who_waits_where() -> None:
    execution = run(
        "v_mov_b32 v10, 0\n ds_write_b32 v10, v10\n"
        + WAVE
        + """
        s_cmp_lt_u32 s4, 2
        s_cbranch_scc0 poll
        s_barrier
        ds_write_b32 v10, v0
        s_branch done
        poll:
        ds_read_b32 v12, v10
        v_readfirstlane_b32 s6, v12
        s_cmp_eq_u32 s6, 0
        s_cbranch_scc1 poll
        done:
        """,
        waves=4,
    )
    rules = {finding.rule: finding for finding in execution.findings}
    assert set(rules) == {"barrier-deadlock", "spin-deadlock"}
    assert rules["barrier-deadlock"].waves == (0, 1)
    assert rules["spin-deadlock"].waves == (2, 3)
    assert "waves 0-1 wait at the barrier test.s:11" in rules["barrier-deadlock"].message
    assert [len(wave) for wave in execution.trace.waves] == [6, 6, 6, 6]


def test_ended_waves_do_not_count_for_a_barrier() -> None:
    execution = run(
        WAVE + "s_cmp_lt_u32 s4, 1\n s_cbranch_scc1 done\n s_barrier\n s_barrier\n done:", waves=3
    )
    assert execution.complete
    assert [len(wave) for wave in execution.trace.waves] == [5, 7, 7]


def test_staggered_waves_meet_at_different_barriers() -> None:
    """Half of the waves pass one barrier more before a loop, the others one more after it."""
    outcome = execute(
        WAVE
        + """
        v_lshlrev_b32 v1, 2, v0
        s_cmp_lt_u32 s4, 2
        s_cbranch_scc1 early
        s_barrier
        early:
        s_mov_b32 s5, 0
        loop:
        s_add_u32 s5, s5, 1
        v_mov_b32 v2, s5
        ds_write_b32 v1, v2
        s_barrier
        s_cmp_lt_u32 s5, 3
        s_cbranch_scc1 loop
        s_cmp_lt_u32 s4, 2
        s_cbranch_scc0 late
        s_barrier
        late:
        v_xor_b32 v3, 0x200, v1
        ds_read_b32 v4, v3
        """,
        waves=4,
    )
    assert outcome.complete
    assert [outcome.s(5, wave) for wave in range(4)] == [3] * 4
    assert (outcome.v(4) == 3).all()


def test_counting_spin_starves_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler_module, "PASSES_PER_TURN", 4)
    execution = run(
        "v_mov_b32 v10, 0\n ds_write_b32 v10, v10\n s_barrier\n"
        + WAVE
        + FLAG
        + """
        s_mov_b32 s7, 0
        poll:
        s_add_u32 s7, s7, 1
        ds_read_b32 v12, v10
        v_readfirstlane_b32 s6, v12
        s_cmp_eq_u32 s6, 0
        s_cselect_b32 s8, s7, 0
        s_cmp_lg_u32 s8, 0
        s_cbranch_scc1 poll
        s_branch done
        producer:
        ds_write_b32 v10, v11
        done:
        """,
        waves=2,
    )
    assert execution.complete


def test_the_budget_of_instructions() -> None:
    """Short blocks count as 16 instructions, so that what a run costs is bounded as well as what it keeps."""
    endless = r"test.s:\d+: the budget of 1000 .* after 1\d\d of its own\n.*--max-instructions"
    with allowing(Budget(instructions=1000)), pytest.raises(LimitExceeded, match=endless):
        run("s_mov_b32 s4, 0\n loop:\n s_add_u32 s4, s4, 1\n s_branch loop")


def test_clock_reads() -> None:
    text = "s_memtime s[4:5]\n s_waitcnt lgkmcnt(0)\n s_memtime s[6:7]\n"
    outcome = execute(text, waves=2)
    assert outcome.s64(4) < outcome.s64(6)
    execution = run(text, waves=2, clock_values={0: [100, 200]})
    assert execution.clock_reads == 4


def test_unknown_instruction_is_named_with_its_place() -> None:
    name = "v_screen_partition_4se_b32 v1, v2"
    with pytest.raises(UnknownInstruction, match=r"test.s:5.*v_screen_partition_4se_b32"):
        run(f"s_nop 0\n {name}")
    assert run(f"s_branch past\n {name}\n past:").complete
    execution = run(name, allow_unknown=True)
    assert execution.trace.notes == ("passed over as unknown: v_screen_partition_4se_b32",)


def test_running_past_the_end() -> None:
    program = make_program("s_nop 0")
    short = type(program)(
        program.name,
        program.arch,
        program.instructions[:1],
        {},
        program.metadata,
        program.addresses[:1],
        program.sizes[:1],
    )
    with pytest.raises(UserError, match="past the last instruction"):
        emulate(short, Launch((), 64), load_machine("gfx942"))


def test_coverage_is_a_function_of_the_table() -> None:
    assert {"v_add_u32", "s_add_u32", "ds_read_b64", "v_mfma_f32_16x16x16_bf16"} <= covered()
    assert not set(uncovered("gfx942")) & covered()
    assert len(covered()) > 950


def test_trace_arrays_agree() -> None:
    execution = run("s_nop 0\n v_mov_b32 v1, v0", waves=2)
    for wave in execution.trace.waves:
        rows = len(wave)
        for array in (wave.array_clk, wave.memory_bytes, wave.taken, wave.memory_latency_clk):
            assert len(array) == rows
        assert len(wave.line_offsets) == rows + 1
    assert execution.instruction_count == 6
    assert np.array_equal(execution.trace.waves[0].code, execution.trace.waves[1].code)


def test_an_addend_that_is_no_number_is_refused() -> None:
    with pytest.raises(UnknownInstruction, match=r"operand here@rel32@lo\+t cannot be read"):
        execute("s_getpc_b64 s[0:1]\n s_add_u32 s0, s0, here@rel32@lo+t\n here:")
