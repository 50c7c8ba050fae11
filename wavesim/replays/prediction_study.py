"""How well a folder of traces is predicted: without each part too, and with fitted numbers left to others.

For a number that was fitted to these very traces, an error on them says little. So each is chosen anew for
every trace, from all others (leave one out), and the trace is predicted with that choice.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from statistics import fmean, median

from wavesim.errors import UserError
from wavesim.isa.load import arch_of, load_machine
from wavesim.isa.names import named
from wavesim.replays.att.architecture import find_arch
from wavesim.replays.att.folder import read_folder
from wavesim.replays.att.importer import import_trace
from wavesim.replays.att.lds_addresses import find_conflicts
from wavesim.replays.compute_unit import memory_mode, replay
from wavesim.replays.predict import PredictOptions, again, predict
from wavesim.replays.validate import in_processes, trace_folders


@dataclass(frozen=True, slots=True)
class Variant:
    """What a trace is predicted with: whether ``memory`` is predicted, and machine values."""

    memory: bool = True
    settings: tuple[tuple[str, str], ...] = ()


AS_PREDICTED = Variant()
WITHOUT_LAUNCH = Variant(memory=False)
ONE_LATENCY = Variant(False, (("memory.latency_clk", "stream"),))


@dataclass(frozen=True, slots=True)
class Part:
    """What a prediction is made of, and the variant that leaves it out."""

    name: str
    about: str
    without: Variant


PARTS: tuple[Part, ...] = (
    Part(
        "chip",
        "the caches and the memory of the whole device, and how they are shared; without it all loads have "
        "one latency, half way between the Infinity Cache and HBM",
        ONE_LATENCY,
    ),
    Part(
        "rows",
        "what it costs to open rows of the DRAM; without it only the rate of bytes counts",
        Variant(settings=(("memory.hbm_row_ns", "0.01"),)),
    ),
    Part(
        "waiting",
        "a third of the accesses wait for the DRAM, three times as long; without it all wait alike",
        Variant(settings=(("memory.hbm_waiting_share", "1"),)),
    ),
    Part(
        "in flight",
        "the limit of bytes that a compute unit may have in flight",
        Variant(settings=(("memory.tail_bytes", "1048576"), ("memory.tail_entries", "16384"))),
    ),
)
"""Parts of the model of memory."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A number that was fitted to measured traces: its key of the machine file, the values to choose from,
    what it is, and the architectures whose traces it concerns."""

    key: str
    values: tuple[str, ...]
    about: str
    archs: tuple[str, ...]


FITTED: tuple[Fitted, ...] = (
    Fitted(
        "memory.hbm_row_ns",
        ("32", "35", "38", "40.6", "44", "48", "52"),
        "the time for which a row that was opened occupies half a channel of the DRAM",
        ("gfx942",),
    ),
    Fitted(
        "memory.hbm_waiting_share",
        ("0.2", "0.25", "0.333", "0.5", "1"),
        "the share of accesses to fresh lines that wait for the DRAM (found in returns, not in loop times)",
        ("gfx942",),
    ),
    Fitted(
        "fetch.miss_clk",
        ("0", "150", "225", "300", "400", "600"),
        "what code that nobody has executed costs at a page that is not fetched ahead (found in stalls of "
        "the first instructions)",
        ("gfx942",),
    ),
    Fitted(
        "fetch.prefetch_bytes",
        ("256", "512", "1024", "2048", "4096"),
        "how far code is fetched ahead (found in the same stalls, between 424 and 2948)",
        ("gfx942",),
    ),
)
"""All numbers of the prediction that were fitted to times of the traces here."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """One trace. ``clk`` by variant, predicted; ``interval`` is half of the one around it, a fraction;
    ``replayed`` is the error of the replay, which is told every latency; ``failure`` says why there is
    none."""

    folder: str
    arch: str = ""
    machine: str = ""
    with_launch: bool = False
    has_loop: bool = True
    measured_clk: float = 0.0
    clk: Mapping[Variant, float] | None = None
    interval: float | None = None
    replayed: float | None = None
    failure: str = ""

    @property
    def as_predicted(self) -> Variant:
        """What this trace is predicted with."""
        return AS_PREDICTED if self.with_launch else WITHOUT_LAUNCH

    def error(self, variant: Variant | None = None) -> float | None:
        """Predicted over measured less one; ``None``: not predicted with this variant."""
        clk = (self.clk or {}).get(variant or self.as_predicted)
        return None if clk is None or not self.measured_clk else clk / self.measured_clk - 1

    def holds(self, error: float | None, share: float = 1.0) -> bool:
        """Whether the interval, or this share of it, has the measured clocks if the prediction's error is
        ``error``."""
        return error is not None and self.interval is not None and abs(error) <= share * self.interval


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A fitted number: the value that fits all traces best, and by trace what the others choose for it and
    the error with that. ``fitted_error`` is the mean |error| with the value that fits all."""

    fitted: Fitted
    best: str
    fitted_error: float
    chosen: Mapping[str, str]
    errors: Mapping[str, float]

    @property
    def mean_error(self) -> float:
        """Mean |error| of the traces, each predicted with what the others choose."""
        return fmean(map(abs, self.errors.values())) if self.errors else 0.0


