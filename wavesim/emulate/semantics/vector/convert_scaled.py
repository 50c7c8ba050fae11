"""Conversions to and from 8, 6 and 4-bit floats: scaled ones (gfx950), stochastic rounding, v_prng_b32.

CDNA4 ISA, 12.11 (V_CVT_SCALEF32_*, V_CVT_SR_*): the scale is 2^(exponent field - 127) of a float operand;
values are divided by it on the way down, multiplied on the way up. OPSEL[1:0] select a byte or half of the
source, OPSEL[3:2] (bytes) or OPSEL[3] (halves) the part of the destination that is written, the rest is kept.
Stochastic rounding adds random bits below the last kept one and cuts off; with d mantissa bits dropped the
random bits are the upper d of the operand, as for V_CVT_SR_FP8_F32 (20) and V_CVT_SR_BF8_F32 (21). Packed
forms take the next value of the pseudo-random sequence (V_PRNG_B32) for each element.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from wavesim.emulate.elements import f32_to_bf16, minifloat
from wavesim.emulate.operands import bf16_to_f32, call, dword, source, vector_row
from wavesim.emulate.registry import Binding, semantics
from wavesim.emulate.semantics.vector.valu import put_masked
from wavesim.emulate.types import Array, Step
from wavesim.isa.opcodes import opcode_table

U32 = np.uint32
BITS = {"fp8": 8, "bf8": 8, "fp6": 6, "bf6": 6, "fp4": 4, "f16": 16, "bf16": 16, "f32": 32}
_MANTISSA = {"fp8": 3, "bf8": 2, "fp6": 3, "bf6": 2, "fp4": 1, "f16": 10, "bf16": 7}
_SMALL = frozenset(("fp8", "bf8", "fp6", "bf6", "fp4"))
_NAME = re.compile(
    r"v_cvt_(?:scalef32_)?(?P<sr>sr_)?(?P<count>pk32_|2xpk16_|pk_)?(?P<to>[bf]\w*?)_(?P<from>[bf]\w*)$"
)


def next_random(value: Array) -> Array:
    """The pseudo-random number after ``value``: a shift register with feedback 197 (V_PRNG_B32)."""
    return np.asarray((value << U32(1)) ^ np.where(value >> U32(31) == 1, U32(197), U32(0)))


def scale_of(value: Array) -> Array:
    """2^(e - 127) of float bits (uint32) as float64; NaN for e = 255."""
    exponent = (value >> U32(23) & U32(255)).astype(np.int64)
    return np.where(exponent == 255, np.nan, np.ldexp(1.0, exponent - 127))


def encode_small(
    kind: str, arch: str, value: Array, random: Array | None = None, *, saturate: bool = True
) -> Array:
    """Encodings of float64 ``value``: to nearest even, or with ``random`` bits stochastically."""
    codec = minifloat(kind, arch)
    if random is None:
        return codec.encode(value, saturate=saturate).astype(U32)
    half = len(codec.values) // 2
    ladder = codec.values[:half][np.isfinite(codec.values[:half])].astype(np.float64)
    if not saturate:  # one step beyond the largest number stands for overflow
        ladder = np.append(ladder, 2 * ladder[-1] - ladder[-2])
    size = np.abs(value)
    below = np.clip(np.searchsorted(ladder, size, side="right") - 1, 0, len(ladder) - 2)
    share = np.clip((size - ladder[below]) / (ladder[below + 1] - ladder[below]), 0, 1)
    chosen = np.where(share + _fraction(random, 23 - _MANTISSA[kind]) >= 1, below + 1, below)
    nearest = np.where(np.isnan(value), value, np.copysign(ladder[chosen], value))
    return codec.encode(nearest, saturate=saturate).astype(U32)


def _fraction(random: Array, bits: int) -> Array:
    """The upper ``bits`` of random dwords as fractions in [0, 1)."""
    return np.asarray((random >> U32(32 - bits)).astype(np.float64) / (1 << bits))


def _stochastic(value: Array, random: Array, kind: str) -> Array:
    """float32 to f16 or bf16 bits with stochastic rounding: random bits are added below, then cut off."""
    bits = np.ascontiguousarray(value, np.float32).view(U32)
    dropped = 23 - _MANTISSA[kind]
    added = (bits + (random >> U32(32 - dropped))) & U32(0xFFFFFFFF & ~((1 << dropped) - 1))
    exact = np.where(np.isfinite(value), added, bits).view(np.float32)
    if kind == "bf16":
        return f32_to_bf16(exact).astype(U32)
    return exact.astype(np.float16).view(np.uint16).astype(U32)


def _to_bits(kind: str, arch: str, value: Array, random: Array | None, saturate: bool) -> Array:
    """float64 values as encodings of ``kind``, uint32."""
    if kind in _SMALL:
        return encode_small(kind, arch, value, random, saturate=saturate)
    single = value.astype(np.float32)
    if kind == "f32":
        return single.view(U32)
    if random is not None:
        return _stochastic(single, random, kind)
    if kind == "bf16":
        return f32_to_bf16(single).astype(U32)
    return value.astype(np.float16).view(np.uint16).astype(U32)


def _from_bits(kind: str, arch: str, bits: Array) -> Array:
    """Encodings (uint32) as float64."""
    if kind in _SMALL:
        return minifloat(kind, arch).decode(bits).astype(np.float64)
    if kind == "f32":
        return np.ascontiguousarray(bits).view(np.float32).astype(np.float64)
    if kind == "bf16":
        return bf16_to_f32(bits).astype(np.float64)
    return bits.astype(np.uint16).view(np.float16).astype(np.float64)


def _op_sel(binding: Binding, sources: int) -> tuple[int, int, int, int]:
    """OPSEL[0..3]; written with as many places as sources plus one for the destination (OPSEL[3])."""
    value = binding.modifier("op_sel")
    given = tuple(value) if isinstance(value, tuple) else ()
    if len(given) == sources + 1 and sources < 3:
        return (given[0], given[1] if sources > 1 else 0, 0, given[-1])
    padded = (*given, 0, 0, 0, 0)
    return (padded[0], padded[1], padded[2], padded[3])


def _field(words: Array, place: int, bits: int) -> Array:
    """Element ``place`` of ``bits`` bits of register dwords [registers, n, 64]."""
    start = place * bits
    first, shift = start // 32, U32(start % 32)
    value = words[first] >> shift
    if start % 32 + bits > 32:
        value = value | words[first + 1] << U32(32 - start % 32)
    return np.asarray(value & U32((1 << bits) - 1)) if bits < 32 else np.asarray(value)


def _reader(binding: Binding, kind: str, count: int, select: tuple[int, ...]) -> Callable[[], list[Array]]:
    """The elements to convert, as float64."""
    arch = binding.context.arch
    place = 1  # after the destination
    if count == 1 and kind not in _SMALL:
        single = source(binding, place)
        return lambda: [np.asarray(call(single).astype(np.float64))]
    operand = binding.instruction.operands[place]
    bits = BITS[kind]
    if count > 2 or (kind == "f32" and binding.specs[place].dwords == 2):
        row = vector_row(binding, operand)
        window = binding.lanes.vgpr[row : row + -(-count * bits // 32)]
        return lambda: [_from_bits(kind, arch, _field(window, item, bits)) for item in range(count)]
    if kind == "f32":  # two operands of one float each
        first, second = source(binding, place), source(binding, place + 1)
        return lambda: [call(each).astype(np.float64) for each in (first, second)]
    raw = dword(binding, operand)
    width = count * bits  # a byte or a half of the dword, or all of it
    shift = {8: 8 * (select[0] + 2 * select[1]), 16: 16 * select[0]}.get(width, 0)

    def read() -> list[Array]:
        value = call(raw) >> U32(shift)
        mask = U32((1 << bits) - 1)
        return [_from_bits(kind, arch, value >> U32(item * bits) & mask) for item in range(count)]

    return read


def _two_vectors(binding: Binding, kind: str) -> Callable[[], list[Array]]:
    """2xpk16: elements of two vectors of 16, interleaved."""
    rows = [vector_row(binding, binding.instruction.operands[place]) for place in (1, 2)]
    windows = [binding.lanes.vgpr[row : row + 16].view(np.float32) for row in rows]
    return lambda: [windows[item % 2][item // 2].astype(np.float64) for item in range(32)]


def _writer(
    binding: Binding, kind: str, count: int, select: tuple[int, ...]
) -> Callable[[list[Array]], None]:
    """Packs encodings into the destination registers, or into a part of one."""
    bits = BITS[kind]
    row = vector_row(binding, binding.instruction.operands[0])
    width = count * bits
    if width >= 32:
        registers = width // 32
        puts = [put_masked(binding, row + register) for register in range(registers)]

        def put_all(codes: list[Array]) -> None:
            words: list[Array] = [np.zeros((1, 1), U32)] * (registers + 1)
            for item, code in enumerate(codes):
                first, shift = divmod(item * bits, 32)
                words[first] = words[first] | code << U32(shift)
                if shift + bits > 32:
                    words[first + 1] = words[first + 1] | code >> U32(32 - shift)
            for put, word in zip(puts, words, strict=False):
                put(word)

        return put_all
    put, old = put_masked(binding, row), binding.lanes.vgpr[row]
    shift = 8 * (select[2] + 2 * select[3]) if width == 8 else 16 * select[3]
    mask = U32(0xFFFFFFFF & ~(((1 << width) - 1) << shift))

    def put_part(codes: list[Array]) -> None:
        value = codes[0] if count == 1 else codes[0] | codes[1] << U32(bits)
        put(old & mask | value << U32(shift))

    return put_part


def _bind(binding: Binding) -> Step:
    match = _NAME.match(binding.info.name)
    assert match is not None
    arch = binding.context.arch
    to, start = match["to"], match["from"]
    count = {"pk32_": 32, "2xpk16_": 32, "pk_": 2}.get(match["count"] or "", 1)
    sources = len(binding.specs) - 1
    select = _op_sel(binding, sources)
    scaled = "scalef32" in binding.info.name
    if match["count"] == "2xpk16_":
        read = _two_vectors(binding, start)
    else:
        read = _reader(binding, start, count, select)
    write = _writer(binding, to, count, select)
    scale = source(binding, len(binding.specs) - 1) if scaled else None
    random = source(binding, 2) if match["sr"] else None
    down = to in _SMALL
    # scaled conversions saturate; others by MODE.FP16_OVFL; clamp and factors do nothing (table 31)
    saturate = scaled or binding.mode.fp16_overflow
    binding.read.update(("clamp", "mul", "div"))

    def run() -> None:
        values = read()
        if scale is not None:
            factor = scale_of(np.ascontiguousarray(call(scale)).view(U32))
            values = [value / factor if down else value * factor for value in values]
        seed = call(random) if random is not None else None
        codes = []
        for value in values:
            codes.append(_to_bits(to, arch, value, seed, saturate))
            seed = next_random(seed) if seed is not None else None
        write(codes)

    return run


@semantics("v_prng_b32")
def _bind_prng(binding: Binding) -> Step:
    value = source(binding, 1)
    put = put_masked(binding, vector_row(binding, binding.instruction.operands[0]))
    return lambda: put(next_random(call(value)))


for _opcode in opcode_table():
    if _opcode.startswith(("v_cvt_scalef32_", "v_cvt_sr_")):
        assert _NAME.match(_opcode), _opcode
        semantics(_opcode)(_bind)
