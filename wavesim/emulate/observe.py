"""What an execution can record beside the Trace: LDS and global accesses with their byte addresses, and
which stores a flag's reads got their values from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class MemoryAccess:
    """One access of one wave to a memory that others see too.

    Attributes:
        wave: position in :attr:`wavesim.trace.Trace.waves`.
        row: dynamic instruction of that wave.
        index: static instruction.
        addresses: first byte of each active lane's access, shape (active lanes,).
        width_bytes: bytes per lane.
        write: whether it writes (an atomic writes too).
        from_memory: it completes with vmcnt (vector memory, loads to LDS), not with lgkmcnt.
        atomic: a read-modify-write that other waves' come before or after, but never into.
        values: what a write stores, byte by byte as :meth:`touched` has them; None where that is not kept.
    """

    wave: int
    row: int
    index: int
    addresses: npt.NDArray[np.int64]
    width_bytes: int
    write: bool
    from_memory: bool = False
    atomic: bool = False
    values: npt.NDArray[np.uint8] | None = None

    def touched(self) -> npt.NDArray[np.int64]:
        """Every byte touched, shape (active lanes * width,)."""
        return (self.addresses[:, None] + np.arange(self.width_bytes)).reshape(-1)


@dataclass(frozen=True, slots=True)
class LdsAccess(MemoryAccess):
    """One LDS access; an instruction with two offsets (``ds_read2_b64``) makes two."""


@dataclass(frozen=True, slots=True)
class GlobalAccess(MemoryAccess):
    """One access to global memory: addresses are bytes from the start of the allocation ``region``."""

    region: str = ""


@dataclass(frozen=True, slots=True)
class Acquire:
    """Row ``row`` of a wave read a flag; ``stores`` (wave, row) are those of the value it got, with the
    atomics that the value was made of."""

    wave: int
    row: int
    stores: tuple[tuple[int, int], ...]


def stored_bytes(
    data: npt.NDArray[np.uint32], width_bytes: int, active: npt.NDArray[np.bool_] | None
) -> npt.NDArray[np.uint8]:
    """The bytes that a wave stores from ``data`` [dwords, 64], lane by lane: (active lanes * width,)."""
    chosen = data if active is None else data[:, active]
    lanes = np.array(chosen.T, order="C")  # a copy: the registers are overwritten later
    return lanes.view(np.uint8)[:, :width_bytes].reshape(-1)
