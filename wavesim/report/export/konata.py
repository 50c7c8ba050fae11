"""Konata: a pipeline log (format Kanata 0004), one row per dynamic instruction."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from wavesim.analyze.stalls import issued_rows
from wavesim.report.export.blame import blame
from wavesim.trace import REASON_NAMES, Timeline

START, STAGE_END, RETIRE = 0, 2, 3


def konata_parts(timeline: Timeline) -> Iterator[str]:
    """The log as pieces of text.

    Stages of an instruction: ``W`` from the end of the one before to its issue, if it waited (the hover
    text says for what and because of whom; an arrow comes from whoever is to blame at last), ``X`` while it
    issues, ``M`` until its data is there. Rows are in order of the clock at which the instruction first
    stands at the head of its wave, then of age.
    """
    trace = timeline.trace
    names = [
        f"{entry.instruction.opcode} {', '.join(map(str, entry.instruction.operands))}".replace(
            "\t", " "
        ).strip()
        for entry in trace.code
    ]
    heads: list[tuple[int, int, int]] = []
    for position, wave in enumerate(timeline.waves):
        rows = issued_rows(wave)
        begin = np.concatenate(([wave.first_clk], wave.end_clk[: max(0, rows - 1)]))[:rows]
        heads += [(clk, position, row) for row, clk in enumerate(begin.tolist())]
    heads.sort()
    events: list[tuple[int, int, int, str]] = []
    waits = [_waits(timeline, position) for position in range(len(timeline.waves))]
    identities = {(position, row): identity for identity, (_, position, row) in enumerate(heads)}
    for identity, (begin_clk, position, row) in enumerate(heads):
        wave = timeline.waves[position]
        issue, end = int(wave.issue_clk[row]), int(wave.end_clk[row])
        done = max(end, int(wave.done_clk[row])) if row < len(wave.done_clk) else end
        label = f"{names[trace.waves[position].code[row]]}"
        lines = [
            f"I\t{identity}\t{row}\t{position}\n",
            f"L\t{identity}\t0\tg{wave.workgroup}w{wave.wave}: {label}\n",
        ]
        why, by = waits[position].get(row, ("", None))
        if why:
            lines.append(f"L\t{identity}\t1\t{why}\n")
        first = "W" if issue > begin_clk else "X"
        lines.append(f"S\t{identity}\t0\t{first}\n")
        events.append((begin_clk, START, identity, "".join(lines)))
        if first == "W":
            arrow = f"W\t{identity}\t{identities[by]}\t0\n" if by in identities else ""
            events.append((issue, 1, identity, f"{arrow}S\t{identity}\t0\tX\n"))
        if done > end:
            events.append((end, 1, identity, f"S\t{identity}\t0\tM\n"))
        last = "M" if done > end else "X"
        events.append((done, STAGE_END, identity, f"E\t{identity}\t0\t{last}\n"))
        events.append((done, RETIRE, identity, f"R\t{identity}\t{identity}\t0\n"))
    events.sort(key=lambda event: event[:3])
    yield "Kanata\t0004\n"
    clock = 0
    yield "C=\t0\n"
    for clk, _, _, text in events:
        if clk > clock:
            yield f"C\t{clk - clock}\n"
            clock = clk
        yield text


def _waits(timeline: Timeline, position: int) -> dict[int, tuple[str, tuple[int, int] | None]]:
    """Per row what it waited for, as text, and who is to blame for its last wait."""
    wave = timeline.waves[position]
    names = {int(reason): name for reason, name in REASON_NAMES.items()}
    blamed = blame(timeline, position)
    found: dict[int, tuple[str, tuple[int, int] | None]] = {}
    for stall, (row, why, clk) in enumerate(
        zip(wave.stall_row.tolist(), wave.stall_reason.tolist(), wave.stall_clk.tolist(), strict=True)
    ):
        by = blamed.get(stall)
        text = f"{names[why]} {clk}" + (f" by {by.text}" if by is not None else "")
        before = f"{found[row][0]}, " if row in found else ""
        found[row] = (before + text, by[:2] if by is not None else None)
    return found
