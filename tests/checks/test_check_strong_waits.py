"""wait-too-strong: the largest safe count is safe, one more is not, and the clocks are the simulation's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wavesim.analyze.analysis import analyze
from wavesim.asm.text.parse import parse_program
from wavesim.checks.all_paths import check_program
from wavesim.checks.relaxing import NOT_WAITED
from wavesim.checks.run import check_execution, check_kernel
from wavesim.checks.strong_waits import StrongWait, find_strong_waits
from wavesim.checks.waits import span_of
from wavesim.emulate.run import emulate
from wavesim.errors import UserError
from wavesim.front.launch.file import LaunchOptions
from wavesim.front.launch.model import LoadedKernel
from wavesim.isa.machine import Machine
from wavesim.pipeline.run import RunOptions, prepare
from wavesim.program import Severity
from wavesim.timing import simulate

LAUNCH = LaunchOptions(
    arguments=("A=bf16[128,256]", "B=bf16[128,256]", "C=f32[128,128]:unwritten", "N=128", "K=256"),
    block=512,
    expect="C = A @ B.T",
)


def found_in(*lines: str) -> list[StrongWait]:
    """By code alone."""
    text = "kernel:\n" + "\n".join(lines) + "\ns_endpgm\n"
    _, relaxer = check_program(parse_program(text, "kernel.s", arch="gfx942"))
    return list(find_strong_waits(relaxer, None))


def counts_in(*lines: str) -> list[dict[str, int]]:
    return [each.counts for each in found_in(*lines)]


def test_only_the_first_load_is_used() -> None:
    assert counts_in(
        "ds_read_b32 v2, v0",
        "ds_read_b32 v3, v0 offset:4",
        "ds_read_b32 v4, v0 offset:8",
        "s_waitcnt lgkmcnt(0)",
        "v_mov_b32 v5, v2",
        "s_waitcnt lgkmcnt(0)",
        "v_add_u32 v5, v3, v4",
    ) == [{"lgkmcnt": 2}]


def test_a_wait_that_is_needed_in_full_is_not_named() -> None:
    assert not found_in(
        "ds_read_b32 v2, v0",
        "ds_read_b32 v3, v0 offset:4",
        "s_waitcnt lgkmcnt(0)",
        "v_add_u32 v5, v3, v2",
    )


def test_nothing_to_wait_for_is_not_named() -> None:
    assert not found_in("v_mov_b32 v2, 0", "s_waitcnt vmcnt(0) lgkmcnt(0)", "v_mov_b32 v3, v2")


def test_over_the_back_edge() -> None:
    """The prefetch of the next trip stays outstanding: only the older load is used."""
    assert counts_in(
        "global_load_dword v2, v[0:1], off",
        "s_mov_b32 s2, 8",
        "loop:",
        "v_mov_b32 v9, 0",
        "global_load_dword v3, v[0:1], off",
        "s_waitcnt vmcnt(0)",
        "v_add_u32 v4, v2, v2",
        "s_waitcnt vmcnt(0)",
        "v_mov_b32 v2, v3",
        "s_sub_u32 s2, s2, 1",
        "s_cmp_lg_u32 s2, 0",
        "s_cbranch_scc1 loop",
    ) == [{"vmcnt": 1}]


def test_each_wait_is_judged_with_the_others_as_they_are() -> None:
    """Either of two waits can go, so each is named."""
    found = found_in("ds_read_b32 v2, v0", "s_waitcnt lgkmcnt(0)", "s_waitcnt lgkmcnt(0)", "v_mov_b32 v3, v2")
    assert [each.counts for each in found] == [{"lgkmcnt": NOT_WAITED}]
    assert found[0].waits == (1,)  # the second never has anything to wait for


def test_scalar_loads_need_zero() -> None:
    assert not found_in(
        "s_load_dword s4, s[0:1], 0x0",
        "s_load_dword s5, s[0:1], 0x4",
        "s_waitcnt lgkmcnt(0)",
        "s_add_u32 s6, s4, s4",
        "s_waitcnt lgkmcnt(0)",
    )


def test_flat_loads_need_both_counters() -> None:
    assert not found_in("flat_load_dword v2, v[0:1]", "s_waitcnt vmcnt(0) lgkmcnt(0)", "v_mov_b32 v3, v2")


def test_one_counter_of_two() -> None:
    found = found_in(
        "ds_read_b32 v2, v0",
        "global_load_dword v3, v[0:1], off",
        "s_waitcnt vmcnt(0) lgkmcnt(0)",
        "v_mov_b32 v4, v2",
        "s_waitcnt vmcnt(0)",
        "v_mov_b32 v4, v3",
    )
    assert [each.counts for each in found] == [{"vmcnt": NOT_WAITED}]


def test_a_wait_that_publishes_lds_writes_is_needed() -> None:
    assert not found_in(
        "ds_write_b32 v0, v1",
        "s_waitcnt lgkmcnt(0)",
        "s_barrier",
        "ds_read_b32 v2, v0",
        "s_waitcnt lgkmcnt(0)",
        "v_mov_b32 v3, v2",
    )


def test_a_wait_that_publishes_loads_to_lds_is_needed() -> None:
    lines = [
        "s_mov_b32 m0, 0",
        "s_nop 4",
        "global_load_lds_dword v[0:1], off",
        "s_waitcnt vmcnt(0)",
        "s_barrier",
        "ds_read_b32 v2, v0",
        "s_waitcnt lgkmcnt(0)",
        "v_mov_b32 v3, v2",
    ]
    assert not found_in(*lines)
    lines.remove("s_barrier")  # the same wave reads them: still needed
    assert not found_in(*lines)


def test_only_the_older_loads_to_lds_are_published() -> None:
    """Two tiles ahead: the wait may leave the second tile's loads, but not the first's."""
    lines = [
        "s_mov_b32 m0, 0",
        "s_nop 4",
        "global_load_lds_dword v[0:1], off",
        "global_load_dword v5, v[0:1], off",
        "s_waitcnt vmcnt(0)",
        "s_barrier",
        "ds_read_b32 v2, v0",
        "s_waitcnt vmcnt(0) lgkmcnt(0)",
        "v_add_u32 v3, v2, v5",
    ]
    assert counts_in(*lines) == [{"vmcnt": 1}]


def test_a_store_before_a_barrier_or_a_flag_stays_waited_for() -> None:
    assert not found_in("global_store_dword v[0:1], v2, off", "s_waitcnt vmcnt(0)", "s_barrier")
    assert not found_in(
        "global_store_dword v[0:1], v2, off", "s_waitcnt vmcnt(0)", "global_store_dword v[4:5], v6, off"
    )
    assert not found_in("global_store_dword v[0:1], v2, off", "s_waitcnt vmcnt(0)", "buffer_wbl2 sc1")


def test_stores_before_the_end_are_not() -> None:
    assert counts_in("global_store_dword v[0:1], v2, off", "s_waitcnt vmcnt(0)") == [{"vmcnt": NOT_WAITED}]


def rewritten(lines: list[str], number: int, counts: dict[str, int]) -> str:
    """The source with other counts in the ``s_waitcnt`` of a line (from 1)."""
    text = " ".join(f"{name}({count})" for name, count in counts.items() if count < NOT_WAITED)
    new = f"\ts_waitcnt {text}" if text else ""
    return "\n".join([*lines[: number - 1], new, *lines[number:]])


def bad_findings(kernel: LoadedKernel, machine: Machine) -> set[tuple[str, str]]:
    """Missing waits and races, by what they say (the count of others may change)."""
    execution = emulate(kernel.program, kernel.launch, machine, observe_lds=True)
    found = [*check_program(kernel.program)[0], *check_execution(execution)[0]]
    return {(each.rule, each.message.split(";")[0]) for each in found if each.is_bad}


def adversarial(kernel: LoadedKernel, machine: Machine) -> np.ndarray | None:
    try:
        execution = emulate(kernel.program, kernel.launch, machine, adversarial=True)
    except UserError:
        return None
    return execution.matrix("C", (0, 0, 128, 128))


def strong(kernel: LoadedKernel, machine: Machine) -> dict[int, StrongWait]:
    """Line -> what could be weaker."""
    _, relaxer = check_program(kernel.program)
    execution = emulate(kernel.program, kernel.launch, machine, observe_lds=True)
    found = find_strong_waits(relaxer, execution)
    return {span_of(kernel.program, each.waits[0]).line: each for each in found}


def load(path: Path, text: str) -> tuple[LoadedKernel, Machine]:
    path.write_text(text)
    return prepare(path, RunOptions(launch=LAUNCH))


EXAMPLES = [
    "gemm8_asmread.gfx942.s",
    "gemm8_asmread.gfx950.s",
    "gemm8_asmread_fenced.gfx942.s",
    "gemm8_asmread_unroll2_tied.gfx942.s",
    "gemm8_plain.gfx942.s",
    "gemm8_plain_32x32x8.gfx942.s",
]


@pytest.mark.parametrize("name", EXAMPLES)
def test_compiled_waits_are_as_weak_as_they_can_be(name: str, shared: Path) -> None:
    kernel, machine = prepare(shared / "examples" / name, RunOptions(launch=LAUNCH))
    assert not strong(kernel, machine)


@pytest.mark.parametrize("name", ["gemm8_plain.gfx942.s", "gemm8_asmread.gfx950.s"])
def test_strengthened_waits_are_found_and_their_count_is_the_largest(
    name: str, shared: Path, tmp_path: Path
) -> None:
    """Each partial wait of a compiled kernel made 0: the reported count gives the same numbers and no
    finding, one more does not."""
    lines = (shared / "examples" / name).read_text().split("\n")
    kernel, machine = load(tmp_path / name, "\n".join(lines))
    wanted = adversarial(kernel, machine)
    assert wanted is not None
    places = [at + 1 for at, line in enumerate(lines) if line.strip().startswith("s_waitcnt")]
    tried = 0
    for number in places:
        written = lines[number - 1]
        counter = "vmcnt" if "vmcnt(" in written else "lgkmcnt"
        if f"{counter}(0)" in written or tried == 2:
            continue
        stronger = rewritten(lines, number, {counter: 0})
        kernel, machine = load(tmp_path / name, stronger)
        found = strong(kernel, machine)
        assert number in found, f"{number}: {written}"
        count = found[number].counts[counter]
        assert f"{counter}({count})" in written
        kernel, machine = load(tmp_path / name, rewritten(lines, number, {counter: count}))
        assert not bad_findings(kernel, machine)
        np.testing.assert_array_equal(adversarial(kernel, machine), wanted)
        kernel, machine = load(tmp_path / name, rewritten(lines, number, {counter: count + 1}))
        wrong = adversarial(kernel, machine)
        assert bad_findings(kernel, machine) or wrong is None or not np.array_equal(wrong, wanted)
        tried += 1
    assert tried >= 2


LADDER = Path(__file__).resolve().parents[2] / "kernels"


@pytest.mark.parametrize("name", ["4wave", "8wave", "8wave_pingpong"])
def test_the_ladder_waits_no_more_than_it_must(name: str) -> None:
    kernel, machine = prepare(LADDER / f"{name}.yaml", RunOptions(settings={"K": "256"}))
    _, relaxer = check_program(kernel.program)
    execution = emulate(kernel.program, kernel.launch, machine, observe_lds=True)
    assert not list(find_strong_waits(relaxer, execution))


def clk_per_iteration(kernel: LoadedKernel, machine: Machine) -> float:
    execution = emulate(kernel.program, kernel.launch, machine)
    loop = analyze(simulate(execution.trace, machine.parameters), machine).loops[0]
    return loop.clk_per_iteration


def test_the_cost_is_the_difference_of_two_simulations(tmp_path: Path) -> None:
    """A wait for the prefetch right behind it, in the ping-pong kernel: named, with its price."""
    text = (LADDER / "8wave_pingpong.yaml").read_text()
    place = '  - {global_load: load_b, col: "min(t + 2, STEPS - 1) * K_STEP"}\n'
    assert text.count(place) == 1
    clocks = {}
    for wait in ("", "vmcnt: 62", "vmcnt: 0"):
        source = text.replace(place, f"{place}  - wait: {{{wait}}}\n" if wait else place)
        path = tmp_path / "kernel.yaml"
        path.write_text(source)
        kernel, machine = prepare(path, RunOptions(settings={"K": "512"}))
        clocks[wait] = clk_per_iteration(kernel, machine)
    notes = [each for each in check_kernel(kernel, machine).findings if each.rule == "wait-too-strong"]
    (inserted,) = [each for each in notes if "nothing relies on its vmcnt" in each.message]
    assert inserted.severity is Severity.NOTE
    assert source.split("\n")[inserted.spans[0].line - 1].strip() == "- wait: {vmcnt: 0}"
    assert inserted.fix.startswith("leave the wait out")
    # Simulated with the wait in its place but waiting for nothing: its slot is not part of the price ...
    cost = clocks["vmcnt: 0"] - clocks["vmcnt: 62"]
    assert cost > 100
    said = f"it costs {cost:.0f} of {clocks['vmcnt: 0']:.0f} clk per iteration (simulated)"
    assert said in inserted.message
    # ... and the slot makes less than itself of a difference.
    assert clocks["vmcnt: 62"] - clocks[""] == pytest.approx(0, abs=4)


def test_notes_leave_the_verdict_good(tmp_path: Path) -> None:
    path = tmp_path / "kernel.s"
    path.write_text(
        "kernel:\n\tglobal_load_dword v2, v0, s[0:1]\n\ts_waitcnt vmcnt(0)\n\tv_mov_b32 v3, 0\n"
        "\ts_waitcnt vmcnt(0)\n\tv_mov_b32 v3, v2\n\ts_endpgm\n"
    )
    kernel, machine = prepare(path, RunOptions(arch="gfx942"))
    result = check_kernel(kernel, machine, execute=False)
    (note,) = [each for each in result.findings if each.rule == "wait-too-strong"]
    assert result.good
    assert "were not simulated" in note.message


def test_what_an_unknown_instruction_relies_on_is_not_known(tmp_path: Path) -> None:
    path = tmp_path / "kernel.s"
    path.write_text(
        "kernel:\n\tglobal_load_dword v2, v0, s[0:1]\n\ts_waitcnt vmcnt(0)\n\tv_unheard_of v3, v0\n"
        "\ts_waitcnt vmcnt(0)\n\tv_mov_b32 v3, v2\n\ts_endpgm\n"
    )
    kernel, machine = prepare(path, RunOptions(arch="gfx942", allow_unknown=True))
    assert {each.rule for each in check_kernel(kernel, machine, execute=False).findings} == {"occupancy"}


TILES_AHEAD = """kernel:
	s_load_dwordx4 s[4:7], s[0:1], 0x0
	v_lshrrev_b32_e32 v4, 6, v0
	v_lshlrev_b32_e32 v1, 2, v0                ; own word of a tile
	v_xor_b32_e32 v3, 0x100, v1                ; the other wave's
	v_readfirstlane_b32 s8, v4
	v_mov_b32_e32 v5, 0
	s_lshl_b32 s8, s8, 8                       ; where this wave's part of a tile begins
	s_mov_b32 s9, 8
	s_mov_b32 m0, s8
	s_waitcnt lgkmcnt(0)
	global_load_lds_dword v1, s[4:5]
