"""What an execution can record beside the Trace: every LDS access with its byte addresses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class LdsAccess:
    """One LDS access of one wave; an instruction with two offsets (``ds_read2_b64``) makes two.

    Attributes:
        wave: position in :attr:`wavesim.trace.Trace.waves`.
        row: dynamic instruction of that wave.
        index: static instruction.
        addresses: first byte of each active lane's access, shape (active lanes,).
        width_bytes: bytes per lane.
        write: whether it writes (an atomic writes too).
        from_memory: a direct-to-LDS load, which completes with vmcnt.
    """

    wave: int
    row: int
    index: int
    addresses: npt.NDArray[np.int64]
    width_bytes: int
    write: bool
    from_memory: bool = False

    def touched(self) -> npt.NDArray[np.int64]:
        """Every byte touched, shape (active lanes * width,)."""
        return (self.addresses[:, None] + np.arange(self.width_bytes)).reshape(-1)
