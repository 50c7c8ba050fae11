"""The pipeline: a kernel file becomes a Run: load -> emulate -> time -> analyze."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wavesim.analyze.analysis import analyze
from wavesim.analyze.result import Analysis
from wavesim.errors import SourceSpan, UserError
from wavesim.front import endings
from wavesim.front.launch.file import LaunchOptions, grid_position
from wavesim.front.launch.model import Launch, LoadedKernel, MatrixArgument
from wavesim.front.occupancy import (
    default_waves,
    followed,
    occupancy,
    on_one_unit,
    refuse_waves,
    refuse_workgroup,
)
from wavesim.front.region import DEFAULT_TRIPS, DEFAULT_WAVES, WHOLE, RegionOptions, cut_region
from wavesim.isa.archs import DEFAULT_ARCH
from wavesim.isa.clock import SUSTAINED, Choice, clock_of
from wavesim.isa.kinds import LANES, Kind
from wavesim.isa.machine import CUS_KEY, Machine
from wavesim.isa.memory_roles import LATENCY, ONE_LATENCY, ROLES
from wavesim.isa.names import devices, known_name, named
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.limits import budget
from wavesim.program import Finding
from wavesim.program.verdict import Verdict, verdict_of
from wavesim.trace import Timeline, Trace
from wavesim.words import counted

if TYPE_CHECKING:
    from wavesim.emulate.judge.numerics import Numerics
    from wavesim.pipeline.allowance import Allowance
    from wavesim.pipeline.memory import PredictedMemory
    from wavesim.pipeline.unknowns import Unknowns

Loader = Callable[[Path, "RunOptions", str | None, Mapping[str, str]], LoadedKernel]
Progress = Callable[[str, float], None]
"""Called with what is being done and the share of it that is done (0..1)."""

SHORT_INSTRUCTIONS = 2_000
"""A kernel without MFMA whose waves execute no more, in the mean, is mostly beginnings and ends: then some
follow, by default. That does not depend on clocks, so that what differs in its timing stays comparable."""
SHORT_ROUNDS = 4
"""Two whole rounds of workgroups that follow others which followed: their rate is steady, if any is."""

Change = Callable[[Trace, TimingParameters], tuple[Trace, TimingParameters] | None]
"""Other inputs of the timing in place of these; ``None`` where there is nothing to change."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a run is asked for. ``arch`` names an architecture or a device; ``machine`` is a machine file
    instead;
    ``settings`` are the ``--set`` values, of the launch or (with a dot in the name) of the machine;
    ``adversarial`` delivers loads as late as the ISA allows, to waves in hostile order; ``allow_unknown``
    goes on past instructions without data; ``region`` runs a piece of the kernel without its launch, each of
    its loops ``trips`` times, or as often as ``trips_at`` says of the instruction at its head;
    ``clock`` is what TFLOP/s are at, GHz or which of the machine's (:mod:`wavesim.isa.clock`);
    ``workgroups`` is how many share the compute unit (default: as many as fit and the launch has; a tile
    program states it). ``rounds`` of them follow one another there, each workgroup when there is room for it;
    by default :data:`SHORT_ROUNDS` of a short kernel, else 1. ``memory`` predicts what
    global memory costs: of the first round of workgroups (``cold``), of later ones (``warm``), of both
    (``dispatch``) or not at all (``latency``); by default of both where that can be. ``seed`` is added to
    those of the random matrices: other data. ``what_if`` names what is not as it is: ``change`` of what is
    timed, or ``source``, the text of a tile program or of HIP in place of the file's. Without ``numbers``
    only addresses, branches and lanes are executed, as far as the program allows."""

    arch: str | None = None
    machine: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    engine: str = "auto"
    clock: Choice = SUSTAINED
    adversarial: bool = False
    launch: LaunchOptions = field(default_factory=LaunchOptions)
    allow_unknown: bool = False
    region: RegionOptions | None = None
    trips: int = DEFAULT_TRIPS
    trips_at: Mapping[int, int] = field(default_factory=dict)
    workgroups: int | None = None
    rounds: int | None = None
    what_if: str = ""
    change: Change | None = None
    source: str | None = None
    numbers: bool = True
    memory: str = ""
    seed: int = 0


@dataclass(frozen=True)
class Run:
    """Everything known of one kernel's run; what reports read. ``diagnosis`` says in a sentence what its
    time goes to, and ``to_try`` what may help, where they were asked for
    (:mod:`wavesim.explanation.glance`)."""

    kernel: LoadedKernel
    machine: Machine
    timeline: Timeline
    numerics: Numerics
    analysis: Analysis
    findings: tuple[Finding, ...]
    unknowns: Unknowns | None = None
    what_if: str = ""
    diagnosis: str = ""
    to_try: str = ""
    memory: PredictedMemory | None = None

    def mark(self, figure: str) -> str:
        """``?`` for a figure that rests on something unknown, else nothing."""
        return self.unknowns.mark(figure) if self.unknowns is not None else ""

    @property
    def verdict(self) -> Verdict:
        """``bad``, or ``unchecked``: a run looks for no race, missing wait or hazard."""
        return self.verdict_with(())

    def verdict_with(self, found: Iterable[Finding], *, checked: bool = False) -> Verdict:
        """The verdict with what else was ``found``; ``checked``: by ``wavesim check``, which executed it."""
        right = self.analysis.complete and self.numerics.ok
        return verdict_of((*self.findings, *found), right=right, checked=checked)


def _load_tile_program(
    path: Path, options: RunOptions, arch: str | None, settings: Mapping[str, str]
) -> LoadedKernel:
    from wavesim.front.tile.load import load_tile_program

    if replace(options.launch, grid=None, compile_flags=()) != LaunchOptions():
        raise UserError(
            f"{path}: a tile program states its own launch",
            None,
            "change it with --set, the workgroup with --grid",
        )
    position = None
    if options.launch.grid is not None:
        position = grid_position(options.launch.grid, SourceSpan(str(path)))
    return load_tile_program(path, arch or DEFAULT_ARCH, settings, options.source, position)


def _load_assembly(
    path: Path, options: RunOptions, arch: str | None, settings: Mapping[str, str]
) -> LoadedKernel:
    from wavesim.front.assembled import load_assembly

    return load_assembly(path, arch, settings, options.launch, allow_unknown=options.allow_unknown)


def _load_hip(path: Path, options: RunOptions, arch: str | None, settings: Mapping[str, str]) -> LoadedKernel:
    from wavesim.front.hip import load_hip

    return load_hip(
        path, arch, settings, options.launch, allow_unknown=options.allow_unknown, text=options.source
    )


def _load_code_object(
    path: Path, options: RunOptions, arch: str | None, settings: Mapping[str, str]
) -> LoadedKernel:
    from wavesim.front.code_object import load_code_object

    return load_code_object(path, arch, settings, options.launch, allow_unknown=options.allow_unknown)


LOADERS: dict[str, Loader] = {
    **dict.fromkeys(endings.TILES, _load_tile_program),
    **dict.fromkeys(endings.ASSEMBLY, _load_assembly),
    **dict.fromkeys(endings.HIP, _load_hip),
    **dict.fromkeys(endings.CODE_OBJECTS, _load_code_object),
}
"""File ending -> front end. Each gives the same LoadedKernel."""


def find_loader(path: Path) -> Loader:
    """The front end for a kernel file, by its ending.

    Raises:
        UserError: no such file, or no front end for its ending.
    """
    if os.path.isdir(path):
        kernels = path / f"*{endings.CODE_OBJECTS[0]}"
        raise UserError(f"{path}: a folder, not a kernel's file", None, f"check takes patterns: '{kernels}'")
    loader = LOADERS.get(path.suffix.lower())
    if loader is None:
        known = ", ".join(sorted(LOADERS))
        ending = f"ending in {path.suffix!r}" if path.suffix else "without an ending"
        raise UserError(f"{path}: no front end for a file {ending}", None, f"known endings: {known}")
    if not os.path.isfile(path):
        raise UserError(f"{path}: not a file" if os.path.exists(path) else f"{path}: no such file")
    return loader


def split_settings(settings: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """``--set`` values of the launch and of the machine: machine values have a dot in their name."""
    launch = {name: value for name, value in settings.items() if "." not in name}
    machine = {name: value for name, value in settings.items() if "." in name}
    return launch, machine


def prepare(path: Path, options: RunOptions) -> tuple[LoadedKernel, Machine]:
    """Load a kernel, and the machine with the kernel's and the caller's values.

    Raises:
        UserError: unusable kernel, machine or setting.
    """
    from wavesim.isa.load import load_machine

    launch_settings, machine_settings = split_settings(options.settings)
    if options.machine is not None and options.arch is not None:
        raise UserError("--arch and --machine exclude each other", None, "a machine file names its base")
    loader = find_loader(path)
    asked = options.machine or (named(options.arch) if options.arch is not None else None)
    arch = load_machine(asked).arch if asked is not None else None
    kernel = _with_seed(loader(path, options, arch, launch_settings), options.seed)
    overrides = {**_kept(kernel.launch.machine_overrides, options.machine), **machine_settings}
    chosen = load_machine(asked or kernel.program.arch, overrides)
    if options.launch.block is not None:
        waves = -(-options.launch.block // LANES)
        option = f"--block {options.launch.block}"
        refuse_waves(kernel.program.metadata, chosen, waves, option, SourceSpan(str(path)))
    return kernel, chosen


def _with_seed(kernel: LoadedKernel, seed: int) -> LoadedKernel:
    """The kernel on other random data."""
    arguments = tuple(
        replace(each, seed=each.seed + seed) if isinstance(each, MatrixArgument) else each
        for each in kernel.launch.arguments
    )
    return replace(kernel, launch=replace(kernel.launch, arguments=arguments)) if seed else kernel


def _kept(overrides: Mapping[str, int | str], machine: str | None) -> dict[str, int | str]:
    """A kernel's machine values; a role of its loads gives way to a machine file with an own latency."""
    kept = dict(overrides)
    if kept.get(LATENCY) in ROLES and _own_latency(machine):
        del kept[LATENCY]
    return kept


