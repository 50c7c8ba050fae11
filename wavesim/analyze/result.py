"""Analysis: the figures of one run, as frozen values that reports print and never compute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wavesim.errors import SourceSpan
from wavesim.isa.clock import Clock


@dataclass(frozen=True, slots=True)
class WaveStalls:
    """Where one wave's clocks went.

    ``stalls`` maps every reason name to clocks; they add up to ``clk`` = the run's total exactly (with
    ``not_started`` before ``first_clk`` and ``finished`` after ``last_clk``). A measured wave whose trace
    does not explain every clock has the rest under ``unattributed``.
    """

    wave: int
    workgroup: int
    simd: int
    slot: int
    first_clk: int
    last_clk: int
    clk: int
    instructions: int
    stalls: Mapping[str, int]

    @property
    def lifetime_clk(self) -> int:
        """Clocks from dispatch to end."""
        return self.last_clk - self.first_clk


@dataclass(frozen=True, slots=True)
class WaveGroup:
    """Waves with the same role: the same code path and alike stalls.

    ``waves`` are positions in ``Analysis.waves``; ``stalls`` the mean clocks per wave and reason over the
    wave's life, ``per_iteration`` the mean clocks per wave and iteration of its loop in steady state
    (``None`` without a loop), which add up to ``iteration_clk``.
    """

    waves: tuple[int, ...]
    stalls: Mapping[str, float]
    per_iteration: Mapping[str, float] | None
    iteration_clk: float | None


@dataclass(frozen=True, slots=True)
class Loop:
    """One loop of the executed code.

    ``head`` and ``tail`` are code indices (first instruction, last backward branch); ``waves`` the
    positions of the waves that ran it; ``iterations`` how often its head issued, of the wave that ran it
    most. A pass of a loop that its source unrolled by ``unroll`` is that many iterations, everywhere here.

    ``clk_per_iteration`` is throughput: the clocks in which some wave is in the loop over the mean
    number of iterations that a wave made in them (:mod:`wavesim.analyze.passes`). Of the first loop
    it is never below a bound. ``wave_clk_per_iteration``, the pace of one wave, is (last - first
    issue of the head) / (count - 1) per wave, the median over waves; ``p10``, ``median``, ``p90``
    are over all waves' single iterations. From ``from_iteration`` (counting from 0) on the issue
    times of all waves repeat exactly every ``period_iterations``, which they do for ``periods`` whole
     periods; ``None`` where they do not.
    """

    head: int
    tail: int
    label: str
    span: SourceSpan | None
    depth: int
    waves: tuple[int, ...]
    iterations: int
    clk: int
    clk_per_iteration: float
    wave_clk_per_iteration: float
    p10: float
    median: float
    p90: float
    unroll: int = 1
    period_iterations: int | None = None
    period_clk: int | None = None
    from_iteration: int | None = None
    periods: int = 0


@dataclass(frozen=True, slots=True)
class SteadyState:
    """The clocks that shares are taken over: ``iterations`` iterations (whole passes) of the reference wave.

    ``exact``: the window is periodic, shown by comparing every issue. Otherwise it is the run of the
    loop without its first quarter, or (``iterations`` = 0) the whole run where there is no loop.
    """

    from_clk: int
    to_clk: int
    iterations: int
    exact: bool

    @property
    def clk(self) -> int:
        """Length in clocks."""
        return self.to_clk - self.from_clk


@dataclass(frozen=True, slots=True)
class PairOverlap:
    """One SIMD pair's LDS port serving reads (``service_clk``) beside its two matrix pipes.

    ``hidden_clk`` is the mean over the two pipes of the service clocks in which the pipe is busy.
    """

    pair: int
    service_clk: int
    hidden_clk: float


@dataclass(frozen=True, slots=True)
class Overlap:
    """How much of the LDS read service is hidden under MFMA, in steady state.

    ``hidden`` + ``exposed`` = 1. The clocks per iteration are the mean over the pairs that read;
    ``mfma_idle_on_lds_clk`` is the mean over SIMDs of idle matrix-pipe clocks per iteration in which
    every live wave of the SIMD waits for lgkmcnt. Clocks are for the whole run where there is no loop.
    """

    hidden: float
    exposed: float
    service_clk_per_iteration: float
    hidden_clk_per_iteration: float
    exposed_clk_per_iteration: float
    mfma_idle_on_lds_clk: float
    pairs: tuple[PairOverlap, ...]


LEVEL_BOUNDS = ("l2", "mall", "hbm")
"""Bounds of the device's memory, which there are where it is predicted."""
BOUND_NAMES = ("mfma", "lds_bytes", "lds_service", "issue", "global_bytes", "memory_in_flight", *LEVEL_BOUNDS)
"""The bounds, in the published order."""
BOUND_WORDS = {
    "mfma": "matrix pipes",
    "lds_bytes": "LDS bandwidth",
    "lds_service": "LDS ports",
    "issue": "issue slots",
    "global_bytes": "path to memory",
    "memory_in_flight": "loads in flight",
    "l2": "L2 bandwidth",
    "mall": "Infinity Cache",
    "hbm": "HBM",
}
"""What sets a bound, in words."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Lower bounds on an iteration, clk per iteration and set of workgroups on the compute unit
    (:func:`wavesim.analyze.bounds.find_bounds` says what each is).

    ``issue_by_category`` is per category the busiest SIMD's clocks; ``issue`` the largest of them.
    ``lds_parts`` are the clocks of each part whose largest is ``lds_service``; ``memory_levels`` those of
    :data:`LEVEL_BOUNDS`, if memory was predicted.
    """

    mfma: float
    lds_bytes: float
    lds_service: float
    issue: float
    global_bytes: float
    memory_in_flight: float
    issue_by_category: Mapping[str, float]
    lds_parts: Mapping[str, float]
    memory_levels: Mapping[str, float] = field(default_factory=dict)

    def named(self) -> dict[str, float]:
        """The bounds that there are by name, in the published order."""
        always = (name for name in BOUND_NAMES if name not in LEVEL_BOUNDS)
        return {name: getattr(self, name) for name in always} | dict(self.memory_levels)

    @property
    def binding(self) -> str:
        """Name of the largest bound (the first of equals)."""
        values = self.named()
        return max(values, key=lambda name: values[name])


