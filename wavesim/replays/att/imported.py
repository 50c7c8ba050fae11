"""An imported thread trace: what was executed and measured, by compute unit."""

from __future__ import annotations

from dataclasses import dataclass

from wavesim.isa.clock import Clock
from wavesim.program import Program
from wavesim.replays.att.folder import RawWave, TraceFolder
from wavesim.replays.att.occupancy import LeftOut
from wavesim.trace import Timeline, Trace


@dataclass(frozen=True)
class ImportedUnit:
    """One compute unit of a trace. ``waves`` are the raw waves in the order of ``trace.waves``;
    ``origin_clk`` is the clock of the file that became 0; ``left_out`` the waves that the trace lacks."""

    shader_engine: int
    compute_unit: int
    trace: Trace
    timeline: Timeline
    waves: tuple[RawWave, ...]
    origin_clk: int
    left_out: LeftOut | None = None

    @property
    def name(self) -> str:
        """``se0 cu1``."""
        return f"se{self.shader_engine} cu{self.compute_unit}"


@dataclass(frozen=True)
class ImportedTrace:
    """A thread-trace folder. ``units`` are its compute units, each to be simulated on its own; ``machine`` is
    what they are to be simulated with: an architecture, a device or a machine file; ``clock`` the shader
    clock that the trace itself shows, if it does."""

    folder: TraceFolder
    arch: str
    kernel: str
    program: Program
    units: tuple[ImportedUnit, ...]
    notes: tuple[str, ...]
    machine: str
    clock: Clock | None = None
