"""The report on the real kernel: measured and simulated side by side."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from wavesim.calibrate.device.base import DeviceProperties
from wavesim.calibrate.real.kernel import Comparison, Simulated
from wavesim.words import percent, signed_percent

SHOWN_STALLS = 5
"""The stall reasons with most clocks are printed, the rest is in the JSON."""


def kernel_lines(
    comparison: Comparison, device: DeviceProperties, tolerance: float | None = None
) -> Iterator[str]:
    """The comparison as text, with a verdict against ``tolerance`` (a share), if there is one."""
    where = "on wavesim's own model, not measured on a GPU" if device.virtual else f"on {device.name}"
    yield f"the real kernel: {comparison.kernel}, {where}"
    if comparison.whole_run:
        yield f"compared is the whole run of each wave: {comparison.whole_run}"
    measured = comparison.measured
    columns = ["measured", *(each.machine for each in comparison.simulated)]
    yield f"{'':<26}" + "".join(f"{name:>14}" for name in columns)
    what = "clk of a wave" if comparison.whole_run else "clk/iteration"
    for label, attribute in ((f"{what}, median", "median"), ("p10", "p10"), ("p90", "p90")):
        values = [
            getattr(measured, attribute),
            *(getattr(each.passes, attribute) for each in comparison.simulated),
        ]
        yield f"{label:<26}" + "".join(f"{value:14.1f}" for value in values)
    errors = [signed_percent(each.error(measured)) for each in comparison.simulated]
    yield f"{'error':<26}{'':>14}" + "".join(f"{error:>14}" for error in errors)
    hidden = [
        percent(each.analysis.overlap.hidden if each.analysis.overlap else None)
        for each in comparison.simulated
    ]
    yield f"{'LDS hidden':<26}{'':>14}" + "".join(f"{each:>14}" for each in hidden)
    busy = [percent(each.analysis.mfma_busy_share) for each in comparison.simulated]
    yield f"{'MFMA busy':<26}{'':>14}" + "".join(f"{each:>14}" for each in busy)
    stalls = [_stalls(each) for each in comparison.simulated]
    order = sorted(stalls[-1], key=lambda reason: -stalls[-1][reason])
    if order:
        yield "where a wave's clocks of an iteration go:"
    for reason in order[:SHOWN_STALLS]:
        row = "".join(f"{each.get(reason, 0.0):14.1f}" for each in stalls)
        yield f"  {reason:<24}{'':>14}{row}"
    cost = [f"{each.stamping_clk:+.0f} clk" for each in comparison.simulated]
    yield f"{'cost of the stamps':<26}{'':>14}" + "".join(f"{each:>14}" for each in cost)
    if not math.isnan(comparison.prologue_clk):
        yield f"prologue {comparison.prologue_clk:.0f} clk, epilogue {comparison.epilogue_clk:.0f} clk"
    error = comparison.max_rel_error
    yield f"numbers: {'not checked' if error is None else f'max rel error {error:.1e}'}"
    yield _verdict(comparison, tolerance)


def _numbers(comparison: Comparison) -> str:
    if comparison.max_rel_error is None:
        return "not checked"
    return "right" if comparison.right else "wrong"


def _stalls(simulated: Simulated) -> dict[str, float]:
    """Mean clocks per wave and iteration by reason, issuing among them; empty where the loop has none."""
    total: dict[str, float] = {}
    waves = 0
    for group in simulated.analysis.groups:
        if group.per_iteration is not None:
            waves += len(group.waves)
            for reason, clk in group.per_iteration.items():
                total[reason] = total.get(reason, 0.0) + clk * len(group.waves)
    return {reason: clk / waves for reason, clk in total.items() if clk}


def _verdict(comparison: Comparison, tolerance: float | None) -> str:
    last = comparison.simulated[-1]
    error = signed_percent(last.error(comparison.measured))
    if not comparison.right:
        return f"verdict: WRONG NUMBERS: the device's result is off by {comparison.max_rel_error:.1e}"
    if tolerance is None:
        return f"verdict: the {last.machine} machine is off by {error}; no --tolerance was given"
    good = comparison.within(tolerance)
    words = "good: within" if good else "BAD: beyond"
    return f"verdict: {words} {100 * tolerance:g} % (the {last.machine} machine is off by {error})"


def kernel_json(comparison: Comparison, tolerance: float | None = None) -> dict[str, Any]:
    """The same as data; ``numbers`` is ``right``, ``wrong`` or ``not checked``."""
    error = comparison.max_rel_error
    return {
        "kernel": comparison.kernel,
        "whole_run": comparison.whole_run,
        "measured": _passes(comparison.measured),
        "numbers": _numbers(comparison),
        "max_rel_error": error if error is not None and math.isfinite(error) else None,
        "prologue_clk": None if math.isnan(comparison.prologue_clk) else comparison.prologue_clk,
        "epilogue_clk": None if math.isnan(comparison.epilogue_clk) else comparison.epilogue_clk,
        "tolerance": tolerance,
        "verdict": _verdict(comparison, tolerance),
        "simulated": [
            {
                "machine": each.machine,
                "clk_per_iteration": _passes(each.passes),
                "error": each.error(comparison.measured),
                "hidden": each.analysis.overlap.hidden if each.analysis.overlap else None,
                "mfma_busy": each.analysis.mfma_busy_share,
                "stalls_clk": {name: round(clk, 2) for name, clk in sorted(_stalls(each).items())},
                "stamping_clk": each.stamping_clk,
            }
            for each in comparison.simulated
        ],
    }


def _passes(passes: Any) -> dict[str, float]:
    return {"median": passes.median, "p10": passes.p10, "p90": passes.p90, "count": passes.count}
