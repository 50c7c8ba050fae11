"""register-uninitialised: over all paths, on the waves' own paths, and behind a deadlock."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavesim.checks.run import check_kernel
from wavesim.emulate.run import emulate
from wavesim.front.launch.file import LaunchOptions
from wavesim.pipeline.run import RunOptions, prepare
from wavesim.program import Finding, Severity

KERNELS = Path(__file__).resolve().parents[2] / "kernels"

TAIL = """	s_endpgm
	.amdhsa_kernel kernel
		.amdhsa_group_segment_fixed_size 512
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
	.end_amdhsa_kernel
"""


def check(tmp_path: Path, *body: str) -> list[Finding]:
    path = tmp_path / "kernel.s"
    path.write_text("kernel:\n" + "\n".join(body) + "\n" + TAIL)
    launch = LaunchOptions(arguments=("C=f32[1,64]:unwritten",), block=128)
    kernel, machine = prepare(path, RunOptions(arch="gfx942", launch=launch))
    found = check_kernel(kernel, machine).findings
    return [each for each in found if each.rule == "register-uninitialised"]


WAVE = ["v_lshrrev_b32_e32 v1, 6, v0", "s_nop 0", "v_readfirstlane_b32 s4, v1", "s_cmp_eq_u32 s4, 0"]


def test_a_register_that_nobody_writes(tmp_path: Path) -> None:
    (finding,) = check(tmp_path, "v_add_u32_e32 v3, v4, v0")
    assert finding.severity is Severity.WARNING
    assert "reads v4" in finding.message
    assert finding.waves == (0, 1)


def test_a_register_that_only_another_wave_writes(tmp_path: Path) -> None:
    (finding,) = check(
        tmp_path,
        *WAVE,
        "s_cbranch_scc0 other",
        "v_mov_b32_e32 v4, 1",
        "other:",
        "v_add_u32_e32 v3, v4, v0",
        "v_add_u32_e32 v5, v4, v0",
    )
    assert finding.waves == (1,)
    assert "reads v4" in finding.message
    assert finding.spans[0].line == 9


def test_both_ways_written_is_clean(tmp_path: Path) -> None:
    assert not check(
        tmp_path,
        *WAVE,
        "v_mov_b32_e32 v4, 2",
        "s_cbranch_scc0 other",
        "v_mov_b32_e32 v4, 1",
        "other:",
        "v_add_u32_e32 v3, v4, v0",
    )


@pytest.mark.parametrize("name", ["4wave", "8wave", "8wave_pingpong"])
def test_the_ladder_is_clean(name: str) -> None:
    kernel, machine = prepare(KERNELS / f"{name}.yaml", RunOptions(settings={"K": "256"}))
    rules = [finding.rule for finding in check_kernel(kernel, machine).findings]
    assert "register-uninitialised" not in rules


def test_behind_a_deadlock() -> None:
    """Waves that load and waves that compute do not share registers: seen although the kernel hangs first."""
    kernel, machine = prepare(KERNELS / "seed" / "v1.yaml", RunOptions(settings={"K": "512"}))
    found = check_kernel(kernel, machine).findings
    assert {"barrier-deadlock", "spin-deadlock", "lds-overflow"} <= {each.rule for each in found}
    private = [each for each in found if each.rule == "register-uninitialised"]
    assert private
    assert all(each.waves == (0, 1, 2, 3) and "behind the deadlock" in each.message for each in private)


def test_an_execution_past_a_deadlock_stays_incomplete() -> None:
    for name in ("barrier-deadlock", "spin-deadlock"):
        kernel, machine = prepare(KERNELS / "wrong" / f"{name}.s", RunOptions())
        stopped = emulate(kernel.program, kernel.launch, machine)
        beyond = emulate(kernel.program, kernel.launch, machine, past_deadlock=True)
        assert not stopped.complete
        assert not beyond.complete
        assert beyond.instruction_count > stopped.instruction_count
        assert [each.rule for each in beyond.findings] == [each.rule for each in stopped.findings]
