"""The parts of a compute unit that its waves share (docs/model §1)."""

from __future__ import annotations

from collections import Counter

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.model.arbiter import Arbiter
from wavesim.timing.model.barrier import Barrier
from wavesim.timing.model.clock import Clock
from wavesim.timing.model.dispatcher import Dispatcher
from wavesim.timing.model.lds import BankArray, LdsPort
from wavesim.timing.model.memory import MemoryPath
from wavesim.timing.model.record import Uses
from wavesim.timing.model.simd import Simd
from wavesim.timing.model.spins import Spins
from wavesim.timing.model.turns import Turns
from wavesim.timing.rules.instruction_cache import InstructionCache
from wavesim.trace import Trace


class Parts:
    """SIMDs with their pipes, LDS ports, bank array, memory path, barriers, arbiter, code, dispatcher."""

    def __init__(self, trace: Trace, p: TimingParameters) -> None:
        self.trace = trace
        self.p = p
        self.clock = clock = Clock(p.issue_slot_clk)
        self.uses = Uses()
        self.turns = Turns(p)
        self.code_cache = InstructionCache(trace, p)
        self.spins = Spins()
        scaled = any(entry.scaled for entry in trace.code)
        self.simds = [Simd(p, scaled) for _ in range(p.structure_simds)]
        pairs = p.structure_simd_pairs
        self.banks = BankArray(clock, len(pairs) + 1, self.uses)
        self.ports = [LdsPort(clock, p, number, self.banks, self.uses) for number in range(len(pairs))]
        if len(self.ports) == 2:
            self.ports[0].other, self.ports[1].other = self.ports[1], self.ports[0]
        self.port_of = {simd: self.ports[number] for number, simds in enumerate(pairs) for simd in simds}
        self.memory = MemoryPath(clock, p, trace, self.banks, self.uses)
        self.arbiter = Arbiter(clock, p, self.simds, self.ports, self.memory, self.turns)
        self.dispatcher = Dispatcher(clock, p, trace)
        members = Counter(wave.workgroup for wave in trace.waves if len(wave))
        self.barriers = {workgroup: Barrier(clock, p, live) for workgroup, live in members.items()}