def leave_one_out(fitted: Fitted, errors: Mapping[str, Mapping[str, float]]) -> LeftOut:
    """What of ``errors`` (by value, then by trace) is left where each trace's value is chosen by the others.

    The value with the least mean |error| is chosen; the first of equals.
    """
    traces = list(next(iter(errors.values()), {}))

    def best(among: Sequence[str]) -> str:
        return min(errors, key=lambda value: fmean([abs(errors[value][each]) for each in among]))

    chosen = {each: best([other for other in traces if other != each]) for each in traces if len(traces) > 1}
    overall = best(traces)
    return LeftOut(
        fitted,
        overall,
        fmean([abs(errors[overall][each]) for each in traces]),
        chosen,
        {each: errors[value][each] for each, value in chosen.items()},
    )


@dataclass(frozen=True)
class Study:
    """All of it. ``left_out`` has the fitted numbers that two traces or more concern."""

    rows: tuple[Predicted, ...]
    left_out: tuple[LeftOut, ...]

    def largest_left_out(self, arch: str) -> float | None:
        """Largest |error| of an architecture's traces with a launch, each left out of the fit of each number
        in turn; ``None``: there is no fit."""
        mine = {row.folder for row in self.with_launch() if row.arch == arch}
        found = [abs(error) for each in self.left_out for name, error in each.errors.items() if name in mine]
        return max(found, default=None)

    def held(self, share: float = 1.0) -> int:
        """Of the traces with a launch, those whose measured clocks the interval has, or this share of it."""
        return sum(row.holds(row.error(), share) for row in self.with_launch())

    def held_left_out(self, left_out: LeftOut) -> int:
        """The same of the traces that a number concerns, each predicted with what the others choose."""
        return sum(row.holds(left_out.errors.get(row.folder)) for row in self.with_launch())

    def with_launch(self) -> list[Predicted]:
        """The traces that were predicted from a launch."""
        return [row for row in self.rows if row.with_launch and not row.failure]

    def errors(self, variant: Variant | None = None) -> list[float]:
        """Of the traces with a launch that were predicted with a variant."""
        return [error for row in self.with_launch() if (error := row.error(variant)) is not None]

    def mean(self, variant: Variant | None = None) -> float:
        """Mean |error| of those; 0 without any."""
        found = self.errors(variant)
        return fmean(map(abs, found)) if found else 0.0

    def median(self, variant: Variant | None = None) -> float:
        """Median |error| of those; 0 without any."""
        found = self.errors(variant)
        return median(map(abs, found)) if found else 0.0


