"""Culprits: for whom waves waited, summed by reason and instruction to blame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wavesim.trace import Reason, Timeline

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Culprit:
    """What waits cost that one static instruction is to blame for (docs/model §16).

    Attributes:
        reason: why those waited.
        clk: for how long, all stalls together; ``stalls``: how many.
        wave, row: who waited longest, position in ``Trace.waves`` and row.
        by_wave, by_row: whom that stall names, position and row.
        by_code: index in ``Trace.code`` of the instruction to blame.
    """

    reason: Reason
    clk: int
    stalls: int
    wave: int
    row: int
    by_wave: int
    by_row: int
    by_code: int


@dataclass(frozen=True)
class Blamed:
    """The stalls of a Timeline for which somebody is to blame, one a row of each array.

    ``wave`` and ``row`` waited ``clk`` for ``reason``; ``code`` and ``by_code`` are static instructions.
    """

    wave: Int64
    row: Int64
    code: Int64
    reason: Int64
    clk: Int64
    by_wave: Int64
    by_row: Int64
    by_code: Int64

    def culprits(self, chosen: npt.NDArray[np.bool_], *, each_wave: bool) -> tuple[Culprit, ...]:
        """Sums over the chosen stalls by reason and instruction to blame, those with most clocks first.

        Args:
            chosen: which stalls.
            each_wave: whether waves that are to blame count apart.
        """
        rows = np.flatnonzero(chosen)
        if not len(rows):
            return ()
        keys = np.stack([self.reason[rows], self.by_code[rows], each_wave * self.by_wave[rows]])
        _, of, counts = np.unique(keys, axis=1, return_inverse=True, return_counts=True)
        of = of.reshape(-1)
        clk = np.bincount(of, self.clk[rows]).astype(np.int64)
        longest_first = np.lexsort((self.wave[rows], -self.clk[rows], of))
        longest = rows[longest_first[np.searchsorted(of[longest_first], np.arange(len(clk)))]]
        order = np.lexsort((np.arange(len(clk)), -clk))
        return tuple(
            Culprit(
                reason=Reason(int(self.reason[longest[each]])),
                clk=int(clk[each]),
                stalls=int(counts[each]),
                wave=int(self.wave[longest[each]]),
                row=int(self.row[longest[each]]),
                by_wave=int(self.by_wave[longest[each]]),
                by_row=int(self.by_row[longest[each]]),
                by_code=int(self.by_code[longest[each]]),
            )
            for each in order.tolist()
        )


def blamed_stalls(timeline: Timeline) -> Blamed:
    """All stalls that name somebody; none of a measured timeline, which does not say."""
    columns: list[list[Int64]] = [[] for _ in range(8)]
    codes = [wave.code for wave in timeline.trace.waves]
    first = np.cumsum([0, *map(len, codes)])
    every = np.concatenate(codes) if codes else np.zeros(0, np.int32)
    for position, wave in enumerate(timeline.waves):
        named = np.flatnonzero(wave.stall_by_wave >= 0)
        row, by_wave, by_row = wave.stall_row[named], wave.stall_by_wave[named], wave.stall_by_row[named]
        found = (
            np.full(len(named), position),
            row,
            codes[position][row],
            wave.stall_reason[named],
            wave.stall_clk[named],
            by_wave,
            by_row,
            every[first[by_wave] + by_row],
        )
        for column, values in zip(columns, found, strict=True):
            column.append(np.asarray(values, np.int64))
    return Blamed(*(np.concatenate(parts) if parts else np.zeros(0, np.int64) for parts in columns))
