"""Waves that a trace leaves out, as every report of a trace has them in JSON."""

from __future__ import annotations

from wavesim.replays.att.occupancy import LeftOut


def left_out_json(left: LeftOut | None) -> dict[str, int] | None:
    """How many of the waves listed are missing, and how many of those ran beside the ones that are there."""
    return None if left is None else {"missing": left.missing, "listed": left.listed, "beside": left.beside}
