"""Wait states added while lowering: exactly as many as the hazard rule asks for, on every path."""

from __future__ import annotations

import pytest

from wavesim.asm.layout import lay_out
from wavesim.asm.text.parse import parse_instruction
from wavesim.checks.cfg import control_flow
from wavesim.checks.hazards import hazards
from wavesim.front.tile.emitter import Item, Label, Raw
from wavesim.front.tile.waitstates import with_wait_states
from wavesim.program import Finding, Instruction, KernelMetadata, Program
from wavesim.program.dataflow import effects
from wavesim.trace.decode import code_entries

MFMA = "v_mfma_f32_16x16x16_bf16 v[0:3], v[8:9], v[10:11], v[0:3]"


def items(lines: list[str], arch: str) -> list[Item]:
    return [
        Label(line[:-1])
        if line.endswith(":")
        else Raw(parse_instruction(line[4:], arch))
        if line.startswith("raw ")
        else parse_instruction(line, arch)
        for line in lines
    ]


def program(lowered: list[Item], arch: str) -> Program:
    labels, code = {}, []
    for item in lowered:
        if isinstance(item, Label):
            labels[item.name] = len(code)
        else:
            code.append(item.instruction if isinstance(item, Raw) else item)
    code.append(Instruction("s_endpgm"))
    addresses, sizes = lay_out(code, arch)
    return Program("k", arch, tuple(code), labels, KernelMetadata(), addresses, sizes, "k.s")


def findings(lowered: list[Item], arch: str) -> list[Finding]:
    made = program(lowered, arch)
    code = code_entries(made)
    used = tuple(effects(instruction, arch) for instruction in made)
    return list(hazards(made, code, used, control_flow(made, code)))


def nop_slots(lowered: list[Item]) -> int:
    return sum(
        int(str(item.operands[0])) + 1
        for item in lowered
        if isinstance(item, Instruction) and item.opcode == "s_nop"
    )


@pytest.mark.parametrize("arch", ["gfx942", "gfx950"])
@pytest.mark.parametrize(
    ("lines", "slots"),
    [
        ([MFMA, "v_mov_b32 v20, v0"], {"gfx942": 7, "gfx950": 8}),
        ([MFMA, "global_store_dword v20, v0, s[2:3]"], {"gfx942": 7, "gfx950": 8}),
        ([MFMA, "s_nop 3", "v_mov_b32 v20, v0"], {"gfx942": 3, "gfx950": 4}),
        ([MFMA, MFMA, MFMA], {"gfx942": 0, "gfx950": 0}),
        (["v_mov_b32 v8, v30", MFMA], {"gfx942": 2, "gfx950": 2}),
        (["v_mov_b32 v20, v21", "v_readfirstlane_b32 s4, v20"], {"gfx942": 1, "gfx950": 1}),
        (["v_readfirstlane_b32 s4, v20", "v_add_u32 v1, s4, v2"], {"gfx942": 2, "gfx950": 2}),
        (["v_readfirstlane_b32 s4, v20", "global_load_dword v1, v2, s[4:5]"], {"gfx942": 5, "gfx950": 5}),
        (["v_add_u32 v1, v2, v3", "v_add_u32 v4, v1, v1"], {"gfx942": 0, "gfx950": 0}),
    ],
)
def test_straight_line(lines: list[str], slots: dict[str, int], arch: str) -> None:
    lowered = with_wait_states(items(lines, arch), arch)
    assert nop_slots(lowered) - nop_slots(items(lines, arch)) == slots[arch]
    assert not findings(lowered, arch)


@pytest.mark.parametrize("arch", ["gfx942", "gfx950"])
def test_around_a_loop(arch: str) -> None:
    lines = ["s_mov_b32 s0, 0", ".L:", "v_mov_b32 v20, v0", "s_add_u32 s0, s0, 1", MFMA]
    lines += ["s_cmp_lt_u32 s0, 9", "s_cbranch_scc1 .L"]
    assert findings(items(lines, arch), arch)
    lowered = with_wait_states(items(lines, arch), arch)
    assert not findings(lowered, arch)
    assert nop_slots(lowered) == {"gfx942": 5, "gfx950": 6}[arch]


def test_around_a_branch() -> None:
    lines = [MFMA, "s_cbranch_scc1 .Lend", "s_nop 7", ".Lend:", "v_mov_b32 v20, v0"]
    lowered = with_wait_states(items(lines, "gfx942"), "gfx942")
    assert not findings(lowered, "gfx942")


def test_raw_lines_are_left_alone() -> None:
    lowered = with_wait_states(items([MFMA, "raw v_mov_b32 v20, v0"], "gfx942"), "gfx942")
    assert nop_slots(lowered) == 0
    assert [each.rule for each in findings(lowered, "gfx942")] == ["mfma-hazard"]
