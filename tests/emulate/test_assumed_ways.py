"""Loops whose condition is not known run as often as is said and then end, wherever their way out stands."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wavesim.asm.text.parse import parse_program
from wavesim.emulate.blocks import BlockMap
from wavesim.emulate.loop_nest import loop_nest
from wavesim.emulate.run import Execution, emulate
from wavesim.errors import LimitExceeded
from wavesim.front.launch.model import Launch
from wavesim.front.region import unknown_at_start
from wavesim.isa.load import load_machine
from wavesim.limits import Budget, allowing
from wavesim.program import Program
from wavesim.trace.decode import code_entries

HEAD = ' .amdgcn_target "amdgcn-amd-amdhsa--gfx942"\nk:\n'
END = """
 s_endpgm
 .amdhsa_kernel k
 .amdhsa_group_segment_fixed_size 64
 .amdhsa_next_free_vgpr 16
 .amdhsa_next_free_sgpr 32
 .amdhsa_accum_offset 16
 .end_amdhsa_kernel
"""


def program_of(text: str) -> Program:
    return parse_program(HEAD + text + END, "k.s")


def run(
    text: str, trips: int, *, waves: int = 1, rounds: bool = True, trips_at: dict[int, int] | None = None
) -> Execution:
    """Executes with nothing known but the lanes; s_cmp on a register of the launch is not known."""
    program = program_of(text)
    return emulate(
        program,
        Launch((), 64 * waves),
        load_machine("gfx942"),
        allow_unknown=True,
        at_entry=unknown_at_start(),
        trips=trips,
        trips_at=trips_at or {},
        keep_lanes=True,
        rounds=rounds,
    )


def counts(execution: Execution, *lines: str) -> list[int]:
    """How often the first wave executed each s_nop, which is found by its operand."""
    code = execution.trace.waves[0].code.tolist()
    program = enumerate(execution.trace.program)
    places = {str(each.operands[-1]): at for at, each in program if each.opcode == "s_nop"}
    return [code.count(places[line]) for line in lines]


ASK = " s_cmp_lg_u32 s4, 0\n"
SHAPES = {
    "left at its tail": (f"a:\n s_nop 1\n{ASK} s_cbranch_scc1 a\n", 5),
    "left at its head": (f"a:\n{ASK} s_cbranch_scc1 out\n s_nop 1\n s_branch a\nout:\n", 5),
    "left in the middle": (f"a:\n s_nop 1\n{ASK} s_cbranch_scc0 out\n s_nop 2\n s_branch a\nout:\n", 5),
    "with two ways out": (
        f"a:\n s_nop 1\n{ASK} s_cbranch_scc0 out\n s_nop 2\n{ASK} s_cbranch_scc1 a\nout:\n",
        5,
    ),
    "with a way out behind a branch that is not taken": (
        f"a:\n s_nop 1\n{ASK} s_cbranch_scc1 b\n s_branch a\nb:\n s_nop 2\n{ASK} s_cbranch_scc1 out\n"
        " s_branch a\nout:\n",
        5,
    ),
    "without a way out": ("a:\n s_nop 1\n s_branch a\n", 5),
    "without a way out, with a branch": (
        f"a:\n s_nop 1\n{ASK} s_cbranch_scc1 b\n s_nop 2\nb:\n s_branch a\n",
        5,
    ),
    "with a known condition that never holds": ("a:\n s_nop 1\n s_cmp_lg_u32 0, 0\n s_cbranch_scc0 a\n", 5),
    "by lanes": ("a:\n s_nop 1\n s_andn2_b64 exec, exec, s[6:7]\n s_cbranch_execnz a\n", 5),
    "entered in the middle": (
        f"{ASK} s_cbranch_scc1 b\na:\n s_nop 1\nb:\n s_nop 2\n{ASK} s_cbranch_scc1 a\n",
        5,
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_loop_goes_round_as_often_as_is_said(shape: str) -> None:
    text, passes = SHAPES[shape]
    execution = run(text, 5, waves=2)
    assert execution.complete
    assert counts(execution, "1") == [passes]


def test_inner_loops_go_round_each_time_they_are_come_to() -> None:
    inner = f"b:\n{ASK} s_cbranch_scc1 c\n s_nop 2\n s_branch b\nc:\n"
    execution = run(f"a:\n s_nop 1\n{inner} s_nop 3\n{ASK} s_cbranch_scc1 a\n", 3)
    assert counts(execution, "1", "2", "3") == [3, 9, 3]


def test_a_loop_goes_round_as_often_as_is_said_of_its_head() -> None:
    """The head of the inner loop is the program's third instruction."""
    inner = f"b:\n s_nop 2\n{ASK} s_cbranch_scc1 b\n"
    execution = run(f" s_nop 0\na:\n s_nop 1\n{inner} s_nop 3\n{ASK} s_cbranch_scc1 a\n", 3, trips_at={2: 5})
    assert counts(execution, "1", "2", "3") == [3, 15, 3]


