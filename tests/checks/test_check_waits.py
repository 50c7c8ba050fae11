"""missing-wait over all paths, on small kernels and on the compiled examples."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavesim.asm.text.parse import parse_program
from wavesim.checks.cfg import control_flow
from wavesim.checks.pending import pending_before
from wavesim.checks.waits import missing_waits
from wavesim.program import Finding
from wavesim.program.dataflow import effects
from wavesim.trace.decode import code_entries

CLEAN = [
    "gemm8_asmread.gfx942.s",
    "gemm8_asmread.gfx950.s",
    "gemm8_asmread_fenced.gfx942.s",
    "gemm8_asmread_unroll2_tied.gfx942.s",
    "gemm8_nobarrier_RACE.gfx942.s",  # a race, but every wait is there
    "gemm8_plain.gfx942.s",
    "gemm8_plain_32x32x8.gfx942.s",
]


def findings(text: str, file: str = "kernel.s") -> list[Finding]:
    program = parse_program(text, file, arch="gfx942" if ".amdgcn_target" not in text else None)
    code = code_entries(program)
    used = tuple(effects(instruction, program.arch) for instruction in program)
    before = pending_before(control_flow(program, code), code, used)
    return list(missing_waits(program, code, used, before))


def kernel(*lines: str) -> str:
    return "kernel:\n" + "\n".join(lines) + "\ns_endpgm\n"


def test_read_before_the_wait() -> None:
    (finding,) = findings(kernel("ds_read_b64 v[2:3], v0", "v_add_u32 v1, v2, v2", "s_waitcnt lgkmcnt(0)"))
    assert finding.rule == "missing-wait"
    assert "reads v2" in finding.message
    assert [span.line for span in finding.spans] == [3, 2]


def test_read_after_the_wait_is_clean() -> None:
    assert not findings(kernel("ds_read_b64 v[2:3], v0", "s_waitcnt lgkmcnt(0)", "v_add_u32 v1, v2, v2"))


def test_partial_wait_covers_only_older_loads() -> None:
    text = kernel(
        "ds_read_b32 v2, v0",
        "ds_read_b32 v3, v0 offset:4",
        "s_waitcnt lgkmcnt(1)",
        "v_mov_b32 v4, v2",
        "v_mov_b32 v5, v3",
    )
    (finding,) = findings(text)
    assert "v3" in finding.message
    assert "lgkmcnt(0)" in finding.fix


def test_overwriting_a_pending_register() -> None:
    (finding,) = findings(kernel("global_load_dword v2, v[0:1], off", "v_mov_b32 v2, 0"))
    assert "overwrites v2" in finding.message
    assert "vmcnt(0)" in finding.fix


def test_two_loads_of_one_order_may_overwrite() -> None:
    text = kernel("ds_read_b32 v2, v0", "ds_read_b32 v2, v1", "s_waitcnt lgkmcnt(0)", "v_mov_b32 v3, v2")
    assert not findings(text)


def test_scalar_loads_return_in_any_order() -> None:
    text = kernel(
        "s_load_dword s4, s[0:1], 0x0",
        "s_load_dword s5, s[0:1], 0x4",
        "s_waitcnt lgkmcnt(1)",
        "s_add_u32 s6, s4, s4",
        "s_waitcnt lgkmcnt(0)",
    )
    (finding,) = findings(text)
    assert "any order" in finding.message


def test_loop_back_edge() -> None:
    text = kernel(
        "s_mov_b32 s2, 8",
        "loop:",
        "v_add_u32 v4, v2, v2",
        "ds_read_b32 v2, v0",
        "s_sub_u32 s2, s2, 1",
        "s_cmp_lg_u32 s2, 0",
        "s_cbranch_scc1 loop",
        "s_waitcnt lgkmcnt(0)",
    )
    (finding,) = findings(text)
    assert "earlier loop trip" in finding.message


@pytest.mark.parametrize("name", CLEAN)
def test_clean_examples_are_clean(name: str, shared: Path) -> None:
    path = shared / "examples" / name
    assert not findings(path.read_text(), str(path))


def test_hazard_example_is_found(shared: Path) -> None:
    path = shared / "examples" / "gemm8_asmread_unroll2_HAZARD.gfx942.s"
    found = findings(path.read_text(), str(path))
    assert any("v_mfma" in finding.message for finding in found)


@pytest.mark.parametrize("name", CLEAN)
def test_every_removed_lds_wait_is_found(name: str, shared: Path) -> None:
    """Mutation: a wait that protects a use, removed, must be missed."""
    path = shared / "examples" / name
    lines = path.read_text().split("\n")
    waits = [number for number, line in enumerate(lines) if "s_waitcnt" in line and "lgkmcnt(0)" in line]
    assert waits
    missed = []
    for number in waits:
        without = [*lines[:number], "", *lines[number + 1 :]]
        if not findings("\n".join(without), str(path)):
            missed.append(number + 1)
    # A wait shortly before a barrier orders LDS accesses between waves: its loss is a race, not a hazard.
    for number in missed:
        following = [
            line.split()[0] for line in lines[number:] if line.startswith("\t") and line[1] not in ".;"
        ]
        assert "s_barrier" in following[:3], f"{path.name}:{number}"
