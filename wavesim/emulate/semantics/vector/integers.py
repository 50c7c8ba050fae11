"""Integer vector ALU: moves, logic, shifts, adds, multiplies, bit fields, min and max."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from wavesim.emulate.operands import vector_row
from wavesim.emulate.registry import Binding, semantics
from wavesim.emulate.semantics.vector.valu import bind_vector, vector
from wavesim.emulate.types import Array, Step
from wavesim.program import Register

U32, U64, I64 = np.uint32, np.uint64, np.int64
FULL = np.uint32(0xFFFFFFFF)


def _five(array: Array) -> Array:
    result: Array = array & array.dtype.type(31)
    return result


def saturating(low: int, high: int, function: Callable[..., Array]) -> Callable[..., Array]:
    """The clamped form of an integer operation: exact in int64, then limited."""

    def run(*arrays: Array) -> Array:
        exact = function(*[array.astype(I64) for array in arrays])
        return np.asarray(np.clip(exact, low, high))

    return run


def _limited_as(binding: Binding) -> str:
    """The type whose range limits the result: the declared one, or u32 for plain dwords."""
    kind = binding.specs[0].type
    return kind if kind in _LIMITS else "u32"


_LIMITS = {"u32": (0, 2**32 - 1), "i32": (-(2**31), 2**31 - 1), "u16": (0, 65535), "i16": (-32768, 32767)}


def clampable(names: str, function: Callable[..., Array]) -> None:
    """Register integer opcodes whose ``clamp`` limits the exact result (CDNA3 ISA, 6.5)."""

    def bind(binding: Binding) -> Step:
        if not binding.modifier("clamp"):
            return bind_vector(binding, function)
        kind = _limited_as(binding)
        dtype = {"u32": np.uint32, "i32": np.int32, "u16": np.uint16, "i16": np.int16}[kind]
        exact = saturating(*_LIMITS[kind], function)
        return bind_vector(binding, lambda *arrays: exact(*arrays).astype(dtype))

    semantics(names)(bind)


vector("v_mov_b32 v_accvgpr_read_b32 v_accvgpr_write_b32 v_accvgpr_mov_b32", lambda a: a)
vector("v_not_b32", np.invert)
vector("v_and_b32", np.bitwise_and)
vector("v_or_b32", np.bitwise_or)
vector("v_xor_b32", np.bitwise_xor)
vector("v_xnor_b32", lambda a, b: ~(a ^ b))

clampable("v_add_u32 v_add_i32 v_add_u16 v_add_i16", np.add)
clampable("v_sub_u32 v_sub_i32 v_sub_u16 v_sub_i16", np.subtract)
clampable("v_subrev_u32 v_subrev_u16", lambda a, b: b - a)
clampable("v_mad_u16 v_mad_i16 v_mad_legacy_u16 v_mad_legacy_i16", lambda a, b, c: a * b + c)
clampable("v_mad_u32_u24 v_mad_i32_i24", lambda a, b, c: a * b + c)
clampable("v_mad_u32_u16", lambda a, b, c: a.astype(c.dtype) * b + c)
clampable("v_mad_i32_i16", lambda a, b, c: a.astype(c.dtype) * b + c)
vector("v_mul_lo_u16", np.multiply)
vector("v_min_u32 v_min_i32 v_min_u16 v_min_i16", np.minimum)
vector("v_max_u32 v_max_i32 v_max_u16 v_max_i16", np.maximum)
vector("v_min3_u32 v_min3_i32 v_min3_u16 v_min3_i16", lambda a, b, c: np.minimum(np.minimum(a, b), c))
vector("v_max3_u32 v_max3_i32 v_max3_u16 v_max3_i16", lambda a, b, c: np.maximum(np.maximum(a, b), c))
vector(
    "v_med3_u32 v_med3_i32 v_med3_u16 v_med3_i16",
    lambda a, b, c: np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c)),
)

vector("v_lshlrev_b32", lambda count, value: value << _five(count))
vector("v_lshrrev_b32", lambda count, value: value >> _five(count))
vector("v_ashrrev_i32", lambda count, value: value >> _five(count).astype(np.int32))
vector("v_lshlrev_b16", lambda count, value: value << (count & U32(15)).astype(np.uint16))
vector("v_lshrrev_b16", lambda count, value: value >> (count & U32(15)).astype(np.uint16))
vector("v_ashrrev_i16", lambda count, value: value >> (count & U32(15)).astype(np.int16))
vector("v_lshlrev_b64", lambda count, value: value << (count & U32(63)).astype(U64))
vector("v_lshrrev_b64", lambda count, value: value >> (count & U32(63)).astype(U64))
vector("v_ashrrev_i64", lambda count, value: value >> (count & U32(63)).astype(I64))

vector("v_mul_lo_u32", np.multiply)
vector("v_mul_hi_u32", lambda a, b: (a.astype(U64) * b >> U64(32)).astype(U32))
vector("v_mul_hi_i32", lambda a, b: (a.astype(I64) * b >> I64(32)).astype(np.int32))
clampable("v_mul_u32_u24 v_mul_i32_i24", np.multiply)
vector("v_mul_hi_u32_u24", lambda a, b: (a.astype(U64) * b >> U64(32)).astype(U32))
vector("v_mul_hi_i32_i24", lambda a, b: (a.astype(I64) * b >> I64(32)).astype(np.int32))

vector("v_add3_u32", lambda a, b, c: a + b + c)
vector("v_or3_b32", lambda a, b, c: a | b | c)
vector("v_and_or_b32", lambda a, b, c: a & b | c)
vector("v_xad_u32", lambda a, b, c: (a ^ b) + c)
vector("v_lshl_add_u32", lambda a, count, c: (a << _five(count)) + c)
vector("v_lshl_or_b32", lambda a, count, c: a << _five(count) | c)
vector("v_add_lshl_u32", lambda a, b, count: (a + b) << _five(count))
vector("v_lshl_add_u64", lambda a, count, c: (a << (count & U32(7)).astype(U64)) + c)
vector("v_bfi_b32", lambda mask, a, b: mask & a | ~mask & b)
vector("v_bfm_b32", lambda size, start: ((U32(1) << _five(size)) - U32(1)) << _five(start))


def _bfe_unsigned(value: Array, start: Array, size: Array) -> Array:
    wide = value.astype(U64) >> _five(start).astype(U64)
    result: Array = (wide & ((U64(1) << _five(size).astype(U64)) - U64(1))).astype(U32)
    return result


def _bfe_signed(value: Array, start: Array, size: Array) -> Array:
    size64 = _five(size).astype(I64)
    field = value.astype(I64) >> _five(start).astype(I64)
    up = I64(64) - size64
    signed = (field << np.minimum(up, 63)) >> np.minimum(up, 63)
    return np.where(size64 == 0, 0, signed).astype(np.int32)


vector("v_bfe_u32", _bfe_unsigned)
vector("v_bfe_i32", _bfe_signed)


def _alignbit(high: Array, low: Array, count: Array) -> Array:
    joined = high.astype(U64) << U64(32) | low
    result: Array = (joined >> _five(count).astype(U64)).astype(U32)
    return result


vector("v_alignbit_b32", _alignbit)
vector("v_alignbyte_b32", lambda high, low, count: _alignbit(high, low, (count & U32(3)) * U32(8)))


def _perm(high: Array, low: Array, selector: Array) -> Array:
    """v_perm_b32: each selector byte picks one of 8 source bytes, a sign, 0x00 or 0xff."""
    high, low, selector = np.broadcast_arrays(high, low, selector)
    pair = np.stack([np.ascontiguousarray(low), np.ascontiguousarray(high)], axis=-1)
    octets = pair.view(np.uint8)
    picks = np.ascontiguousarray(selector)[..., None].view(np.uint8)
    result = np.take_along_axis(octets, (picks & 7).astype(np.intp), axis=-1)
    sign_byte = np.clip(2 * (picks.astype(np.intp) - 8) + 1, 0, 7)
    signs = np.where(np.take_along_axis(octets, sign_byte, axis=-1) & 0x80, 0xFF, 0).astype(np.uint8)
    result = np.where(picks < 8, result, np.where(picks < 12, signs, np.where(picks == 12, 0, 0xFF)))
    return np.ascontiguousarray(result.astype(np.uint8)).view(U32)[..., 0]


vector("v_perm_b32", _perm)


def reverse_bits(value: Array) -> Array:
    """Bits of each dword in reverse order."""
    octets = np.ascontiguousarray(value)[..., None].view(np.uint8)
    bits = np.unpackbits(octets, axis=-1, bitorder="little")
    return np.packbits(bits[..., ::-1], axis=-1, bitorder="little").view(U32)[..., 0]


def bit_length(value: Array) -> Array:
    """Place of the highest set bit plus one, 0 for 0 (exact for 32 bits)."""
    return np.frexp(value.astype(np.float64))[1].astype(np.int64)


def find_first_one(value: Array) -> Array:
    """Place of the lowest set bit; -1 (all ones) for 0."""
    lowest = value & (~value + value.dtype.type(1))
    return np.where(value == 0, FULL, (bit_length(lowest) - 1).astype(U32)).astype(U32)


def find_last_one(value: Array) -> Array:
    """Leading zeros; -1 for 0."""
    return np.where(value == 0, FULL, (32 - bit_length(value)).astype(U32)).astype(U32)


def leading_sign_bits(value: Array) -> Array:
    """Place, from the top, of the first bit unlike the sign; -1 if there is none."""
    folded = (value ^ (value >> 31)).view(U32)
    return find_last_one(folded)


vector("v_bfrev_b32", reverse_bits)
vector("v_ffbl_b32", find_first_one)
vector("v_ffbh_u32", find_last_one)
vector("v_ffbh_i32", lambda a: leading_sign_bits(a).view(np.int32))
vector("v_bcnt_u32_b32", lambda a, b: np.bitwise_count(a).astype(U32) + b)


def _distance(a: Array, b: Array) -> Array:
    return np.maximum(a, b) - np.minimum(a, b)


def _absolute_halves(a: Array, b: Array, c: Array) -> Array:
    kind = a.dtype.type
    low = _distance(a & kind(0xFFFF), b & kind(0xFFFF))
    return low + _distance(a >> kind(16), b >> kind(16)) + c


clampable("v_sad_u32", lambda a, b, c: _distance(a, b) + c)
clampable("v_sad_u16", _absolute_halves)


@semantics("v_mov_b64")
def _bind_move_pair(binding: Binding) -> Step:
    """Register to register as one copy of two rows; constants and scalars as any 64-bit operation."""
    to, what = binding.instruction.operands
    if not isinstance(what, Register) or what.file == "s" or binding.instruction.modifiers:
        return bind_vector(binding, lambda a: a)
    lanes = binding.lanes
    row, from_row = vector_row(binding, to), vector_row(binding, what)
    target, read = lanes.vgpr[row : row + 2], lanes.vgpr[from_row : from_row + 2]

    def run() -> None:
        if lanes.full:
            target[...] = read
        else:
            np.copyto(target, read, where=lanes.exec)

    return run


@semantics("v_nop v_clrexcp")
def _bind_nothing(binding: Binding) -> Step:
    return lambda: None


def _bitop3(binding: Binding) -> Step:
    """Each result bit is the bit of the 8-bit table that the three source bits select."""
    table = binding.integer("bitop3")
    terms = [place for place in range(8) if table >> place & 1]

    def run(a: Array, b: Array, c: Array) -> Array:
        result = (a & b & c) ^ (a & b & c)
        for place in terms:
            first = a if place & 4 else ~a
            second = b if place & 2 else ~b
            third = c if place & 1 else ~c
            result = result | (first & second & third)
        return result

    return bind_vector(binding, run)


semantics("v_bitop3_b32")(_bitop3)
