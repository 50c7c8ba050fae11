"""gfx90a's f16 and bf16 matrix instructions flush denormals of sources, accumulator and result.

MIOpen, "MI200 MFMA behavior specifics"; f32 and f64 ones keep them, as all do on gfx942 and gfx950.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from wavesim.emulate.float_mode import flushed
from wavesim.emulate.types import Array, Step
from wavesim.isa.archs import ARCHITECTURES

_LEAST_NORMAL = {"f16": 2.0**-14, "bf16": 2.0**-126, "f32": 2.0**-126}


def flushes_denormals(arch: str, kind: str) -> bool:
    """Whether products of elements of ``kind`` have no denormals."""
    return ARCHITECTURES[arch].mfma_flushes and kind in ("f16", "bf16")


def flushing(read: Callable[[], Array], kind: str) -> Callable[[], Array]:
    """A reader of elements (as float32) whose denormals, those of ``kind``, are zeros of their sign."""
    least = np.float32(_LEAST_NORMAL[kind])

    def run() -> Array:
        values = read()
        small = np.abs(values) < least
        return np.where(small, np.copysign(np.float32(0), values), values) if small.any() else values

    return run


def then_flush(step: Step, registers: Array) -> Step:
    """``step``, after which denormals in the f32 ``registers`` are zeros."""
    results: Array = registers.view(np.float32)

    def run() -> None:
        step()
        results[...] = flushed(results)

    return run
