"""``wavesim calibrate``: measure a machine (a GPU, a virtual device or thread traces) and fit the model."""

from __future__ import annotations

from pathlib import Path

import click

from wavesim.cli.calibrate_device import Wishes, dry, run
from wavesim.cli.options import options, refuse_given
from wavesim.cli.paths import InputPath
from wavesim.errors import UserError


@click.command()
@options(wishes=Wishes)
@click.argument("more", nargs=-1, type=InputPath(path_type=Path), metavar="[DIR]...")
def calibrate(more: tuple[Path, ...], wishes: Wishes) -> int:
    """Measure the machine with microbenchmarks, fit the model to it, and compare a real kernel.

    Say which machine: --gpu, --virtual ARCH, --trace DIR or --samples FILE. The outcome is a machine file
    for --machine, with where each value comes from.

    Exit code 1: a poor fit, wrong numbers, or an error beyond --tolerance. 2: no usable device.
    """
    ways = [wishes.gpu, wishes.virtual is not None, bool(wishes.traces), wishes.samples is not None]
    if sum(ways) != 1:
        raise UserError(
            "say which machine to calibrate",
            None,
            "one of --gpu, --virtual ARCH, --trace DIR, --samples FILE",
        )
    if more and not wishes.traces:
        raise UserError(f"what is {more[0]} for?", hint="thread traces follow --trace DIR")
    if wishes.traces:
        from wavesim.cli.calibrate_traces import calibrate_from_traces

        folders = [*wishes.traces, *more]
        return calibrate_from_traces(
            folders,
            wishes.choice.which(),
            wishes.machine,
            wishes.output,
            as_json=wishes.as_json,
            processes=None,
        )
    refuse_given(("wishes__choice__",), "{} goes with --trace DIR")
    if wishes.machine is not None:
        raise UserError("--machine goes with --trace; the other ways begin with the stock machine")
    wishes.check()
    return dry(wishes) if wishes.dry_run else run(wishes)