@dataclass(frozen=True, slots=True)
class Following:
    """Workgroups that follow one another on the compute unit: ``workgroups`` were simulated, of which it has
    ``together`` at once. ``clk_per_workgroup`` are the clocks from the start of one that followed to that of
    the one which is ``together`` later, shared by those: the compute unit's clocks for each."""

    workgroups: int
    together: int
    clk_per_workgroup: float


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """Bytes that loads and stores of global memory move on the whole device, at ``clock``.

    ``gbytes_per_s`` while every compute unit is busy, ``gbytes_per_s_with_tail`` of the whole launch, where
    workgroups follow one another. ``memory_gbytes_per_s`` is what the Infinity Cache and HBM give to such
    accesses, where memory is predicted and they need it.
    """

    bytes_per_workgroup: float
    clock: Clock
    gbytes_per_s: float
    gbytes_per_s_with_tail: float | None
    memory_gbytes_per_s: float | None


@dataclass(frozen=True, slots=True)
class Throughput:
    """TFLOP/s of the whole device from the simulated workgroups, at ``clock``.

    ``tflops`` = ``flop`` / ``clk`` x ``cus`` x clock: every compute unit always busy.
    ``tflops_with_tail`` takes ``rounds`` of workgroups over the device, the last one filled to
    ``last_round_share``;
    ``tflops_steady`` is the rate of the loop alone.
    """

    flop: int
    clk: int
    cus: int
    clock: Clock
    tflops: float
    tflops_steady: float | None
    workgroups: int
    workgroups_per_round: int
    rounds: int
    last_round_share: float
    tflops_with_tail: float


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything a report says about a Timeline. Sequences are in wave order (oldest first).

    ``mfma_busy`` and ``lds_busy`` are shares by SIMD and by SIMD pair; ``mfma_idle`` says what waves do
    while their matrix pipe is idle (:func:`wavesim.analyze.idle.idle_pipe_clk`).
    """

    arch: str
    engine: str
    measured: bool
    complete: bool
    clk_total: int
    instructions: int
    waves: tuple[WaveStalls, ...]
    groups: tuple[WaveGroup, ...]
    loops: tuple[Loop, ...]
    steady: SteadyState
    mfma_busy: tuple[float, ...]
    lds_busy: tuple[float, ...]
    mfma_idle: Mapping[str, float]
    busy_estimated: bool
    overlap: Overlap | None
    bounds: Bounds | None
    throughput: Throughput | None
    notes: tuple[str, ...] = ()
    following: Following | None = None
    bandwidth: Bandwidth | None = None

    @property
    def loop(self) -> Loop | None:
        """The outermost loop with most clocks, if there is a loop."""
        return self.loops[0] if self.loops else None

    @property
    def mfma_busy_share(self) -> float:
        """Mean busy share of the matrix pipes of the SIMDs that hold waves."""
        used = {wave.simd for wave in self.waves}
        shares = [share for simd, share in enumerate(self.mfma_busy) if simd in used]
        return sum(shares) / len(shares) if shares else 0.0

    @property
    def lds_busy_share(self) -> float:
        """Mean busy share of the LDS ports."""
        return sum(self.lds_busy) / len(self.lds_busy) if self.lds_busy else 0.0
