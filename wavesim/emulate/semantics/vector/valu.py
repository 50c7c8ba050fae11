"""The common binder of vector ALU instructions: typed sources, one function on arrays, masked results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from wavesim.emulate.float_mode import FloatMode, clamped, flushed, largest_for_overflow
from wavesim.emulate.operands import (
    Source,
    call,
    destination_high,
    dtype_of,
    is_static,
    scalar_row,
    source,
    vector_row,
)
from wavesim.emulate.registry import Binding, semantics
from wavesim.emulate.rounding import Rounding
from wavesim.emulate.semantics.vector.lane_select import Dpp, dpp_of, sdwa_merge, sdwa_source
from wavesim.emulate.state import Lanes
from wavesim.emulate.types import Array, Step


@dataclass(frozen=True, slots=True)
class ByMode:
    """An operation that MODE decides on: ``under(mode, single)`` is the function, ``single`` says whether the
    rounding mode is that of f32 (else that of f16 and f64)."""

    under: Callable[[FloatMode, bool], Callable[..., Any]]


def rounded(nearest: Callable[..., Any], otherwise: Callable[..., Any]) -> ByMode:
    """An operation that rounds: ``nearest`` as numpy does, else ``otherwise(*arrays, rounding)``."""

    def under(mode: FloatMode, single: bool) -> Callable[..., Any]:
        rounding = mode.rounding(single)
        if rounding is Rounding.NEAREST:
            return nearest
        return lambda *arrays: otherwise(*arrays, rounding)

    return ByMode(under)


Function = Callable[..., Any] | ByMode
"""From source arrays (broadcastable to [n, 64]) to the result array."""

_WIDE = frozenset(("u64", "b64", "i64", "f64"))
_HALF = frozenset(("u16", "b16", "i16", "f16", "bf16"))
_FLOAT = frozenset(("f32", "f16", "f64"))


def sources_of(binding: Binding, dpp: Dpp | None = None) -> list[Source]:
    """The typed sources in operand order; DPP changes the first, SDWA the first two."""
    found = []
    slot = 0
    for position, spec in enumerate(binding.specs):
        if spec.role == "dst":
            continue
        adapt = sdwa_source(binding, slot) if slot < 2 else None
        if dpp is not None and slot == dpp_slot(binding):
            adapt = dpp.source(binding)
        found.append(source(binding, position, adapt))
        slot += 1
    return found


def dpp_slot(binding: Binding) -> int:
    """Which source DPP moves: src0, which stands after an accumulator that is read and written."""
    return 1 if binding.specs[0].role == "both" and len(binding.specs) > 1 else 0


def is_single(binding: Binding) -> bool:
    """Whether the f32 rounding mode holds: an f32 result from no f64 source, or an integer from f32
    (CDNA3 ISA, 6.4; LLVM's list of instructions that the other mode rounds)."""
    kinds = {spec.type for spec in binding.specs}
    result = binding.specs[0].type
    if result in ("f16", "f64") or "f64" in kinds:
        return False
    return result == "f32" or "f16" not in kinds


def finish_float(binding: Binding) -> Callable[[Array], Array] | None:
    """Output modifiers: ``mul:2``, ``mul:4``, ``div:2``, then ``clamp`` to [0, 1].

    The hardware ignores the factors while MODE.IEEE is set or denormal results are kept, and they turn -0
    into 0 (CDNA3 ISA, 6.2.2).
    """
    mode = binding.mode
    factor = float(binding.integer("mul", 1)) / float(binding.integer("div", 1))
    if mode.ieee or not mode.flushes_results(binding.specs[0].type == "f32"):
        factor = 1.0
    clamp = bool(binding.modifier("clamp"))
    if factor == 1.0 and not clamp:
        return None

    def finish(array: Array) -> Array:
        if factor != 1.0:
            array = flushed(array * array.dtype.type(factor)) + array.dtype.type(0)
        return clamped(array, mode) if clamp else array

    return finish


def under_mode(binding: Binding, function: Function) -> Callable[..., Any]:
    """``function`` as MODE asks for, by the types of the operands."""
    kinds = tuple(spec.type for spec in binding.specs if spec.role != "dst")
    return following(binding.mode, function, kinds, binding.specs[0].type, single=is_single(binding))


def following(
    mode: FloatMode, function: Function, kinds: tuple[str, ...], result_kind: str, *, single: bool
) -> Callable[..., Any]:
    """``function`` of sources of ``kinds`` under ``mode``: its rounding (that of f32 if ``single``),
    denormals of sources and result, f16 overflow."""
    plain = function.under(mode, single) if isinstance(function, ByMode) else function
    places = [
        place for place, kind in enumerate(kinds) if kind in _FLOAT and mode.flushes_sources(kind == "f32")
    ]
    flush_out = result_kind in _FLOAT and mode.flushes_results(result_kind == "f32")
    limit = result_kind == "f16" and mode.fp16_overflow
    if not places and not flush_out and not limit:
        return plain

    def run(*arrays: Array) -> Array:
        given = [flushed(array) if place in places else array for place, array in enumerate(arrays)]
        result = np.asarray(plain(*given))
        if limit:
            result = largest_for_overflow(result, given)
        return flushed(result) if flush_out else result

    return run


def put_masked(binding: Binding, row: int) -> Callable[[Array], None]:
    """A writer of uint32 [n, 64] to VGPR ``row`` under EXEC."""
    return _masked(binding.lanes, binding.lanes.vgpr[row])


def _masked(lanes: Lanes, target: Array) -> Callable[[Array], None]:
    def put(result: Array) -> None:
        if lanes.full:
            target[...] = result
        else:
            np.copyto(target, result, where=lanes.exec)

    return put


def writer(binding: Binding, position: int = 0) -> Callable[[Array], None]:
    """A writer of results of the operand's declared type, [n, 64] or broadcastable, under EXEC."""
    operand = binding.instruction.operands[position]
    kind = binding.specs[position].type
    row = vector_row(binding, operand)
    lanes = binding.lanes
    if kind in _WIDE:
        low, high = put_masked(binding, row), put_masked(binding, row + 1)

        def put_wide(result: Array) -> None:
            bits = np.asarray(result).view(np.uint64)
            low((bits & np.uint64(0xFFFFFFFF)).astype(np.uint32))
            high((bits >> np.uint64(32)).astype(np.uint32))

        return put_wide
    if kind in _HALF:
        return _half_writer(binding, row, kind)
    return _masked(lanes, lanes.vgpr[row].view(dtype_of(kind)))


def _half_writer(binding: Binding, row: int, kind: str) -> Callable[[Array], None]:
    high = destination_high(binding)
    target: Array = binding.lanes.vgpr[row]
    put = put_masked(binding, row)

    def put_half(result: Array) -> None:
        bits = np.asarray(result).view(np.uint16).astype(np.uint32)
        if high is None:
            put(bits)
        elif high:
            put(target & np.uint32(0xFFFF) | bits << np.uint32(16))
        else:
            put(target & np.uint32(0xFFFF0000) | bits)

    return put_half


def bind_vector(binding: Binding, function: Function) -> Step:
    """Bind ``function(sources...) -> result`` with one vector destination (operand 0)."""
    return bind_function(binding, under_mode(binding, function))


def bind_function(binding: Binding, function: Callable[..., Any]) -> Step:
    """As :func:`bind_vector`, whatever MODE says of denormals."""
    if not isinstance(binding.modifier("dst_sel", None), str) and not _moves_lanes(binding):
        return _bind_plain(binding, function)
    dpp = dpp_of(binding)
    sources = sources_of(binding, dpp)
    lanes = binding.lanes
    row = vector_row(binding, binding.instruction.operands[0])
    target: Array = lanes.vgpr[row]
    merge = sdwa_merge(binding, target)
    kind = binding.specs[0].type
    if kind in _WIDE:
        return _bind_wide_dpp(binding, function, dpp, row)
    bits_of = np.uint16 if kind in _HALF else np.uint32
    dtype = np.float32 if kind == "f32" else dtype_of(kind)
    finish = finish_float(binding) if kind in _FLOAT else None

    def run() -> None:
        result = function(*[call(each) for each in sources])
        if finish is not None:
            result = finish(result)
        bits = np.asarray(result).astype(dtype, copy=False).view(bits_of).astype(np.uint32, copy=False)
        if merge is not None:
            bits = merge(bits)
        mask = lanes.exec if dpp is None else lanes.exec & dpp.written(binding)
        np.copyto(target, bits, where=mask)

    return run


def _bind_wide_dpp(binding: Binding, function: Callable[..., Any], dpp: Dpp | None, row: int) -> Step:
    """64-bit results under DPP (row_newbcast only): both dwords come from the chosen lane."""
    if dpp is None:
        raise binding.refuse("SDWA with a 64-bit result")
    sources = sources_of(binding, dpp)
    lanes = binding.lanes
    low, high = lanes.vgpr[row], lanes.vgpr[row + 1]
    kind = binding.specs[0].type
    finish = finish_float(binding) if kind in _FLOAT else None
    chosen = dpp

    def run() -> None:
        result = np.asarray(function(*[call(each) for each in sources]))
        bits = (finish(result) if finish is not None else result).view(np.uint64)
        mask = lanes.exec & chosen.written(binding)
        np.copyto(low, (bits & np.uint64(0xFFFFFFFF)).astype(np.uint32), where=mask)
        np.copyto(high, (bits >> np.uint64(32)).astype(np.uint32), where=mask)

    return run


def _moves_lanes(binding: Binding) -> bool:
    return dpp_of(binding) is not None


def _bind_plain(binding: Binding, function: Callable[..., Any]) -> Step:
    sources = sources_of(binding)
    kind = binding.specs[0].type
    finish = finish_float(binding) if kind in _FLOAT else None
    lanes = binding.lanes
    if isinstance(function, np.ufunc) and finish is None and kind not in _WIDE | _HALF:
        row = vector_row(binding, binding.instruction.operands[0])
        dtype = dtype_of(kind)
        target: Array = lanes.vgpr[row].view(dtype)
        statics = [each for each in sources if is_static(each) and not callable(each) and each.dtype == dtype]
        if len(statics) == len(sources):
            return _ufunc_step(function, statics, target, binding)
    put = writer(binding)
    fixed = tuple(sources)
    if finish is not None:
        last = finish
        return lambda: put(last(function(*[call(each) for each in fixed])))
    if len(fixed) == 1 and not callable(fixed[0]):
        only = fixed[0]
        return lambda: put(function(only))
    return lambda: put(function(*[call(each) for each in fixed]))


def _ufunc_step(function: np.ufunc, sources: list[Array], target: Array, binding: Binding) -> Step:
    lanes = binding.lanes
    if len(sources) == 2:
        first, second = sources

        def run_two() -> None:
            if lanes.full:
                function(first, second, out=target)
            else:
                function(first, second, out=target, where=lanes.exec)

        return run_two

    def run() -> None:
        if lanes.full:
            function(*sources, out=target)
        else:
            function(*sources, out=target, where=lanes.exec)

    return run


def vector(names: str, function: Function) -> None:
    """Register opcodes ``names`` with one array function."""
    semantics(names)(lambda binding: bind_vector(binding, function))


def mask_writer(binding: Binding, position: int = 0) -> Callable[[Array], None]:
    """A writer of a lane condition [n, 64] to an SGPR pair; inactive lanes give 0."""
    row = scalar_row(binding, binding.instruction.operands[position])
    lanes = binding.lanes

    def put(condition: Array) -> None:
        mask = condition & lanes.exec
        lanes.write_mask(row, mask)

    return put


def mask_source(binding: Binding, position: int) -> Callable[[], Array]:
    """A reader of an SGPR pair (or VCC) as lane mask [n, 64]."""
    row = scalar_row(binding, binding.instruction.operands[position])
    lanes = binding.lanes
    return lambda: lanes.read_mask(row)
