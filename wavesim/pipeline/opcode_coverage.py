"""Which opcodes are known, read, executed and timed, by family and architecture, from the code itself."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wavesim.asm.text.parse import parse_instruction
from wavesim.emulate.semantics import binder_of
from wavesim.errors import UserError
from wavesim.isa.archs import ARCHS
from wavesim.isa.assumed_times import assumed_time, assumed_times
from wavesim.isa.kinds import Kind
from wavesim.isa.load import load_machine
from wavesim.isa.opcode_info import OpcodeInfo, OperandSpec
from wavesim.isa.opcodes import opcode_table
from wavesim.trace.decode import code_entry

FAMILIES = (
    *("SOP1", "SOP2", "SOPC", "SOPK", "SOPP", "SMEM"),
    *("VOP1", "VOP2", "VOP3", "VOPC", "packed", "MFMA", "SMFMAC"),
    *("DS", "MUBUF", "MTBUF", "FLAT", "GLOBAL", "SCRATCH"),
)
"""In the order of the table; ``packed`` is VOP3P without the matrix instructions."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """One opcode on one architecture."""

    opcode: str
    family: str
    parsed: bool
    executed: bool
    timed: bool


def family_of(info: OpcodeInfo) -> str:
    """The family of an opcode."""
    if info.kind is Kind.MFMA:
        return "SMFMAC" if "sparse" in info.flags else "MFMA"
    return "packed" if info.format == "VOP3P" else info.format


def sample(info: OpcodeInfo) -> str:
    """A line of assembly with the opcode."""
    operands = [_sample_operand(spec, info) for spec in info.operands]
    return f"{info.name} {', '.join(operands)}".strip()


def _sample_operand(spec: OperandSpec, info: OpcodeInfo) -> str:
    count = spec.dwords or (8 if "f8f6f4" in info.flags else 2 if "v" in spec.kinds else 1)
    for file in "vas":
        if file in spec.kinds:
            return f"{file}0" if count == 1 else f"{file}[0:{count - 1}]"
    if "w" in spec.kinds:
        return "lgkmcnt(0)"
    if "l" in spec.kinds:
        return "label"
    return "off" if "o" in spec.kinds else "0"


def coverage(arch: str) -> Iterator[Coverage]:
    """Every opcode of ``arch``."""
    parameters = load_machine(arch).parameters
    for info in opcode_table().values():
        if arch not in info.archs:
            continue
        try:
            entry = code_entry(parse_instruction(sample(info), arch), arch)
        except UserError:
            yield Coverage(info.name, family_of(info), False, False, False)
            continue
        timed = "untimed" not in info.flags and (not entry.mfma or entry.mfma in parameters.mfma_table)
        yield Coverage(info.name, family_of(info), True, binder_of(info.name) is not None, timed)


def coverage_page() -> str:
    """docs/coverage.md."""
    found = {arch: tuple(coverage(arch)) for arch in ARCHS}
    lines = [
        "# Which instructions are covered",
        "",
        "Written by `wavesim isa coverage`; `tests/emulate/test_opcode_coverage.py` holds it to the code.",
        "",
        *_INTRODUCTION,
    ]
    for arch in reversed(ARCHS):
        lines += [
            f"## {arch}",
            "",
            "| family | table | parsed | executed | timed | by assumption |",
            "|---|---:|---:|---:|---:|---:|",
        ]
        for family, counts in _counts(arch, found[arch]).items():
            lines.append(f"| {family} | {' | '.join(map(str, counts.values()))} |")
        lines.append("")
    lines += ["## Not covered", ""]
    for part, missing in _missing(found).items():
        names = [
            f"`{opcode}`" + ("" if len(archs) == len(ARCHS) else f" ({', '.join(archs)})")
            for opcode, archs in missing.items()
        ]
        text = f"Not {part}: {', '.join(names) if names else 'none'}."
        lines += [*textwrap.wrap(text, 100, break_on_hyphens=False), ""]
    lines += _NOTES
    lines += _ASSUMED
    for kind in assumed_times():
        archs = "" if len(kind.archs) == len(ARCHS) else f" ({', '.join(kind.archs)})"
        opcodes = " ".join(f"`{each}`" for each in kind.opcodes.split())
        lines.append(f"| {kind.name}{archs} | {opcodes} | {kind.taken} | {kind.why} |")
    lines.append("")
    return "\n".join(lines)


def coverage_data() -> dict[str, Any]:
    """The same counts as plain data."""
    found = {arch: tuple(coverage(arch)) for arch in ARCHS}
    return {
        "archs": {arch: _counts(arch, rows) for arch, rows in found.items()},
        "missing": _missing(found),
    }


def _counts(arch: str, rows: Sequence[Coverage]) -> dict[str, dict[str, int]]:
    """Family -> how many opcodes there are, and of them are parsed, executed, timed, and by assumption."""
    counted = {}
    for family in (*FAMILIES, "all"):
        some = [each for each in rows if family in ("all", each.family)]
        if some:
            assumed = sum(each.timed and assumed_time(each.opcode, arch) is not None for each in some)
            parts = {part: sum(getattr(each, part) for each in some) for part in _PARTS}
            counted[family] = {"table": len(some), **parts, "by_assumption": assumed}
    return counted


def _missing(found: Mapping[str, Sequence[Coverage]]) -> dict[str, dict[str, list[str]]]:
    """Part -> opcode that lacks it -> on which architectures."""
    missing: dict[str, dict[str, list[str]]] = {part: {} for part in _PARTS}
    for arch, rows in found.items():
        for each in rows:
            for part in _PARTS:
                if not getattr(each, part):
                    missing[part].setdefault(each.opcode, []).append(arch)
    return {part: dict(sorted(opcodes.items())) for part, opcodes in missing.items()}


_PARTS = ("parsed", "executed", "timed")
_INTRODUCTION = """\
**table**: opcodes that LLVM 22 knows for the architecture, all in [the opcode table](opcodes.md) (a
test compares the two) but for gfx90a's image instructions, which are refused; **parsed**: of these,
the ones whose assembly is read; **executed**: the ones that the emulator has semantics for (a test
executes each); **timed**: the ones the timing model has data for; **by assumption**: those of them
whose time [nobody has measured](#assumed-times). What is missing is listed below.
How much of LLVM's own tests is read, line by line, stands in
[the opcode table](opcodes.md#llvms-own-tests). A kernel with an opcode that is in no table, or that
cannot be executed, is refused with its place; `--allow-unknown` goes on, marks each figure that
depends on it with `?`, and lists what was assumed.
""".splitlines()
_INTRODUCTION.append("")
_NOTES = """\
Forms of executed opcodes that are refused (and can be passed over with `--allow-unknown`): SDWA
with 64-bit results, buffer formats with 10- or 11-bit floats, loads from scratch to LDS, calls out
of the kernel. A modifier that changes a result and has no semantics for its opcode is refused, too.
MODE is followed: rounding, denormals, clamp of NaN, IEEE, overflow of f16 and 8-bit floats
([float-mode](checks/float-mode.md) says where not). Exceptions are not modelled; a trap is a
finding, and the wave goes on. Transcendentals are exact to the type's nearest in every mode, where
the hardware is within 1 ulp. Scaled conversions to 8-bit floats saturate, whatever MODE's FP16_OVFL
bit says.

What opcodes compute has a second source (`tests/emulate/differential`): exact arithmetic by
fractions for floats, Python integers for the rest, LLVM's constant folder, and LLVM's expansion of
division: over 1900 forms of over 390 opcodes on denormals, signed zeros, infinities, both kinds of
NaN, the ends of the range.
""".splitlines()
_NOTES.append("")
_ASSUMED = """
## Assumed times

Neither a trace nor a published measurement has the time of these instructions. A run that executes
one says so in `--details` and in `--json` (`trust`), with what was taken. `_dpp` and `_to_lds`
stand for forms of an instruction. MFMA, loads and stores have published rates, or are in traces.

| kind | opcodes | taken for its time | why |
|---|---|---|---|""".splitlines()
