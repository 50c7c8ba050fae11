"""``wavesim calibrate --trace``: a machine file from measured thread traces."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wavesim.cli.options import JsonOptions
from wavesim.cli.progress import quiet
from wavesim.errors import UserError

if TYPE_CHECKING:
    from wavesim.replays.att.dispatches import Which


def calibrate_from_traces(
    folders: Sequence[Path],
    which: Which,
    machine: str | None,
    output: Path | None,
    *,
    as_json: JsonOptions,
    processes: int | None,
    leave_out: bool = True,
) -> int:
    """Estimate what the traces determine, write the machine file, print the report.

    Raises:
        UserError: a folder that is not a trace, traces of several architectures.
    """
    from wavesim.calibrate.fit.from_traces import estimate, gather, leave_one_out, memory_latencies, one_arch
    from wavesim.calibrate.fit.trace_files import machine_file, report_json, report_lines
    from wavesim.isa.load import load_machine
    from wavesim.replays.att.dispatches import sources
    from wavesim.replays.validate import in_processes
    from wavesim.report.files import write_atomically
    from wavesim.report.json.schemas import headed

    if output is not None and os.path.exists(output) and os.path.isdir(output):
        raise UserError(f"{output} is a folder", hint="-o wants the name of the machine file to write")
    traces = [trace for folder in folders for trace in sources(folder, which)]
    if len({trace.name for trace in traces}) != len(traces):
        raise UserError("two traces have the same folder name, or one was given twice")

    def tell(what: str) -> None:
        if not quiet():
            print(f"  {what}", file=sys.stderr, flush=True)

    arch = load_machine(machine).arch if machine else one_arch(traces)
    found = in_processes(gather, {trace: (trace, machine) for trace in traces}, processes, tell)
    evidence = [one for trace in traces for one in found[trace]]
    loaded = load_machine(machine or arch)
    estimates = estimate(evidence, loaded.parameters) + memory_latencies(evidence, loaded.parameters)
    left_out = leave_one_out(traces, evidence, machine, tell) if leave_out and len(traces) > 1 else []
    names = [one.name for one in evidence]
    if output is not None:
        base = str(Path(machine).resolve()) if machine else arch
        write_atomically(output, machine_file(base, loaded, estimates, names))
    if as_json.wanted:
        data = headed("calibrate-traces", report_json(arch, estimates, left_out, names))
        as_json.write(json.dumps(data, indent=2) + "\n")
    if as_json.alone:
        return 0
    for line in report_lines(arch, estimates, left_out, names):
        click.echo(line)
    if output is not None:
        click.echo(f"\nwritten: {output} (use it with --machine)")
    return 0
