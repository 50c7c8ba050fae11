"""Reasons that the stalls of a measured trace are given, by the rules' own functions: derived by hand."""

from __future__ import annotations

from collections.abc import Sequence

import builders as b
import numpy as np

from wavesim.replays.att.measured import measured_timeline
from wavesim.replays.compare import side
from wavesim.timing import simulate
from wavesim.trace import CodeEntry, Reason, Timeline

Seen = Sequence[tuple[CodeEntry, int, int, int]]
"""Of each row: instruction, clock of its attempt, stall, duration (the stall and its slots)."""


def measured(arch: str, *waves: Seen) -> Timeline:
    """A trace of waves on SIMD 0."""
    code = b.one_chunk([entry for wave in waves for entry, *_ in wave])
    streams, rows, first = [], [], 0
    for number, wave in enumerate(waves):
        streams.append(b.wave(range(first, first + len(wave)), number=number))
        seen = [
            (clock, 0, stall, length, first + place) for place, (_, clock, stall, length) in enumerate(wave)
        ]
        rows.append(np.array(seen, np.int64))
        first += len(wave)
    return measured_timeline(b.trace(code, streams, arch), rows, 0, b.parameters(arch))


def reasons(timeline: Timeline, wave: int) -> list[tuple[int, Reason, int]]:
    of = timeline.waves[wave]
    columns = (of.stall_row.tolist(), map(Reason, of.stall_reason.tolist()), of.stall_clk.tolist())
    return list(zip(*columns, strict=True))


def test_a_vmem_instruction_keeps_from_the_salu_that_wrote_what_it_reads() -> None:
    """The load begins 8 clk after row 0; the SALU in between wrote another register."""
    one, other = b.salu(writes=(3,)), b.salu(writes=(9,))
    mine = measured("gfx942", [(one, 0, 0, 4), (b.load(reads=(3,)), 8, 0, 4)])
    assert reasons(mine, 0) == [(1, Reason.DEPENDENCY, 4)]
    mine = measured("gfx942", [(other, 0, 0, 4), (b.load(reads=(3,)), 8, 0, 4)])
    assert reasons(mine, 0) == [(1, Reason.FETCH, 4)]


def test_what_lasts_longer_than_a_gap_is_fetch() -> None:
    """A conditional branch keeps 8 clk from the SALU at 0. At 8 it has waited for that; at 12 perhaps, as
    clocks are off by 4; at 16 its bytes were late, and by the model (§2) fetch has all of the clocks."""
    for begin, expected in (
        (8, [(1, Reason.DEPENDENCY, 4)]),
        (12, [(1, Reason.FETCH, 4), (1, Reason.DEPENDENCY, 4)]),
        (16, [(1, Reason.FETCH, 12)]),
    ):
        mine = measured("gfx950", [(b.salu(), 0, 0, 4), (b.cbranch(), begin, 0, 4)])
        assert reasons(mine, 0) == expected


def test_an_mfma_keeps_lds_and_valu_out_for_their_own_clocks() -> None:
    """gfx950, 8 VGPRs: LDS 8 clk, VALU 12. Both stall from 4 to 20 behind an MFMA that issued at 0."""
    matrix = [(b.mfma(b.MFMA_950, 8), 0, 0, 4)]
    lds = measured("gfx950", matrix, [(b.lds_read(), 4, 16, 20)])
    assert reasons(lds, 1) == [(0, Reason.FETCH, 4), (0, Reason.MFMA_COISSUE, 4), (0, Reason.LDS_QUEUE, 12)]
    valu = measured("gfx950", matrix, [(b.valu(), 4, 16, 20)])
    assert reasons(valu, 1) == [(0, Reason.FETCH, 4), (0, Reason.MFMA_COISSUE, 8), (0, Reason.ARBITRATION, 8)]


def test_a_scaled_mfma_that_stalled_has_loaded_its_scales_first() -> None:
    """The trace has the matrix half, at 20: from 8 on the pipe is waited for, then the scales are loaded
    (4 clk). It keeps VALU out from the load of its scales, at 16, to 20 + 12."""
    scaled = b.mfma(b.MFMA_SCALED, 8, fmt="fp8", scaled=True)
    both = measured("gfx950", [(b.nop(1), 0, 4, 8), (scaled, 8, 12, 16)], [(b.valu(), 0, 36, 40)])
    assert reasons(both, 0) == [(1, Reason.HOLD, 4), (1, Reason.MATRIX_PIPE, 8)]
    assert reasons(both, 1) == [(0, Reason.MFMA_COISSUE, 16), (0, Reason.ARBITRATION, 20)]


def test_both_sides_of_a_comparison_count_its_wait_for_the_pipe() -> None:
    """Two waves issue two scaled MFMAs each into one pipe. The model knows which clocks go to the other
    wave's slot; a trace does not, and both sides are read as one."""
    scaled = b.mfma(b.MFMA_SCALED, 8, fmt="fp8", scaled=True)
    p = b.parameters("gfx950")
    code = b.one_chunk([scaled, scaled, b.endpgm()])
    timeline = simulate(b.trace(code, [b.wave(range(3), number=number) for number in (0, 1)], "gfx950"), p)
    rows = []
    for wave in timeline.waves:
        half = wave.end_clk - p.issue_slot_clk
        waited = half > wave.attempt_clk + p.mfma_scale_load_clk
        stall = np.where(waited, half, wave.issue_clk) - wave.attempt_clk
        length = wave.end_clk - wave.attempt_clk
        rows.append(np.stack([wave.attempt_clk, 0 * stall, stall, length, np.arange(3)], axis=1))
    seen = side(measured_timeline(timeline.trace, rows, 0, p), None, p).told
    known = {Reason(each) for wave in timeline.waves for each in wave.stall_reason.tolist()}
    assert {Reason.MATRIX_PIPE, Reason.ARBITRATION} <= known
    assert side(timeline, None, p).told == seen == {"matrix_pipe": seen["matrix_pipe"]}
