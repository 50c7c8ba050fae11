"""The figures that every report of a run shows, each with its words, once.

The terminal, the comparison, the page and the JSON go through :data:`FIGURES`. To add one, compute it in
``wavesim/analyze/`` and put it here; ``docs/extending.md`` shows it made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wavesim.analyze.result import Analysis
from wavesim.words import number, percent


@dataclass(frozen=True, slots=True)
class Figure:
    """``key`` is its name in JSON; ``value`` is None where a run does not have it; ``note`` says more."""

    key: str
    label: str
    value: Callable[[Analysis], float | None]
    text: Callable[[float], str]
    note: Callable[[Analysis], str]

    def shown(self, analysis: Analysis) -> str:
        """The value as text; ``-`` where the run does not have it."""
        value = self.value(analysis)
        return "-" if value is None else self.text(value)


def _by_simd(analysis: Analysis) -> str:
    shares = ", ".join(f"{100 * share:.1f}" for share in analysis.mfma_busy)
    return f"SIMD 0-{len(analysis.mfma_busy) - 1}: {shares}"


def _by_pair(analysis: Analysis) -> str:
    return f"port of SIMD pair 0, 1: {', '.join(f'{100 * share:.1f}' for share in analysis.lds_busy)}"


def _of_service(analysis: Analysis) -> str:
    overlap = analysis.overlap
    if overlap is None:
        return ""
    per = "clk/iteration" if analysis.loop is not None else "clk"
    return (
        f"of {number(overlap.service_clk_per_iteration)} {per} of read service under MFMA;"
        f" exposed {number(overlap.exposed_clk_per_iteration)} {per}."
        f" Pipe idle while all its waves wait for lgkmcnt: {number(overlap.mfma_idle_on_lds_clk)} {per}"
    )


def _of_followers(analysis: Analysis) -> str:
    following = analysis.following
    if following is None:
        return ""
    return (
        f"of the compute unit for each, {following.together} at a time; {following.workgroups} were "
        "simulated, each starting when there was room for it"
    )


def _of_bandwidth(analysis: Analysis) -> str:
    bandwidth = analysis.bandwidth
    if bandwidth is None:
        return ""
    note = f"of loads and stores, {number(bandwidth.bytes_per_workgroup)} bytes a workgroup, at "
    note += f"{number(bandwidth.clock.ghz, 3)} GHz ({bandwidth.clock})"
    if bandwidth.memory_gbytes_per_s is not None:
        note += f"; Infinity Cache and HBM give {number(bandwidth.memory_gbytes_per_s)}"
    if bandwidth.gbytes_per_s_with_tail is not None:
        note += f"; the whole launch {number(bandwidth.gbytes_per_s_with_tail)}"
    return note


MFMA_BUSY = Figure("mfma_busy", "MFMA busy", lambda analysis: analysis.mfma_busy_share, percent, _by_simd)

FIGURES = (
    MFMA_BUSY,
    Figure("lds_busy", "LDS busy", lambda analysis: analysis.lds_busy_share, percent, _by_pair),
    Figure(
        "overlap",
        "LDS hidden",
        lambda analysis: analysis.overlap.hidden if analysis.overlap else None,
        percent,
        _of_service,
    ),
    Figure(
        "clk_per_workgroup",
        "clk/workgroup",
        lambda analysis: analysis.following.clk_per_workgroup if analysis.following else None,
        number,
        _of_followers,
    ),
    Figure(
        "gbytes_per_s",
        "GB/s",
        lambda analysis: analysis.bandwidth.gbytes_per_s if analysis.bandwidth else None,
        number,
        _of_bandwidth,
    ),
)
"""In the order of the reports."""
