"""Software wait states: rows of the manual on small kernels, and every needed s_nop of the examples."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavesim.asm.text.parse import parse_program
from wavesim.checks.cfg import control_flow
from wavesim.checks.hazards import hazards
from wavesim.program import Finding, Severity
from wavesim.program.dataflow import effects
from wavesim.trace.decode import code_entries

MFMA = "v_mfma_f32_16x16x16_bf16 v[0:3], v[8:9], v[10:11], v[0:3]"


def findings(text: str, file: str = "kernel.s", arch: str | None = None) -> list[Finding]:
    program = parse_program(text, file, arch=arch)
    code = code_entries(program)
    used = tuple(effects(instruction, program.arch) for instruction in program)
    return list(hazards(program, code, used, control_flow(program, code)))


def kernel(*lines: str, arch: str = "gfx942") -> list[Finding]:
    return findings("kernel:\n" + "\n".join(lines) + "\ns_endpgm\n", arch=arch)


@pytest.mark.parametrize(
    ("arch", "enough", "consumer"),
    [
        ("gfx942", 7, "v_mov_b32 v20, v0"),
        ("gfx942", 7, "v_mov_b32 v0, 0"),
        ("gfx942", 7, "global_store_dword v[20:21], v0, off"),
        ("gfx942", 7, "v_mfma_f32_16x16x16_bf16 v[4:7], v[0:1], v[10:11], v[4:7]"),
        ("gfx942", 5, "v_mfma_f32_16x16x16_bf16 v[4:7], v[8:9], v[10:11], v[2:5]"),
        ("gfx942", 0, MFMA),
        ("gfx950", 8, "v_mov_b32 v20, v0"),
        ("gfx950", 6, "v_mfma_f32_16x16x16_bf16 v[4:7], v[8:9], v[10:11], v[2:5]"),
        ("gfx950", 0, MFMA),
    ],
)
def test_after_an_mfma(arch: str, enough: int, consumer: str) -> None:
    nop = [f"s_nop {enough - 1}"] if enough else []
    assert not kernel(MFMA, *nop, consumer, arch=arch)
    if enough:
        short = [f"s_nop {enough - 2}"] if enough > 1 else []
        (finding,) = kernel(MFMA, *short, consumer, arch=arch)
        assert finding.rule == "mfma-hazard"
        assert f"needs {enough}" in finding.message
        assert "s_nop 0" in finding.fix


def test_overwriting_srcc_while_it_is_read() -> None:
    mfma = "v_mfma_f32_16x16x16_bf16 v[0:3], v[8:9], v[10:11], v[4:7]"
    assert kernel(mfma, "v_mov_b32 v4, 0")
    assert not kernel(mfma, "s_nop 2", "v_mov_b32 v4, 0")


@pytest.mark.parametrize(
    ("producer", "consumer", "enough"),
    [
        ("v_mov_b32 v8, 0", MFMA, 2),
        ("v_readfirstlane_b32 s4, v0", "buffer_load_dword v1, v2, s[8:11], s4 offen", 5),
        ("v_exp_f32 v1, v2", "v_add_f32 v3, v1, v1", 1),
        ("v_cmp_eq_u32 vcc, v1, v2", "v_cndmask_b32 v3, v4, v5, vcc", 2),
        ("v_mov_b32 v1, v2", "v_readfirstlane_b32 s4, v1", 1),
        ("v_mov_b32 v1, v2", "v_mov_b32_dpp v3, v1 row_shr:1 row_mask:0xf bank_mask:0xf", 2),
    ],
)
def test_rows_of_the_table(producer: str, consumer: str, enough: int) -> None:
    assert not kernel(producer, f"s_nop {enough - 1}", consumer)
    assert kernel(producer, *([f"s_nop {enough - 2}"] if enough > 1 else []), consumer)


def test_around_a_loop() -> None:
    found = kernel(
        "s_mov_b32 s2, 8",
        "loop:",
        "v_mov_b32 v20, v0",
        "s_sub_u32 s2, s2, 1",
        MFMA,
        "s_cmp_lg_u32 s2, 0",
        "s_cbranch_scc1 loop",
    )
    assert [finding.rule for finding in found] == ["mfma-hazard"]


def test_an_independent_writer_in_between_ends_it() -> None:
    assert not [
        finding
        for finding in kernel("v_exp_f32 v1, v2", "v_mov_b32 v1, 0", "v_add_f32 v3, v1, v1")
        if "v_exp" in finding.message
    ]


def examples(shared: Path) -> list[Path]:
    return sorted((shared / "examples").glob("*.s"))


def test_compiled_examples_are_clean(shared: Path) -> None:
    for path in examples(shared):
        assert not findings(path.read_text(), str(path)), path.name


def test_every_needed_nop_of_an_example_is_missed_when_removed(shared: Path) -> None:
    removed = found = 0
    for name in ("gemm8_plain.gfx942.s", "gemm8_asmread.gfx950.s"):
        path = shared / "examples" / name
        lines = path.read_text().split("\n")
        for number, line in enumerate(lines):
            between_loads = "load" in lines[number - 1] and "load" in lines[min(number + 1, len(lines) - 1)]
            if line.strip().startswith("s_nop") and not between_loads:
                removed += 1
                found += bool(findings("\n".join([*lines[:number], "", *lines[number + 1 :]]), str(path)))
    assert removed >= 10
    assert found == removed


def test_mfmas_between_hold_the_pipe() -> None:
    """By the count 5 of 7 wait states, but each MFMA of 4 passes issues 4 slots behind the one before it: an
    error all the same, as the manual counts, and the message says so."""
    other = "v_mfma_f32_16x16x16_bf16 v[{0}:{1}], v[8:9], v[10:11], v[{0}:{1}]"
    between = [other.format(first, first + 3) for first in (20, 24, 28, 32, 36)]
    (found,) = kernel(MFMA, *between, "v_mov_b32 v50, v0")
    assert found.severity is Severity.ERROR
    assert "by the count of instructions" in found.message
    (alone,) = kernel(MFMA, between[0], *["v_mov_b32 v51, 0"] * 2, "v_mov_b32 v50, v0")  # 1 + 3 + 2 slots
    assert "by the count" not in alone.message
