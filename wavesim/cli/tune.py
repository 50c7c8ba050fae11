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

from wavesim.cli.live import shown_search
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

if TYPE_CHECKING:
    from wavesim.pipeline.run import RunOptions
    from wavesim.tuning.hints import Hints
    from wavesim.tuning.state import State
    from wavesim.tuning.tune import Tuned


class _Stop:
    """What the first interrupt asks a search for; before there is one, and the second time, it ends all."""

    asked = False
    searching = False

    def __call__(self) -> bool:
        return self.asked

    def during(self, show: Callable[[State], None]) -> Callable[[State], None]:
        """A callback that shows the states of a search; once there is one, the search can be stopped."""

        def progress(state: State) -> None:
            self.searching = True
            show(state)

        return progress

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
    help="What may change, of waits, order, rotation, priority, stagger, barriers, rename, parameters "
    "(default: all). Waits follow the order; parameters are a tile program's constants in its section tune.",
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
@click.option("--scheduler", metavar="ADDRESS", help="Dask scheduler whose workers search, tcp://HOST:PORT.")
@click.option(
    "--emit",
    type=click.Choice(("sched-group-barrier",)),
    help="Search a sequence of __builtin_amdgcn_sched_group_barrier, too, as clang compiles it (HIP).",
)
@click.option(
    "-o",
    "--output",
    type=OutputPath(path_type=Path),
    help="Write the kernel here: the schedule as assembly (.s); with --emit a HIP source, with new "
    "parameters a tile program (.yaml).",
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
    scheduler: str | None,
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
    from wavesim.report.text.hints import hint_lines
    from wavesim.report.text.tuning import state_text, tuning_json, tuning_lines
    from wavesim.tuning.tune import MINUTES, TuneOptions
    from wavesim.tuning.whole import all_changes, tune_with_hints

    ran = run_options((kernel,), machine, compiling, launch)
    if changes is None:
        changes = all_changes(kernel, ran)
    if output is not None:
        _refuse_ending(kernel, output, emit, changes)
        plan_output(str(launch_path(output)))
    if minutes is None and candidates is None:
        minutes = MINUTES
    wanted = TuneOptions(loop, changes, minutes, candidates, seed, force, scheduler)
    with _stoppable() as stop, shown_search(f"wavesim tune {kernel}", stop, state_text) as show:
        found, hints = tune_with_hints(kernel, ran, wanted, emit, stop.during(show), stop)
    _write(found, hints, kernel, ran, output, diff, html)
    if as_json.wanted:
        as_json.write(json.dumps(tuning_json(found, hints), indent=2) + "\n")
    if not as_json.alone:
        for text in tuning_lines(found):
            click.echo(text)
        for text in ("", *hint_lines(hints, found)) if hints is not None else ():
            click.echo(text)
    return 0


def _write(
    found: Tuned,
    hints: Hints | None,
    kernel: Path,
    ran: RunOptions,
    output: Path | None,
    diff: Path | None,
    html: Path | None,
) -> None:
    """Writes the files that are asked for."""
    from wavesim.report.files import write_atomically
    from wavesim.report.text.tuning import tuned_files, tuning_diff

    for path, text in tuned_files(found, output, hints, kernel) if output is not None else ():
        write_atomically(path, [text])
    if diff is not None:
        write_atomically(diff, [tuning_diff(found, hints, kernel)])
    if html is not None:
        from wavesim.report.page.tuned import tuned_page

        write_atomically(html, tuned_page(found, kernel, ran, hints))


def _refuse_ending(kernel: Path, output: Path, emit: str | None, changes: frozenset[str]) -> None:
    """Refuses an output whose ending nothing is written for.

    Raises:
        UserError: HIP where no builtins are searched for a HIP source; a tile program where none has new
            parameters.
    """
    from wavesim.errors import UserError
    from wavesim.front.endings import HIP, TILES
    from wavesim.tuning.tune import PARAMETERS

    ending = output.suffix.lower()
    if ending in TILES and PARAMETERS not in changes:
        raise UserError(
            f"-o {output}: a schedule is assembly",
            None,
            "for a tile program: --change parameters, and tune: in the file; or -o best.s",
        )
    if ending not in HIP:
        return
    if kernel.suffix.lower() not in HIP:
        raise UserError(f"-o {output}: {kernel} is no HIP source", None, "assembly is written: -o best.s")
    if emit is None:
        raise UserError(
            f"-o {output}: a schedule is assembly", None, "for HIP: --emit sched-group-barrier; or -o best.s"
        )