def _variants(arch: str) -> list[Variant]:
    """What a trace with a launch is predicted with, the prediction itself first."""
    numbers = (number for number in FITTED if arch in number.archs)
    values = [with_value(number, value) for number in numbers for value in number.values]
    return list(dict.fromkeys([AS_PREDICTED, *(part.without for part in PARTS), *values]))


def with_value(number: Fitted, value: str) -> Variant:
    """The prediction with another value of a fitted number."""
    return Variant(settings=((number.key, value),))


def predict_folder(folder: Path, machine: str | None, launch: str | None) -> Predicted:
    """One trace, with all settings that the study asks for."""
    try:
        arch, _ = find_arch(read_folder(folder).code, folder)
        arch = arch_of(machine) if machine is not None else arch
        name = machine or arch
        found = predict(folder, PredictOptions(launch, name, memory="cold"))
        first = AS_PREDICTED if launch is not None else WITHOUT_LAUNCH
        clk = {first: found.clk[0]}
        for each in _variants(arch) if launch is not None else ():
            if each != first:
                values = {**found.run.kernel.launch.machine_overrides, **dict(each.settings)}
                clk[each] = again(found, load_machine(name, values), memory=each.memory)
    except UserError as error:
        return Predicted(
            folder.name, with_launch=launch is not None, failure=error.message.removeprefix(f"{folder}: ")
        )
    return Predicted(
        folder.name,
        arch,
        name,
        launch is not None,
        found.has_loop,
        found.clk[1],
        clk,
        found.run.memory.prediction.interval if found.run.memory is not None else None,
        _replayed(folder, name),
    )


def _replayed(folder: Path, name: str) -> float:
    """The error of the same figure with every latency taken from the trace."""
    imported = import_trace(folder, name)
    loaded = load_machine(imported.machine)
    conflicts = [find_conflicts(unit.trace, loaded) for unit in imported.units]
    return replay(imported, loaded, memory_mode("measured"), conflicts=conflicts)[0].error


def study(
    folder: Path,
    launches: Path,
    machines: Sequence[str] = (),
    *,
    processes: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> Study:
    """Predict all traces of a folder.

    Args:
        folder: of trace folders.
        launches: folder of their launch files, ``NAME.launch.yaml``.
        machines: devices of the traces: one for each architecture, or ``PATTERN=NAME`` for the folders whose
            names fit the pattern.
        processes: at most so many; default: one per core.
        progress: told what is done.

    Raises:
        UserError: no traces, or an unknown device.
    """
    named_machines = [_machine_for(each) for each in machines]
    calls = {}
    for each in trace_folders(folder):
        launch = launches / f"{each.name}.launch.yaml"
        fitting = [name for pattern, name in named_machines if pattern and fnmatchcase(each.name, pattern)]
        if not fitting:
            arch, _ = find_arch(read_folder(each).code, each)
            fitting = [name for pattern, name in named_machines if not pattern and arch_of(name) == arch]
        machine = fitting[-1] if fitting else None
        calls[each] = (each, machine, str(launch) if os.path.isfile(launch) else None)
    found = in_processes(predict_folder, calls, processes, progress)
    rows = tuple(found[each] for each in calls)
    return Study(rows, tuple(_left_out(rows)))


def _machine_for(text: str) -> tuple[str, str]:
    """Pattern of folder names, none for all of its architecture, and the device."""
    pattern, _, name = text.rpartition("=")
    return pattern, named(name)


def _left_out(rows: Sequence[Predicted]) -> list[LeftOut]:
    found = []
    for number in FITTED:
        mine = [row for row in rows if row.with_launch and row.arch in number.archs and not row.failure]
        if len(mine) < 2:
            continue
        errors = {
            value: {row.folder: row.error(with_value(number, value)) or 0.0 for row in mine}
            for value in number.values
        }
        found.append(leave_one_out(number, errors))
    return found