loop:
	s_xor_b32 s8, s8, 0x200                    ; the other buffer
	s_mov_b32 m0, s8
	s_nop 0
	global_load_lds_dword v1, s[4:5]
	s_waitcnt vmcnt({count})
	s_barrier
	ds_read_b32 v2, v3
	v_xor_b32_e32 v3, 0x200, v3
	s_waitcnt lgkmcnt(0)
	v_add_u32_e32 v5, v5, v2
	s_barrier
	s_sub_u32 s9, s9, 1
	s_cmp_lg_u32 s9, 0
	s_cbranch_scc1 loop
	s_waitcnt vmcnt(0)
	global_store_dword v1, v5, s[6:7]
	s_endpgm
	.amdhsa_kernel kernel
		.amdhsa_group_segment_fixed_size 1024
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
	.end_amdhsa_kernel
"""


@pytest.mark.parametrize(("count", "rules"), [(0, {"wait-too-strong"}), (1, set()), (2, {"lds-race"})])
def test_loads_to_lds_a_tile_ahead(count: int, rules: set[str], tmp_path: Path) -> None:
    """The barrier publishes the older tile only: by the addresses the younger one may be on its way."""
    path = tmp_path / "kernel.s"
    path.write_text(TILES_AHEAD.format(count=count))
    launch = LaunchOptions(arguments=("A=i32[2,64]:index", "C=i32[2,64]:unwritten"), block=128)
    kernel, machine = prepare(path, RunOptions(arch="gfx942", launch=launch))
    found = [each for each in check_kernel(kernel, machine).findings if each.rule not in ("occupancy",)]
    assert {each.rule for each in found} == rules
    if count == 0:
        (note,) = found
        assert "vmcnt(1) is the largest safe count as far as this launch's LDS addresses show" in note.message
        assert "it costs" in note.message
