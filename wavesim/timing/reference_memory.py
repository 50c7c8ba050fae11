"""Global memory of the clock-stepped reference: acceptance, service and return in issue order (§10)."""

from __future__ import annotations

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.reference_lds import Lds
from wavesim.timing.reference_state import LANES, Spans, Wave
from wavesim.trace import UNKNOWN, CodeEntry, Kind, Trace


class Memory:
    """The compute unit's one path to global memory; instruction n in order of issue."""

    def __init__(self, trace: Trace, p: TimingParameters, lds: Lds, spans: Spans) -> None:
        self.p = p
        self.lds = lds
        self.spans = spans
        self.latency_by_order = trace.memory_latency_by_order_clk.tolist()
        self.accepted: list[int] = []  # a(n)
        self.returned: list[int] = []  # ret(n)
        self.service: list[int] = []  # s(n)
        self.last_issue_clk: int | None = None  # V
        self.wake_clk: int | None = None  # W

    def is_full(self, now: int) -> bool:
        """Whether ``memory.queue_entries`` instructions still wait to be accepted (a never falls)."""
        entries = self.p.memory_queue_entries
        return sum(accepted > now for accepted in self.accepted[-entries:]) >= entries

    def attempted(self, now: int) -> int:
        """Rule ``vmem_idle_restart``: the clock before which what has its attempt ``now`` does not issue."""
        if self.last_issue_clk is None:
            return now
        since = self.last_issue_clk if self.wake_clk is None else max(self.last_issue_clk, self.wake_clk)
        queued = bool(self.accepted) and self.accepted[-1] > now
        if now - since > self.p.memory_idle_clk and not queued:
            self.wake_clk = now + self.p.memory_idle_restart_clk
        return now if self.wake_clk is None else self.wake_clk

    def issue(self, wave: Wave, row: int, entry: CodeEntry, now: int) -> None:
        """Instruction n issues at ``now``: its acceptance and return are known at once."""
        p, n = self.p, len(self.accepted)
        moved = int(wave.trace.memory_bytes[row])
        if moved == UNKNOWN:
            moved = LANES * entry.width_bytes
        service = max(p.memory_min_service_clk, -(-moved // p.memory_bytes_per_clk))
        accepted = now
        if n:
            accepted = max(accepted, self.accepted[n - 1] + self.service[n - 1])
        if n >= p.memory_tail_entries:
            accepted = max(accepted, self.returned[n - p.memory_tail_entries])
        returned = accepted + self._latency(n, wave, row, entry)
        if n and "vmem_in_order" not in p.rules_off:
            returned = max(returned, self.returned[n - 1] + service)
        self.accepted.append(accepted)
        self.service.append(service)
        self.returned.append(returned)
        self.last_issue_clk = now
        wave.last_return = max(wave.last_return, returned)
        wave.done[row] = returned
        wave.vm.append(([returned], entry.vm_increment))
        if entry.lgkm_increment:  # flat addresses
            wave.lgkm.append(([returned], entry.lgkm_increment))
        self.spans.add("memory", 0, accepted, returned, wave, row)
        if entry.to_lds:
            self.lds.return_from_memory(wave, row, moved, returned)

    def _latency(self, n: int, wave: Wave, row: int, entry: CodeEntry) -> int:
        for latency in (*self.latency_by_order[n : n + 1], int(wave.trace.memory_latency_clk[row])):
            if latency != UNKNOWN:
                return int(latency)
        store = entry.kind is Kind.VMEM_STORE
        return self.p.memory_store_latency_clk if store else self.p.memory_latency_clk