def _own_latency(machine: str | None) -> bool:
    """Whether a machine file says itself what a load of global memory takes."""
    from wavesim.isa.load import load_machine

    if machine is None:
        return False
    mine = load_machine(machine)
    own, stock = mine.quantities[LATENCY], load_machine(mine.arch).quantities[LATENCY]
    return (own.source, own.note) != (stock.source, stock.note)  # a role's clocks follow other values


def lacks_launch(kernel: LoadedKernel, options: RunOptions) -> bool:
    """Whether the kernel takes arguments that nobody said. Then what follows from lane and wave numbers alone
    can be executed, and the rest is not known."""
    from wavesim.emulate.launch_state import needs_arguments

    return options.region is None and not kernel.launch.arguments and needs_arguments(kernel.program)


def _launch_note(kernel: LoadedKernel, *, stated: bool) -> str:
    """What a run without a launch takes for granted; ``stated``: somebody said how large a workgroup is."""
    note = "no launch is known: what depends on the arguments is not; figures that rest on it are marked"
    if not stated:
        taken = counted(kernel.launch.workgroup_size // LANES, "wave")
        note += f"; a workgroup of {taken} is taken: nobody says how large it is (--block)"
    return f"{note}. wavesim launch writes a launch file to fill in"


def allowed(
    kernel: LoadedKernel, machine: Machine, options: RunOptions, *, judged: bool = False
) -> tuple[LoadedKernel, Allowance]:
    """The kernel, cut to the region asked for, and what may be unknown of it. A kernel without its launch is
    a region as a whole; where faults are ``judged``, only if its workgroup is known.

    Raises:
        UserError: no such region, or waves that the kernel cannot have.
    """
    from wavesim.pipeline.allowance import Allowance, at_region

    metadata, span, wanted = kernel.program.metadata, SourceSpan(kernel.file), options.region
    no_launch = lacks_launch(kernel, options) and (kernel.launch.is_stated or not judged)
    if no_launch:
        stated = -(-kernel.launch.workgroup_size // LANES) if kernel.launch.is_stated else None
        wanted = RegionOptions(WHOLE, options.trips, stated)
    if wanted is None:
        return kernel, Allowance(options.allow_unknown, None, options.trips)
    waves = wanted.waves
    if waves is None:
        waves = default_waves(metadata, machine, DEFAULT_WAVES)
    else:
        refuse_workgroup(metadata, waves * LANES, f"--waves {waves}", span)
        refuse_waves(metadata, machine, waves, f"--waves {waves}", span)
    piece, region = cut_region(kernel, wanted, waves)
    piece = on_one_unit(piece, machine, options.workgroups)
    piece, found = at_region(piece, region, machine, unknown=options.allow_unknown, trips=options.trips)
    return piece, replace(found, trips_at=options.trips_at, no_launch=no_launch)


def may_execute(kernel: LoadedKernel, options: RunOptions) -> bool:
    """Whether ``check`` may execute the kernel: a region needs no launch, a launch with arguments is known,
    and so is one without, if its workgroup is stated and the kernel asks for none. In any other launch a
    fault need not be the kernel's."""
    from wavesim.emulate.launch_state import needs_arguments

    launch = kernel.launch
    if options.region is not None or launch.arguments:
        return True
    return launch.is_stated and not needs_arguments(kernel.program)


def _as_launched(kernel: LoadedKernel, machine: Machine, path: Path, workgroups: int | None) -> LoadedKernel:
    """The kernel with the workgroups that share a compute unit, and what does not fit on it as findings. A
    tile program may state how many they are."""
    if find_loader(path) is _load_tile_program:
        if not kernel.launch.states_sharing:
            return on_one_unit(kernel, machine, workgroups)
        if workgroups is not None:
            raise UserError(
                f"{path}: --workgroups {workgroups}: a tile program states it",
                None,
                "workgroups_per_cu: in its launch (the ladder's kernels: --set WORKGROUPS=2)",
            )
        return kernel
    waves = -(-kernel.launch.workgroup_size // LANES)
    faults = tuple(each for each in occupancy(kernel.program, machine, waves) if each.is_bad)
    if faults:
        return replace(kernel, findings=(*kernel.findings, *faults))
    return on_one_unit(kernel, machine, workgroups)


def _memory_mode(options: RunOptions, launch: Launch, machine: Machine) -> str:
    """How global memory is predicted: as asked for, else the whole dispatch where the launch has matrices.
    Not where a latency is set for the run, nor, unless a device is named, where the kernel or a machine file
    has one of its own."""
    from wavesim.isa.layers import SET_SOURCE

    if LATENCY in options.settings or options.memory == ONE_LATENCY:
        return ""
    named = options.arch is not None and known_name(options.arch) in devices()
    stated = machine.quantities[LATENCY].source == SET_SOURCE or _own_latency(options.machine)
    has_matrices = any(isinstance(each, MatrixArgument) for each in launch.arguments)
    return options.memory or ("dispatch" if has_matrices and (named or not stated) else "")


def run_kernel(
    path: Path,
    options: RunOptions,
    progress: Progress | None = None,
    prepared: tuple[LoadedKernel, Machine] | None = None,
    *,
    need_launch: bool = False,
) -> Run:
    """Run one kernel through the whole pipeline; ``prepared`` is what :func:`prepare` gave, if it was called.
    A kernel whose arguments nobody said is run as far as it is known, or refused where the launch is needed.

    Raises:
        UserError: unusable kernel, machine or setting.
    """
    prepared = prepared or prepare(path, options)
    run = _run_rounds(path, options, progress, prepared, need_launch=need_launch)
    if options.rounds is not None or not _goes_on(run):
        return run
    options = replace(options, rounds=SHORT_ROUNDS)
    return _run_rounds(path, options, progress, prepared, need_launch=need_launch)


def _goes_on(run: Run) -> bool:
    """Whether a run is short, and its launch has more workgroups for the compute unit."""
    analysis, launch = run.analysis, run.kernel.launch
    x, y, z = launch.grid
    more = x * y * z > len(launch.workgroups) * run.machine.integer(CUS_KEY)
    has_mfma = any(entry.kind is Kind.MFMA for entry in run.timeline.trace.code)
    most = min(SHORT_INSTRUCTIONS * len(analysis.waves), budget().instructions // SHORT_ROUNDS)
    return analysis.complete and more and not has_mfma and analysis.instructions <= most


def _run_rounds(
    path: Path,
    options: RunOptions,
    progress: Progress | None,
    prepared: tuple[LoadedKernel, Machine],
    *,
    need_launch: bool,
) -> Run:
    tell: Progress = progress if progress is not None else lambda stage, share: None
    if options.adversarial and not options.numbers:
        raise UserError("--no-numbers and --adversarial exclude each other: late loads show in the numbers")
    tell("load", 0.0)
    kernel, machine = prepared
    if need_launch and lacks_launch(kernel, options):
        raise UserError(
            f"{path}: no launch is known: what arguments does {kernel.name} get?",
            None,
            "put a launch file beside it (NAME.launch.yaml) or give --arg, --block, --expect",
        )
    stated = kernel.launch.is_stated
    kernel, allowance = allowed(kernel, machine, options)
    launch_note = _launch_note(kernel, stated=stated) if allowance.no_launch else ""
    if allowance.region is None:
        kernel = _as_launched(kernel, machine, path, options.workgroups)
        kernel = followed(kernel, machine, options.rounds or 1, options.workgroups)
    from wavesim.pipeline.allowance import Executed, execute
    from wavesim.pipeline.clocks import ClockValues, execute_and_time
    from wavesim.timing import simulate

    def executing(clock_values: ClockValues) -> Executed:
        return execute(
            kernel,
            machine,
            allowance,
            progress=lambda count: tell(f"execute, {count} instructions", 0.0),
            adversarial=options.adversarial,
            clock_values=clock_values,
            numbers=options.numbers,
        )

    predicted: list[PredictedMemory] = []

    mode = "" if allowance.any else _memory_mode(options, kernel.launch, machine)

    def timing(done: Executed) -> Timeline:
        def engine(trace: Trace) -> Timeline:
            inputs = trace, done.machine.parameters
            changed = options.change(*inputs) if options.change is not None else inputs
            if changed is None:
                raise UserError(f"{path}: nothing here changes if {options.what_if}")
            return simulate(*changed, engine=options.engine, progress=lambda share: tell("time", share))

        if not mode:
            return engine(done.execution.trace)
        from wavesim.pipeline.memory import time_predicted

        launch = done.execution.launch
        timeline, memory = time_predicted(done.execution.trace, launch, done.machine, mode, engine)
        predicted[:] = [memory]
        return timeline

    clocked = execute_and_time(executing, timing, 1000 * clock_of(machine, options.clock).ghz)
    done, timeline = clocked.executed, clocked.timeline
    execution, final = done.execution, done.machine
    tell("check numbers", 0.0)
    numerics = done.numerics()
    tell("analyze", 0.0)
    analysis = analyze(
        timeline,
        final,
        kernel.launch,
        numerics,
        clock=options.clock,
        bounded=not options.what_if,
        later_clk=predicted[0].later_clk if predicted else None,
    )
    if launch_note:
        analysis = replace(analysis, notes=(launch_note, *analysis.notes))
    if options.what_if:
        note = f"timed as if {options.what_if}: what a cause is worth, not what the machine does"
        analysis = replace(analysis, notes=(note, *analysis.notes))
    findings = dict.fromkeys((*kernel.findings, *execution.trace.findings, *execution.findings))
    return Run(
        kernel,
        final,
        timeline,
        numerics,
        analysis,
        tuple(findings),
        done.unknowns,
        options.what_if,
        memory=predicted[0] if predicted else None,
    )
