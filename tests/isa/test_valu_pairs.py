"""isa/valu_pairs.csv and the classes of opcodes that do not stand there."""

from __future__ import annotations

import pytest

from wavesim.isa.opcodes import opcode_table
from wavesim.isa.valu_pairs import guessed_classes, pair_classes, pair_rows


def test_the_file_names_vector_opcodes_and_counts_what_it_calls_seen() -> None:
    for row in pair_rows().values():
        info = opcode_table()[row.opcode.removesuffix("_sdwa")]
        assert info.format.startswith("VOP"), row.opcode
        if row.confidence == "trace":
            assert min(row.first_decisions, row.second_decisions) > 0, row.opcode


@pytest.mark.parametrize(
    ("opcode", "classes"),
    [
        ("v_exp_f16", (0, 0)),  # transcendental
        ("v_pk_add_f16", (0, 0)),  # several values at once
        ("v_cvt_scalef32_pk_fp4_f32", (0, 0)),
        ("v_fma_f64", (0, 0)),
        ("v_permlane32_swap_b32", (0, 0)),  # several slots
        ("v_ashrrev_i64", (0, 1)),  # 64-bit operands
        ("v_mul_hi_i32", (0, 1)),
        ("v_min3_f32", (1, 1)),
    ],
)
def test_unseen_opcodes_get_a_class_by_structure(opcode: str, classes: tuple[int, int]) -> None:
    assert guessed_classes(opcode_table()[opcode]) == classes


def test_forms() -> None:
    info = opcode_table()["v_add_u32"]
    assert pair_classes(info, "") == (1, 2)
    assert pair_classes(info, "sdwa") == (1, 1)
    assert pair_classes(info, "dpp") == (0, 0)
