"""Replays every thread trace in a folder, in parallel processes, and collects the errors."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from types import MappingProxyType

from wavesim.analyze.replay import memory_mode, replay
from wavesim.att.importer import import_trace
from wavesim.att.lds_addresses import find_conflicts
from wavesim.errors import SourceSpan, UserError
from wavesim.isa.load import load_machine
from wavesim.yaml_source import load_yaml

MODES = ("measured", "shifted:1", "model")


@dataclass(frozen=True, slots=True)
class ValidationRow:
    """One compute unit of one trace. Errors are signed fractions, by memory mode: of clk/iteration, or of
    the whole span where ``has_loop`` is false. ``failure`` says why a folder could not be replayed."""

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


def trace_folders(folder: Path) -> list[Path]:
    """Trace folders in ``folder``, by name; the folder itself if it is one.

    Raises:
        UserError: there is none.
    """
    if (folder / "filenames.json").is_file():
        return [folder]
    if not folder.is_dir():
        raise UserError("no such folder", SourceSpan(str(folder)))
    found = sorted(path.parent for path in folder.glob("*/filenames.json"))
    if not found:
        raise UserError(
            "holds no thread trace",
            SourceSpan(str(folder)),
            "a trace is a folder with filenames.json (rocprofv3 UI)",
        )
    return found


def validate_folder(
    folder: Path, machine: str | None = None, footprint_bytes: int = 0
) -> list[ValidationRow]:
    """Every compute unit of one trace, in all memory modes; a folder that cannot be read is one row.

    Args:
        folder: the trace.
        machine: a machine file; None: the stock one.
        footprint_bytes: of the kernel's operands, for the modelled latencies; 0: not known.
    """
    modes = [memory_mode(mode) for mode in MODES]
    modes[-1] = replace(modes[-1], footprint_bytes=footprint_bytes)
    try:
        loaded = load_machine(machine) if machine else None
        imported = import_trace(folder, loaded.arch if loaded else "auto", machine)
        loaded = loaded or load_machine(imported.arch)
        conflicts = [find_conflicts(unit.trace, loaded) for unit in imported.units]
        results = [replay(imported, loaded, mode, conflicts=conflicts) for mode in modes]
    except UserError as error:
        return [ValidationRow(folder.name, failure=error.message)]
    rows = []
    for number, result in enumerate(results[0]):
        loop = result.error_clk_per_iteration is not None
        real, model = result.measured, result.simulated
        rows.append(
            ValidationRow(
                folder=folder.name if len(results[0]) == 1 else f"{folder.name} {result.unit}",
                arch=result.arch,
                has_loop=loop,
                measured_clk=real.clk_per_iteration or 0.0 if loop else float(real.span_clk),
                simulated_clk=model.clk_per_iteration or 0.0 if loop else float(model.span_clk),
                mfma_busy_measured=real.mfma_busy,
                mfma_busy_simulated=model.mfma_busy,
                errors=tuple(mode[number].error for mode in results),
                instructions=result.instructions,
            )
        )
    return rows


def validate(
    folder: Path,
    machine: str | None = None,
    *,
    footprints: Mapping[str, int] = MappingProxyType({}),
    processes: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> list[ValidationRow]:
    """All traces of a folder, in the order of their names; ``footprints``: bytes of operands, by folder name.

    Raises:
        UserError: the folder holds no trace.
    """
    folders = trace_folders(folder)
    rows: list[ValidationRow] = []
    with ProcessPoolExecutor(processes or os.cpu_count() or 1) as pool:
        for part in _in_order(pool, folders, machine, footprints):
            rows += part
            if progress is not None:
                progress(part[0].folder)
    return rows


def _in_order(
    pool: ProcessPoolExecutor, folders: Sequence[Path], machine: str | None, footprints: Mapping[str, int]
) -> Iterator[list[ValidationRow]]:
    sizes = [footprints.get(folder.name, 0) for folder in folders]
    yield from pool.map(validate_folder, folders, [machine] * len(folders), sizes)


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


def mean_error(rows: Sequence[ValidationRow], mode: int) -> float:
    """Mean |error| over the rows that could be replayed; 0 without any."""
    errors = [abs(row.errors[mode]) for row in rows if row.errors]
    return sum(errors) / len(errors) if errors else 0.0


def median_error(rows: Sequence[ValidationRow], mode: int) -> float:
    """Median |error| over the rows that could be replayed; 0 without any."""
    errors = [abs(row.errors[mode]) for row in rows if row.errors]
    return median(errors) if errors else 0.0
