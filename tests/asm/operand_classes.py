"""For tests: assembly with every class of operand at every place, and with the formats' modifiers."""

from __future__ import annotations

from wavesim.isa.opcode_info import OpcodeInfo, OperandSpec
from wavesim.isa.opcodes import opcode_table

OPERANDS = (
    *("v", "a", "s", "ttmp", "vcc", "exec", "m0", "vcc_lo", "scc", "src_vccz", "src_shared_base"),
    *("flat_scratch", "0", "64", "-17", "1.0", "0.15915494", "0x3f800000", "0x3c00", "100"),
    *("-v", "|v|", "neg(1)", "sext(v)", "off", "label", "lit(1)"),
)
_DPP = ("row_shr:1", "quad_perm:[0,1,2,3] row_mask:0x1", "row_bcast:15", "row_half_mirror bank_mask:0x3")
_SDWA = ("dst_sel:BYTE_0", "dst_sel:WORD_1 dst_unused:UNUSED_PRESERVE src0_sel:WORD_0", "src0_sel:BYTE_3")
_VOP = ("clamp", "mul:2", "fi:1", "row_newbcast:3", *_DPP, *_SDWA)
_PACKED = (
    "op_sel:[0,1]",
    "op_sel_hi:[0,0]",
    "neg_lo:[1,0]",
    "neg_hi:[0,1]",
    "clamp",
    "cbsz:1 abid:1",
    "blgp:1",
)
_BUFFER = (
    "offset:4095",
    "idxen",
    "offen sc0",
    "idxen offen",
    "sc0 sc1 nt",
    "lds",
    "glc slc",
    "offen lds offset:16",
)
_FLAT = ("offset:16", "offset:-16", "sc0", "nt sc1", "glc", "lds")
MODIFIERS = {
    "VOP1": _VOP,
    "VOP2": (*_VOP, "src1_sel:BYTE_1", "dst_sel:WORD_1 src0_sel:WORD_0 src1_sel:WORD_1"),
    "VOPC": ("clamp", "src0_sel:BYTE_1", "src0_sel:WORD_1 src1_sel:DWORD", "row_shr:1"),
    "VOP3": ("clamp", "mul:4 clamp", "op_sel:[1,0,0]", "op_sel:[0,1]", "op_sel:[1,1,0,1]", "bitop3:0x12"),
    "VOP3P": (*_PACKED, "neg:[1,0,0]", "op_sel:[1,0,1] op_sel_hi:[0,1,0]"),
    "VOP3PX2": ("op_sel:[0,1,0]", "cbsz:4 blgp:4", "op_sel_hi:[0,0,0]"),
    "DS": ("offset:8", "offset0:1 offset1:2", "gds"),
    "MUBUF": _BUFFER,
    "MTBUF": (*_BUFFER, "format:[BUF_DATA_FORMAT_32]", "format:22"),
    "SMEM": ("glc", "offset:4"),
    **dict.fromkeys(("FLAT", "GLOBAL", "SCRATCH"), _FLAT),
}


def _register(file: str, count: int, first: int) -> str:
    return f"{file}{first}" if count == 1 else f"{file}[{first}:{first + count - 1}]"


def _count(spec: OperandSpec, info: OpcodeInfo) -> int:
    return spec.dwords or (8 if "f8f6f4" in info.flags else 2)


def _usual(spec: OperandSpec, place: int, info: OpcodeInfo) -> str:
    for file in "vas":
        if file in spec.kinds:
            return _register(file, _count(spec, info), place * (16 if file == "s" else 32))
    named = {"l": "label", "i": "0x1234", "o": "off"}
    return next((text for kind, text in named.items() if kind in spec.kinds), "1")


def _other(text: str, spec: OperandSpec, place: int, info: OpcodeInfo) -> str:
    count = _count(spec, info)
    vector = _register("v", count, place * 32)
    if text in ("v", "a"):
        return _register(text, count, place * 32)
    if text in ("s", "ttmp"):
        return _register(text, min(count, 16), 0)
    return vector.join(text.split("v")) if text in ("-v", "|v|", "sext(v)") else text


def _lines(info: OpcodeInfo) -> list[str]:
    usual = [_usual(spec, place, info) for place, spec in enumerate(info.operands)]
    with_agprs = [
        text.replace("v", "a") if "a" in spec.kinds else text
        for text, spec in zip(usual, info.operands, strict=True)
    ]
    without_address = [
        "off" if "o" in spec.kinds else text for text, spec in zip(usual, info.operands, strict=True)
    ]
    two_addresses = [
        "v[4:5]" if "o" in spec.kinds else text for text, spec in zip(usual, info.operands, strict=True)
    ]
    choices = [usual, with_agprs, without_address, two_addresses, usual[1:], [_register("v", 4, 200), *usual]]
    vector = info.format in ("VOP1", "VOP2", "VOPC")
    found = []
    for suffix in ("", "_e32", "_e64", "_dpp", "_sdwa") if vector else ("",):
        name = f"{info.name}{suffix}"
        for modifier in ("", *MODIFIERS.get(info.format, ())):
            found += [f"{name} {', '.join(texts)} {modifier}".strip() for texts in choices]
        for place, spec in enumerate(info.operands):
            for text in OPERANDS:
                changed = [*usual[:place], _other(text, spec, place, info), *usual[place + 1 :]]
                found.append(f"{name} {', '.join(changed)}")
    return found


def lines_of_every_class(arch: str) -> list[str]:
    """For every opcode of ``arch`` but waits, in every encoding; many of them no assembler takes."""
    infos = [info for info in opcode_table().values() if arch in info.archs and info.kind != "wait"]
    return list(dict.fromkeys(line for info in infos for line in _lines(info)))
