"""Runs engine.c on a Trace, in portions, so that progress is seen and Ctrl-C is heard: Trace -> Timeline."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from wavesim.errors import UserError
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.limits import clocks_used_up
from wavesim.timing.compiled.inputs import Inputs, prepare
from wavesim.timing.compiled.library import load
from wavesim.trace import BusySpan, Timeline, Trace, WaveTimeline

RUNNING, DONE, LIMIT, NO_MEMORY = range(4)
EVENTS_PER_CALL = 200_000
"""Some hundredths of a second."""

STALL = np.dtype([(name, np.int32) for name in ("row", "reason", "clk", "by_wave", "by_row")])
USE = np.dtype(
    [("start_clk", np.int64), ("end_clk", np.int64), ("wave", np.int32), ("row", np.int32)], align=True
)


def available() -> str:
    """Nothing if the compiled engine can be used, else why not."""
    return load()[1]


def loaded() -> ctypes.CDLL:
    """The library.

    Raises:
        UserError: there is none.
    """
    library, problem = load()
    if library is None:
        raise UserError(f"no compiled timing engine: {problem}", None, "--engine simpy needs none")
    return library


@contextmanager
def engine_of(library: ctypes.CDLL, inputs: Inputs) -> Iterator[int]:
    """An engine with these inputs, freed at the end."""
    engine = library.wavesim_new(ctypes.addressof(inputs.structure))
    if not engine:
        raise MemoryError("the compiled timing engine has not enough memory")
    try:
        yield engine
    finally:
        library.wavesim_free(engine)


def drive(step: Callable[[], int], progress: Callable[[], None]) -> None:
    """Call ``step`` until it is done; ``progress`` after each but the last call.

    Raises:
        LimitExceeded: past the budget of clocks (:mod:`wavesim.limits`).
        MemoryError: not enough memory.
    """
    while (status := step()) == RUNNING:
        progress()
    if status == LIMIT:
        raise clocks_used_up()
    if status != DONE:
        raise MemoryError("the compiled timing engine has not enough memory")


def run(
    trace: Trace, parameters: TimingParameters, progress: Callable[[float], None] | None = None
) -> Timeline:
    """Time a trace.

    Args:
        trace: the executed streams.
        parameters: the machine's numbers.
        progress: called now and then with the share done, 0..1.

    Raises:
        LimitExceeded: past the budget of clocks (:mod:`wavesim.limits`).
        UserError: no compiled engine here; arrays or numbers that it cannot work with.
    """
    library = loaded()
    inputs = prepare(library, trace, parameters)
    total = max(1, int(inputs.first_row[-1]))
    with engine_of(library, inputs) as engine:
        library.wavesim_start(engine)

        def report() -> None:
            if progress is not None:
                progress(min(1.0, library.wavesim_rows_done(engine) / total))

        drive(lambda: library.wavesim_run(engine, EVENTS_PER_CALL), report)
        return _timeline(library, engine, trace, parameters, inputs)


def _timeline(
    library: ctypes.CDLL, engine: int, trace: Trace, p: TimingParameters, inputs: Inputs
) -> Timeline:
    count = len(trace.waves)
    finish = np.zeros(count, np.int64)
    stopped = np.zeros(count, np.uint8)
    total = library.wavesim_finish(engine, finish.ctypes.data, stopped.ctypes.data)
    simd, wave_slot, start = np.zeros((3, count), np.int64)
    library.wavesim_places(engine, simd.ctypes.data, wave_slot.ctypes.data, start.ctypes.data)
    of_wave = np.zeros(count + 1, np.int64)
    library.wavesim_stall_offsets(engine, of_wave.ctypes.data)
    records = np.empty(int(of_wave[-1]), STALL)
    library.wavesim_stalls(engine, records.ctypes.data)
    columns = {name: records[name].copy() for name in ("row", "clk", "by_wave", "by_row")}
    columns["reason"] = records["reason"].astype(np.int8)
    starts, rows, spins = of_wave.tolist(), inputs.first_row.tolist(), inputs.first_spin.tolist()
    waves = []
    for place, wave in enumerate(trace.waves):
        mine = slice(starts[place], starts[place + 1])
        attempt, issue, end, done = inputs.clocks[:, rows[place] : rows[place + 1]]
        waves.append(
            WaveTimeline(
                wave=wave.wave,
                workgroup=wave.workgroup,
                simd=int(simd[place]),
                slot=int(wave_slot[place]),
                first_clk=int(start[place]) if start[place] >= 0 else total,
                last_clk=int(finish[place]) if finish[place] >= 0 else total,
                attempt_clk=attempt,
                issue_clk=issue,
                end_clk=end,
                done_clk=done,
                stall_row=columns["row"][mine],
                stall_reason=columns["reason"][mine],
                stall_clk=columns["clk"][mine],
                spin_repeats=tuple(inputs.spin_repeats[spins[place] : spins[place + 1]].tolist()),
                stall_by_wave=columns["by_wave"][mine],
                stall_by_row=columns["by_row"][mine],
            )
        )
    return Timeline(
        trace=trace,
        waves=tuple(waves),
        clk_total=total,
        busy=_busy(library, engine, p),
        engine="compiled",
        complete=trace.complete and bool((finish >= 0).all()),
    )


def _busy(library: ctypes.CDLL, engine: int, p: TimingParameters) -> dict[tuple[str, int], BusySpan]:
    names = [("mfma", simd) for simd in range(p.structure_simds)]
    names += [("lds_port", pair) for pair in range(len(p.structure_simd_pairs))]
    names += [("lds_array", 0), ("memory", 0)]
    spans = {}
    for number, name in enumerate(names):
        uses = np.empty(library.wavesim_use_count(engine, number), USE)
        if not len(uses):
            continue
        library.wavesim_uses(engine, number, uses.ctypes.data)
        if (np.diff(uses["start_clk"]) <= 0).any():
            uses = uses[np.lexsort((uses["row"], uses["wave"], uses["start_clk"]))]
        spans[name] = BusySpan(*(uses[column].copy() for column in ("start_clk", "end_clk", "wave", "row")))
    return dict(sorted(spans.items()))
