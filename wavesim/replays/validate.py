"""Replays every thread trace in a folder, in parallel processes, and collects the errors."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import TypeVar

from wavesim.errors import SourceSpan, UserError
from wavesim.isa.load import load_machine
from wavesim.replays.att.dispatches import ANY, Source, Which, sources
from wavesim.replays.att.lds_addresses import find_conflicts
from wavesim.replays.att.occupancy import LeftOut, mark_of
from wavesim.replays.compare import Side
from wavesim.replays.compute_unit import memory_mode, replay
from wavesim.replays.mca import McaResult, loop_by_mca
from wavesim.replays.teacher_forced import TeacherForced
from wavesim.trace import Timeline
from wavesim.yaml_source import load_yaml

MODES = ("measured", "shifted:1", "model")
FORCED_ROWS = 60_000
"""Instructions of a trace that are predicted teacher-forced: its beginning and the first iterations."""

NO_MCA = McaResult(None)
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ValidationRow:
    """One compute unit of one trace. Errors are signed fractions, by memory mode: of clk/iteration, or of
    the whole span where ``has_loop`` is false. ``failure`` says why a folder could not be replayed.

    ``stalls_*`` are shares of the measured waves' clocks by reason; ``issue_error_clk`` is the median |error|
    of issue times within an iteration. Both, as ``forced``, with measured latencies.
    """

    folder: str
    arch: str = ""
    has_loop: bool = True
    measured_clk: float = 0.0
    simulated_clk: float = 0.0
    mfma_busy_measured: float = 0.0
    mfma_busy_simulated: float = 0.0
    errors: tuple[float, ...] = ()
    instructions: int = 0
    failure: str = ""
    stalls_measured: Mapping[str, float] = field(default_factory=dict)
    stalls_simulated: Mapping[str, float] = field(default_factory=dict)
    forced: TeacherForced | None = None
    issue_error_clk: float | None = None
    mca: McaResult = NO_MCA
    left_out: LeftOut | None = None

    @property
    def name(self) -> str:
        """The folder, with the mark of a trace that does not have all waves: it stands beside each figure."""
        return self.folder + mark_of(self.left_out)


def forced_rows() -> int:
    """How many instructions of a trace are predicted teacher-forced: none without the compiled engine."""
    from wavesim.timing.compiled import available

    return 0 if available() else FORCED_ROWS


def validate_trace(
    source: Source, machine: str | None = None, footprint_bytes: int = 0
) -> list[ValidationRow]:
    """Every compute unit of one trace, in all memory modes; a trace that cannot be read is one row.

    Args:
        source: the trace.
        machine: a machine file; None: the stock one.
        footprint_bytes: of the kernel's operands, for the modelled latencies; 0: not known.
    """
    modes = [memory_mode(mode) for mode in MODES]
    modes[-1] = replace(modes[-1], footprint_bytes=footprint_bytes)
    try:
        imported = source.imported(machine=machine)
        loaded = load_machine(imported.machine)
        conflicts = [find_conflicts(unit.trace, loaded) for unit in imported.units]
        results = [
            replay(imported, loaded, mode, conflicts=conflicts, forced_rows=0 if place else forced_rows())
            for place, mode in enumerate(modes)
        ]
    except UserError as error:
        return [ValidationRow(source.name, failure=error.message)]
    rows = []
    for number, result in enumerate(results[0]):
        loop = result.error_clk_per_iteration is not None
        real, model = result.measured, result.simulated
        rows.append(
            ValidationRow(
                folder=source.name if len(results[0]) == 1 else f"{source.name} {result.unit}",
                arch=result.arch,
                has_loop=loop,
                measured_clk=real.clk_per_iteration or 0.0 if loop else float(real.span_clk),
                simulated_clk=model.clk_per_iteration or 0.0 if loop else float(model.span_clk),
                mfma_busy_measured=real.mfma_busy,
                mfma_busy_simulated=model.mfma_busy,
                errors=tuple(mode[number].error for mode in results),
                instructions=result.instructions,
                stalls_measured=_shares(real, result.measured_timeline),
                stalls_simulated=_shares(model, result.measured_timeline),
                forced=result.forced,
                issue_error_clk=result.issue_errors["all"].median_absolute if result.issue_errors else None,
                left_out=result.left_out,
                mca=loop_by_mca(result.measured_timeline, result.head if loop else None, result.arch),
            )
        )
    return rows


def _shares(side: Side, timeline: Timeline) -> dict[str, float]:
    lived = sum(wave.last_clk - wave.first_clk for wave in timeline.waves)
    return {name: clk / max(1, lived) for name, clk in side.told.items()}


def validate(
    folder: Path,
    machine: str | None = None,
    which: Which = ANY,
    *,
    footprints: Mapping[str, int] = MappingProxyType({}),
    processes: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> list[ValidationRow]:
    """All traces of a folder, in their order; ``footprints``: bytes of operands, by the trace's name.

    Raises:
        UserError: the folder holds no trace.
    """
    traces = sources(folder, which)
    calls = {trace: (trace, machine, footprints.get(trace.name, 0)) for trace in traces}
    found = in_processes(validate_trace, calls, processes, progress)
    return [row for trace in traces for row in found[trace]]


def in_processes(
    function: Callable[..., Result],
    calls: Mapping[Source, tuple[object, ...]],
    processes: int | None,
    progress: Callable[[str], None] | None,
) -> dict[Source, Result]:
    """``function`` with each trace's arguments in parallel processes, the largest traces first."""
    begin = time.monotonic()
    found: dict[Source, Result] = {}
    by_size = sorted(calls, key=lambda each: each.dispatch.size_bytes, reverse=True)
    with ProcessPoolExecutor(processes or os.cpu_count() or 1) as pool:
        running = {pool.submit(function, *calls[trace]): trace for trace in by_size}
        for done in as_completed(running):
            trace = running[done]
            found[trace] = done.result()
            if progress is not None:
                seconds = time.monotonic() - begin
                progress(f"{len(found)}/{len(calls)} {trace.name} ({seconds:.0f} s)")
    return found


