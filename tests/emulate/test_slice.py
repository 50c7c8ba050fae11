"""Executing only addresses gives the Trace of the full execution, whatever the program."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from emulate_harness import make_program
from hypothesis import given, settings
from hypothesis import strategies as st

from wavesim.cli.main import cli
from wavesim.emulate.addresses import address_traces, emulate_addresses
from wavesim.emulate.run import Execution, emulate
from wavesim.emulate.slice import NotSliced, Slice
from wavesim.errors import UserError
from wavesim.front.launch.model import Launch, MatrixArgument
from wavesim.isa.load import load_machine
from wavesim.pipeline.run import RunOptions, prepare, run_kernel
from wavesim.program import Program
from wavesim.program.verdict import Verdict
from wavesim.trace import Trace

ROOT = Path(__file__).resolve().parents[2]
KERNELS = sorted(
    path
    for folder in ("", "lessons", "seed", "wrong", "triton", "hip")
    for path in (ROOT / "kernels" / folder).glob("*.*")
    if path.suffix in (".yaml", ".s", ".hip")
    and not path.name.endswith(".launch.yaml")
    and path.stem not in ("one-tile", "fp8_gfx950", "matmul_gfx950", "scaled_gfx950")  # no launch
)
A, B, C = (
    MatrixArgument(name, "i32", 1, 4096, init)
    for name, init in zip("ABC", ("index", "random", "zero"), strict=True)
)


def assert_same(one: Trace, other: Trace) -> None:
    assert one.complete == other.complete
    for left, right in zip(one.waves, other.waves, strict=True):
        assert left.spins == right.spins
        for name in ("code", "array_clk", "memory_bytes", "taken", "line_offsets", "lines"):
            np.testing.assert_array_equal(getattr(left, name), getattr(right, name), err_msg=name)


def both(program: Program, launch: Launch) -> tuple[Execution, Execution]:
    machine = load_machine(program.arch)
    whole, sliced = emulate(program, launch, machine), emulate_addresses(program, launch, machine)
    assert_same(whole.trace, sliced.trace)
    return whole, sliced


def of_text(text: str, waves: int = 1, arch: str = "gfx942") -> tuple[Program, Execution]:
    program = make_program(text, arch, 4096, (A, B, C))
    _, sliced = both(program, Launch((A, B, C), 64 * waves))
    return program, sliced


def left_out(program: Program, execution: Execution) -> set[str]:
    assert isinstance(execution.sliced, Slice)
    return {program.instructions[index].opcode for index in execution.sliced.left_out}


@pytest.mark.parametrize("path", KERNELS, ids=lambda path: path.name)
def test_the_trace_of_every_kernel_is_that_of_the_full_execution(path: Path) -> None:
    if path.suffix == ".hip" and not shutil.which("clang-22"):
        pytest.skip("no clang on this machine")
    arch = "gfx950" if path.suffix == ".hip" else None  # some use what only gfx950 has
    kernel, machine = prepare(path, RunOptions(arch, settings={"K": "512"} if path.stem in SIZED else {}))
    whole = emulate(kernel.program, kernel.launch, machine)
    sliced = emulate_addresses(kernel.program, kernel.launch, machine)
    assert isinstance(sliced.sliced, Slice)
    assert_same(whole.trace, sliced.trace)
    contents = ("global-uninitialised",)
    assert [each for each in whole.findings if each.rule not in contents] == list(sliced.findings)


SIZED = {"4wave", "8wave", "8wave_256", "8wave_pingpong", "one_barrier", "v0", "v2", "v3", "v4"}


def test_matrix_instructions_and_the_data_they_multiply_are_left_out() -> None:
    kernel, machine = prepare(ROOT / "kernels/8wave.yaml", RunOptions(settings={"K": "256"}))
    execution = emulate_addresses(kernel.program, kernel.launch, machine)
    assert not execution.has_numbers
    assert isinstance(execution.sliced, Slice)
    kinds = {execution.trace.code[index].kind.value for index in execution.sliced.left_out}
    moved = {execution.trace.code[index].kind.value for index in execution.sliced.addresses_only}
    assert kinds == {"mfma", "valu"}
    assert moved == {"lds_read", "lds_write", "vmem_load", "vmem_store"}


def test_an_index_table_is_loaded_and_the_row_it_names_is_not() -> None:
    """Of two loads the first says where the second reads; what that gives goes to C and nowhere else."""
    program, execution = of_text(
        """
        s_load_dwordx4 s[4:7], s[0:1], 0x0
        s_load_dwordx2 s[8:9], s[0:1], 0x10
        v_lshlrev_b32_e32 v1, 2, v0
        s_waitcnt lgkmcnt(0)
        global_load_dword v2, v1, s[4:5]
        s_waitcnt vmcnt(0)
        v_lshlrev_b32_e32 v2, 3, v2
        global_load_dword v3, v2, s[6:7]
        s_waitcnt vmcnt(0)
        v_mul_lo_u32 v3, v3, v3
        global_store_dword v1, v3, s[8:9]
        """
    )
    assert isinstance(execution.sliced, Slice)
    assert left_out(program, execution) == {"v_mul_lo_u32"}
    assert {program.instructions[index].opcode for index in execution.sliced.addresses_only} == {
        "global_load_dword",
        "global_store_dword",
    }


def test_a_table_that_the_kernel_itself_stores_is_found_while_it_runs() -> None:
    """The store is left out at first; the load that meets it has it executed, with what it stores."""
    program, execution = of_text(
        """
        s_load_dwordx4 s[4:7], s[0:1], 0x0
        s_load_dwordx2 s[8:9], s[0:1], 0x10
        v_lshlrev_b32_e32 v1, 2, v0
        v_lshlrev_b32_e32 v4, 4, v0
        v_mul_u32_u24_e32 v5, 3, v0
        s_waitcnt lgkmcnt(0)
        global_store_dword v1, v5, s[6:7]
        global_store_dword v1, v4, s[8:9]
        s_waitcnt vmcnt(0)
        global_load_dword v2, v1, s[8:9]
        s_waitcnt vmcnt(0)
        global_load_dword v3, v2, s[4:5]
        """
    )
    assert isinstance(execution.sliced, Slice)
    assert left_out(program, execution) == {"v_mul_u32_u24"}
    assert len(execution.sliced.addresses_only) == 2


def test_lanes_that_exec_leaves_keep_what_was_written_before() -> None:
    """v2 is written for all lanes, then for some: the address needs both. v3 is written under the mask and
    read under it: the first value is not needed."""
    program, execution = of_text(
        """
        v_mul_lo_u32 v2, v0, 8
        v_mul_u32_u24_e32 v3, 5, v0
        v_cmp_gt_u32_e32 vcc, 20, v0
        s_and_saveexec_b64 s[4:5], vcc
        v_lshlrev_b32_e32 v2, 3, v0
        v_lshlrev_b32_e32 v3, 2, v0
        ds_read_b32 v4, v3
        s_or_b64 exec, exec, s[4:5]
        ds_read_b32 v5, v2
        """
    )
    assert left_out(program, execution) == {"v_mul_u32_u24"}


def test_a_flag_in_lds_is_polled_and_the_spin_names_its_store() -> None:
    program, execution = of_text(
        """
        v_readfirstlane_b32 s4, v0
        v_mov_b32_e32 v1, 0
        v_mov_b32_e32 v6, 1.0
        s_cmp_lg_u32 s4, 0
        s_cbranch_scc1 other
        poll:
        ds_read_b32 v2, v1
        s_waitcnt lgkmcnt(0)
        v_readfirstlane_b32 s5, v2
        s_cmp_lg_u32 s5, 7
        s_cbranch_scc1 poll
        s_endpgm
        other:
        v_mul_f32_e32 v7, v6, v6
        v_mov_b32_e32 v3, 7
        ds_write_b32 v1, v3
        """,
        waves=2,
    )
    assert execution.trace.waves[0].spins
    assert left_out(program, execution) == {"v_mul_f32", "v_mov_b32"}


def test_what_names_registers_by_number_is_executed_in_full() -> None:
    _, execution = of_text(
        """
        s_mov_b32 m0, 2
        s_movrels_b32 s4, s5
        v_mov_b32_e32 v1, 0
        """
    )
    assert execution.sliced == NotSliced("s_movrels_b32 names registers by number")
    assert execution.has_numbers


def test_clock_reads_that_nothing_rests_on_are_no_reason_to_execute_again() -> None:
    program, execution = of_text("s_memtime s[4:5]\n s_waitcnt lgkmcnt(0)")
    assert left_out(program, execution) == {"s_memtime"}
    assert not execution.clock_reads


def test_workgroups_of_a_launch_one_by_one() -> None:
    kernel, machine = prepare(ROOT / "kernels/8wave.yaml", RunOptions(settings={"K": "128"}))
    positions = [(0, 0, 0), (3, 1, 0)]
    first, second = address_traces(kernel.program, kernel.launch, machine, positions)
    lines = [set(np.concatenate([wave.lines for wave in trace.waves]).tolist()) for trace in (first, second)]
    assert_same(first, emulate(kernel.program, kernel.launch, machine).trace)
    assert lines[0] != lines[1]
    np.testing.assert_array_equal(first.waves[0].code, second.waves[0].code)


_V, _S = st.integers(1, 6), st.integers(12, 17)
_PAIR = st.sampled_from((12, 14, 16))


def _line(template: str, **parts: st.SearchStrategy[int]) -> st.SearchStrategy[str]:
    return st.fixed_dictionaries(parts).map(lambda values: template.format(**values))


LINES = st.one_of(
    _line("v_add_u32_e32 v{a}, v{b}, v{c}", a=_V, b=_V, c=_V),
    _line("v_and_b32_e32 v{a}, 0xfc, v{b}", a=_V, b=_V),
    _line("v_mov_b32_e32 v{a}, s{b}", a=_V, b=_S),
    _line("v_mov_b32_dpp v{a}, v{b} row_shr:1 row_mask:0xf bank_mask:0x5", a=_V, b=_V),
    _line(
        "v_add_u16_sdwa v{a}, v{b}, v{c} dst_sel:WORD_1 dst_unused:UNUSED_PRESERVE "
        "src0_sel:DWORD src1_sel:DWORD",
        a=_V,
        b=_V,
        c=_V,
    ),
    _line("v_mad_f16 v{a}, v{b}, v{c}, v{a}", a=_V, b=_V, c=_V),
    _line("v_cndmask_b32_e64 v{a}, v{b}, v{c}, s[{m}:{m}+1]", a=_V, b=_V, c=_V, m=_PAIR),
    _line("v_cmp_lt_u32_e64 s[{m}:{m}+1], v{a}, v{b}", a=_V, b=_V, m=_PAIR),
    _line("v_cmp_lt_u32_e32 vcc, v{a}, v{b}", a=_V, b=_V),
    _line("v_addc_co_u32_e32 v{a}, vcc, v{b}, v{c}, vcc", a=_V, b=_V, c=_V),
    _line("s_mov_b32 vcc_lo, s{a}", a=_S),
    _line("v_readfirstlane_b32 s{a}, v{b}", a=_S, b=_V),
    _line("v_writelane_b32 v{a}, s{b}, 3", a=_V, b=_S),
    _line("s_add_u32 s{a}, s{b}, s{c}", a=_S, b=_S, c=_S),
    _line("s_cmp_lt_u32 s{a}, s{b}\n s_cselect_b32 s{a}, s{b}, 9", a=_S, b=_S),
    _line("s_and_saveexec_b64 s[{m}:{m}+1], vcc", m=_PAIR),
    _line("s_or_b64 exec, exec, s[{m}:{m}+1]", m=_PAIR),
    _line(
        "s_andn2_b64 exec, exec, vcc",
    ),
    _line("s_mov_b64 exec, -1"),
    _line("ds_write_b32 v{a}, v{b} offset:64", a=_V, b=_V),
    _line("ds_read_b32 v{a}, v{b}\n s_waitcnt lgkmcnt(0)", a=_V, b=_V),
    _line("ds_read_u16_d16_hi v{a}, v{b}\n s_waitcnt lgkmcnt(0)", a=_V, b=_V),
    _line("ds_bpermute_b32 v{a}, v{b}, v{c}\n s_waitcnt lgkmcnt(0)", a=_V, b=_V, c=_V),
    _line("ds_add_rtn_u32 v{a}, v{b}, v{c}\n s_waitcnt lgkmcnt(0)", a=_V, b=_V, c=_V),
    _line("global_load_dword v{a}, v{b}, s[4:5]\n s_waitcnt vmcnt(0)", a=_V, b=_V),
    _line("global_load_dword v{a}, v{b}, s[8:9]\n s_waitcnt vmcnt(0)", a=_V, b=_V),
    _line("global_store_dword v{a}, v{b}, s[8:9]", a=_V, b=_V),
    _line("v_mfma_f32_4x4x1_16b_f32 v[2:5], v{a}, v{b}, v[2:5]", a=_V, b=_V),
)


@st.composite
def programs(draw: st.DrawFn) -> str:
    """Straight code, loops and branches on anything that was computed; addresses are cut to 252."""
    text = [
        "s_load_dwordx4 s[4:7], s[0:1], 0x0",
        "s_load_dwordx2 s[8:9], s[0:1], 0x10",
        "s_waitcnt lgkmcnt(0)",
        *(f"v_lshlrev_b32_e32 v{place}, {place}, v0" for place in range(1, 7)),
        *(f"s_mov_b32 s{place}, {place}" for place in range(12, 18)),
        "s_mov_b64 vcc, 0x5555",
    ]
    for number in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(("straight", "loop", "branch")))
        body = []
        for line in draw(st.lists(LINES, min_size=1, max_size=8)):
            if line.startswith(("ds_", "global_")) and "bpermute" not in line:
                register = line.split()[1 if "store" in line or "write" in line else 2].strip(",")
                body.append(f"v_and_b32_e32 {register}, 0xfc, {register}")
            body.append(line)
        if kind == "loop":
            body = [
                f"s_mov_b32 s20, 2\n again{number}:",
                *body,
                "s_sub_u32 s20, s20, 1\n s_cmp_lg_u32 s20, 0",
            ]
            body.append(f"s_cbranch_scc1 again{number}")
        elif kind == "branch":
            word = draw(st.sampled_from(("scc0", "scc1", "vccz", "execz")))
            body = [f"s_cbranch_{word} past{number}", *body, f"past{number}:"]
        text += body
    return "\n ".join(text)


@settings(max_examples=300)
@given(text=programs(), waves=st.integers(1, 3))
def test_random_programs(text: str, waves: int) -> None:
    of_text(text, waves)


def test_accesses_are_observed_without_their_values() -> None:
    kernel, machine = prepare(ROOT / "kernels/8wave.yaml", RunOptions(settings={"K": "128"}))
    whole = emulate(kernel.program, kernel.launch, machine, observe_lds=True)
    sliced = emulate_addresses(kernel.program, kernel.launch, machine, observe_lds=True)
    assert not sliced.has_numbers
    for some, others in (
        (whole.lds_accesses, sliced.lds_accesses),
        (whole.global_accesses, sliced.global_accesses),
    ):
        assert len(some) == len(others) > 0
        for one, other in zip(some, others, strict=True):
            assert replace(one, values=None, addresses=NOTHING) == replace(other, addresses=NOTHING)
            np.testing.assert_array_equal(one.addresses, other.addresses)


NOTHING = np.zeros(0, np.int64)


def test_run_without_numbers_says_so_and_times_the_same() -> None:
    options = RunOptions(settings={"K": "256"})
    whole = run_kernel(ROOT / "kernels/8wave.yaml", options)
    sliced = run_kernel(ROOT / "kernels/8wave.yaml", replace(options, numbers=False))
    assert not sliced.numerics.checked
    assert sliced.numerics.message == "only addresses were executed, no numbers"
    assert sliced.verdict is Verdict.UNCHECKED
    assert sliced.analysis.clk_total == whole.analysis.clk_total


def test_the_command_refuses_late_loads_without_numbers() -> None:
    found = CliRunner().invoke(cli, ["run", "kernels/8wave.yaml", "--no-numbers", "--adversarial"])
    assert isinstance(found.exception, UserError)
