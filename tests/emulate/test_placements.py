"""Where waves sit and when they start, as traces show it (docs/evidence/facts.md, dispatch)."""

from __future__ import annotations

import pytest

from wavesim.emulate.launch_state import placements
from wavesim.front.launch.model import Launch
from wavesim.isa.load import load_machine


@pytest.mark.parametrize(
    ("arch", "waves", "simds", "slots", "starts"),
    [
        ("gfx950", 4, [0, 2, 1, 3, 2, 1, 3, 0, 1, 3, 0, 2], [0] * 4 + [1] * 4 + [2] * 4, [0, 4, 8, 12, 128]),
        ("gfx950", 2, [0, 2, 2, 1, 1, 3], [0, 0, 1, 0, 1, 0], [0, 4, 128, 132, 256]),
        ("gfx950", 1, [0, 2, 1], [0, 0, 0], [0, 128, 256]),
        (
            "gfx942",
            8,
            [0, 2, 1, 3, 0, 2, 1, 3, 2, 1, 3, 0],
            [0] * 4 + [1] * 4 + [2] * 4,
            [0, 4, 8, 12, 16, 20, 24, 28, 288],
        ),
    ],
)
def test_workgroups_begin_one_simd_further_and_a_round_of_the_dispatcher_later(
    arch: str, waves: int, simds: list[int], slots: list[int], starts: list[int]
) -> None:
    launch = Launch((), 64 * waves, grid=(3, 1, 1), workgroups=((0, 0, 0), (1, 0, 0), (2, 0, 0)))
    found = placements(launch, load_machine(arch))
    assert [place.simd for place in found][: len(simds)] == simds
    assert [place.slot for place in found][: len(slots)] == slots
    assert [place.start_clk for place in found][: len(starts)] == starts
