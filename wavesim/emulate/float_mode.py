"""The MODE register as far as numbers depend on it: rounding, denormals, clamping of NaN, IEEE, f16 overflow.

Bits: CDNA3 ISA, 3.4 (MODE register) and 6.4 (rounding and denormal modes). A kernel starts with what its
descriptor says; a descriptor written in assembly has LLVM's defaults where a directive is missing
("AMDGPU user guide", .amdhsa_ directives). s_setreg changes it while the kernel runs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from wavesim.emulate.rounding import Rounding
from wavesim.emulate.types import Array
from wavesim.program import Call, Immediate, KernelMetadata, Operand

_FIELDS = {
    "float_round_mode_32": (0, 2, 0),
    "float_round_mode_16_64": (2, 2, 0),
    "float_denorm_mode_32": (4, 2, 0),
    "float_denorm_mode_16_64": (6, 2, 3),
    "dx10_clamp": (8, 1, 1),
    "ieee_mode": (9, 1, 1),
    "fp16_overflow": (23, 1, 0),
}
"""First bit, bits and the assembler's default of each field, by its .amdhsa_ directive."""

_NUMBER = re.compile(r"(0[xX][0-9a-fA-F]+|[0-9])$")
HW_REG_MODE = 1
HWREG_NAMES = {"HW_REG_MODE": 1, "HW_REG_STATUS": 2, "HW_REG_TRAPSTS": 3, "HW_REG_HW_ID": 4}
"""Numbers of hardware registers that have a meaning here (LLVM's names)."""

ROUNDING_BITS, HONOURED_BITS = 0x00F, 0x8003FF
"""MODE bits that choose a rounding mode; all bits that the emulator follows."""


@dataclass(frozen=True, slots=True)
class FloatMode:
    """A value of MODE."""

    bits: int

    def rounding(self, single: bool) -> Rounding:
        """For f32 (``single``), or for f16 and f64."""
        return Rounding(self.bits & 3 if single else self.bits >> 2 & 3)

    def _denormals(self, single: bool) -> int:
        return self.bits >> (4 if single else 6) & 3

    def flushes_sources(self, single: bool) -> bool:
        """Whether denormal sources count as zero."""
        return not self._denormals(single) & 1

    def flushes_results(self, single: bool) -> bool:
        """Whether denormal results become zero."""
        return not self._denormals(single) & 2

    @property
    def dx10_clamp(self) -> bool:
        """Whether ``clamp`` turns NaN into 0."""
        return bool(self.bits >> 8 & 1)

    @property
    def ieee(self) -> bool:
        """Whether minimum and maximum quieten signalling NaN; output modifiers then have no effect."""
        return bool(self.bits >> 9 & 1)

    @property
    def fp16_overflow(self) -> bool:
        """Whether f16 and 8-bit floats that overflow become the largest finite number."""
        return bool(self.bits >> 23 & 1)


COMPILED = FloatMode(0x3F0)
"""What compilers ask for: nearest, denormals kept, NaN clamps to 0, IEEE."""


def mode_of(metadata: KernelMetadata) -> FloatMode:
    """MODE at a kernel's start; without a descriptor, what compilers ask for."""
    if not metadata.vgprs:
        return COMPILED
    bits = 0
    for name, (first, count, default) in _FIELDS.items():
        text = metadata.extra.get(name)
        value = int(text, 0) if text is not None and _NUMBER.match(text) else default
        bits |= (value & (1 << count) - 1) << first
    return FloatMode(bits)


@dataclass(frozen=True, slots=True)
class HardwareRegister:
    """What s_setreg and s_getreg name: a register's number and a field of it."""

    number: int
    first: int = 0
    bits: int = 32

    @property
    def mask(self) -> int:
        """The field, as bits of the register."""
        return ((1 << self.bits) - 1) << self.first & 0xFFFFFFFF


_HWREG = re.compile(r"hwreg\(\s*([\w]+)\s*(?:,\s*(\w+)\s*,\s*(\w+)\s*)?\)$", re.IGNORECASE)


def hardware_register(operand: Operand) -> HardwareRegister | None:
    """The register of ``hwreg(NAME, FIRST, BITS)`` or of its encoding, or None where it cannot be read."""
    if isinstance(operand, Immediate):
        value = int(operand.value)
        return HardwareRegister(value & 63, value >> 6 & 31, (value >> 11 & 31) + 1)
    match = _HWREG.match(operand.text) if isinstance(operand, Call) else None
    if match is None:
        return None
    name = match[1].upper()
    number = HWREG_NAMES.get(name, -1) if name.startswith("HW_REG") else int(name, 0)
    if match[2] is None:
        return HardwareRegister(number)
    return HardwareRegister(number, int(match[2], 0), int(match[3], 0))


_ABOVE = {
    np.float16: (np.uint16, 0x07FF),
    np.float32: (np.uint32, 0xFFFFFF),
    np.float64: (np.uint64, 2**53 - 1),
}
"""The bits as integers, and twice the largest denormal, by type."""


def flushed(array: Array) -> Array:
    """Denormals as zeros of their sign."""
    unsigned, above = _ABOVE[array.dtype.type]
    twice = array.view(unsigned) << unsigned(1)
    small = twice - unsigned(1) < unsigned(above)
    if not small.any():
        return array
    return np.where(small, np.copysign(array.dtype.type(0), array), array)


def clamped(array: Array, mode: FloatMode) -> Array:
    """``clamp`` of a float result: to [0, 1], -0 to 0, NaN to 0 where MODE.DX10_CLAMP is set."""
    kind = array.dtype.type
    result = np.where(array > 0, np.minimum(array, kind(1)), kind(0))
    return result if mode.dx10_clamp else np.where(np.isnan(array), array, result)


def largest_for_overflow(result: Array, sources: list[Array]) -> Array:
    """f16 results with infinities that no infinite source explains as the largest finite number
    (MODE.FP16_OVFL)."""
    if not np.isinf(result).any():
        return result
    finite = np.ones((1, 1), np.bool_)
    for source in sources:
        if source.dtype.kind == "f":
            finite = finite & ~np.isinf(source)
    return np.where(np.isinf(result) & finite, np.copysign(np.float16(65504), result), result)
