"""Operands bound to a batch: what a source reads and a destination writes, as typed numpy arrays.

A source is an array that is a view of the registers (always current, no cost at execution) or, where a
view cannot say it (64-bit pairs, modifiers, DPP), a callable that makes the array. Vector shapes are
[n, 64], or [n, 1] and [1, 1] for scalars and constants; numpy broadcasts them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wavesim.asm.text.expressions import ExpressionError, evaluate
from wavesim.emulate.registry import Binding
from wavesim.emulate.state import CODE_BASE, EXEC, FLAT_SCRATCH, M0, SCC, TBA, TTMP, VCC, XNACK_MASK
from wavesim.emulate.types import Array
from wavesim.program import Immediate, Modified, Operand, Register, Special, Symbol

_RELOCATIONS = {
    "@rel32@lo": (True, False),
    "@rel32@hi": (True, True),
    "@abs32@lo": (False, False),
    "@abs32@hi": (False, True),
}
"""Relocations of symbols: whether relative to the place, whether the upper dword is taken."""

Source = Array | Callable[[], Array]

_SPECIAL_ROWS = {
    "vcc": VCC,
    "vcc_lo": VCC,
    "vcc_hi": VCC + 1,
    "exec": EXEC,
    "exec_lo": EXEC,
    "exec_hi": EXEC + 1,
    "m0": M0,
    "scc": SCC,
    "src_scc": SCC,
    "flat_scratch": FLAT_SCRATCH,
    "flat_scratch_lo": FLAT_SCRATCH,
    "flat_scratch_hi": FLAT_SCRATCH + 1,
    "xnack_mask": XNACK_MASK,
    "xnack_mask_lo": XNACK_MASK,
    "xnack_mask_hi": XNACK_MASK + 1,
    "tba": TBA,
    "tma": TBA + 2,
}
_APERTURES = {"shared_base": 1 << 16, "private_base": 2 << 16}
"""High dwords of the flat apertures' base addresses: LDS and scratch (values of this emulator)."""

_DTYPES: dict[str, type[np.generic]] = {
    "i32": np.int32,
    "f32": np.float32,
    "u64": np.uint64,
    "b64": np.uint64,
    "i64": np.int64,
    "f64": np.float64,
    "u16": np.uint16,
    "b16": np.uint16,
    "i16": np.int16,
    "f16": np.float16,
}
"""numpy types of operand types; every other type is read as uint32."""

_WIDE = frozenset(("u64", "b64", "i64", "f64"))
_HALF = frozenset(("u16", "b16", "i16", "f16", "bf16"))
_FLOAT = frozenset(("f32", "f16", "f64", "bf16"))


def dtype_of(kind: str) -> type[np.generic]:
    """The numpy type of an operand type."""
    return _DTYPES.get(kind, np.uint32)


def call(source: Source) -> Array:
    """The source's array now."""
    return source() if callable(source) else source


def is_static(source: Source) -> bool:
    """Whether the source is a view that stays current."""
    return not callable(source)


def then(source: Source, change: Callable[[Array], Array], *, view: bool = False) -> Source:
    """``change`` applied to a source; ``view`` says that it makes a view, which may be taken once."""
    if not callable(source):
        if view:
            return change(source)
        fixed = source
        return lambda: change(fixed)
    return lambda: change(source())


def special_row(name: str) -> int | None:
    """SGPR row of a named register, or None."""
    if name.startswith("ttmp"):
        return TTMP + int(name[4:].strip("[]").split(":")[0])
    return _SPECIAL_ROWS.get(name)


def scalar_row(binding: Binding, operand: Operand) -> int:
    """SGPR row at which a scalar operand begins.

    Raises:
        UnknownInstruction: the operand is no scalar register.
    """
    if isinstance(operand, Register) and operand.file == "s":
        return operand.index
    if isinstance(operand, Special):
        row = special_row(operand.name)
        if row is not None:
            return row
    raise binding.refuse(f"operand {operand} is not a scalar register")


def vector_row(binding: Binding, operand: Operand) -> int:
    """VGPR row at which a vector register operand begins."""
    if isinstance(operand, Register) and operand.file != "s":
        return operand.index + (binding.lanes.state.agpr_base if operand.file == "a" else 0)
    raise binding.refuse(f"operand {operand} is not a vector register")


