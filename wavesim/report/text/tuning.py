"""What `wavesim tune` prints: a loop before and after, its bound, what changed and how it was proven."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from wavesim.asm.printer import print_code, print_program
from wavesim.front.endings import HIP, TILES
from wavesim.front.launch.file import launch_path
from wavesim.front.launch.write import launch_text, with_its_workgroup
from wavesim.front.tile.rewrite import moved_to
from wavesim.report.json.schemas import headed
from wavesim.report.json.trust import trust_json
from wavesim.report.text.hints import hint_diff, hint_json, hint_source, memory_share
from wavesim.report.text.wrap import WIDTH, dropped_lines, unified, wrapped
from wavesim.tuning.hints import Hints
from wavesim.tuning.parameters import Parameters
from wavesim.tuning.score import MIDDLE
from wavesim.tuning.state import State
from wavesim.tuning.tune import Tuned

MOST_CHOICES = 4
"""Choices of parameters that are shown, of the best and of those refused."""

BOUND_SAID = {
    "mfma": "the matrix pipes are busy for so long with the MFMAs of a pass",
    "lds_bytes": "the LDS needs so long for the bytes of a pass",
    "lds_service": "the ports and banks of the LDS need so long for the accesses of a pass",
    "issue": "the instructions of a pass need so many slots to issue",
    "global_bytes": "global memory needs so long for the bytes of a pass",
    "memory_in_flight": "the loads of a pass need so long where so many may be in flight, at this latency",
    "l2": "the L2 needs so long for the lines of a pass, of all compute units",
    "mall": "the Infinity Cache needs so long for the lines of a pass, of all compute units",
    "hbm": "the DRAM needs so long for the lines of a pass, of all compute units",
}
"""Why nothing can be faster than a bound, by its name."""

REACHED = 0.001
"""A schedule no more than this share above a bound has reached it."""

PROOF = (
    "the order keeps every dependence; executed, it leaves the same bytes in every matrix; check finds"
    " nothing that it did not find before, adversarial execution included; both engines agree to the clock"
)


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
        yield from wrapped(f"FORCED: this kernel is wrong as it is: {tuned.fault}", "", "  ")
    yield ""
    for name, old, new, gain, bound in clock_rows(tuned):
        yield f"{name:<26}{old:>12}{new:>12}{gain:>10}{bound:>12}"
    if tuned.bound:
        yield from wrapped(bound_argument(tuned), "  bound: ", "    ")
    if tuned.anew_clk is not None:
        yield from wrapped(predicted_anew(tuned), "  ", "    ")
    yield ""
    if tuned.parameters is not None:
        yield from _parameters(tuned.parameters, tuned.latencies)
        yield ""
    if tuned.better:
        yield from _what_changed(tuned)
    else:
        yield from wrapped("nothing better was found and proven: the kernel stands as it was", "")
    yield ""
    tries = f"{tuned.tried} candidates tried, seed {tuned.seed}"
    stopped = f"; stopped before its time: {tuned.stopped}" if tuned.stopped else ""
    yield f"{tries}{stopped}"
    yield from dropped_lines(tuned.dropped)


def clock_rows(tuned: Tuned) -> Iterator[tuple[str, str, str, str, str]]:
    """Clocks per iteration at each latency, before and after, with the gain and the bound; a head first."""
    yield "clk/iteration at", "before", "after", "gain", "bound"
    clocks = zip(tuned.latencies, tuned.before_clk, tuned.after_clk, tuned.bound_clk, strict=True)
    for share, before, after, bound in clocks:
        old, new, least = (f"{clk / tuned.unroll:,.1f}" for clk in (before, after, bound))
        gain = f"{1 - after / before:.1%}"
        yield f"  {memory_share(tuned.run, share)}", old, new, gain, least if tuned.bound else "-"


def bound_argument(tuned: Tuned) -> str:
    """Why nothing is below the bound, and how far the schedule is above it."""
    said = f"{tuned.bound}: {BOUND_SAID[tuned.bound]}"
    above = tuned.after_clk[MIDDLE] / tuned.bound_clk[MIDDLE] - 1
    if above <= REACHED:
        return f"{said}. No order of these instructions is faster, and it is reached"
    return f"{said}. The schedule is {above:.1%} above it"


def predicted_anew(tuned: Tuned) -> str:
    """What the schedule takes with its own prediction of memory, not that of the kernel as it was."""
    assert tuned.anew_clk is not None
    anew, other = tuned.anew_clk / tuned.unroll, tuned.anew_clk / tuned.after_clk[MIDDLE] - 1
    return f"memory predicted anew for the schedule: {anew:,.1f} clk/iteration ({other:+.1%})"


def share_rows(tuned: Tuned) -> Iterator[tuple[str, str, str, str]]:
    """What each kind of change is worth; kinds help each other, so that the shares need not add up."""
    gained = tuned.before_clk[MIDDLE] - tuned.after_clk[MIDDLE]
    yield "one kind of change left out", "clk/iteration", "lost", "of the gain"
    for share in tuned.shares:
        without, lost = (clk / tuned.unroll for clk in (share.without_clk, share.lost_clk))
        of_all = "all" if share.lost_clk >= gained else f"{share.lost_clk / gained:.0%}"
        yield f"  without {share.change}", f"{without:,.1f}", f"{lost:,.1f}", of_all


def changes_said(tuned: Tuned) -> tuple[str, ...]:
    """What changed, one statement a line."""
    return (*((tuned.how,) if tuned.how != "as it is" else ()), *tuned.changes)


def parameter_rows(found: Parameters, latencies: Sequence[float]) -> Iterator[tuple[str, ...]]:
    """The kernel as it was and the best choices with their clocks; a head first."""
    yield "parameters alone", *(f"{share:.3g} x" for share in latencies)
    usable = sorted((each for each in found.tried[1:] if not each.refused), key=lambda each: each.clk)
    as_it_was = ", ".join(f"{name}: {value}" for name, value in found.before.items())
    rows = [(f"as it was{f': {as_it_was}' if as_it_was else ''}", found.before_clk)]
    rows += [(str(each.choice), each.at_latencies) for each in usable[:MOST_CHOICES]]
    for name, clocks in rows:
        yield f"  {name}", *(f"{clk:,.1f}" for clk in clocks)


def _parameters(found: Parameters, latencies: Sequence[float]) -> Iterator[str]:
    for name, *clocks in parameter_rows(found, latencies):
        numbers = "".join(f"{clk:>10}" for clk in clocks)
        if len(name) > WIDTH - len(numbers):
            yield name
            name = ""
        yield f"{name:<{WIDTH - len(numbers)}}{numbers}"
    refused = [each for each in found.tried if each.refused]
    yield f"  {len(found.tried) - 1} choices tried, {len(refused)} of them refused"
    for each in refused[:MOST_CHOICES]:
        yield from wrapped(f"{each.choice}: {each.refused}", "  - ", "    ")


def _what_changed(tuned: Tuned) -> Iterator[str]:
    if tuned.shares:
        for name, without, lost, of_all in share_rows(tuned):
            yield f"{name:<38}{without:>14}{lost:>10}{of_all:>14}"
        yield ""
    yield "what changed"
    for said in changes_said(tuned):
        yield from wrapped(said, "  - ", "    ")
    yield ""
    yield from wrapped(f"proven: {PROOF}", "", "  ")


def tuning_json(tuned: Tuned, hints: Hints | None = None) -> dict[str, Any]:
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
                tuned.latencies, tuned.before_clk, tuned.after_clk, tuned.bound_clk, strict=True
            )
        ],
        "bound": tuned.bound or None,
        "predicted_anew": tuned.anew_clk / tuned.unroll if tuned.anew_clk is not None else None,
        "shares": {
            share.change: {
                "without": share.without_clk / tuned.unroll,
                "lost": share.lost_clk / tuned.unroll,
            }
            for share in tuned.shares
        },
        "rotation": tuned.how,
        "changes": list(tuned.changes),
        "candidates": tuned.tried,
        "seed": tuned.seed,
        "stopped": bool(tuned.stopped),
        "dropped": list(tuned.dropped),
        "fault": tuned.fault or None,
        "parameters": _parameters_json(tuned.parameters) if tuned.parameters is not None else None,
        "sched_group_barrier": hint_json(hints, tuned) if hints is not None else None,
        "trust": trust_json(tuned.run),
    }
    return headed("tune", data)


def _parameters_json(found: Parameters) -> dict[str, Any]:
    return {
        "free": {name: list(values) for name, values in found.free.items()},
        "before": dict(found.before),
        "best": dict(found.best.values) if found.better else dict(found.before),
        "interleaving": found.best.interleaving or None,
        "line": found.best.line or None,
        "tried": [
            {
                "values": dict(each.choice.values) or dict(found.before),
                "interleaving": each.choice.interleaving or None,
                "clk_per_iteration": None if each.refused else list(each.at_latencies),
                "refused": each.refused or None,
            }
            for each in found.tried
        ],
    }


def tuned_assembly(tuned: Tuned) -> str:
    """The scheduled kernel as assembly, headed by what it is."""
    old, new = (clk[MIDDLE] / tuned.unroll for clk in (tuned.before_clk, tuned.after_clk))
    head = f"; wavesim tune: loop {tuned.label}, {old:.1f} -> {new:.1f} clk/iteration, seed {tuned.seed}\n"
    if tuned.fault:
        head += f"; FORCED: the kernel that this was made of is wrong: {' '.join(tuned.fault.split())}\n"
    return head + print_program(with_its_workgroup(tuned.program, tuned.run.kernel.launch))


def tuned_files(
    tuned: Tuned, output: Path, hints: Hints | None = None, kernel: Path | None = None
) -> Iterator[tuple[Path, str]]:
    """The scheduled kernel for the file ``output``, and the launch file that belongs beside it.

    Args:
        tuned: what was found.
        output: assembly, or by its ending HIP or a tile program.
        hints: the builtins that go into HIP.
        kernel: the file of the kernel.

    Raises:
        UserError: a launch that no file can state, or no HIP source to write.
    """
    if output.suffix.lower() in TILES and tuned.parameters is not None:
        text = tuned.parameters.best.text
        yield output, moved_to(text, kernel, output) if kernel is not None else text
        return
    launch = tuned.run.kernel.launch
    if output.suffix.lower() in HIP and hints is not None and kernel is not None:
        text = hint_source(hints, kernel)
    else:
        text = tuned_assembly(tuned)
    if launch.arguments:
        yield launch_path(output), launch_text(launch)
    yield output, text


def tuning_diff(tuned: Tuned, hints: Hints | None = None, kernel: Path | None = None) -> str:
    """The kernel as it was and as it is scheduled, as a unified diff: of the HIP source ``kernel`` where
    builtins were put into it, else of their assembly."""
    if hints is not None and hints.source and kernel is not None:
        return hint_diff(hints, kernel)
    before, after = (print_code(each) for each in (tuned.run.kernel.program, tuned.program))
    return unified(before, after, tuned.run.kernel.name)
