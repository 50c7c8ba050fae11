"""``wavesim tune``: a better schedule of a kernel's loop, found and proven."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from wavesim.cli.options import (
    CompileOptions,
    JsonOptions,
    LaunchOptions,
    MachineOptions,
    budget_options,
    options,
    run_options,
)
from wavesim.cli.paths import KernelPath, OutputPath
from wavesim.cli.progress import progress_line

if TYPE_CHECKING:
    from wavesim.tuning.state import State


class _Stop:
    """What the first interrupt asks a search for; before there is one, and the second time, it ends all."""

    asked = False
    searching = False

    def __call__(self) -> bool:
        return self.asked

    def interrupted(self, number: int, frame: FrameType | None) -> None:
        """The handler."""
        if self.asked or not self.searching:
            raise KeyboardInterrupt
        self.asked = True


@contextmanager
def _stoppable() -> Iterator[_Stop]:
    stop = _Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # only the main thread is interrupted
        return
    before = signal.signal(signal.SIGINT, stop.interrupted)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def _changes(context: click.Context, parameter: click.Parameter, value: str | None) -> frozenset[str] | None:
    return None if value is None else frozenset(each.strip() for each in value.split(",") if each.strip())


@click.command()
@click.argument("kernel", type=KernelPath())
@options(machine=MachineOptions, launch=LaunchOptions, compiling=CompileOptions)
@budget_options
@click.option(
    "--loop", metavar="LABEL", help="Which loop (default: the one with most instructions executed)."
)
@click.option(
    "--change",
    "changes",
    metavar="WHAT,...",
    callback=_changes,
    help="What may change, of waits, order, rotation, priority, stagger, barriers, rename (default: all). "
    "Waits follow the order.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    help="How long to search (default: 2, or no limit where --candidates gives one).",
)
@click.option(
    "--candidates",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many to try: the same seed and number give the same schedule.",
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of the search.")
@click.option(
    "--emit",
    type=click.Choice(("sched-group-barrier",)),
    help="Search a sequence of __builtin_amdgcn_sched_group_barrier, too, as clang compiles it (HIP).",
)
@click.option(
    "-o",
    "--output",
    type=OutputPath(path_type=Path),
    help="Write the scheduled kernel here: assembly (.s), or with --emit a HIP source.",
)
@click.option("--diff", type=OutputPath(path_type=Path), help="Write a unified diff of that here.")
@click.option(
    "--html", type=OutputPath(path_type=Path), help="Write a page with both timelines on one axis here."
)
@click.option("--force", is_flag=True, help="Schedule a kernel that is wrong as it is, and mark the result.")
@options(as_json=JsonOptions)
def tune(
    kernel: Path,
    machine: MachineOptions,
    launch: LaunchOptions,
    compiling: CompileOptions,
    loop: str | None,
    changes: frozenset[str] | None,
    minutes: float | None,
    candidates: int | None,
    seed: int,
    emit: str | None,
    output: Path | None,
    diff: Path | None,
    html: Path | None,
    force: bool,
    as_json: JsonOptions,
) -> int:
    """Find a better schedule of a loop of KERNEL, and prove it.

    Ctrl-C ends the search: the best so far is proven and kept. A second one ends all.

    Exit code 0: searched, whether or not something better was found. 1: the kernel is wrong as it is.
    2: unusable input, or nothing may change.
    """
    from wavesim.front.launch.file import launch_path
    from wavesim.inputs import plan_output
    from wavesim.report.files import write_atomically
    from wavesim.report.text.hints import hint_lines
    from wavesim.report.text.tuning import state_text, tuned_files, tuning_diff, tuning_json, tuning_lines
    from wavesim.tuning.hints import hints_for
    from wavesim.tuning.tune import CHANGES, MINUTES, TuneOptions, tune_kernel

    if output is not None:
        _refuse_ending(kernel, output, emit)
        plan_output(str(launch_path(output)))
    if minutes is None and candidates is None:
        minutes = MINUTES
    if minutes is not None and emit is not None:
        minutes /= 2  # of each search
    wanted = TuneOptions(
        loop, frozenset(CHANGES) if changes is None else changes, minutes, candidates, seed, force
    )
    ran = run_options((kernel,), machine, compiling, launch)
    with progress_line(f"wavesim tune {kernel}") as line, _stoppable() as stop:
        progress = _shown(line, stop, state_text)
        found = tune_kernel(kernel, ran, wanted, progress, stop)
        hints = hints_for(kernel, ran, found, wanted, progress, stop) if emit is not None else None
    if output is not None:
        for path, text in tuned_files(found, output, hints, kernel):
            write_atomically(path, [text])
    if diff is not None:
        write_atomically(diff, [tuning_diff(found, hints, kernel)])
    if html is not None:
        from wavesim.report.page.tuned import tuned_page

        write_atomically(html, tuned_page(found, kernel, ran, hints))
    if as_json.wanted:
        as_json.write(json.dumps(tuning_json(found, hints), indent=2) + "\n")
    if not as_json.alone:
        for text in tuning_lines(found):
            click.echo(text)
        for text in ("", *hint_lines(hints, found)) if hints is not None else ():
            click.echo(text)
    return 0


def _refuse_ending(kernel: Path, output: Path, emit: str | None) -> None:
    """Refuses an output whose ending nothing is written for.

    Raises:
        UserError: HIP where no builtins are searched for a HIP source.
    """
    from wavesim.errors import UserError
    from wavesim.front.endings import HIP

    if output.suffix.lower() not in HIP:
        return
    if kernel.suffix.lower() not in HIP:
        raise UserError(f"-o {output}: {kernel} is no HIP source", None, "assembly is written: -o best.s")
    if emit is None:
        raise UserError(
            f"-o {output}: a schedule is assembly", None, "for HIP: --emit sched-group-barrier; or -o best.s"
        )


def _shown(
    line: Callable[[str, float], None] | None, stop: _Stop, said: Callable[[State], str]
) -> Callable[[State], None]:
    def progress(state: State) -> None:
        stop.searching = True
        if line is not None:
            line("proving the best so far" if stop() else said(state), 0.0)

    return progress
