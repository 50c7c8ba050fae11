"""DPP and SDWA: sources taken from other lanes or from parts of a dword, results put into parts of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from wavesim.emulate.operands import Source, call, then
from wavesim.emulate.registry import Binding
from wavesim.emulate.types import Array
from wavesim.isa.kinds import LANES
from wavesim.program import Modified
from wavesim.program.dpp import DPP_CONTROLS

_BOUND = "bound_ctrl"


@dataclass(frozen=True)
class Dpp:
    """A data-parallel-primitive control: where each lane's first source comes from.

    Attributes:
        lanes: source lane of each lane, [64].
        inside: whether that lane exists, [64].
        enabled: lanes that ``row_mask`` and ``bank_mask`` let be written, [64].
        zero: lanes without a source read 0 (``bound_ctrl``) instead of not being written.
    """

    lanes: npt.NDArray[np.intp]
    inside: npt.NDArray[np.bool_]
    enabled: npt.NDArray[np.bool_]
    zero: bool

    def source(self, binding: Binding) -> Callable[[Source], Source]:
        """The change of the first source's dwords."""
        active = binding.lanes.exec
        everywhere = bool(self.inside.all())

        def take(array: Array) -> Array:
            if array.shape[-1] == 1:
                array = np.broadcast_to(array, (*array.shape[:-1], LANES))
            moved: Array = array[..., self.lanes]
            if everywhere and binding.lanes.full:
                return moved
            return np.where(self.inside & active[:, self.lanes], moved, np.uint32(0))

        return lambda source: then(source, take)

    def written(self, binding: Binding) -> npt.NDArray[np.bool_]:
        """Lanes [n, 64] whose result is written now (EXEC apart)."""
        if self.zero:
            return np.broadcast_to(self.enabled, binding.lanes.exec.shape)
        return self.enabled & self.inside & binding.lanes.exec[:, self.lanes]


_LANE = np.arange(LANES)
_ROW, _PLACE = _LANE & ~15, _LANE & 15


def _row_bcast(last: int) -> Array:
    """15 gives a row the last lane of the row before it, 31 gives the upper half lane 31."""
    return np.where(_LANE >= 16, _ROW - 1, -1) if last == 15 else np.where(_LANE >= 32, 31, -1)


SOURCE_LANES: Mapping[str, Callable[[Any], Array]] = {
    "quad_perm": lambda order: (_LANE & ~3) + np.array(order)[_LANE & 3],
    "row_mirror": lambda _: _ROW + 15 - _PLACE,
    "row_half_mirror": lambda _: (_LANE & ~7) + 7 - (_LANE & 7),
    "row_shl": lambda count: np.where(_PLACE + count < 16, _LANE + count, -1),
    "row_shr": lambda count: np.where(count <= _PLACE, _LANE - count, -1),
    "row_ror": lambda count: _ROW + (_PLACE - count) % 16,
    "wave_shl": lambda _: np.where(_LANE + 1 < LANES, _LANE + 1, -1),
    "wave_shr": lambda _: _LANE - 1,
    "wave_rol": lambda _: (_LANE + 1) % LANES,
    "wave_ror": lambda _: (_LANE - 1) % LANES,
    "row_newbcast": lambda lane: _ROW + lane,
    "row_bcast": _row_bcast,
}
"""Of each control in :data:`DPP_CONTROLS`: from its value, the source lane of each lane; -1 where there is
none (CDNA3 ISA, DPP_CTRL)."""


def dpp_of(binding: Binding) -> Dpp | None:
    """The DPP control of an instruction, or None."""
    for name in DPP_CONTROLS:
        value = binding.modifier(name)
        if value is not None and value is not False:
            break
    else:
        return None
    lanes = SOURCE_LANES[name](value if name == "quad_perm" else binding.integer(name))
    row_mask, bank_mask = binding.integer("row_mask", 15), binding.integer("bank_mask", 15)
    enabled = (row_mask >> (_LANE // 16) & 1).astype(bool) & (bank_mask >> (_LANE % 16 // 4) & 1).astype(bool)
    # the assembler writes BOUND_CTRL=1 as "bound_ctrl:0" or ":1": that it stands there is what counts
    zero = binding.modifier(_BOUND) is not None
    return Dpp(np.clip(lanes, 0, LANES - 1), lanes >= 0, enabled, zero)


def _select(text: str) -> tuple[int, int]:
    """Shift and width in bits of a sub-dword selection."""
    name, _, number = text.partition("_")
    if name == "BYTE":
        return 8 * int(number), 8
    if name == "WORD":
        return 16 * int(number), 16
    return 0, 32


def sdwa_source(binding: Binding, slot: int) -> Callable[[Source], Source] | None:
    """The change that ``src0_sel`` / ``src1_sel`` makes to source ``slot``, or None."""
    text = binding.modifier(f"src{slot}_sel")
    if not isinstance(text, str):
        return None
    shift, width = _select(text)
    if width == 32:
        return None
    places = [place for place, spec in enumerate(binding.specs) if spec.role != "dst"]
    operand = binding.instruction.operands[places[slot]]
    signed = isinstance(operand, Modified) and operand.sext
    up = np.uint32(32 - width - shift)
    down = 32 - width

    def pick(array: Array) -> Array:
        top: Array = array << up
        if signed:
            return np.asarray((top.view(np.int32) >> down).view(np.uint32))
        return top >> np.uint32(down)

    return lambda source: then(source, pick)


def sdwa_merge(binding: Binding, old: Source) -> Callable[[Array], Array] | None:
    """How an SDWA result (uint32 [n, 64]) is put into its destination dword, or None."""
    text = binding.modifier("dst_sel")
    if not isinstance(text, str):
        return None
    shift, width = _select(text)
    if width == 32:
        return None
    unused = binding.modifier("dst_unused", "UNUSED_PAD")
    field = np.uint32((1 << width) - 1)

    def merge(result: Array) -> Array:
        placed: Array = (result & field) << np.uint32(shift)
        if unused == "UNUSED_PRESERVE":
            kept = call(old) & np.uint32(~(int(field) << shift) & 0xFFFFFFFF)
            return np.asarray(placed | kept)
        if unused == "UNUSED_SEXT":
            up = np.uint32(32 - width - shift)
            extended = ((placed << up).view(np.int32) >> int(up)).view(np.uint32)
            return extended
        return placed

    return merge