def read_footprints(path: Path) -> dict[str, int]:
    """Trace folder name -> bytes of operands, from a YAML file.

    Raises:
        UserError: not such a file.
    """
    data, marks = load_yaml(path)
    if not isinstance(data, dict):
        raise UserError("not a mapping of trace folders to sizes", SourceSpan(str(path)))
    for name, size in data.items():
        if not isinstance(size, int) or isinstance(size, bool) or size <= 0:
            raise marks.error((name,), f"{name}: the footprint must be a number of bytes")
    return {str(name): size for name, size in data.items()}


@dataclass(frozen=True, slots=True)
class Ratio:
    """clk of one variant of a kernel over another's: folders whose names differ in a number at the end."""

    one: str
    other: str
    measured: float
    simulated: float

    @property
    def error(self) -> float:
        """Signed fraction of the measured ratio."""
        return self.simulated / self.measured - 1

    @property
    def same_order(self) -> bool:
        """Whether the variant that was faster is predicted faster."""
        return (self.measured < 1) == (self.simulated < 1)


def variant_ratios(rows: Sequence[ValidationRow]) -> list[Ratio]:
    """Each variant of a kernel against the first of its kind."""
    first: dict[str, ValidationRow] = {}
    found = []
    for row in rows:
        stem = re.sub(r"[0-9]+$", "", row.folder)
        if stem == row.folder or row.failure or not (row.measured_clk and row.simulated_clk):
            continue
        base = first.setdefault(stem, row)
        if base is not row:
            real, model = row.measured_clk / base.measured_clk, row.simulated_clk / base.simulated_clk
            found.append(Ratio(row.name, base.name, real, model))
    return found


def mean_error(rows: Sequence[ValidationRow], mode: int) -> float:
    """Mean |error| over the rows that could be replayed; 0 without any."""
    errors = [abs(row.errors[mode]) for row in rows if row.errors]
    return sum(errors) / len(errors) if errors else 0.0


def median_error(rows: Sequence[ValidationRow], mode: int) -> float:
    """Median |error| over the rows that could be replayed; 0 without any."""
    errors = [abs(row.errors[mode]) for row in rows if row.errors]
    return median(errors) if errors else 0.0
