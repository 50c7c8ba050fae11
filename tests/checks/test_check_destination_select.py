"""Results that OPSEL or SDWA place in a part of a register: the wait state behind each, as LLVM puts it."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache

import pytest

from wavesim.asm.text.parse import parse_program
from wavesim.checks.all_paths import check_program
from wavesim.program import Finding, Severity

TYPES = {"f32": "float", "f16": "half", "bf16": "bfloat"}
ARGUMENTS = (
    "float %f, float %g, float %h, i32 %i, i32 %old, half %f16, bfloat %bf16, float %f32, <2 x half> %vf16, "
    "<2 x bfloat> %vbf16, <2 x float> %vf32, <2 x i16> %vold, <2 x half> %hold, <2 x bfloat> %bold"
)
BYTES, HALVES = ("i32 0", "i32 1", "i32 2", "i32 3"), ("i1 false", "i1 true")


def conversions() -> list[tuple[str, str, str, tuple[str, ...]]]:
    """(architecture, intrinsic, its result, its arguments) of every conversion with a selected destination,
    the selection last."""
    found: list[tuple[str, str, str, tuple[str, ...]]] = []

    def add(arch: str, name: str, result: str, arguments: str, selections: tuple[str, ...]) -> None:
        found.extend((arch, name, result, (*arguments.split(", "), each)) for each in selections)

    for small in ("fp8", "bf8"):
        add("gfx942", f"cvt.sr.{small}.f32", "i32", "float %f, i32 %i, i32 %old", BYTES)
        add("gfx942", f"cvt.pk.{small}.f32", "i32", "float %f, float %g, i32 %old", HALVES)
        add(
            "gfx950",
            f"cvt.scalef32.pk.{small}.f32",
            "<2 x i16>",
            "<2 x i16> %vold, float %f, float %g, float %h",
            HALVES,
        )
        places = tuple(f"i32 {byte}, {half}" for byte in (0, 1, 3) for half in HALVES)
        add("gfx950", f"cvt.scalef32.f16.{small}", "<2 x half>", "<2 x half> %hold, i32 %i, float %h", places)
        for source, kind in TYPES.items():
            arguments = f"i32 %old, {kind} %{source}, i32 %i, float %g"
            add("gfx950", f"cvt.scalef32.sr.{small}.{source}", "i32", arguments, BYTES)
            if source != "f32":
                arguments = f"<2 x i16> %vold, <2 x {kind}> %v{source}, float %h"
                add("gfx950", f"cvt.scalef32.pk.{small}.{source}", "<2 x i16>", arguments, HALVES)
    add("gfx950", "cvt.scalef32.pk.fp4.f32", "i32", "i32 %old, float %f, float %g, float %h", BYTES)
    for source, kind in TYPES.items():
        arguments = f"i32 %old, <2 x {kind}> %v{source}, i32 %i, float %h"
        add("gfx950", f"cvt.scalef32.sr.pk.fp4.{source}", "i32", arguments, BYTES)
        if source != "f32":
            arguments = f"i32 %old, <2 x {kind}> %v{source}, float %h"
            add("gfx950", f"cvt.scalef32.pk.fp4.{source}", "i32", arguments, BYTES)
            arguments = f"<2 x {kind}> %{'h' if source == 'f16' else 'b'}old, float %f, i32 %i"
            add("gfx950", f"cvt.sr.{source}.f32", f"<2 x {kind}>", arguments, HALVES)
    return found


@cache
def by_llvm() -> list[tuple[str, str, int]]:
    """(architecture, instruction, wait states that LLVM puts before its result is used)."""
    tool = shutil.which("llc-22")
    if tool is None:
        pytest.skip("needs llc of LLVM 22")
    found = []
    for arch in ("gfx942", "gfx950"):
        text = ""
        for number, (target, name, result, arguments) in enumerate(conversions()):
            if target <= arch:
                cast = "add i32 %r, 0" if result == "i32" else f"bitcast {result} %r to i32"
                text += (
                    f"define amdgpu_ps i32 @k{number}({ARGUMENTS}) {{\n"
                    f"  %r = call {result} @llvm.amdgcn.{name}({', '.join(arguments)})\n"
                    f"  %x = {cast}\n  %y = xor i32 %x, %i\n"
                    "  %z = call i32 @llvm.amdgcn.readfirstlane(i32 %y)\n  ret i32 %z\n}\n"
                )
        command = [tool, "-mtriple=amdgcn", f"-mcpu={arch}", "-o", "-"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
        for conversion, following in re.findall(r"^\t(v_cvt\S.*)\n\t(.*)$", done.stdout, re.MULTILINE):
            nop = re.match(r"s_nop (\d+)", following)
            found.append((arch, conversion, int(nop[1]) + 1 if nop else 0))
    return found


def findings(arch: str, *lines: str) -> list[Finding]:
    text = "kernel:\n" + "\n".join(lines) + "\ns_endpgm\n"
    found, _ = check_program(parse_program(text, "kernel.s", arch=arch))
    return [each for each in found if each.rule == "wait-states"]


def test_every_conversion_as_llvm() -> None:
    cases = by_llvm()
    assert len(cases) >= 100
    assert {count for _, _, count in cases} == {0, 1}
    for arch, conversion, count in cases:
        register = conversion.split()[1].rstrip(",")
        use = f"v_xor_b32 v200, {register}, v201"
        assert bool(findings(arch, conversion, use)) == bool(count), (arch, conversion)
        assert not findings(arch, conversion, "s_nop 0", use)


def test_what_is_moved_is_the_manuals_and_what_is_only_selected_is_llvms() -> None:
    moved = "v_cvt_sr_fp8_f32 v5, v2, v3 op_sel:[0,0,1,0]"
    use = "v_add_u32 v6, v5, v0"
    (by_manual,) = findings("gfx942", moved, use)
    assert by_manual.severity is Severity.ERROR
    assert "CDNA3 ISA 4.5" in by_manual.message
    (by_llvm_only,) = findings("gfx950", "v_cvt_scalef32_sr_pk_fp4_f16 v5, v2, v3, v4", use)
    assert by_llvm_only.severity is Severity.NOTE
    assert "LLVM puts 1" in by_llvm_only.message
    (overwritten,) = findings("gfx942", moved, "v_mov_b32 v5, 0")
    assert overwritten.severity is Severity.NOTE


@pytest.mark.parametrize(
    ("place", "severity"),
    [
        *((place, Severity.ERROR) for place in ("BYTE_1", "BYTE_2", "BYTE_3", "WORD_1")),
        *((place, Severity.NOTE) for place in ("BYTE_0", "WORD_0")),
        ("DWORD", None),
    ],
)
def test_every_place_of_sdwa(place: str, severity: Severity | None) -> None:
    sdwa = f"v_add_u16_sdwa v4, v1, v2 dst_sel:{place} dst_unused:UNUSED_PAD src0_sel:WORD_0 src1_sel:WORD_0"
    found = findings("gfx942", sdwa, "v_add_f32 v6, v4, v5")
    assert [each.severity for each in found] == ([severity] if severity else [])
    assert not findings("gfx90a", sdwa, "v_add_f32 v6, v4, v5")


def test_a_result_that_is_read_because_its_rest_is_kept() -> None:
    """The case of llvm 100276: conversions into the bytes of one register, back to back."""
    lines = [f"v_cvt_sr_fp8_f32 v5, v2, v3 op_sel:[0,0,{low},{high}]" for high in (0, 1) for low in (0, 1)]
    assert len(findings("gfx942", *lines)) == 2  # byte 0 is not moved
    waited = [line for each in lines for line in (each, "s_nop 0")]
    assert not findings("gfx942", *waited)
