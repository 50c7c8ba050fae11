"""What the timing model was validated on: measured traces, how far each was off, and what ran in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from wavesim.isa.csv_rows import complete_rows
from wavesim.isa.paths import data_dir

FILE = "validated.csv"
COLUMNS = ("trace", "arch", "error", "classes")


@dataclass(frozen=True, slots=True)
class ValidatedTrace:
    """A measured trace that was replayed with its own memory latencies. ``error`` is the signed error of
    clk/iteration (of the span without a loop); ``classes`` are the classes of instructions that it executed
    (:func:`wavesim.trace.timing_class.timing_class`)."""

    name: str
    arch: str
    error: float
    classes: frozenset[str]


@cache
def validated_traces() -> Mapping[str, tuple[ValidatedTrace, ...]]:
    """The traces by architecture (isa/validated.csv, which ``python -m benchmarks.validated`` makes).

    Raises:
        UserError: a row is not complete.
    """
    path = data_dir("isa") / FILE
    found: dict[str, list[ValidatedTrace]] = {}
    for row in complete_rows(path, COLUMNS):
        trace = ValidatedTrace(
            row["trace"], row["arch"], float(row["error"]), frozenset(row["classes"].split(";"))
        )
        found.setdefault(trace.arch, []).append(trace)
    return MappingProxyType({arch: tuple(traces) for arch, traces in found.items()})
