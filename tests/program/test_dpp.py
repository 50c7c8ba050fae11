"""The words of DPP: one list, by which an instruction has a control however it is spelled."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from wavesim.asm.text.parse import parse_program
from wavesim.checks.all_paths import check_program
from wavesim.emulate.semantics.vector.lane_select import SOURCE_LANES
from wavesim.program.dpp import DPP_CONTROLS, DPP_MIRRORS, DPP_WORDS, is_dpp
from wavesim.trace.code import ALONE
from wavesim.trace.decode import code_entries

VALUES = {"quad_perm": "[1,0,3,2]", "row_bcast": "15"}


def written(word: str) -> str:
    return word if word in DPP_MIRRORS else f"{word}:{VALUES.get(word, '1')}"


@pytest.mark.parametrize("word", DPP_CONTROLS)
@pytest.mark.parametrize("opcode", ["v_add_u32", "v_add_u32_dpp"])
def test_every_control_in_both_spellings(word: str, opcode: str) -> None:
    line = f"{opcode} v2, v1, v1 {written(word)} row_mask:0xf bank_mask:0xf"
    program = parse_program(f"k:\nv_mov_b32 v1, 1.0\n{line}\ns_endpgm\n", "k.s", arch="gfx90a")
    assert is_dpp(program.instructions[1])
    assert program.sizes[1] == 8
    assert code_entries(program)[1].share == ALONE
    found, _ = check_program(program)
    assert any("DPP reads it" in each.message for each in found)
    value = (1, 0, 3, 2) if word == "quad_perm" else 1
    assert SOURCE_LANES[word](value).shape == (64,)


def test_they_stand_in_one_place() -> None:
    root = Path(__file__).resolve().parents[2] / "wavesim"
    words = re.compile(rf'"({"|".join(sorted(DPP_WORDS - {"bound_ctrl"}))})"')
    holders = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if len(set(words.findall(path.read_text(encoding="utf-8")))) > 3
    }
    # lane_select says what each control does, word by word
    assert set(SOURCE_LANES) == set(DPP_CONTROLS)
    assert holders == {"program/dpp.py", "emulate/semantics/vector/lane_select.py"}
