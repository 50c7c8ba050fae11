"""Register state of all waves, and the views of it that a batch of waves executes on.

VGPRs are one array [register, wave, lane], SGPRs one array [register, wave], so that a slice of waves is
a view and one numpy operation executes an instruction for the whole batch.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from wavesim.emulate.types import Array
from wavesim.isa.kinds import LANES

FLAT_SCRATCH, XNACK_MASK, VCC, TBA, TTMP, M0, EXEC = 102, 104, 106, 108, 112, 124, 126
"""SGPR rows of the special registers: their source-operand encodings (CDNA3 ISA, operand table)."""
SCC = 128
"""SGPR row that holds SCC (0 or 1); not an encoding."""
SGPR_ROWS = 129

CODE_BASE = 1 << 46
"""Address of a kernel's first instruction: s_getpc, s_setpc and symbols work on it."""

UNINITIALISED = 0xFFFFFFFF
"""What registers and LDS hold before the first write: NaN as f32, f16 and bf16, so that use shows."""


class State:
    """All registers of all waves.

    Attributes:
        vgpr: uint32 [registers, waves, 64]; the AGPRs follow from ``agpr_base``.
        sgpr: uint32 [129, waves], rows as the constants of this module.
        exec_lanes: bool [waves, 64], EXEC as lane masks; kept equal to the SGPR rows.
        mode: uint32 [waves], the MODE register.
    """

    def __init__(self, waves: int, vgprs: int, agprs: int) -> None:
        self.waves = waves
        self.agpr_base = vgprs
        self.vgpr = np.full((vgprs + agprs, waves, LANES), UNINITIALISED, np.uint32)
        self.sgpr = np.zeros((SGPR_ROWS, waves), np.uint32)
        self.exec_lanes = np.ones((waves, LANES), np.bool_)
        self.mode = np.zeros(waves, np.uint32)
        self.sgpr[EXEC : EXEC + 2] = 0xFFFFFFFF

    def take(self, other: State) -> None:
        """Take over the registers of ``other`` that exist here too (as many waves)."""
        vgprs = min(self.agpr_base, other.agpr_base)
        self.vgpr[:vgprs] = other.vgpr[:vgprs]
        mine, theirs = self.vgpr[self.agpr_base :], other.vgpr[other.agpr_base :]
        agprs = min(len(mine), len(theirs))
        mine[:agprs] = theirs[:agprs]
        self.sgpr[...] = other.sgpr
        self.exec_lanes[...] = other.exec_lanes
        self.mode[...] = other.mode


def bits_of(lanes: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint32]:
    """Lane masks [n, 64] as two dwords each, [n, 2]."""
    return np.packbits(lanes, axis=1, bitorder="little").view(np.uint32)


def lanes_of(bits: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    """Dword pairs [n, 2] as lane masks [n, 64]."""
    octets = np.ascontiguousarray(bits).view(np.uint8)
    return np.unpackbits(octets, axis=1, bitorder="little").view(np.bool_)


class Lanes:
    """A batch: views of the state for the waves of one slice.

    Attributes:
        waves: the slice of wave positions.
        numbers: the same as an array.
        vgpr, sgpr: views [registers, n, 64] and [129, n].
        exec: lane mask [n, 64] (view).
        full: whether every lane of every wave is active; renewed at :meth:`begin` and on EXEC writes.
    """

    def __init__(self, state: State, waves: slice) -> None:
        self.state = state
        self.waves = waves
        self.numbers = np.arange(state.waves)[waves]
        self.count = len(self.numbers)
        self.vgpr = state.vgpr[:, waves]
        self.sgpr = state.sgpr[:, waves]
        self.exec = state.exec_lanes[waves]
        self.full = True

    def begin(self) -> None:
        """Renew what other batches may have changed since this one ran."""
        self.full = bool(self.exec.all())

    def exec_written(self) -> None:
        """EXEC's SGPR rows were written: renew the lane mask."""
        self.exec[...] = lanes_of(self.sgpr[EXEC : EXEC + 2].T)
        self.full = bool(self.exec.all())

    def write_mask(self, row: int, mask: npt.NDArray[np.bool_]) -> None:
        """Write a lane mask [n, 64] to the SGPR pair at ``row``."""
        self.sgpr[row : row + 2] = bits_of(mask).T
        if row == EXEC:
            self.exec[...] = mask
            self.full = bool(mask.all())

    def read_mask(self, row: int) -> npt.NDArray[np.bool_]:
        """The SGPR pair at ``row`` as a lane mask [n, 64]."""
        return lanes_of(self.sgpr[row : row + 2].T)

    def scalar(self, row: int, dtype: type[np.generic] = np.uint32) -> Array:
        """View [n] of an SGPR row."""
        view: Array = self.sgpr[row].view(dtype)
        return view
