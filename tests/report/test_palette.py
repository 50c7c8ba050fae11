"""The palette: a colour has one meaning, also for people who do not see all colours."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from rich.style import Style

from wavesim.report.palette import GLYPHS, colour_of_reason, colours
from wavesim.trace import Reason

Float = npt.NDArray[np.float64]

SEEN: dict[str, Float] = {
    "all": np.eye(3),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
    ),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]]
    ),
}
"""Machado, Oliveira, Fernandes: A Physiologically-based Model for Simulation of Color Vision Deficiency
(2009), severity 1, on linear RGB."""

WORK = {"mfma", "lds-read", "lds-write", "global", "alu"}
"""Drawn full height; waits are half as high, so that only two of one kind must differ by colour alone."""

LEAST_DISTANCE = 13
"""In CIELAB; about 2.3 is just noticeable side by side."""


def lab(colour: str, seen: Float) -> Float:
    """CIELAB (D65) of ``#rrggbb`` as it is seen."""
    share = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ np.clip(seen @ linear, 0, 1) / np.array([0.9505, 1, 1.089])
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("ground", ["light", "dark"])
@pytest.mark.parametrize("kind", SEEN)
def test_colours_of_the_page_can_be_told_apart(ground: str, kind: str) -> None:
    shown = {name: getattr(glyph, ground) for name, glyph in colours().items() if glyph.meaning}
    for one, other in combinations(shown, 2):
        if (one in WORK) == (other in WORK):
            apart = np.linalg.norm(lab(shown[one], SEEN[kind]) - lab(shown[other], SEEN[kind]))
            assert apart >= LEAST_DISTANCE, (one, other)


def test_no_two_activities_share_a_colour_in_the_terminal() -> None:
    """The ground where there is one, else the letter."""
    looks = [Style.parse(glyph.style) for glyph in GLYPHS.values() if glyph.meaning]
    colours_shown = [look.bgcolor or look.color for look in looks]
    assert None not in colours_shown
    assert len(set(colours_shown)) == len(looks)


def test_every_reason_has_the_colour_of_a_wait_or_none() -> None:
    names = {reason: colour_of_reason(reason) for reason in Reason}
    assert names.pop(Reason.ISSUE) == "text"
    assert set(names.values()) == set(colours()) - WORK - {"absent"}
