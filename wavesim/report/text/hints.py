"""What `wavesim tune --emit sched-group-barrier` says: the builtins, their place, what clang makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wavesim.errors import UserError
from wavesim.front.hip_groups import BUILTIN, MASKS, placed_reads, statements
from wavesim.pipeline.run import Run
from wavesim.report.text.wrap import dropped_lines, unified, wrapped
from wavesim.source_text import read_text
from wavesim.trace.decode import code_entry
from wavesim.tuning.hints import Hints
from wavesim.tuning.tune import Tuned

HINT_PROOF = (
    "compiled with them, it leaves the same bytes in every matrix; check finds nothing that it did not find"
    " before, adversarial execution included; both engines agree to the clock"
)


def hint_lines(hints: Hints, tuned: Tuned) -> Iterator[str]:
    """The sequence and its figures; without a source also the order to be written by hand."""
    yield BUILTIN
    if hints.reason:
        yield from wrapped(hints.reason)
    if hints.before_clk and not hints.reason:
        for name, before, after, gain, bound in hint_rows(hints, tuned):
            yield f"{name:<32}{before:>10}{after:>10}{gain:>8}{bound:>10}"
    yield ""
    if hints.place is not None:
        yield f"at the end of the body of the loop at {hints.place}:"
    else:
        yield "at the end of the loop's body:"
    for text in statements(hints.groups):
        yield f"  {text}"
    yield ""
    if hints.source:
        yield from wrapped(f"proven: {HINT_PROOF}", "", "  ")
    else:
        yield from _by_hand(tuned)
    if hints.tried:
        yield f"{hints.tried} sequences compiled"
    yield from dropped_lines(hints.dropped)


def memory_share(run: Run, share: float) -> str:
    """What global memory costs in a row of clocks: a share of its latency, or of what is predicted."""
    return f"{share:.1f} x memory latency" if run.memory is None else f"{share:.2f} x predicted memory"


def hint_rows(hints: Hints, tuned: Tuned) -> Iterator[tuple[str, str, str, str, str]]:
    """Clocks per iteration at each latency, of what is compiled without and with them; a head first."""
    yield f"clk/iteration by {hints.compiler}", "without", "with", "gain", "bound"
    clocks = zip(tuned.latencies, hints.before_clk, hints.after_clk, hints.bound_clk, strict=True)
    for share, before, after, bound in clocks:
        name, gain = f"  {memory_share(tuned.run, share)}", f"{1 - after / before:.1%}"
        yield name, f"{before:,.1f}", f"{after:,.1f}", gain, f"{bound:,.1f}" if bound else "-"


def _by_hand(tuned: Tuned) -> Iterator[str]:
    entries = [code_entry(each, tuned.program.arch) for each in tuned.schedule]
    if not any(each.kind in MASKS for each in entries):
        return
    yield "by hand: where a pass of the schedule found has its accesses to memory"
    for text in placed_reads(entries):
        yield from wrapped(text, "  - ", "    ")
    if tuned.how != "as it is":
        yield from wrapped(f"{tuned.how}: those are the next pass's", "  - ", "    ")


def hint_json(hints: Hints, tuned: Tuned) -> dict[str, Any]:
    """The same for machines; clocks are per iteration of the source."""
    entries = [code_entry(each, tuned.program.arch) for each in tuned.schedule]
    return {
        "groups": [
            {"kind": each.kind.value, "mask": MASKS[each.kind], "size": each.size} for each in hints.groups
        ],
        "compiler": hints.compiler or None,
        "file": hints.place.file if hints.place is not None else None,
        "line": hints.place.line if hints.place is not None else None,
        "clk_per_iteration": [
            {"memory_latency": share, "before": before, "after": after, "bound": bound or None}
            for share, before, after, bound in zip(
                tuned.latencies, hints.before_clk, hints.after_clk, hints.bound_clk, strict=False
            )
        ],
        "by_hand": list(placed_reads(entries)),
        "sequences": hints.tried,
        "dropped": list(hints.dropped),
        "reason": hints.reason or None,
    }


def hint_source(hints: Hints, path: Path) -> str:
    """The HIP source with the builtins in it; as it was where nothing better was found.

    Raises:
        UserError: there is no HIP source.
    """
    if hints.source:
        return hints.source
    if not hints.before_clk:
        raise UserError(f"no HIP source can be written: {hints.reason}")
    return read_text(path, lenient=True)


def hint_diff(hints: Hints, path: Path) -> str:
    """The HIP source as it was and with the builtins, as a unified diff."""
    before, after = (text.splitlines() for text in (read_text(path, lenient=True), hint_source(hints, path)))
    return unified(before, after, str(path))
