"""Teacher-forced sweep of engine.c: what it predicts for each row, every earlier issue being as measured."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from wavesim.errors import UserError
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.compiled.engine import drive, engine_of, loaded
from wavesim.timing.compiled.inputs import check_array, prepare
from wavesim.timing.compiled.static_code import LARGEST
from wavesim.trace import Timeline, Trace

Int64 = npt.NDArray[np.int64]

SLOTS_PER_CALL = 50_000


class Measured(ctypes.Structure):
    """As in engine.c."""

    _fields_ = [(name, ctypes.c_void_p) for name in ("seen_clk", "half", "predicted_clk", "arrived_clk")]


@dataclass(frozen=True)
class Swept:
    """By wave and row: the predicted issue clock (not of barriers), and a barrier's arrival; -1: none."""

    predicted_clk: tuple[Int64, ...]
    arrived_clk: tuple[Int64, ...]


def sweep(measured: Timeline, trace: Trace, parameters: TimingParameters, until_clk: int) -> Swept:
    """Go through the measured issues before ``until_clk`` in order of time.

    Raises:
        UserError: no compiled engine here; arrays or numbers that it cannot work with.
    """
    library = loaded()
    slot = parameters.issue_slot_clk
    trace = replace(trace, waves=tuple(replace(wave, spins=()) for wave in trace.waves))
    inputs = prepare(library, trace, parameters)
    scaled = np.array([entry.scaled for entry in trace.code], np.bool_)
    waves = (Measured * max(1, len(trace.waves)))()
    keep: list[object] = []
    swept = Swept(
        tuple(np.full(len(wave), -1, np.int64) for wave in trace.waves),
        tuple(np.full(len(wave), -1, np.int64) for wave in trace.waves),
    )
    for place, (wave, timed) in enumerate(zip(trace.waves, measured.waves, strict=True)):
        issue, attempt = (
            check_array(clk, np.int64, len(wave), f"measured wave {place}")
            for clk in (timed.issue_clk, timed.attempt_clk)
        )
        if len(issue) and not (int(issue.min()) >= 0 and int(issue.max()) < LARGEST):
            raise UserError(f"measured wave {place}: rows without an issue clock")
        # a trace reports the matrix half of a scaled MFMA if that stalled (M4)
        half = scaled[wave.code] & (issue > attempt) & measured.measured
        seen = issue // slot * slot - half * parameters.mfma_scale_load_clk
        each = waves[place]
        each.seen_clk, each.half = seen.ctypes.data, half.ctypes.data
        each.predicted_clk = swept.predicted_clk[place].ctypes.data
        each.arrived_clk = swept.arrived_clk[place].ctypes.data
        keep += [seen, half]
    with engine_of(library, inputs) as engine:
        if library.wavesim_force(engine, ctypes.addressof(waves)):
            raise MemoryError("the compiled timing engine has not enough memory")
        drive(lambda: library.wavesim_run_forced(engine, until_clk, SLOTS_PER_CALL), lambda: None)
    return swept
