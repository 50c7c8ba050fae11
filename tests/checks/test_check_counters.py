"""counter-overflow: counted over all paths, or on the executed ones; a note, for the hardware only stalls."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavesim.asm.text.parse import parse_program
from wavesim.checks.all_paths import check_program
from wavesim.checks.counters import counter_overflows
from wavesim.checks.run import check_kernel
from wavesim.front.launch.file import LaunchOptions
from wavesim.isa.load import load_machine
from wavesim.pipeline.run import RunOptions, prepare
from wavesim.program import Finding, Severity


def found_in(*lines: str) -> list[Finding]:
    text = "kernel:\n" + "\n".join(lines) + "\ns_endpgm\n"
    program = parse_program(text, "kernel.s", arch="gfx942")
    _, relaxer = check_program(program)
    return list(counter_overflows(relaxer, load_machine("gfx942")))


def reads(count: int) -> list[str]:
    return [f"ds_read_b32 v{2 + number}, v0 offset:{4 * number}" for number in range(count)]


def test_fifteen_lds_accesses_are_counted_sixteen_are_not() -> None:
    assert not found_in(*reads(15), "s_waitcnt lgkmcnt(0)")
    (finding,) = found_in(*reads(16), "s_waitcnt lgkmcnt(0)")
    assert finding.severity is Severity.NOTE
    assert [span.line for span in finding.spans] == [17, 2]  # the 16th, and the oldest outstanding
    assert "lgkmcnt counts (15); up to 16" in finding.message


def test_a_wait_between_keeps_the_count_down() -> None:
    assert not found_in(*reads(12), "s_waitcnt lgkmcnt(4)", *reads(11), "s_waitcnt lgkmcnt(0)")
    assert found_in(*reads(12), "s_waitcnt lgkmcnt(4)", *reads(12), "s_waitcnt lgkmcnt(0)")


def test_scalar_loads_of_two_dwords_count_twice() -> None:
    loads = [f"s_load_dwordx2 s[{4 + 2 * at}:{5 + 2 * at}], s[0:1], 0x{8 * at:x}" for at in range(8)]
    assert not found_in(*loads[:7], "s_waitcnt lgkmcnt(0)")
    assert found_in(*loads, "s_waitcnt lgkmcnt(0)")


def test_vmcnt_counts_stores_and_63() -> None:
    stores = ["global_store_dword v[0:1], v2, off"] * 64
    assert not found_in(*stores[:63])
    (finding,) = found_in(*stores)
    assert "vmcnt counts (63)" in finding.message


def test_a_loop_without_a_wait_has_no_largest_count() -> None:
    (finding,) = found_in(
        "s_mov_b32 s2, 8",
        "loop:",
        "global_store_dword v[0:1], v2, off",
        "s_sub_u32 s2, s2, 1",
        "s_cmp_lg_u32 s2, 0",
        "s_cbranch_scc1 loop",
    )
    assert "128 or more" in finding.message


LOOP = """kernel:
	s_load_dwordx2 s[4:5], s[0:1], 0x0
	v_lshlrev_b32_e32 v1, 2, v0
	v_mov_b32_e32 v2, 0
	s_mov_b32 s2, {trips}
	s_waitcnt lgkmcnt(0)
loop:
	global_store_dword v1, v2, s[4:5]
	s_sub_u32 s2, s2, 1
	s_cmp_lg_u32 s2, 0
	s_cbranch_scc1 loop
	s_endpgm
	.amdhsa_kernel kernel
		.amdhsa_user_sgpr_count 2
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
	.end_amdhsa_kernel
"""


@pytest.mark.parametrize(("trips", "most"), [(8, 0), (63, 0), (64, 64)])
def test_executed_paths_decide(trips: int, most: int, tmp_path: Path) -> None:
    path = tmp_path / "kernel.s"
    path.write_text(LOOP.format(trips=trips))
    launch = LaunchOptions(arguments=("C=f32[1,64]:unwritten",), block=64)
    kernel, machine = prepare(path, RunOptions(arch="gfx942", launch=launch))
    found = [each for each in check_kernel(kernel, machine).findings if each.rule == "counter-overflow"]
    assert len(found) == (1 if most else 0)
    if most:
        assert f"up to {most}" in found[0].message
        assert found[0].waves == (0,)
