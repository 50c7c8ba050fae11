"""Waves that go round without progress: repeated states found, polling passes cut out, spins recorded."""

from __future__ import annotations

import numpy as np

from wavesim.emulate.context import Context
from wavesim.emulate.polls import Poll
from wavesim.emulate.recorder import Recorder
from wavesim.trace.trace import Spin


class RepeatedStates:
    """Finds waves that come to one backward branch twice with all registers equal and no store between."""

    def __init__(self, context: Context) -> None:
        waves = context.state.waves
        self.context = context
        self.branch = np.full(waves, -1, np.int64)
        self.version = np.zeros(waves, np.int64)
        self.sgpr = np.zeros_like(context.state.sgpr)
        self.vgpr: list[np.ndarray[tuple[int, ...], np.dtype[np.uint32]] | None] = [None] * waves

    def repeats(self, wave: int, branch: int) -> bool:
        """Called when ``wave`` takes backward ``branch``: whether nothing can have changed in the pass."""
        context, state = self.context, self.context.state
        sgpr = state.sgpr[:, wave]
        same = (
            self.branch[wave] == branch
            and not context.stored[wave]
            and bool((sgpr == self.sgpr[:, wave]).all())
        )
        vectors = self.vgpr[wave]
        still = same and vectors is not None and np.array_equal(vectors, state.vgpr[:, wave])
        if still and self.version[wave] == context.store_version:
            return True
        self.branch[wave] = branch
        self.version[wave] = context.store_version
        context.stored[wave] = False
        self.sgpr[:, wave] = sgpr
        # vector registers are compared only where the scalar ones stood still for a pass
        self.vgpr[wave] = state.vgpr[:, wave].copy() if same and not still else vectors if still else None
        return False


class PollPasses:
    """Passes of polling loops: failed ones leave no rows, the successful one becomes a Spin."""

    def __init__(self, context: Context, recorder: Recorder, polls: dict[int, Poll]) -> None:
        self.context = context
        self.recorder = recorder
        self.polls = polls
        waves = context.state.waves
        self.current: list[Poll | None] = [None] * waves
        self.parts = [0] * waves
        self.rows = [0] * waves
        self.version = [0] * waves
        self.sources: list[set[int]] = [set() for _ in range(waves)]

    def enter(self, wave: int, start: int) -> None:
        """A wave is about to run the block at ``start``."""
        poll = self.polls.get(start)
        if poll is not None:
            self.current[wave] = poll
            self.parts[wave] = len(self.recorder.parts[wave])
            self.rows[wave] = int(self.context.rows[wave])
            self.version[wave] = self.context.store_version
            self.sources[wave] = set()

    def collect(self) -> None:
        """After a block: keep which stores the loads of polling waves read from."""
        for waves, numbers in self.context.polled:
            for column, wave in enumerate(waves.tolist()):
                if self.current[wave] is not None:
                    self.sources[wave].add(int(numbers[column].max()))
        self.context.polled.clear()

    def leave(self, wave: int, target: int) -> bool:
        """After a block: the wave goes on at ``target``. True: it must wait for a store."""
        poll = self.current[wave]
        if poll is None:
            return False
        if target == poll.first:
            self.recorder.cut(wave, self.parts[wave])
            self.context.rows[wave] = self.rows[wave]
            self.current[wave] = None
            return self.version[wave] == self.context.store_version
        if poll.first < target <= poll.last:
            return False
        self.current[wave] = None
        self._record(wave)
        return False

    def _record(self, wave: int) -> None:
        events = self.context.events
        last = int(self.context.rows[wave]) - 1
        found = [number for number in self.sources[wave] if number and events[number - 1][0] != wave]
        if found:
            store_wave, store_row = events[max(found) - 1]
            self.recorder.spins[wave].append(Spin(self.rows[wave], last, store_wave, store_row))
