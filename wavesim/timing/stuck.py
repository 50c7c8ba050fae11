"""What a run that cannot go on waits for, in words, read off its Timeline (docs/model §8, §12)."""

from __future__ import annotations

from wavesim.limits import SPIN_PATIENCE_CLK
from wavesim.trace import Kind, Timeline


def stuck_notes(timeline: Timeline) -> tuple[str, ...]:
    """A line for each polling wave that stopped, and one for the waves at barriers that are not complete."""
    trace = timeline.trace
    notes = []
    at_barrier = []
    for position, (wave, stream) in enumerate(zip(timeline.waves, trace.waves, strict=True)):
        issued = wave.issue_clk >= 0
        if issued.all():
            continue
        for spin, repeats in zip(stream.spins, wave.spin_repeats, strict=True):
            if not repeats or (spin.last + 1 < len(issued) and issued[spin.last + 1]):
                continue
            store = trace.code[trace.waves[spin.store_wave].code[spin.store_index]].instruction.opcode
            what = f"wave {position} polls for {store} of wave {spin.store_wave}"
            if timeline.waves[spin.store_wave].issue_clk[spin.store_index] < 0:
                notes.append(f"{what}, which never issues: {repeats} passes in vain")
            else:
                notes.append(
                    f"{what}, which its polls kept from issuing: it gave up after {repeats} passes, "
                    f"when nothing but repeated polls had issued for {SPIN_PATIENCE_CLK} clk"
                )
            break
        else:
            row = int(issued.argmin())
            if trace.code[stream.code[row]].kind is Kind.BARRIER:
                at_barrier.append(position)
    if at_barrier:
        waves = ", ".join(str(position) for position in at_barrier)
        notes.append(f"at a barrier that is never complete: wave {waves}")
    return tuple(notes)
