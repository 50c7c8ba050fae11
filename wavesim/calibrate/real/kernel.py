"""The real kernel: run with stamps on a device, checked against numpy, and held against the simulation."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from wavesim.analyze.analysis import analyze
from wavesim.analyze.result import Analysis
from wavesim.asm.printer import print_program
from wavesim.asm.tools import link
from wavesim.calibrate.bench.stamps import ARGUMENT, WAVE_BYTES, Stamped, WaveStamps, read_stamps, stamp
from wavesim.calibrate.device.arguments import placed
from wavesim.calibrate.device.base import Buffer, Device, DeviceError, Problem
from wavesim.calibrate.device.virtual import CLOCK_MHZ, VirtualDevice
from wavesim.emulate.addresses import emulate_addresses
from wavesim.emulate.judge.numerics import Numerics, check_numerics
from wavesim.emulate.matrices import VirtualMatrix
from wavesim.emulate.run import Execution, emulate
from wavesim.errors import UserError
from wavesim.front.launch.model import Launch, LoadedKernel, MatrixArgument
from wavesim.isa.kinds import LANES
from wavesim.isa.machine import Machine
from wavesim.isa.memory_roles import LATENCY
from wavesim.pipeline.clocks import execute_and_time
from wavesim.timing import simulate
from wavesim.trace import Timeline

Progress = Callable[[str, float], None]

MOST_WORKGROUPS = 64
"""Stamps of so many workgroups are read; a grid may have thousands."""

TOLERANCE = 1e-5
"""Of max|C - ref| / max|ref| (docs: conventions of numerics)."""


@dataclass(frozen=True, slots=True)
class Passes:
    """Clocks per loop pass over all waves, passes and repeats."""

    median: float
    p10: float
    p90: float
    count: int


@dataclass(frozen=True)
class Simulated:
    """One machine's prediction for the stamped kernel, and what stamping costs in it."""

    machine: str
    passes: Passes
    analysis: Analysis
    stamping_clk: float

    def error(self, measured: Passes) -> float:
        """Simulated / measured - 1 of the median clocks per pass."""
        return self.passes.median / measured.median - 1


@dataclass(frozen=True)
class Comparison:
    """Measured against simulated. ``whole_run`` says why the passes of a loop are not what was measured: then
    ``measured`` and ``simulated`` are the clocks of waves from start to end."""

    kernel: str
    measured: Passes
    prologue_clk: float
    epilogue_clk: float
    max_rel_error: float | None
    simulated: tuple[Simulated, ...]
    whole_run: str = ""

    @property
    def right(self) -> bool:
        """Whether the device's numbers are right, as far as they were checked."""
        return self.max_rel_error is None or self.max_rel_error <= TOLERANCE

    def within(self, tolerance: float) -> bool:
        """Whether the last machine's error (the calibrated one's, if there is one) is at most ``tolerance``
        and the numbers are right."""
        return self.right and abs(self.simulated[-1].error(self.measured)) <= tolerance


def compare(
    device: Device,
    kernel: LoadedKernel,
    machines: list[tuple[str, Machine]],
    *,
    repeats: int = 5,
    progress: Progress | None = None,
) -> Comparison:
    """Stamp ``kernel``, run it on ``device``, and simulate the same stamped kernel.

    Args:
        device: where it runs.
        kernel: any kernel that wavesim can run; without a loop with a full LDS wait, the whole run is
            what is compared.
        machines: (name, machine) for the simulations, stock first.
        repeats: launches that count; one before them does not.

    Raises:
        UserError: no registers for the stamps, or wrong arguments.
        DeviceError: the device fails.
    """

    def tell(what: str, share: float) -> None:
        if progress is not None:
            progress(what, share)

    tell("simulate", 0.0)
    stock = machines[0][1]
    stamped, whole_run = stamped_kernel(kernel, stock)
    simulated = tuple(_simulate(kernel, stamped, name, machine) for name, machine in machines)
    tell("run", 0.5)
    waves, relative_error = _run(device, kernel, stamped, repeats, stock)
    first = [each.passes_clk[0] for each in waves if each.passes_clk and each.passes <= LANES]
    last = [each.end_clk - each.loop_end_clk for each in waves if each.passes_clk]
    return Comparison(
        kernel.name,
        _passes(_intervals(waves)),
        statistics.median(first) if first else float("nan"),
        statistics.median(last) if last else float("nan"),
        relative_error,
        simulated,
        whole_run,
    )


def _intervals(waves: Sequence[WaveStamps]) -> list[int]:
    """Clocks of all passes; where none are stamped, of all waves."""
    passes = [clk for each in waves for clk in each.intervals_clk]
    return passes or [each.end_clk for each in waves]


def stamped_kernel(kernel: LoadedKernel, machine: Machine) -> tuple[Stamped, str]:
    """The kernel with stamps around its outermost loop, or around its whole run, and why so.

    Raises:
        UserError: a deadlock, no free registers, or no kernarg pointer to store stamps through.
    """
    analysis = _plain(kernel, machine)
    if not analysis.complete:
        raise UserError(
            f"{kernel.file}: the kernel never comes to its end", None, "wavesim check says where it waits"
        )
    loop = analysis.loop
    if loop is None:
        return stamp(kernel.program, kernel.launch, None), "the kernel has no loop"
    try:
        return stamp(kernel.program, kernel.launch, (loop.head, loop.tail)), ""
    except UserError as error:
        return stamp(kernel.program, kernel.launch, None), error.message


