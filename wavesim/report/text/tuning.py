"""What `wavesim tune` prints: a loop before and after, its bound, what changed and how it was proven."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from wavesim.asm.printer import print_code, print_program
from wavesim.front.launch.file import launch_path
from wavesim.front.launch.write import launch_text
from wavesim.report.json.schemas import headed
from wavesim.report.json.trust import trust_json
from wavesim.tuning.score import LATENCIES
from wavesim.tuning.state import State
from wavesim.tuning.tune import Tuned

WIDTH = 80

BOUND_SAID = {
    "mfma": "the matrix pipes are busy for so long with the MFMAs of a pass",
    "lds_bytes": "the LDS needs so long for the bytes of a pass",
    "lds_service": "the ports and banks of the LDS need so long for the accesses of a pass",
    "issue": "the instructions of a pass need so many slots to issue",
    "global_bytes": "global memory needs so long for the bytes of a pass",
    "memory_in_flight": "the loads of a pass need so long where so many may be in flight, at this latency",
}
"""Why nothing can be faster than a bound, by its name."""

REACHED = 0.001
"""A schedule no more than this share above a bound has reached it."""

_PROOF = (
    "the order keeps every dependence; executed, it leaves the same bytes in every matrix; check finds"
    " nothing that it did not find before, adversarial execution included; both engines agree to the clock"
)


def _wrapped(text: str, first: str = "  ", later: str = "  ") -> Iterator[str]:
    yield from textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=later)


def state_text(state: State) -> str:
    """A search on one line."""
    rate = state.tried / state.seconds if state.seconds > 0 else 0.0
    bound = f", bound {state.bound_clk:.0f} ({state.bound})" if state.bound else ""
    return (
        f"{state.stage}: {state.before_clk:.0f} -> {state.best_clk:.0f} clk a pass{bound};"
        f" {state.tried} candidates, {rate:.0f}/s; {state.changed}"
    )


def tuning_lines(tuned: Tuned) -> Iterator[str]:
    """The report of a search."""
    yield f"{tuned.run.kernel.name}: the loop at {tuned.label}, on {tuned.run.machine.name}"
    if tuned.fault:
        yield from _wrapped(f"FORCED: this kernel is wrong as it is: {tuned.fault}", "", "  ")
    yield ""
    yield f"{'clk/iteration at':<26}{'before':>12}{'after':>12}{'gain':>10}{'bound':>12}"
    clocks = zip(LATENCIES, tuned.before_clk, tuned.after_clk, tuned.bound_clk, strict=True)
    for share, before, after, bound in clocks:
        old, new, least = (f"{clk / tuned.unroll:,.1f}" for clk in (before, after, bound))
        name, gain = f"  {share:.1f} x memory latency", f"{1 - after / before:.1%}"
        yield f"{name:<26}{old:>12}{new:>12}{gain:>10}{least if tuned.bound else '-':>12}"
    if tuned.bound:
        yield from _wrapped(_bound_argument(tuned), "  bound: ", "    ")
    yield ""
    if tuned.better:
        yield from _what_changed(tuned)
    else:
        yield from _wrapped("nothing better was found and proven: the kernel stands as it was", "")
    yield ""
    tries = f"{tuned.tried} candidates tried, seed {tuned.seed}"
    stopped = "; stopped before its time" if tuned.stopped else ""
    yield f"{tries}{stopped}"
    if tuned.dropped:
        yield f"{len(tuned.dropped)} faster ones were dropped, for they could not be proven:"
        for why in dict.fromkeys(tuned.dropped):
            yield from _wrapped(why, "  - ", "    ")


def _bound_argument(tuned: Tuned) -> str:
    said = f"{tuned.bound}: {BOUND_SAID[tuned.bound]}"
    middle = LATENCIES.index(1.0)
    above = tuned.after_clk[middle] / tuned.bound_clk[middle] - 1
    if above <= REACHED:
        return f"{said}. No order of these instructions is faster, and it is reached"
    return f"{said}. The schedule is {above:.1%} above it"


def _what_changed(tuned: Tuned) -> Iterator[str]:
    yield "gained by, clk/iteration"
    for share in tuned.shares:
        yield f"  {share.change:<14}{share.gained_clk / tuned.unroll:>10,.1f}"
    yield ""
    yield "what changed"
    for said in (*((tuned.how,) if tuned.how != "as it is" else ()), *tuned.changes):
        yield from _wrapped(said, "  - ", "    ")
    yield ""
    yield from _wrapped(f"proven: {_PROOF}", "", "  ")


def tuning_json(tuned: Tuned) -> dict[str, Any]:
    """The same for machines; clocks are per iteration of the source."""
    data = {
        "kernel": tuned.run.kernel.name,
        "machine": tuned.run.machine.name,
        "loop": tuned.label,
        "better": tuned.better,
        "clk_per_iteration": [
            {
                "memory_latency": share,
                "before": before / tuned.unroll,
                "after": after / tuned.unroll,
                "bound": bound / tuned.unroll if tuned.bound else None,
            }
            for share, before, after, bound in zip(
                LATENCIES, tuned.before_clk, tuned.after_clk, tuned.bound_clk, strict=True
            )
        ],
        "bound": tuned.bound or None,
        "shares": {share.change: share.gained_clk / tuned.unroll for share in tuned.shares},
        "rotation": tuned.how,
        "changes": list(tuned.changes),
        "candidates": tuned.tried,
        "seed": tuned.seed,
        "stopped": tuned.stopped,
        "dropped": list(tuned.dropped),
        "fault": tuned.fault or None,
        "trust": trust_json(tuned.run),
    }
    return headed("tune", data)


def tuned_assembly(tuned: Tuned) -> str:
    """The scheduled kernel as assembly, headed by what it is."""
    middle = LATENCIES.index(1.0)
    old, new = (clk[middle] / tuned.unroll for clk in (tuned.before_clk, tuned.after_clk))
    head = f"; wavesim tune: loop {tuned.label}, {old:.1f} -> {new:.1f} clk/iteration, seed {tuned.seed}\n"
    if tuned.fault:
        head += f"; FORCED: the kernel that this was made of is wrong: {' '.join(tuned.fault.split())}\n"
    program, launch = tuned.program, tuned.run.kernel.launch
    if not launch.arguments and not program.metadata.workgroup_size:  # no launch file says it
        metadata = replace(program.metadata, workgroup_size=launch.workgroup_size)
        program = replace(program, metadata=metadata)
    return head + print_program(program)


def tuned_files(tuned: Tuned, output: Path) -> Iterator[tuple[Path, str]]:
    """The scheduled kernel for the file ``output``, and the launch file that belongs beside it.

    Raises:
        UserError: a launch that no file can state.
    """
    launch = tuned.run.kernel.launch
    if launch.arguments:
        yield launch_path(output), launch_text(launch)
    yield output, tuned_assembly(tuned)


def tuning_diff(tuned: Tuned) -> str:
    """The kernel as it was and as it is scheduled, as a unified diff of their assembly."""
    before, after = (print_code(each) for each in (tuned.run.kernel.program, tuned.program))
    name = tuned.run.kernel.name
    lines = difflib.unified_diff(before, after, f"{name} as it was", f"{name} tuned", lineterm="")
    return "".join(f"{line}\n" for line in lines)
