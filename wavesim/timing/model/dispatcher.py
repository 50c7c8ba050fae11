"""Workgroups that follow (docs/model §1): each starts when the waves that have ended leave room for it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Protocol

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.model.clock import Clock, Phase
from wavesim.trace import FOLLOWS, Trace, WaveTrace


class Placed(Protocol):
    """What the dispatcher needs of a wave."""

    trace: WaveTrace
    simd_number: int
    slot: int

    def begin(self, simd: int, slot: int, start_clk: int) -> None: ...


class Dispatcher:
    """Knows which waves the compute unit holds, and which workgroups are still to come."""

    def __init__(self, clock: Clock, p: TimingParameters, trace: Trace) -> None:
        self.clock = clock
        self.p = p
        self.room = trace.room
        self.order = p.dispatch_wave_simds
        self.held: list[Placed] = []  # waves with instructions that have not ended
        self.to_come: list[list[Placed]] = []  # by workgroup
        self.latest_clk, self.latest_place = 0, -1  # of the workgroup that came latest: its start, its SIMD

    def takes(self, waves: Sequence[Placed]) -> None:
        """The waves of a run, oldest first: those that are there, and those that follow."""
        for _, members in groupby(waves, key=lambda each: each.trace.workgroup):
            group = list(members)
            if group[0].trace.start_clk == FOLLOWS:
                self.to_come.append(group)
                continue
            self.held += [wave for wave in group if len(wave.trace)]
            self.latest_clk = group[0].trace.start_clk
            self.latest_place = self.order.index(group[0].trace.simd)

    def ended(self, wave: Placed) -> None:
        """A wave has ended: who follows is decided when all that end in this clock are known."""
        self.held.remove(wave)
        if self.to_come:
            self.clock.call(self.start_those_with_room, Phase.GRANT)

    def start_those_with_room(self) -> None:
        """Start workgroups in their order for as long as the next one has room."""
        while self.to_come and (places := self.places(self.to_come[0])) is not None:
            self.start(self.to_come.pop(0), places)

    def places(self, group: Sequence[Placed]) -> list[int] | None:
        """A SIMD for each wave, each looked for behind the one before; None where one has no room."""
        assert self.room is not None
        if len({each.trace.workgroup for each in self.held}) >= self.room.workgroups:
            return None
        taken = [each.simd_number for each in self.held]
        places: list[int] = []
        place = self.latest_place + 1
        for _ in group:
            turned = [self.order[(place + turn) % len(self.order)] for turn in range(len(self.order))]
            free = [simd for simd in turned if taken.count(simd) < self.room.waves_per_simd]
            if not free:
                return None
            places.append(free[0])
            taken.append(free[0])
            place = self.order.index(free[0]) + 1
        return places

    def start(self, group: Sequence[Placed], places: Sequence[int]) -> None:
        """One workgroup starts, a wave after the other."""
        p, now = self.p, self.clock.now
        after_clk = max(p.issue_slot_clk, p.dispatch_after_end_clk + p.dispatch_first_instruction_clk)
        takes_clk = max(p.dispatch_workgroup_least_clk, len(group) * p.dispatch_wave_interval_clk)
        self.latest_clk = max(now + after_clk, self.latest_clk + p.dispatch_engine_units * takes_clk)
        self.latest_place = self.order.index(places[0])
        for number, (wave, simd) in enumerate(zip(group, places, strict=True)):
            used = {each.slot for each in self.held if each.simd_number == simd}
            slot = next(each for each in range(len(used) + 1) if each not in used)
            wave.begin(simd, slot, self.latest_clk + number * p.dispatch_wave_interval_clk)
            if len(wave.trace):
                self.held.append(wave)
