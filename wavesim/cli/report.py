"""``wavesim report``: a page for the browser, one kernel, several on one clock axis, or a replayed trace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wavesim.cli.options import (
    OF_A_TRACE,
    CompileOptions,
    JsonOptions,
    LaunchOptions,
    MachineOptions,
    SharingOptions,
    TimingOptions,
    TraceOptions,
    UnknownOptions,
    budget_options,
    options,
    refuse_given,
    run_options,
)
from wavesim.cli.paths import KernelPath, OutputPath, is_trace
from wavesim.cli.progress import progress_line
from wavesim.errors import UserError
from wavesim.program.verdict import Verdict
from wavesim.words import counted

if TYPE_CHECKING:
    from wavesim.pipeline.run import Progress, RunOptions
    from wavesim.report.page import Panel

MOST_KERNELS = 4


@click.command()
@click.argument("kernels", nargs=-1, required=True, type=KernelPath())
@click.option(
    "-o",
    "--output",
    default="report.html",
    type=OutputPath(),
    show_default=True,
    metavar="FILE",
    help="Where to write.",
)
@options(
    machine=MachineOptions,
    launch=LaunchOptions,
    compiling=CompileOptions,
    unknown=UnknownOptions,
    sharing=SharingOptions,
)
@budget_options
@options(timing=TimingOptions)
@click.option("--check/--no-check", default=True, help="With the findings of wavesim check (default: yes).")
@click.option(
    "--explain/--no-explain",
    "explained",
    default=True,
    help="With critical path, what-ifs and tried advice (default: yes; takes some seconds a kernel).",
)
@options(choice=TraceOptions, as_json=JsonOptions)
def report(
    kernels: tuple[Path, ...],
    output: str,
    machine: MachineOptions,
    launch: LaunchOptions,
    compiling: CompileOptions,
    unknown: UnknownOptions,
    sharing: SharingOptions,
    timing: TimingOptions,
    check: bool,
    explained: bool,
    choice: TraceOptions,
    as_json: JsonOptions,
) -> int:
    """Run KERNELS and write one self-contained HTML file: timeline, listing, figures, explanation, findings.

    Two kernels stand on one clock axis, each with its own critical path and what-ifs. A folder is taken as
    a measured thread trace: it is replayed, and the measured and the simulated timeline stand side by side.

    Exit code 1 if the verdict of any of the kernels is bad.
    """
    from wavesim.report.files import write_atomically
    from wavesim.report.page import page_parts

    if len(kernels) > MOST_KERNELS:
        raise UserError(f"{len(kernels)} kernels on one page; at most {MOST_KERNELS} can be read")
    if not any(map(is_trace, kernels)):
        refuse_given(OF_A_TRACE, "{} is for a thread trace, which none of these is")
    wanted = run_options(kernels, machine, compiling, launch, unknown, sharing, timing)
    panels: list[Panel] = []
    verdicts: list[Verdict | None] = []
    for kernel in kernels:
        if is_trace(kernel):
            found = _trace_panels(kernel, wanted.arch, wanted.engine, choice)
            panels += found
            verdicts += [None] * len(found)
            continue
        with progress_line(str(kernel)) as progress:
            panel, verdict = _kernel_panel(kernel, wanted, check, explained, progress)
        panels.append(panel)
        verdicts.append(verdict)
    write_atomically(Path(output), page_parts(panels))
    size_bytes = Path(output).stat().st_size
    timelines = [
        {"title": panel.title, "verdict": None if verdict is None else str(verdict)}
        for panel, verdict in zip(panels, verdicts, strict=True)
    ]
    as_json.report("report", {"page": output, "bytes": size_bytes, "timelines": timelines})
    if not as_json.alone:
        said = f"{counted(len(panels), 'timeline')}, {size_bytes / 1e6:.1f} MB; open it in a browser"
        click.echo(f"{output}: {said}")
    return int(Verdict.BAD in verdicts)


def _kernel_panel(
    path: Path, options: RunOptions, check: bool, explained: bool, progress: Progress | None
) -> tuple[Panel, Verdict]:
    """A kernel's panel and verdict. A run that cannot be explained says why in a
    note."""
    from wavesim.checks.run import check_prepared
    from wavesim.explanation.explanation import explain_run
    from wavesim.explanation.glance import at_a_glance
    from wavesim.pipeline.run import prepare, run_kernel
    from wavesim.report.page import run_panel

    prepared = prepare(path, options)
    result = run_kernel(path, options, progress, prepared)
    explanation, notes = None, []
    if explained:
        try:
            explanation = explain_run(result, path, options, progress)
            result = explanation.run
        except UserError as error:
            notes.append(f"not explained: {error}")
    if explanation is None:
        result = at_a_glance(result, progress)
    if not check:
        return run_panel(result, (), explanation, notes), result.verdict
    if progress is not None:
        progress("check", 0.0)
    checked = check_prepared(path, prepared, options)
    notes += [checked.shortened] if checked.shortened else []
    panel = run_panel(result, checked.findings, explanation, notes, checked=checked.looked_at)
    return panel, result.verdict_with(checked.findings)


def _trace_panels(folder: Path, arch: str | None, engine: str, choice: TraceOptions) -> list[Panel]:
    """Measured and simulated panel of a thread trace; of several, of the slowest and the typical one."""
    from wavesim.isa.load import load_machine
    from wavesim.replays.att.dispatches import open_traces
    from wavesim.replays.compute_unit import memory_mode, replay
    from wavesim.report.page import replay_panels

    measured = memory_mode("measured")
    return [
        panel
        for imported in open_traces(folder, arch or "auto", None, choice.which()).chosen
        for result in replay(imported, load_machine(imported.machine), measured, engine=engine)
        for panel in replay_panels(result)
    ]
