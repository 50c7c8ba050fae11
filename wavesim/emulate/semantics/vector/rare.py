"""Vector ALU instructions that compilers seldom print: byte sums, normalised packing, cubes, 2/pi segments.

Each follows the pseudo-code of its opcode in the CDNA3 and CDNA4 ISA manuals (chapter 12: VOP1, VOP3, VOP3P).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from wavesim.emulate.operands import call, dword, source, vector_row
from wavesim.emulate.registry import Binding, semantics
from wavesim.emulate.semantics.vector.conversions import to_byte
from wavesim.emulate.semantics.vector.integers import clampable
from wavesim.emulate.semantics.vector.minmax import maximum, minimum
from wavesim.emulate.semantics.vector.packed import f16_pairs
from wavesim.emulate.semantics.vector.valu import put_masked, vector
from wavesim.emulate.types import Array, Step

U32, U64, I32, I64 = np.uint32, np.uint64, np.int32, np.int64


def _bytes(value: Array) -> list[Array]:
    kind = value.dtype.type
    return [value >> kind(shift) & kind(255) for shift in (0, 8, 16, 24)]


def _difference(a: Array, b: Array) -> Array:
    return np.asarray(np.maximum(a, b) - np.minimum(a, b))


def _sad(a: Array, b: Array, c: Array, masked: bool) -> Array:
    """Sum of absolute byte differences plus ``c``; ``masked``: bytes whose reference b is 0 do not count."""
    total = c
    for first, second in zip(_bytes(a), _bytes(b), strict=True):
        part = _difference(first, second)
        total = total + (np.where(second == 0, part.dtype.type(0), part) if masked else part)
    return np.asarray(total)


def _no_start(a: Array) -> Array:
    return np.zeros_like(a)


clampable("v_sad_u8", lambda a, b, c: _sad(a, b, c, False))
clampable("v_msad_u8", lambda a, b, c: _sad(a, b, c, True))
clampable("v_sad_hi_u8", lambda a, b, c: (_sad(a, b, _no_start(a), False) << a.dtype.type(16)) + c)


def _lerp(a: Array, b: Array, c: Array) -> Array:
    """Byte averages, rounded up where the third operand's byte is odd."""
    parts = zip(_bytes(a), _bytes(b), _bytes(c), strict=True)
    result: Array = U32(0)  # type: ignore[assignment]
    for place, (first, second, third) in enumerate(parts):
        result = result | ((first + second + (third & U32(1))) >> U32(1)) << U32(8 * place)
    return result


vector("v_lerp_u8", _lerp)


