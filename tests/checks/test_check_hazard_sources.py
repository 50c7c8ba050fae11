"""Who asks for wait states: the manual (an error) or only LLVM (a note, an error with ``strict``)."""

from __future__ import annotations

import pytest

from wavesim.asm.text.parse import parse_program
from wavesim.checks.all_paths import check_program
from wavesim.errors import UserError
from wavesim.isa import hazards as hazards_module
from wavesim.isa.hazards import hazard_rows
from wavesim.program import Finding, Severity

ARCHS = ("gfx90a", "gfx942", "gfx950")


def findings(arch: str, *lines: str, strict: bool = False) -> list[Finding]:
    text = "kernel:\n" + "\n".join(lines) + "\ns_endpgm\n"
    found, _ = check_program(parse_program(text, "kernel.s", arch=arch), strict=strict)
    return [each for each in found if each.rule in ("wait-states", "mfma-hazard")]


@pytest.mark.parametrize("arch", ["gfx942", "gfx950"])
@pytest.mark.parametrize(
    ("producer", "consumer", "severity"),
    [
        # carry-in: the manual says 0
        ("v_cmp_lt_i32 s[4:5], v0, 5", "v_cndmask_b32 v1, v2, 1.0, s[4:5]", Severity.NOTE),
        ("v_cmp_lt_i32 vcc, v0, v5", "v_cndmask_b32 v1, v2, v3, vcc", Severity.NOTE),
        ("v_add_co_u32 v3, vcc, v0, v0", "v_addc_co_u32 v4, vcc, v0, v0, vcc", Severity.NOTE),
        ("v_sub_co_u32 v3, s[4:5], v0, v0", "v_subb_co_u32 v4, s[6:7], v0, v0, s[4:5]", Severity.NOTE),
        ("v_sub_co_u32 v3, vcc, v0, v0", "v_subbrev_co_u32 v4, vcc, v0, v0, vcc", Severity.NOTE),
        # a constant: the manual says 2
        ("v_cmp_lt_i32 s[4:5], v0, 5", "v_cndmask_b32 v1, s4, v2, s[6:7]", Severity.ERROR),
        ("v_readlane_b32 s4, v0, 1", "v_mov_b32 v1, s4", Severity.ERROR),
        ("v_readfirstlane_b32 s4, v0", "v_writelane_b32 v1, s4, 2", Severity.ERROR),
        ("v_cmp_lt_i32 vcc, v0, v5", "v_mov_b32 v1, vcc_lo", Severity.ERROR),
        ("v_cmpx_lt_i32 vcc, v0, v5", "v_mov_b32 v1, exec_lo", Severity.ERROR),
        ("v_cmp_lt_i32 vcc, v0, v5", "v_mov_b32 v1, src_vccz", Severity.ERROR),
        ("v_cmpx_lt_i32 vcc, v0, v5", "v_mov_b32 v1, src_execz", Severity.ERROR),
        # loads to LDS: the manual names scratch and global
        ("s_mov_b32 m0, 0", "global_load_lds_dword v[0:1], off", Severity.ERROR),
        ("s_mov_b32 m0, 0", "buffer_load_dword v0, s[0:3], 0 offen lds", Severity.NOTE),
        # LLVM only, but hardware stored wrong data (llvm-project 197267)
        ("buffer_store_dwordx4 v[2:5], v0, s[0:3], s4 offen", "v_mov_b32 v3, v9", Severity.ERROR),
    ],
)
def test_severity(arch: str, producer: str, consumer: str, severity: Severity) -> None:
    (found,) = findings(arch, producer, consumer)
    assert found.severity is severity
    assert ("LLVM puts" in found.message) == (severity is Severity.NOTE)
    assert ("GCNHazardRecognizer" in found.message) or "VCCZ" in found.message
    (strict,) = findings(arch, producer, consumer, strict=True)
    assert strict.severity is Severity.ERROR


def test_five_wait_states_before_vccz() -> None:
    compare, use = "v_cmp_lt_i32 vcc, v0, v5", "v_mov_b32 v1, src_vccz"
    assert findings("gfx942", compare, "s_nop 3", use)
    assert not findings("gfx942", compare, "s_nop 4", use)


@pytest.mark.parametrize("arch", ARCHS)
def test_every_row_says_who_asks(arch: str) -> None:
    for row in hazard_rows(arch):
        assert row.manual or row.llvm, row.id
        assert row.only_llvm == (not row.manual and not row.seen)
        assert "ISA" in row.manual or not row.manual
        assert row.llvm.startswith(("check", "creates")) or not row.llvm


def test_a_row_that_nobody_asks_for(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    import pathlib

    folder = pathlib.Path(str(tmp_path))
    row = "{id: x, producer: valu, consumer: vmem, through: sgpr, wait_states: {gfx942: 1}}"
    (folder / "hazards.yaml").write_text(f"schema: hazards\nrows:\n- {row}\n")
    monkeypatch.setattr(hazards_module, "data_dir", lambda _: folder)
    with pytest.raises(UserError, match="nobody asks for"):
        hazard_rows.__wrapped__("gfx942")


@pytest.mark.parametrize("arch", ["gfx942", "gfx950"])
def test_the_accumulator_of_smfmac_is_source_c(arch: str) -> None:
    """As LLVM 22 compiles it: in place nothing is needed; its index is read like A and B."""
    first = "v_smfmac_f32_16x16x64_fp8_fp8 v[4:7], v[8:9], v[12:15], v20"
    assert not findings(arch, first, "v_smfmac_f32_16x16x64_fp8_fp8 v[4:7], v[8:9], v[24:27], v20")
    for uses in (
        "v[0:3], v[4:5], v[24:27], v20",
        "v[0:3], v[8:9], v[4:7], v20",
        "v[0:3], v[8:9], v[24:27], v4",
    ):
        (found,) = findings(arch, first, f"v_smfmac_f32_16x16x64_fp8_fp8 {uses}")
        assert "reads as A or B" in found.message
    (found,) = findings(arch, first, "v_smfmac_f32_16x16x64_fp8_fp8 v[6:9], v[10:11], v[24:27], v20")
    assert "overlaps with its SrcC" in found.message