def immediate_bits(value: int | float, kind: str) -> int:
    """A constant as the bits of ``kind``; a 32-bit literal widens as the ISA says."""
    if isinstance(value, float):
        if kind in _WIDE:  # a constant of a 64-bit operand is a double, also in s_mov_b64
            return int(np.float64(value).view(np.uint64))
        if kind in ("f16", "f16x2"):
            return int(np.float16(value).view(np.uint16))
        single = int(np.float32(value).view(np.uint32))
        return single >> 16 if kind == "bf16" else single
    if kind in _WIDE and value > 0xFFFFFFFF:  # an inline constant written as its 64 bits
        return value & 0xFFFFFFFFFFFFFFFF
    if kind == "f64" and not -16 <= value <= 64:
        return (value & 0xFFFFFFFF) << 32
    if kind in ("u64", "b64") and value > 64:
        return value & 0xFFFFFFFF
    if kind == "i64" and value > 64:
        return ((value & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000 & 0xFFFFFFFFFFFFFFFF
    return value & (0xFFFFFFFFFFFFFFFF if kind in _WIDE else 0xFFFFFFFF)


def _constant(bits: int) -> Array:
    return np.array([[bits & 0xFFFFFFFF]], np.uint32)


def dword(binding: Binding, operand: Operand, part: int = 0, kind: str = "b32") -> Source:
    """Dword ``part`` of a source as uint32 [n, 64], [n, 1] or [1, 1]."""
    lanes = binding.lanes
    if isinstance(operand, Register):
        if operand.file == "s":
            scalar: Array = lanes.sgpr[operand.index + part][:, None]
            return scalar
        vector: Array = lanes.vgpr[vector_row(binding, operand) + part]
        return vector
    if isinstance(operand, Immediate):
        return _constant(immediate_bits(operand.value, kind) >> 32 * part)
    if isinstance(operand, Special):
        return _special(binding, operand.name, part)
    if isinstance(operand, Symbol):
        return _constant(symbol_value(binding, operand))
    raise binding.refuse(f"operand {operand} cannot be read")


def symbol_value(binding: Binding, symbol: Symbol) -> int:
    """The dword that a relocation puts in: ``name@rel32@lo+4`` is an address less that of the literal.

    Raises:
        UnknownInstruction: another relocation, or a symbol that is not in the file.
    """
    suffix, _, addend = symbol.suffix.partition("+")
    address = binding.context.symbols.get(symbol.name)
    if address is None or suffix not in _RELOCATIONS:
        raise binding.refuse(f"operand {symbol} cannot be read")
    program = binding.context.program
    relative, high = _RELOCATIONS[suffix]
    try:
        value = address + evaluate(addend or "0", {})
    except ExpressionError:
        raise binding.refuse(f"operand {symbol} cannot be read") from None
    if relative:
        value -= CODE_BASE + program.addresses[binding.index] + program.sizes[binding.index] - 4
    return value >> (32 if high else 0) & 0xFFFFFFFF


def _special(binding: Binding, name: str, part: int) -> Source:
    lanes = binding.lanes
    if name in ("vccz", "src_vccz", "execz", "src_execz"):
        row = VCC if "vcc" in name else EXEC
        pair = lanes.sgpr[row : row + 2]
        return lambda: ((pair[0] | pair[1]) == 0).astype(np.uint32)[:, None]
    if name in ("off", "null"):
        return _constant(0)
    aperture = _APERTURES.get(name.removeprefix("src_"))
    if aperture is not None:
        return _constant(aperture if part else 0)
    row_of = special_row(name)
    if row_of is None:
        raise binding.refuse(f"operand {name} cannot be read")
    register: Array = lanes.sgpr[row_of + part][:, None]
    return register


def _wide(low: Source, high: Source, dtype: type[np.generic]) -> Source:
    def read() -> Array:
        joined = call(high).astype(np.uint64) << np.uint64(32) | call(low)
        result: Array = joined.view(dtype)
        return result

    return read


def bf16_to_f32(bits: Array) -> Array:
    """bf16 bits (any unsigned type, low half used) as float32."""
    wide = bits.astype(np.uint32) << np.uint32(16)
    return wide.view(np.float32)


def typed(binding: Binding, source: Source, kind: str, high_half: bool = False) -> Source:
    """A 32-bit source as ``kind``; 16-bit kinds take the low or the high half."""
    if kind in _HALF:
        dtype = np.uint16 if kind == "bf16" else _DTYPES[kind]
        if callable(source) or source.shape[-1] == 1:
            shift = np.uint32(16 if high_half else 0)

            def half(array: Array) -> Array:
                picked: Array = (array >> shift).astype(np.uint16).view(dtype)
                return picked

            read = then(source, half)
        else:
            read = source.view(dtype)[..., int(high_half) :: 2]
        return then(read, bf16_to_f32) if kind == "bf16" else read
    if kind == "u24":
        return then(source, lambda array: array & np.uint32(0xFFFFFF))
    if kind == "i24":
        return then(source, lambda array: (array << np.uint32(8)).view(np.int32) >> 8)
    dtype32 = dtype_of(kind)
    return source if dtype32 is np.uint32 else then(source, lambda array: array.view(dtype32), view=True)


def magnitude(source: Source, kind: str, negate: bool, absolute: bool) -> Source:
    """Input modifiers of a float source."""
    if absolute:
        source = then(source, np.abs)
    return then(source, np.negative) if negate else source


def source(binding: Binding, position: int, adapt: Callable[[Source], Source] | None = None) -> Source:
    """Operand ``position`` as an array of its declared type, input modifiers applied.

    ``adapt`` changes the raw dwords first (DPP, SDWA).
    """
    operand = binding.instruction.operands[position]
    kind = binding.specs[position].type
    inner: Operand = operand
    negate = absolute = False
    if isinstance(operand, Modified):
        inner, negate, absolute = operand.operand, operand.negate, operand.absolute
    if kind in _WIDE:
        low = dword(binding, inner, 0, kind)
        if (isinstance(inner, Register) and inner.count == 1) or inner == Special("scc"):
            high: Source = _constant(0)
        else:
            high = dword(binding, inner, 1, kind)
        if adapt is not None:
            low, high = adapt(low), adapt(high)
        read = _wide(low, high, dtype_of(kind))
        if isinstance(inner, Immediate):
            read = call(read)
    else:
        raw = dword(binding, inner, 0, kind)
        if adapt is not None:
            raw = adapt(raw)
        read = typed(binding, raw, kind, kind in _HALF and _selects_high(binding, position))
    if kind in _FLOAT:
        return magnitude(read, kind, negate, absolute)
    if negate and isinstance(inner, Immediate):
        return then(read, np.negative)
    if (negate or absolute) and binding.info.format in ("VOP1", "VOP2", "VOP3", "VOPC"):
        flip: Any = np.uint32(0x80000000)
        if absolute:
            read = then(read, lambda array: array & ~flip)
        return then(read, lambda array: array ^ flip) if negate else read
    return read


def _selects_high(binding: Binding, position: int) -> bool:
    """VOP3 ``op_sel`` of a 16-bit operand (packed instructions read theirs themselves)."""
    if binding.info.format == "VOP3P":
        return False
    select = binding.modifier("op_sel")
    if not isinstance(select, tuple):
        return False
    slots = [place for place, spec in enumerate(binding.specs) if spec.role != "dst"]
    slot = slots.index(position) if position in slots else len(select) - 1
    return slot < len(select) and bool(select[slot])


_KEEP_HIGH = frozenset(("v_mad_f16", "v_mad_u16", "v_mad_i16", "v_fma_f16", "v_div_fixup_f16"))
"""16-bit results that leave the upper half of their register alone (CDNA3 ISA; others clear it)."""


def destination_high(binding: Binding) -> bool | None:
    """Which half a 16-bit result goes to: True high, False low (other half kept), None: low, rest zero."""
    select = binding.modifier("op_sel")
    if isinstance(select, tuple) and binding.info.format != "VOP3P":
        sources = sum(spec.role != "dst" for spec in binding.specs)
        return bool(select[-1]) if len(select) > sources else False
    return False if binding.info.name in _KEEP_HIGH else None
