"""The barrier of a workgroup (docs/model §8): the last live wave to arrive lets all go on."""

from __future__ import annotations

from dataclasses import dataclass

import simpy

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.model.clock import Clock
from wavesim.timing.model.record import NOBODY, By
from wavesim.timing.rules.barrier_phase import place, release_clk


@dataclass(frozen=True, order=True, slots=True)
class Arrival:
    """A wave arrives, or ends. Of several the last one counts: by clock, then by its SIMD's place."""

    clk: int
    simd_place: int
    by: By


@dataclass(frozen=True, slots=True)
class Release:
    """A wave may go on: it ends its s_barrier at ``end_clk``; ``by`` arrived last."""

    end_clk: int
    by: By


class Barrier:
    """One workgroup's barrier, again and again."""

    def __init__(self, clock: Clock, p: TimingParameters, live: int) -> None:
        self.clock = clock
        self.p = p
        self.live = live  # waves that have not ended
        self.waiting: list[tuple[Arrival, simpy.Event]] = []
        self.ended: list[Arrival] = []

    def arrival(self, simd: int, by: By) -> Arrival:
        """A wave of SIMD ``simd`` arrives or ends now."""
        return Arrival(self.clock.now, place(self.p, simd), by)

    def arrive(self, arrival: Arrival) -> simpy.Event:
        """A wave arrives; the event's value is its :class:`Release`."""
        released = self.clock.env.event()
        self.waiting.append((arrival, released))
        self.complete()
        return released

    def end(self, arrival: Arrival) -> None:
        """A wave has ended: nobody waits for it any more."""
        self.live -= 1
        self.ended.append(arrival)
        self.complete()

    def complete(self) -> None:
        """Let all go on if all live waves have arrived."""
        if not self.waiting or len(self.waiting) < self.live:
            return
        first_clk = min(arrival.clk for arrival, _ in self.waiting)
        counted = [arrival for arrival, _ in self.waiting]
        counted += [arrival for arrival in self.ended if arrival.clk >= first_clk]
        last = max(counted)
        for arrival, released in self.waiting:
            by = last.by if arrival.clk < last.clk else NOBODY
            end_clk = release_clk(self.p, arrival.simd_place, last.clk, last.simd_place)
            released.succeed(Release(end_clk, by))
        self.waiting, self.ended = [], []
