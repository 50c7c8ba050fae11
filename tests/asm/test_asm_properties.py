"""Random instructions and programs: print then parse is the identity; junk never escapes as a crash."""

from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from wavesim.asm.layout import lay_out
from wavesim.asm.printer import print_instruction, print_program
from wavesim.asm.text.instructions import parse_instruction
from wavesim.asm.text.parse import parse_program
from wavesim.errors import UserError
from wavesim.isa.opcode_info import OperandSpec
from wavesim.isa.opcodes import opcode_table
from wavesim.program import (
    Immediate,
    Instruction,
    KernelMetadata,
    Operand,
    Program,
    Register,
    Special,
    Symbol,
    Waitcnt,
)

ARCH = "gfx950"
OPCODES = sorted(name for name, info in opcode_table().items() if ARCH in info.archs)


@st.composite
def operands(draw: st.DrawFn, spec: OperandSpec, label: str) -> Operand:
    kind = draw(st.sampled_from([letter for letter in spec.kinds if letter in "vasilwon"]))
    count = spec.dwords or draw(st.sampled_from([1, 2, 8]))
    if kind in ("v", "a", "s"):
        return Register(kind, draw(st.integers(0, 40)) * 2, count)  # type: ignore[arg-type]
    if kind == "o":
        return Special("off")
    if kind == "l":
        return Symbol(label)
    if kind == "w":
        counts = (st.none() | st.integers(0, limit) for limit in (62, 6, 14))
        return Waitcnt(*(draw(count) for count in counts))
    value = draw(st.integers(-32, 2**32 - 1) | st.sampled_from([0.5, -4.0, 1.0]))
    return (
        Immediate(value, str(value))
        if draw(st.booleans()) or isinstance(value, float)
        else Immediate(value, hex(value))
    )


@st.composite
def instructions(draw: st.DrawFn, label: str = "there") -> Instruction:
    info = opcode_table()[draw(st.sampled_from(OPCODES))]
    modifiers = []
    if info.format in ("DS", "MUBUF", "FLAT", "GLOBAL") and draw(st.booleans()):
        modifiers.append(("offset", draw(st.integers(0, 4095))))
    if info.format == "GLOBAL" and "atomic" not in info.flags and draw(st.booleans()):
        modifiers.append(("sc1", True))
    chosen = tuple(draw(operands(spec, label)) for spec in info.operands)
    return Instruction(info.name, chosen, tuple(modifiers))


@given(instructions())
def test_print_then_parse_is_the_identity(instruction: Instruction) -> None:
    again = parse_instruction(print_instruction(instruction), ARCH)
    assert again.same_code(instruction)
    assert print_instruction(again) == print_instruction(instruction)


@settings(max_examples=50)
@given(st.lists(instructions("loop"), min_size=1, max_size=20), st.integers(0, 20), st.integers(0, 65536))
def test_programs_survive(body: list[Instruction], at: int, lds_bytes: int) -> None:
    addresses, sizes = lay_out(body, ARCH)
    metadata = KernelMetadata(
        lds_bytes=lds_bytes,
        vgprs=128,
        accum_offset=64,
        sgprs=32,
        workgroup_size=256,
        extra={"reserve_vcc": "1"},
    )
    labels = {"loop": min(at, len(body))}
    program = Program("kernel", ARCH, tuple(body), labels, metadata, addresses, sizes)
    again = parse_program(print_program(program), "printed.s")
    assert all(a.same_code(b) for a, b in zip(program, again, strict=True))
    assert (again.addresses, again.sizes, dict(again.labels)) == (addresses, sizes, labels)
    assert again.metadata == metadata


@given(st.text(alphabet='vs_[]:|-,.()0123456789abcdefmoxl \t;"/', max_size=60))
def test_junk_is_a_user_error_or_an_instruction(text: str) -> None:
    for line in (text, f"v_add_f32 {text}", f"s_waitcnt {text}", f"global_load_dword v0, {text}"):
        try:
            parse_instruction(line, ARCH)
        except UserError:
            continue


@given(st.text(max_size=80), st.text(max_size=40))
def test_junk_files_are_user_errors(first: str, second: str) -> None:
    with contextlib.suppress(UserError):
        parse_program(f"{first}\n.set x, {second}\ns_endpgm\n", "junk.s", ARCH)