@semantics("v_qsad_pk_u16_u8 v_mqsad_pk_u16_u8 v_mqsad_u32_u8")
def _bind_quad_sad(binding: Binding) -> Step:
    """Four sums over the first operand's bytes at offsets 0 to 3, packed as halves or as dwords."""
    first, second, third = binding.instruction.operands[1:4]
    masked = "mqsad" in binding.info.name
    wide = binding.info.name == "v_mqsad_u32_u8"
    low, high = dword(binding, first, 0, "b64"), dword(binding, first, 1, "b64")
    reference = dword(binding, second)
    sums = [dword(binding, third, part, "b32" if wide else "b64") for part in range(4 if wide else 2)]
    row = vector_row(binding, binding.instruction.operands[0])
    puts = [put_masked(binding, row + part) for part in range(4 if wide else 2)]

    def run() -> None:
        pair = call(high).astype(U64) << U64(32) | call(low)
        base = [call(each) for each in sums]
        results = []
        for place in range(4):
            window = (pair >> U64(8 * place)).astype(U32)
            start = base[place] if wide else base[place // 2] >> U32(16 * (place % 2)) & U32(0xFFFF)
            results.append(_sad(window, call(reference), start, masked))
        if not wide:
            halves = [result & U32(0xFFFF) for result in results]
            results = [halves[0] | halves[1] << U32(16), halves[2] | halves[3] << U32(16)]
        for put, result in zip(puts, results, strict=True):
            put(result)

    return run


def _saturated_bytes(value: Array) -> Array:
    halves = [(value >> U32(shift)).astype(np.uint16).view(np.int16) for shift in (0, 16)]
    low, high = (np.clip(half, 0, 255).astype(U32) for half in halves)
    return np.asarray(low | high << U32(8))


vector("v_sat_pk_u8_i16", _saturated_bytes)
vector(
    "v_cvt_off_f32_i4",
    lambda a: (((a.view(I32) & 15) ^ 8) - 8).astype(np.float32) / np.float32(16),
)
f16_pairs("v_pk_minimum3_f16", lambda a, b, c: minimum(minimum(a, b), c))
f16_pairs("v_pk_maximum3_f16", lambda a, b, c: maximum(maximum(a, b), c))


@semantics("v_cvt_pkaccum_u8_f32")
def _bind_accumulate_byte(binding: Binding) -> Step:
    """A float as an unsigned byte in one byte of the destination; the others are kept."""
    value, place = source(binding, 1), source(binding, 2)
    row = vector_row(binding, binding.instruction.operands[0])
    put, old = put_masked(binding, row), binding.lanes.vgpr[row]
    rounding = binding.mode.rounding(True)

    def run() -> None:
        octet = to_byte(call(value), rounding)
        shift = (call(place) & U32(3)) * U32(8)
        put(old & ~(U32(255) << shift) | octet << shift)

    return run


def _half_writer(binding: Binding) -> Callable[[Array], None]:
    """Writes 16 bits to the half that op_sel names (low without it); the other half is kept."""
    row = vector_row(binding, binding.instruction.operands[0])
    put, old = put_masked(binding, row), binding.lanes.vgpr[row]
    select = binding.modifier("op_sel")
    high = isinstance(select, tuple) and len(select) > 3 and bool(select[3])

    def write(bits: Array) -> None:
        if high:
            put(old & U32(0xFFFF) | bits << U32(16))
        else:
            put(old & U32(0xFFFF0000) | bits)

    return write


@semantics("v_ashr_pk_i8_i32 v_ashr_pk_u8_i32")
def _bind_shift_pack(binding: Binding) -> Step:
    """Two arithmetic shifts right, saturated to bytes."""
    low, high = (-128, 127) if "_i8_" in binding.info.name else (0, 255)
    first, second, count = (source(binding, place) for place in (1, 2, 3))
    write = _half_writer(binding)

    def run() -> None:
        shift = (call(count) & U32(31)).astype(I32)
        octets = [np.clip(call(each) >> shift, low, high).astype(U32) & U32(255) for each in (first, second)]
        write(octets[0] | octets[1] << U32(8))

    return run


@semantics("v_bitop3_b16")
def _bind_bitop3_half(binding: Binding) -> Step:
    """As v_bitop3_b32 on halves; op_sel picks them."""
    table = binding.integer("bitop3")
    select = binding.modifier("op_sel")
    picks = (*select, 0, 0, 0) if isinstance(select, tuple) else (0, 0, 0)
    reads = [dword(binding, binding.instruction.operands[place]) for place in (1, 2, 3)]
    write = _half_writer(binding)

    def run() -> None:
        a, b, c = (call(read) >> U32(16 * pick) for read, pick in zip(reads, picks, strict=False))
        result = (a & b & c) ^ (a & b & c)
        for place in range(8):
            if table >> place & 1:
                terms = [x if place & bit else ~x for x, bit in ((a, 4), (b, 2), (c, 1))]
                result = result | (terms[0] & terms[1] & terms[2])
        write(result & U32(0xFFFF))

    return run


def _cube(x: Array, y: Array, z: Array) -> tuple[Array, Array, Array, Array]:
    """Face, two coordinates on it and twice the major axis of a direction."""
    ax, ay, az = np.abs(x), np.abs(y), np.abs(z)
    on_z = (az >= ax) & (az >= ay)
    on_y = ~on_z & (ay >= ax)
    pick = [on_z, on_y]
    face = np.select(pick, [np.where(z < 0, 5.0, 4.0), np.where(y < 0, 3.0, 2.0)], np.where(x < 0, 1.0, 0.0))
    across = np.select(pick, [np.where(z < 0, -x, x), x], np.where(x < 0, z, -z))
    down = np.select(pick, [-y, np.where(y < 0, -z, z)], -y)
    major = np.float32(2) * np.select(pick, [z, y], x)
    return face.astype(np.float32), across, down, major


for _place, _name in enumerate(("id", "sc", "tc", "ma")):
    vector(f"v_cube{_name}_f32", lambda x, y, z, place=_place: _cube(x, y, z)[place])


@cache
def _two_over_pi() -> int:
    """The first 1201 bits of 2/pi behind the point, by Machin's formula in integers."""
    extra = 64
    one = 1 << (1201 + extra)

    def arctan_of_inverse(number: int) -> int:
        term = total = one // number
        sign, odd = -1, 3
        while term:
            term //= number * number
            total += sign * (term // odd)
            sign, odd = -sign, odd + 2
        return total

    quarter = 4 * arctan_of_inverse(5) - arctan_of_inverse(239)
    return (one * one // (2 * quarter)) >> extra


@semantics("v_trig_preop_f64")
def _bind_trig(binding: Binding) -> Step:
    """A 53-bit segment of 2/pi for argument reduction."""
    value, segment = source(binding, 1), source(binding, 2)
    row = vector_row(binding, binding.instruction.operands[0])
    puts = put_masked(binding, row), put_masked(binding, row + 1)

    def run() -> None:
        bits = np.ascontiguousarray(call(value)).view(U64)
        exponents = (bits >> U64(52) & U64(0x7FF)).astype(I64)
        exponents, segments = np.broadcast_arrays(exponents, call(segment).view(U32).astype(I64) & 31)
        shifts = segments * 53 + np.maximum(exponents - 1077, 0)
        results = np.zeros(shifts.shape, np.float64)
        for shift in np.unique(shifts).tolist():
            whole = (_two_over_pi() << shift) >> 1201 - 53
            part = float(whole & 0x1FFFFFFFFFFFFF)
            chosen = shifts == shift
            extra = np.where(exponents[chosen] >= 1968, 128, 0)
            results[chosen] = np.ldexp(part, -53 - shift + extra)
        words = results.view(U64)
        puts[0]((words & U64(0xFFFFFFFF)).astype(U32))
        puts[1]((words >> U64(32)).astype(U32))

    return run
