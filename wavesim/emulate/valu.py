"""The common binder of vector ALU instructions: typed sources, one function on arrays, masked results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wavesim.emulate.lane_select import Dpp, dpp_of, sdwa_merge, sdwa_source
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
from wavesim.emulate.registry import Array, Binding, Step, semantics

Function = Callable[..., Any]
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


def finish_float(binding: Binding) -> Callable[[Array], Array] | None:
    """Output modifiers: ``mul:2``, ``mul:4``, ``div:2``, then ``clamp`` to [0, 1]."""
    factor = float(binding.integer("mul", 1)) / float(binding.integer("div", 1))
    clamp = bool(binding.modifier("clamp"))
    if factor == 1.0 and not clamp:
        return None

    def finish(array: Array) -> Array:
        if factor != 1.0:
            array = array * array.dtype.type(factor)
        return np.clip(np.nan_to_num(array, nan=0.0), 0, 1) if clamp else array

    return finish


def put_masked(binding: Binding, row: int) -> Callable[[Array], None]:
    """A writer of uint32 [n, 64] to VGPR ``row`` under EXEC."""
    target = binding.lanes.vgpr[row]
    lanes = binding.lanes

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
    target: Array = lanes.vgpr[row].view(dtype_of(kind))

    def put(result: Array) -> None:
        if lanes.full:
            target[...] = result
        else:
            np.copyto(target, result, where=lanes.exec)

    return put


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
    if not isinstance(binding.instruction.modifier("dst_sel", None), str) and not _moves_lanes(binding):
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


def _bind_wide_dpp(binding: Binding, function: Function, dpp: Dpp | None, row: int) -> Step:
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


def _bind_plain(binding: Binding, function: Function) -> Step:
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