def test_an_inner_way_out_of_all_waits_till_the_outer_loop_is_done() -> None:
    """An error exit inside the inner loop: its own way out is taken first."""
    inner = f"b:\n s_nop 2\n{ASK} s_cbranch_scc1 out\n{ASK} s_cbranch_scc1 b\n"
    execution = run(f"a:\n s_nop 1\n{inner} s_nop 3\n{ASK} s_cbranch_scc1 a\nout:\n", 4)
    first, second, third = counts(execution, "1", "2", "3")
    assert (first, third) == (4, 3)
    assert second == 3 * 4 + 1  # in the last pass of the outer loop it is left at once


def test_known_inner_loops_keep_their_own_count() -> None:
    inner = " s_mov_b32 s8, 0\nb:\n s_nop 2\n s_add_u32 s8, s8, 1\n s_cmp_lt_u32 s8, 7\n s_cbranch_scc1 b\n"
    execution = run(f"a:\n s_nop 1\n{inner}{ASK} s_cbranch_scc1 a\n", 3)
    assert counts(execution, "1", "2") == [3, 21]


def test_a_known_loop_without_end_inside_is_a_deadlock_or_refused() -> None:
    inner = "b:\n s_nop 2\n s_cmp_lg_u32 0, 0\n s_cbranch_scc0 b\n"
    execution = run(f"a:\n s_nop 1\n{inner}{ASK} s_cbranch_scc1 a\n", 3)
    assert not execution.complete
    assert execution.findings[0].rule == "spin-deadlock"


BLOCK = st.tuples(
    st.sampled_from(
        ("", " s_barrier\n", " s_nop 0\n", " s_andn2_b64 exec, exec, s[6:7]\n", " v_add_u32 v2, s4, v2\n")
    ),
    st.sampled_from(
        (
            " s_cbranch_scc1 b{0}\n",
            " s_cbranch_scc0 b{0}\n",
            " s_branch b{0}\n",
            "",
        )
    ),
    st.integers(0, 9),
)


def written(blocks: list[tuple[str, str, int]], conditions: list[str]) -> str:
    text = ""
    for number, (work, branch, target) in enumerate(blocks):
        ask = conditions[number % len(conditions)]
        text += f"b{number}:\n{work}{ask}{branch.format(target % (len(blocks) + 1))}"
    return f"{text}b{len(blocks)}:\n"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(blocks=st.lists(BLOCK, min_size=1, max_size=9), trips=st.integers(1, 3))
def test_any_flow_on_unknown_conditions_ends(blocks: list[tuple[str, str, int]], trips: int) -> None:
    """Whatever the loops, nested, crossing, with their ways out anywhere: no wave goes round for ever."""
    with allowing(Budget(instructions=100_000)):
        execution = run(written(blocks, [ASK]), trips, waves=2)
    assert execution.complete


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(blocks=st.lists(BLOCK, min_size=1, max_size=9), trips=st.integers(1, 3), rounds=st.booleans())
def test_any_flow_ends_or_is_refused(blocks: list[tuple[str, str, int]], trips: int, rounds: bool) -> None:
    """Known conditions too: at worst a deadlock, or the budget."""
    known = " s_add_u32 s8, s8, 1\n s_and_b32 s9, s8, 3\n s_cmp_lg_u32 s9, 0\n"
    text = " s_mov_b32 s8, 0\n" + written(blocks, [ASK, known, " s_cmp_lg_u32 0, 0\n"])
    text = text.replace("s_cbranch_scc0 b1", "s_cbranch_execnz b1")
    with allowing(Budget(instructions=100_000)), contextlib.suppress(LimitExceeded):
        run(text, trips, waves=2, rounds=rounds)


@settings(max_examples=150, deadline=None)
@given(blocks=st.lists(BLOCK, min_size=1, max_size=9))
def test_every_cycle_goes_through_the_head_of_a_loop(blocks: list[tuple[str, str, int]]) -> None:
    """Without the ways back to heads there is no cycle left; loops nest, and a head is in its loop."""
    program = program_of(written(blocks, [ASK]))
    nest = loop_nest(BlockMap(program, code_entries(program)))
    for loop in nest.by_head.values():
        assert loop.head in loop.blocks
        assert loop.outer is None or loop.blocks <= loop.outer.blocks
    ways = {
        start: [way for way in following if not (way in nest.by_head and start in nest.by_head[way].blocks)]
        for start, following in nest.following.items()
    }
    while ways:  # take off what nothing leads on from
        last = [start for start, following in ways.items() if not any(way in ways for way in following)]
        assert last
        for start in last:
            del ways[start]
