"""isa/assumed_times.csv: whose time is a guess, and that a run says so."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from wavesim.front.launch.file import LaunchOptions
from wavesim.isa.assumed_times import assumed_time, assumed_times
from wavesim.isa.opcodes import opcode_table
from wavesim.pipeline.run import RunOptions, run_kernel
from wavesim.pipeline.trust import guessed_times, trust_in
from wavesim.report.output import Look
from wavesim.report.text.terminal import report_lines

FORMS = {"*_dpp", "*_to_lds"}


def test_every_pattern_names_an_opcode_of_its_architectures() -> None:
    for kind in assumed_times():
        for pattern in set(kind.patterns) - FORMS:
            archs = {
                arch
                for name, info in opcode_table().items()
                if fnmatchcase(name, pattern)
                for arch in info.archs
            }
            assert archs & set(kind.archs), (kind.name, pattern)


@pytest.mark.parametrize(
    ("opcode", "arch", "name"),
    [
        ("v_exp_f32", "gfx950", None),
        ("v_exp_f16", "gfx950", "f16 transcendental"),
        ("v_fma_f64", "gfx942", None),
        ("v_cvt_scalef32_pk_fp4_f32", "gfx950", "scaled conversion"),
        ("v_cvt_scalef32_pk32_f32_fp6", "gfx950", "scaled conversion of many elements"),
        ("ds_bpermute_b32", "gfx950", None),
        ("ds_bpermute_b32", "gfx942", "lane permutation"),
        ("ds_add_rtn_u32", "gfx950", "LDS atomic"),
        ("v_max_f32_dpp", "gfx942", "DPP"),
        ("v_mfma_f32_16x16x4_f32", "gfx942", "matrix product of other operands"),
        ("v_mfma_f32_16x16x16_bf16", "gfx942", None),
        ("buffer_load_dword_to_lds", "gfx950", None),
    ],
)
def test_what_is_a_guess(opcode: str, arch: str, name: str | None) -> None:
    found = assumed_time(opcode, arch)
    assert (found.name if found is not None else None) == name


def test_a_run_says_which_times_it_guessed(tmp_path: Path) -> None:
    path = tmp_path / "mixed.s"
    path.write_text(
        '.amdgcn_target "amdgcn-amd-amdhsa--gfx950"\n.text\nmixed:\n v_mov_b32 v1, 1.0\n'
        " s_nop 1\n v_max_f32_dpp v2, v1, v1 row_shr:1 row_mask:0xf bank_mask:0xf\n"
        " v_exp_f16 v3, v1\n s_endpgm\n"
    )
    run = run_kernel(path, RunOptions(arch="gfx950", launch=LaunchOptions(block=128)))
    assert {name: count for name, (_, count) in guessed_times(run.timeline.trace).items()} == {
        "DPP": 2,
        "f16 transcendental": 2,
    }
    found = trust_in(run)
    assert found.unvalidated["DPP"] == 2
    assert any(each.startswith("the time of a DPP is taken to be 4 clk") for each in found.says)
    text = " ".join(" ".join(line.plain for line in report_lines(run, Look(), details=True)).split())
    assert "assumed 2 kinds executed, with a time that nobody has measured" in text
    assert "DPP (2), f16 transcendental (2)" in text
