"""The Python API: run, check, explain, compare, sweep and replay as functions with typed results.

``import wavesim`` makes them available without importing anything heavy; the results show themselves in a
notebook (text, and the timeline as inline SVG) and give their figures as NumPy structured arrays.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from wavesim.explanation.explanation import explain_kernel
from wavesim.explanation.glance import at_a_glance
from wavesim.explanation.reproduce import what_if_options
from wavesim.front.launch.file import LaunchOptions
from wavesim.front.region import RegionOptions
from wavesim.isa.archs import DEFAULT_ARCH
from wavesim.isa.paths import kernel_path
from wavesim.pipeline.programs import launch_skeleton as skeleton_of
from wavesim.pipeline.programs import read_program
from wavesim.pipeline.run import RunOptions, run_kernel
from wavesim.python_kernels.kernel import Grid, PythonKernel
from wavesim.report.results import (
    CheckReport,
    Comparison,
    ExplainResult,
    FileCheck,
    LoopsReport,
    RunResult,
    TimelineView,
    TuneResult,
)
from wavesim.report.tables import Table
from wavesim.sweeps.run import SweepProgress
from wavesim.sweeps.table import SweepTable
from wavesim.tuning.state import State as TuneState

if TYPE_CHECKING:
    from wavesim.sweeps.check_files import Ask

PathLike = str | os.PathLike[str]


def _options(
    arch: str | None, machine: PathLike | None, settings: Mapping[str, object] | None, **others: Any
) -> RunOptions:
    text = {name: str(value) for name, value in (settings or {}).items()}
    return RunOptions(
        arch=arch, machine=None if machine is None else os.fspath(machine), settings=text, **others
    )


def run(
    kernel: PathLike,
    *,
    arch: str | None = None,
    machine: PathLike | None = None,
    settings: Mapping[str, object] | None = None,
    engine: str = "auto",
    clock: float | str = "sustained",
    launch: LaunchOptions | None = None,
    allow_unknown: bool = False,
    region: RegionOptions | None = None,
    workgroups: int | None = None,
    what_if: str | None = None,
) -> RunResult:
    """Execute a kernel, time it clock by clock and analyse how its waves overlap.

    Args:
        kernel: Kernel file: a tile program (.yaml) or assembly (.s).
        arch: Architecture or device (``"MI325X"``); default: the kernel's, else gfx942.
        machine: Machine file instead of the stock one.
        settings: ``{"K": 512, "memory.latency_clk": 800}``: as ``--set``.
        engine: ``"auto"``, ``"compiled"``, ``"simpy"``, or ``"both"``, which compares.
        clock: For TFLOP/s: GHz, or the device's ``"sustained"`` one or that of one short ``"launch"``.
        launch: How an assembly kernel is launched.
        allow_unknown: Go on past instructions without data; ``result.run.unknowns`` says what rests on them.
        region: Only the code from one label up to another, without launch and data.
        workgroups: How many share the compute unit; default: as many as fit and the launch has for each.
        what_if: A row of explain's ladder, such as ``"no_barrier"``: time it as if that were so.

    Raises:
        UserError: unusable kernel, machine or setting; no such what-if.
    """
    options = _options(
        arch,
        machine,
        settings,
        engine=engine,
        clock=clock,
        launch=launch or LaunchOptions(),
        allow_unknown=allow_unknown,
        region=region,
        workgroups=workgroups,
    )
    if what_if is not None:
        options = what_if_options(kernel_path(kernel), options, what_if)
    return RunResult(at_a_glance(run_kernel(kernel_path(kernel), options)))


def explain(
    kernel: PathLike,
    *,
    arch: str | None = None,
    machine: PathLike | None = None,
    settings: Mapping[str, object] | None = None,
    launch: LaunchOptions | None = None,
    allow_unknown: bool = False,
    region: RegionOptions | None = None,
    processes: int | None = None,
) -> ExplainResult:
    """Why a kernel takes its clocks: critical path, what-ifs, exposed latencies, advice that was tried.

    All but ``processes`` is as for :func:`run`.

    Args:
        processes: Of the what-ifs; default: the cores for long runs, else 1.

    Raises:
        UserError: unusable kernel, or one whose waves do not finish.
    """
    options = _options(
        arch,
        machine,
        settings,
        launch=launch or LaunchOptions(),
        allow_unknown=allow_unknown,
        region=region,
    )
    return ExplainResult(explain_kernel(kernel_path(kernel), options, processes=processes))


def check(
    kernel: PathLike,
    *,
    arch: str | None = None,
    machine: PathLike | None = None,
    settings: Mapping[str, object] | None = None,
    launch: LaunchOptions | None = None,
) -> CheckReport:
    """Find missing waits, races, hazards, deadlocks and wrong results; arguments as for :func:`run`.

    Raises:
        UserError: unusable kernel, machine or setting.
    """
    from wavesim.sweeps.check_files import check_file

    options = _options(arch, machine, settings, launch=launch or LaunchOptions())
    found = check_file(kernel_path(kernel), _asked(options))
    assert found.data is not None
    return CheckReport(found.findings, found.data["verdict"], found.text)


def _asked(options: RunOptions, corners: bool = True) -> Ask:
    from wavesim.report.text.findings import SHOWN_GROUPS
    from wavesim.sweeps.check_files import Ask

    return Ask(options, corners, strict=False, most=SHOWN_GROUPS, rules=(), baseline=None)


def check_files(
    *kernels: PathLike,
    arch: str | None = None,
    machine: PathLike | None = None,
    settings: Mapping[str, object] | None = None,
    launch: LaunchOptions | None = None,
    corners: bool = True,
) -> tuple[FileCheck, ...]:
    """Check several kernels, as many at a time as there are cores; other arguments as for :func:`run`.

    A kernel that cannot be used does not keep the others from being checked: its ``error`` says why.

    Args:
        kernels: Files, or patterns such as ``"kernels/**/*.s"``, which name kernels only.
        corners: Execute the workgroups at the corners of the grid, too.

    Raises:
        UserError: A pattern that finds nothing.
    """
    from wavesim.sweeps.check_files import check_files as check_all
    from wavesim.sweeps.check_files import kernel_files

    options = _options(arch, machine, settings, launch=launch or LaunchOptions())
    ask = _asked(options, corners)
    return tuple(
        FileCheck(each.file, None, each.error)
        if each.data is None
        else FileCheck(each.file, CheckReport(each.findings, each.data["verdict"], each.text))
        for each in check_all(kernel_files([kernel_path(kernel) for kernel in kernels]), ask)
    )


def loops(
    kernel: PathLike,
    *,
    arch: str | None = None,
    settings: Mapping[str, object] | None = None,
    launch: LaunchOptions | None = None,
) -> LoopsReport:
    """The loops of a kernel, from the code alone; of ``launch`` the kernel's name and the compiler's flags
    count.

    Raises:
        UserError: a file that cannot be read, or several kernels in it and none named.
    """
    from wavesim.front.loops import code_loops

    asked, values = launch or LaunchOptions(), {name: str(value) for name, value in (settings or {}).items()}
    flags = asked.compile_flags
    program, _ = read_program(kernel_path(kernel), arch, asked.kernel, flags, values, allow_unknown=True)
    return LoopsReport(program, code_loops(program))


def launch_skeleton(kernel: PathLike, *, arch: str | None = None, launch: LaunchOptions | None = None) -> str:
    """The text of a launch file for a kernel (HIP, assembly, a code object), in which what is not known is
    ``FILL_IN``; of ``launch`` the kernel's name and the compiler's flags count.

    Raises:
        UserError: a file that cannot be read, a tile program, or several kernels and none named.
    """
    asked = launch or LaunchOptions()
    return skeleton_of(kernel_path(kernel), arch, asked.kernel, asked.compile_flags)


def compare(
    *kernels: PathLike,
    arch: str | None = None,
    machine: PathLike | None = None,
    settings: Mapping[str, object] | None = None,
) -> Comparison:
    """Run several kernels with the same settings; differences are to the first.

    Raises:
        UserError: unusable kernel, machine or setting.
    """
    return Comparison(tuple(run(kernel, arch=arch, machine=machine, settings=settings) for kernel in kernels))


def sweep(
    spec: PathLike | Mapping[str, object],
    output: PathLike | None = None,
    *,
    html: PathLike | None = None,
    scheduler: str | None = None,
    processes: int | None = None,
    resume: bool = False,
    progress: Callable[[SweepProgress], None] | None = None,
) -> SweepTable:
    """Run kernels, constants, machines and settings, each with each, as one table.

    Args:
        spec: The sweep's file, or the same keys as a mapping (docs/sweep.md).
        output: Where to write the table, .csv or .parquet; a sweep that is stopped can go on from there.
        html: Where to write the page.
        scheduler: Address of a Dask scheduler whose workers run it; default: processes of this machine.
        processes: How many; default: the cores.
        resume: Take the results of the stopped sweep with this output.
        progress: Is called after every result.

    Raises:
        UserError: unusable spec or output, no scheduler. What is wrong with one run stands in its row.
    """
    from wavesim.report.files import write_atomically
    from wavesim.sweeps.page import page_parts, refuse_rows
    from wavesim.sweeps.run import run_sweep
    from wavesim.sweeps.spec import read_spec

    wanted = read_spec(spec)
    if html is not None:
        refuse_rows(wanted.count())
    table = run_sweep(
        wanted,
        Path(output) if output is not None else None,
        scheduler=scheduler,
        processes=processes,
        resume=resume,
        tell=progress or (lambda done: None),
    )
    if html is not None:
        write_atomically(Path(html), page_parts(table))
    return table


def tune(
    kernel: PathLike,
    *,
    arch: str | None = None,
    machine: PathLike | None = None,
    settings: Mapping[str, object] | None = None,
    launch: LaunchOptions | None = None,
    loop: str | None = None,
    changes: Collection[str] | None = None,
    minutes: float | None = None,
    candidates: int | None = None,
    seed: int = 1,
    scheduler: str | None = None,
    emit: Literal["sched-group-barrier"] | None = None,
    force: bool = False,
    progress: Callable[[TuneState], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> TuneResult:
    """Find a better schedule of a kernel's loop, and prove it; other arguments as for :func:`run`.

    Args:
        loop: Its label; default: the one with most instructions executed.
        changes: What may change, of ``waits``, ``order``, ``rotation``, ``priority``, ``stagger``,
            ``barriers``, ``rename`` and, in a tile program with a section ``tune``, ``parameters``; default:
            all.
        minutes: How long to search; default: 2, or no limit where ``candidates`` gives one.
        candidates: How many to try: the same seed and number give the same schedule.
        seed: Of the search.
        scheduler: Address of a Dask scheduler whose workers search.
        emit: Search a sequence of ``__builtin_amdgcn_sched_group_barrier``, too, as clang compiles it.
        force: Schedule a kernel that is wrong as it is, too.
        progress: Called now and then with how far the search is.
        stop: Asked between candidates; once it is true, the best so far is proven and kept.

    Raises:
        NotRight: The kernel is wrong as it is.
        UserError: Unusable kernel, machine or setting; no such loop, or nothing may change.
    """
    from wavesim.tuning.tune import MINUTES, TuneOptions
    from wavesim.tuning.whole import all_changes, tune_with_hints

    path, options = kernel_path(kernel), _options(arch, machine, settings, launch=launch or LaunchOptions())
    if minutes is None and candidates is None:
        minutes = MINUTES
    may = all_changes(path, options) if changes is None else frozenset(changes)
    wanted = TuneOptions(loop, may, minutes, candidates, seed, force, scheduler)
    tuned, hints = tune_with_hints(path, options, wanted, emit, progress, stop or (lambda: False))
    return TuneResult(tuned, path, options, hints)


def triton(
    kernel: Any,
    signature: Mapping[str, str] | None = None,
    constants: Mapping[str, Any] | None = None,
    grid: Grid = 1,
    args: Sequence[Any] | Mapping[str, Any] = (),
    *,
    arch: str = DEFAULT_ARCH,
    options: Mapping[str, Any] | None = None,
    expect: str | None = None,
    expected: Mapping[str, Any] | None = None,
    tile: Sequence[int] | None = None,
    position: Sequence[int] = (0, 0, 0),
    output: PathLike | None = None,
) -> PythonKernel:
    """Compile a Triton or Gluon kernel without a GPU, with its launch: what it gives goes into :func:`run`,
    :func:`check` and the others in place of a file.

    Args:
        kernel: A function under ``@triton.jit`` or ``@gluon.jit``.
        signature: Triton's types of arguments, where they are not those of ``args``: ``{"x_ptr": "*bf16"}``.
        constants: The values of its ``constexpr`` parameters.
        grid: Workgroups, as Triton takes them: numbers, or a function of the constants.
        args: The other arguments, in order or by name: arrays, numbers, or texts as launch files have them
            (``"bf16[128,512]:random"``).
        arch: Architecture or device.
        options: Triton's: ``{"num_warps": 4, "num_stages": 2}``.
        expect: The result as a formula of the arguments: ``"c_ptr = a_ptr @ b_ptr"``.
        expected: In its place, the array that an argument shall have: ``{"out_ptr": array}``.
        tile: Rows and columns of the result that a workgroup computes; default: what it stores is judged.
        position: Which workgroup of the grid is simulated.
        output: File for the assembly (``"matmul.s"``), with the launch file beside it; default: they are
            gone with the result.

    Raises:
        UserError: Triton is not installed or refuses the kernel; arguments that are not the kernel's.
    """
    from wavesim.isa.load import arch_of
    from wavesim.python_kernels.kernel import Wanted, grid_of, written
    from wavesim.python_kernels.triton import bind, compile_triton

    name = arch_of(arch)
    values, fixed = bind(kernel, constants or {}, args, signature or {}, name)
    sizes = grid_of(grid, fixed)
    compiled, kept = compile_triton(kernel, values, fixed, name, options or {})
    wanted = Wanted(expect, expected or {}, tile, position)
    return written(compiled, kept, sizes, wanted, output, name)


def flydsl(
    launcher: Any,
    args: Sequence[Any] | Mapping[str, Any] = (),
    *,
    arch: str = DEFAULT_ARCH,
    expect: str | None = None,
    expected: Mapping[str, Any] | None = None,
    tile: Sequence[int] | None = None,
    position: Sequence[int] = (0, 0, 0),
    output: PathLike | None = None,
) -> PythonKernel:
    """Compile the kernel that a FlyDSL launcher launches, without a GPU, with that launch.

    Args:
        launcher: A function under ``@flyc.jit``, or ``"FILE.py:NAME"``, of which only imports, functions and
            constants are carried out.
        args: Its arguments, in order or by name: arrays, numbers, or texts as launch files have them.
        arch: Architecture or device.

    The other arguments are those of :func:`triton`; the grid is the launcher's.

    Raises:
        UserError: FlyDSL is not installed or refuses the kernel; a launch that is computed in a way that is
            not read.
    """
    from wavesim.isa.load import arch_of
    from wavesim.python_kernels.flydsl import compile_flydsl, importable
    from wavesim.python_kernels.kernel import Wanted, written
    from wavesim.python_kernels.source_file import kernel_of

    name = arch_of(arch)
    if isinstance(launcher, str):
        file, _, function = launcher.rpartition(":")
        with importable():
            launcher = kernel_of(Path(file), function)
    compiled, values, sizes = compile_flydsl(launcher, args, name)
    return written(compiled, values, sizes, Wanted(expect, expected or {}, tile, position), output, name)


def replay(
    folder: PathLike, *, arch: str = "auto", memory: str = "measured", without: Sequence[str] = ()
) -> tuple[Any, ...]:
    """Replay a measured thread trace (a rocprofv3 "UI" folder) and compare simulated with measured.

    Args:
        folder: The trace.
        arch: Architecture or device (``"MI325X"``), or ``"auto"``.
        memory: Where global-memory latencies come from: ``measured``, ``shifted:N`` or ``model``.
        without: Rules of the timing model to leave out (docs/model §14).

    Returns:
        One :class:`wavesim.replays.compute_unit.ReplayResult` per compute unit.

    Raises:
        UserError: not a trace, no such rule or memory mode.
    """
    from wavesim.isa.load import load_machine
    from wavesim.replays.att.importer import import_trace
    from wavesim.replays.compute_unit import memory_mode
    from wavesim.replays.compute_unit import replay as replay_trace

    imported = import_trace(Path(folder), arch)
    return tuple(
        replay_trace(imported, load_machine(imported.machine), memory_mode(memory), without=tuple(without))
    )


__all__ = [
    "CheckReport",
    "Comparison",
    "ExplainResult",
    "FileCheck",
    "LaunchOptions",
    "LoopsReport",
    "PythonKernel",
    "RegionOptions",
    "RunResult",
    "SweepProgress",
    "SweepTable",
    "Table",
    "TimelineView",
    "TuneResult",
    "TuneState",
    "check",
    "check_files",
    "compare",
    "explain",
    "flydsl",
    "launch_skeleton",
    "loops",
    "replay",
    "run",
    "sweep",
    "triton",
    "tune",
]
