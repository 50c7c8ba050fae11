"""Arbitration (docs/model §11): who issues in a slot, all candidates being known.

Each SIMD chooses by category and rank; the ports that SIMDs share grant one of them; a SIMD that was
denied fills up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import simpy

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.model.clock import Clock, Phase
from wavesim.timing.model.lds import LdsPort
from wavesim.timing.model.memory import MemoryPath
from wavesim.timing.model.record import NOBODY, By
from wavesim.timing.model.shared_slot import have_room
from wavesim.timing.model.simd import Refusal, Simd
from wavesim.timing.model.turns import Turns
from wavesim.timing.rules.mfma_coissue import blocked_clk
from wavesim.trace import Category, CodeEntry, Reason

VECTOR = (Category.VALU, Category.MFMA)
PORTS = (Category.LDS, Category.VMEM)
SAME_SLOT_CLK = 4
"""An MFMA that keeps others out for so long keeps them out of its own slot too (§5)."""


@dataclass(eq=False, slots=True)
class Request:
    """A wave's next instruction asks to issue. ``answered``: None if it issues, else why not.

    ``kept_out``: an MFMA of an earlier slot keeps it out, so that it only asks its port."""

    entry: CodeEntry
    by: By
    simd: int
    priority: int
    attempt_clk: int
    kept_out: Refusal | None
    answered: simpy.Event


class Arbiter:
    """Decides each slot in which somebody asks."""

    def __init__(
        self,
        clock: Clock,
        p: TimingParameters,
        simds: Sequence[Simd],
        ports: Sequence[LdsPort],
        memory: MemoryPath,
        turns: Turns,
    ) -> None:
        self.clock = clock
        self.p = p
        self.simds = simds
        self.ports = ports
        self.memory = memory
        self.turns = turns
        self.pair_of = {simd: pair for pair, simds in enumerate(p.structure_simd_pairs) for simd in simds}
        self.asking: list[Request] = []
        self.last_vmem: Request | None = None  # that the memory port was granted to

    def ask(
        self,
        entry: CodeEntry,
        by: By,
        simd: int,
        priority: int,
        attempt_clk: int,
        kept_out: Refusal | None = None,
    ) -> simpy.Event:
        """Ask for this slot; the event's value is ``None``, or the :class:`Refusal`."""
        if not self.asking:
            self.clock.call(self.decide, Phase.GRANT)
        answered = self.clock.env.event()
        self.asking.append(Request(entry, by, simd, priority, attempt_clk, kept_out, answered))
        return answered

    def decide(self) -> None:
        """One slot."""
        now = self.clock.now
        asking, self.asking = self.asking, []
        refused = {each: each.kept_out for each in asking if each.kept_out is not None}
        asking = sorted((each for each in asking if each not in refused), key=self.rank)
        if self.turns.is_restricted(now):
            asking = self.keep_to_turn(asking, now)
        chosen: list[Request] = []
        for number in range(len(self.simds)):
            mine = [each for each in asking if each.simd == number]
            chosen += self.choose(mine, [], refused, now)
        kept_out = [each for each, refusal in refused.items() if refusal.reason is Reason.MFMA_COISSUE]
        for request, winner in [*self.deny_lds(chosen, kept_out), *self.deny_vmem(chosen, kept_out)]:
            chosen.remove(request)
            by = refused[winner].by if winner in kept_out else winner.by  # the MFMA that keeps it out
            refused[request] = Refusal(Reason.PORT, by)
        for number in sorted({each.simd for each in refused if refused[each].reason is Reason.PORT}):
            left = [each for each in asking if each.simd == number and each in refused]
            left = [each for each in left if each.entry.category not in PORTS]
            there = [each for each in chosen if each.simd == number]
            chosen += self.choose(left, there, refused, now)
        for request, refusal in refused.items():
            request.answered.succeed(refusal)
        for request in sorted(chosen, key=lambda each: each.simd):
            request.answered.succeed(None)

    def rank(self, request: Request) -> tuple[int, bool, int]:
        """The order in which a SIMD looks at its candidates."""
        off = self.p.rules_off
        first = request.entry.scaled and "scaled_mfma_first" not in off
        age = request.by.wave
        return -request.priority, not first, -age if "oldest_first" in off else age

    # -- vector turns

    def keep_to_turn(self, asking: list[Request], now: int) -> list[Request]:
        """Rule ``vector_turns``: the candidates without VALU and MFMA of all SIMDs but one."""
        vector = [each for each in asking if each.entry.category in VECTOR]
        winner, by = None, self.turns.half_started_by(now)
        if by is None:
            winner = self.turns.first_in_turn({each.simd for each in vector}, now)
            by = next((each.by for each in vector if each.simd == winner), NOBODY)
        for request in vector:
            if request.simd != winner:
                request.answered.succeed(Refusal(Reason.ARBITRATION, by))
        return [each for each in asking if each not in vector or each.simd == winner]

    # -- step 1

    def choose(
        self, asking: list[Request], chosen: list[Request], refused: dict[Request, Refusal], now: int
    ) -> list[Request]:
        """Of one SIMD's candidates, in order of rank, those that can issue beside each other."""
        new: list[Request] = []
        for request in asking:
            refusal = self.loses(request, [*chosen, *new], now)
            if refusal is None:
                new.append(request)
                refused.pop(request, None)
            else:
                refused[request] = refusal
        return new

    def loses(self, request: Request, chosen: list[Request], now: int) -> Refusal | None:
        """Why a candidate cannot be chosen beside those of its SIMD that are chosen already."""
        entry = request.entry
        if entry.category is Category.INTERNAL:
            return None
        same = [other for other in chosen if other.entry.category is entry.category]
        shared = "arbitration" in self.p.rules_off and entry.category is not Category.MFMA
        if same and not shared and len(same) >= self.room(request, same, now):
            return Refusal(Reason.ARBITRATION, same[0].by)
        for other in chosen:
            if self.keeps_out(entry, other.entry) or self.keeps_out(other.entry, entry):
                return Refusal(Reason.MFMA_COISSUE, other.by)
        return None

    def room(self, request: Request, same: list[Request], now: int) -> int:
        """§9: how many of a category issue in a slot; gfx950 lets two VALU that go together."""
        if request.entry.category is not Category.VALU or self.simds[request.simd].dual_from_clk > now:
            return 1
        share = request.entry.share
        may = all(have_room(other.entry.share, share, self.p) for other in same)
        return self.p.issue_valu_per_slot if may else 1

    def keeps_out(self, mfma: CodeEntry, other: CodeEntry) -> bool:
        """Whether an MFMA excludes the other instruction from its slot."""
        is_mfma = mfma.category is Category.MFMA
        return is_mfma and blocked_clk(self.p, mfma, other.category) >= SAME_SLOT_CLK

    # -- step 2

    def deny_lds(self, chosen: list[Request], kept_out: list[Request]) -> list[tuple[Request, Request]]:
        """Each pair's port takes turns between SIMDs that have asked before; (denied, granted)."""
        denied: list[tuple[Request, Request]] = []
        for pair, port in enumerate(self.ports):
            asking = [each for each in self.of(Category.LDS, chosen) if self.pair_of[each.simd] == pair]
            if not asking:
                continue
            winner = asking[0]
            if "lds_alternation" not in self.p.rules_off:
                stand = [each for each in self.of(Category.LDS, kept_out) if self.pair_of[each.simd] == pair]
                winner = self.lds_winner([*asking, *stand], port.last_simd)
            if winner in asking:
                port.last_simd = winner.simd
            denied += [(each, winner) for each in asking if each is not winner]
        return denied

    def lds_winner(self, asking: list[Request], last_simd: int | None) -> Request:
        """Who asked in an earlier slot goes first, of those not the SIMD that was granted last."""
        now = self.clock.now

        def order(request: Request) -> tuple[int, int, int]:
            stood = request.attempt_clk < now
            return -stood * (1 + (request.simd != last_simd)), request.simd, request.by.wave

        return min(asking, key=order)

    def deny_vmem(self, chosen: list[Request], kept_out: list[Request]) -> list[tuple[Request, Request]]:
        """The compute unit's port takes one; (denied, granted)."""
        asking = self.of(Category.VMEM, chosen)
        if not asking:
            return []
        winner = self.vmem_winner(asking, self.of(Category.VMEM, kept_out))
        if winner in asking:
            self.last_vmem = winner
        return [(each, winner) for each in asking if each is not winner]

    @staticmethod
    def of(category: Category, requests: list[Request]) -> list[Request]:
        """The requests of a category."""
        return [each for each in requests if each.entry.category is category]

    def vmem_winner(self, asking: list[Request], kept_out: list[Request]) -> Request:
        """A run of one wave goes on; else the SIMD that has asked longest, kept out by an MFMA or not."""
        off, last = self.p.rules_off, self.last_vmem
        if "vmem_round_robin" in off:
            return asking[0]
        if "vmem_first_come" not in off:
            asking = [*asking, *kept_out]
        after = By(last.by.wave, last.by.row + 1) if last is not None else NOBODY
        for request in asking:
            if request.by == after:
                return request
        if "vmem_first_come" in off:
            last_simd = last.simd if last is not None else -1
            return min(asking, key=lambda each: (each.simd - last_simd - 1) % len(self.simds))
        return min(asking, key=lambda each: (self.memory.asked_clk(each.simd), each.simd, each.by.wave))
