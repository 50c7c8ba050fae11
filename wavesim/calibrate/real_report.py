"""What is said of the real kernel: measured and simulated side by side."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from wavesim.calibrate.device import DeviceProperties
from wavesim.calibrate.real_kernel import Comparison


def kernel_lines(comparison: Comparison, device: DeviceProperties) -> Iterator[str]:
    """The comparison as text."""
    where = "on wavesim's own model, not measured on a GPU" if device.virtual else f"on {device.name}"
    yield f"the real kernel: {comparison.kernel}, {where}"
    measured = comparison.measured
    columns = ["measured", *(each.machine for each in comparison.simulated)]
    yield f"{'':<26}" + "".join(f"{name:>14}" for name in columns)
    for label, attribute in (("clk/iteration, median", "median"), ("p10", "p10"), ("p90", "p90")):
        values = [
            getattr(measured, attribute),
            *(getattr(each.passes, attribute) for each in comparison.simulated),
        ]
        yield f"{label:<26}" + "".join(f"{value:14.1f}" for value in values)
    errors = [f"{100 * each.error(measured):+.1f} %" for each in comparison.simulated]
    yield f"{'error':<26}{'':>14}" + "".join(f"{error:>14}" for error in errors)
    hidden = [
        f"{100 * each.analysis.overlap.hidden:.1f} %" if each.analysis.overlap else "-"
        for each in comparison.simulated
    ]
    yield f"{'LDS hidden':<26}{'':>14}" + "".join(f"{each:>14}" for each in hidden)
    busy = [f"{100 * each.analysis.mfma_busy_share:.1f} %" for each in comparison.simulated]
    yield f"{'MFMA busy':<26}{'':>14}" + "".join(f"{each:>14}" for each in busy)
    cost = [f"{each.stamping_clk:+.0f} clk" for each in comparison.simulated]
    yield f"{'cost of the stamps':<26}{'':>14}" + "".join(f"{each:>14}" for each in cost)
    if not math.isnan(comparison.prologue_clk):
        yield f"prologue {comparison.prologue_clk:.0f} clk, epilogue {comparison.epilogue_clk:.0f} clk"
    error = comparison.max_rel_error
    yield f"numbers: {'not checked' if error is None else f'max rel error {error:.1e}'}"


def kernel_json(comparison: Comparison) -> dict[str, Any]:
    """The same as data."""
    return {
        "kernel": comparison.kernel,
        "measured": _passes(comparison.measured),
        "max_rel_error": comparison.max_rel_error,
        "prologue_clk": None if math.isnan(comparison.prologue_clk) else comparison.prologue_clk,
        "epilogue_clk": comparison.epilogue_clk,
        "simulated": [
            {
                "machine": each.machine,
                "clk_per_iteration": _passes(each.passes),
                "error": each.error(comparison.measured),
                "hidden": each.analysis.overlap.hidden if each.analysis.overlap else None,
                "mfma_busy": each.analysis.mfma_busy_share,
                "stamping_clk": each.stamping_clk,
            }
            for each in comparison.simulated
        ],
    }


def _passes(passes: Any) -> dict[str, float]:
    return {"median": passes.median, "p10": passes.p10, "p90": passes.p90, "count": passes.count}