def _passes(intervals: list[int]) -> Passes:
    if not intervals:
        raise UserError("the stamped loop ran fewer than two passes: nothing to measure")
    low, middle, high = np.percentile(np.array(intervals, np.float64), (10, 50, 90))
    return Passes(float(middle), float(low), float(high), len(intervals))


def _plain(kernel: LoadedKernel, machine: Machine) -> Analysis:
    execution = emulate_addresses(kernel.program, kernel.launch, machine)
    return analyze(simulate(execution.trace, machine.parameters), machine, kernel.launch)


@dataclass(frozen=True)
class _Executed:
    execution: Execution


def _simulate(kernel: LoadedKernel, stamped: Stamped, name: str, machine: Machine) -> Simulated:
    def timed(done: _Executed) -> Timeline:
        return simulate(done.execution.trace, machine.parameters)

    clocked = execute_and_time(
        lambda values: _Executed(emulate(stamped.program, stamped.launch, machine, clock_values=values)),
        timed,
        CLOCK_MHZ,
    )
    execution = clocked.executed.execution
    waves = len(clocked.timeline.waves)
    rows = execution.matrix(ARGUMENT, (0, 0, waves, WAVE_BYTES // 4)).astype(np.uint32)
    stamps = read_stamps(rows.tobytes(), waves)
    passes = _passes(_intervals(stamps))
    analysis = analyze(clocked.timeline, machine, stamped.launch)
    plain = _plain(kernel, machine)
    if plain.loop is not None and stamps[0].intervals_clk:
        cost = passes.median - plain.loop.median * plain.loop.unroll  # stamps are one a pass
    else:
        cost = float(analysis.clk_total - plain.clk_total)
    return Simulated(name, passes, analysis, cost)


def _run(
    device: Device, kernel: LoadedKernel, stamped: Stamped, repeats: int, machine: Machine
) -> tuple[list[WaveStamps], float | None]:
    """Stamps of all repeats, and the largest relative error of the tile of the first workgroup."""
    launch = stamped.launch
    if isinstance(device, VirtualDevice):
        device.use_levels(False)
        stated = launch.machine_overrides.get(LATENCY)
        if stated is not None:
            device.use_load(stated)
        loaded = device.load_program(stamped.program)
    else:
        loaded = device.load(link(print_program(stamped.program), machine.arch), stamped.program.name)
    with placed(device, stamped.program, launch) as (buffers, arguments):
        found: list[WaveStamps] = []
        stamps = buffers[ARGUMENT]
        for number in range(repeats + 1):
            device.write(stamps, bytes(stamps.size_bytes))  # what is read later was stored by this launch
            device.launch(loaded, launch.grid, launch.workgroup_shape, arguments)
            if number:
                found += _sampled(device.read(stamps), stamped)
        if not found:
            raise DeviceError(
                Problem.NO_DATA, f"{kernel.name}: the device ran the kernel and no wave stored a clock"
            )
        numerics = _check(device, kernel, launch, buffers, machine)
    return found, numerics.max_rel_error if numerics is not None and numerics.checked else None


def _sampled(data: bytes, stamped: Stamped) -> list[WaveStamps]:
    """The stamps of the waves of at most ``MOST_WORKGROUPS`` workgroups, spread over the grid."""
    per_group = -(-stamped.launch.workgroup_size // LANES)
    groups = stamped.waves // per_group
    size = per_group * WAVE_BYTES
    chosen = np.unique(np.linspace(0, groups - 1, min(groups, MOST_WORKGROUPS)).astype(np.int64)).tolist()
    return [
        wave for group in chosen for wave in read_stamps(data[group * size : (group + 1) * size], per_group)
    ]


def _check(
    device: Device, kernel: LoadedKernel, launch: Launch, buffers: dict[str, Buffer], machine: Machine
) -> Numerics | None:
    """The result tile of the first workgroup against numpy in float64."""
    expect = launch.expect
    if expect is None or expect.only_stored:  # a device does not say what it stored
        return None
    argument = launch.matrix(expect.result)
    buffer, matrix = buffers[expect.result], VirtualMatrix(argument, machine.arch)
    if buffer.size_bytes < matrix.size:
        return None
    rows = max((row + rows for row, _, rows, _ in expect.tiles.values()), default=0)
    content = device.read(buffer, rows * matrix.row_places * matrix.place_bytes)
    return check_numerics(_Result(kernel, launch, machine, content), launch)  # type: ignore[arg-type]


class _Result:
    """What ``check_numerics`` asks of an execution, with a result that a device computed."""

    def __init__(self, kernel: LoadedKernel, launch: Launch, machine: Machine, content: bytes) -> None:
        self.launch = launch
        self.complete = self.has_numbers = True
        self.matrices: dict[str, VirtualMatrix] = {}
        for argument in launch.arguments:
            if isinstance(argument, MatrixArgument):
                given = argument
                if launch.expect is not None and argument.name == launch.expect.result:
                    given = replace(argument, init="given", content=content)
                self.matrices[argument.name] = VirtualMatrix(given, machine.arch)

    def matrix(self, name: str, region: tuple[int, int, int, int] | None = None) -> object:
        """As Execution.matrix."""
        matrix = self.matrices[name]
        return matrix.region(*(region or matrix.touched_box()))
