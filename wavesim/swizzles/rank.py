"""Layouts ranked by the clocks of a pass in the model of port and array, and the winner proven.

One generated kernel is executed, in the plain layout. For another layout only the clocks of the bank array
differ. They follow from the lanes' addresses (:mod:`wavesim.isa.banks`, as in the emulator), and with them
the timing engine gives the clocks of a pass. The proof executes the winner's own kernel.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from wavesim.analyze.loop_figures import main_loop_clk
from wavesim.checks.run import check_kernel
from wavesim.errors import UserError
from wavesim.isa.archs import DEFAULT_ARCH
from wavesim.isa.banks import array_clk_batch
from wavesim.isa.kinds import LDS_KINDS
from wavesim.isa.load import load_machine
from wavesim.isa.machine import Machine
from wavesim.isa.memory_roles import LATENCY
from wavesim.pipeline.run import Run, RunOptions, prepare, run_kernel, split_settings
from wavesim.swizzles.access import Access, Tile
from wavesim.swizzles.kernel import kernel_text, launch_text
from wavesim.swizzles.layouts import Layout, layouts
from wavesim.timing import simulate
from wavesim.timing.compiled import available
from wavesim.trace import Timeline, Trace

LATENCY_CLK = "500"
"""Of the loads before the loop; no pass depends on it."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A layout: clocks of a pass of all waves; array clocks of a mean read and write; LDS that it takes."""

    layout: Layout
    clk: float
    read_clk: float
    write_clk: float
    lds_bytes: int


@dataclass(frozen=True)
class Proof:
    """The winner's kernel, executed: its run, timed by ``engines``, and clocks of a pass."""

    run: Run
    clk: float
    engines: str
    clean: bool

    @property
    def holds(self) -> bool:
        """Whether its numbers are right and check finds nothing."""
        return self.run.numerics.checked and self.run.numerics.ok and self.clean


@dataclass(frozen=True)
class Ranking:
    """Layouts, the best first; the clocks without any conflict; the proof, and what it is of."""

    tile: Tile
    machine: Machine
    ranked: tuple[Ranked, ...]
    ideal_read_clk: int
    ideal_write_clk: int
    proof: Proof

    @property
    def plain(self) -> Ranked:
        """The layout without padding and XOR."""
        return next(each for each in self.ranked if each.layout.max_phase == 1 and not each.layout.pad_bytes)


def rank(
    tile: Tile,
    arch: str | None,
    machine: str | None,
    settings: Mapping[str, str],
    tell: Callable[[str, float], None] = lambda stage, share: None,
) -> Ranking:
    """Ranks the layouts of a tile, and proves the best.

    Raises:
        UserError: unusable machine, or a tile that does not fit into its LDS.
    """
    options = RunOptions(arch=arch, machine=machine, settings={LATENCY: LATENCY_CLK, **settings})
    with tempfile.TemporaryDirectory(prefix="wavesim-") as name:
        folder = Path(name)
        tell("execute the plain layout", 0.0)
        plain = Layout(tile.row_bytes, tile.unit_bytes)
        base = executed(tile, plain, folder, options)
        chosen = base.machine
        candidates = list(layouts(tile, chosen.integer("lds.size_bytes")))
        accesses = tuple(tile.accesses())
        timed: dict[bytes, float] = {}
        found = []
        for number, layout in enumerate(candidates):
            tell(layout.name, number / len(candidates))
            clocks = array_clocks(layout, accesses, chosen)
            key = clocks.tobytes()
            if key not in timed:
                trace = with_array_clk(base.timeline.trace, clocks)
                timed[key] = pass_clk(simulate(trace, chosen.parameters))
            read, write = _means(accesses, clocks)
            found.append(Ranked(layout, timed[key], read, write, layout.size_bytes(tile.rows)))
        found.sort(key=lambda each: (each.clk, each.lds_bytes))
        tell("prove the best", 1.0)
        proof = prove(tile, found[0].layout, folder, options)
    read_phases = chosen.lane_phases("read", tile.read_bytes)
    write_phases = chosen.lane_phases("write", tile.write_bytes)
    return Ranking(
        tile,
        chosen,
        tuple(found),
        read_phases.conflict_free_clk(tile.read_bytes),
        write_phases.conflict_free_clk(tile.write_bytes),
        proof,
    )


def executed(tile: Tile, layout: Layout, folder: Path, options: RunOptions) -> Run:
    """The run of a layout's generated kernel.

    Raises:
        UserError: as :func:`written`.
    """
    return run_kernel(written(tile, layout, folder, options), options)


def written(tile: Tile, layout: Layout, folder: Path, options: RunOptions) -> Path:
    """A layout's generated kernel, with its launch beside it.

    Raises:
        UserError: unusable machine, or a tile that does not fit into its LDS.
    """
    asked = load_machine(options.machine or options.arch or DEFAULT_ARCH, split_settings(options.settings)[1])
    if layout.size_bytes(tile.rows) > asked.integer("lds.size_bytes"):
        raise UserError(
            f"the tile has {layout.size_bytes(tile.rows)} bytes",
            None,
            f"LDS of {asked.name} has {asked.integer('lds.size_bytes')}",
        )
    path = folder / "swizzle.s"
    path.write_text(kernel_text(tile, layout, asked.arch), encoding="utf-8")
    path.with_suffix(".launch.yaml").write_text(launch_text(tile), encoding="utf-8")
    return path


def prove(tile: Tile, layout: Layout, folder: Path, options: RunOptions) -> Proof:
    """Executes a layout's kernel, times it by every engine that there is and checks it."""
    engine = "simpy" if available() else "both"
    path = written(tile, layout, folder, options)
    prepared = prepare(path, options)
    run = run_kernel(path, replace(options, engine=engine), prepared=prepared)
    result = check_kernel(*prepared, execute=True)
    clean = not any(each.is_bad and each.rule != "bank-conflict" for each in result.findings)
    return Proof(run, pass_clk(run.timeline), engine, clean)


def pass_clk(timeline: Timeline) -> float:
    """Clocks of the compute unit in a pass, in the loop's steady part."""
    clk = main_loop_clk(timeline)
    assert clk is not None
    return clk


def array_clocks(layout: Layout, accesses: tuple[Access, ...], machine: Machine) -> np.ndarray:
    """Clocks of the bank array, int32 [accesses, waves]."""
    return np.array(
        [
            array_clk_batch(
                machine.lane_phases(each.kind, each.width_bytes),
                layout.address(each.row, each.column),
                each.width_bytes,
            )
            for each in accesses
        ],
        np.int32,
    )


def with_array_clk(trace: Trace, clocks: np.ndarray) -> Trace:
    """The streams with other array clocks: those of the n-th access of a pass at the n-th LDS instruction."""
    places = [index for index, entry in enumerate(trace.code) if entry.kind in LDS_KINDS]
    number = np.full(len(trace.code), -1)
    number[places] = np.arange(len(places))
    waves = []
    for position, wave in enumerate(trace.waves):
        which = number[wave.code]
        array_clk = np.where(which >= 0, clocks[which, position], wave.array_clk).astype(np.int32)
        waves.append(replace(wave, array_clk=array_clk))
    return replace(trace, waves=tuple(waves))


def _means(accesses: tuple[Access, ...], clocks: np.ndarray) -> tuple[float, float]:
    reads = np.array([each.kind == "read" for each in accesses])
    return float(clocks[reads].mean()), float(clocks[~reads].mean())
