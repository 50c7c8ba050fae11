"""Modelled global-memory latencies for a measured stream: one rule per architecture, by role of the access.

A thread trace holds no addresses, and the model gets no time of the trace. It gets the kernel's
*footprint*: how many bytes of operands all its workgroups read together. The roles:

- ``cold``: loads before the loop's first pass. Nobody on the device has touched their lines: HBM.
- loads of the loop, by the footprint: ``l2`` if the operands fit into the L2 caches of the device together,
  so that some other workgroup has brought most lines; ``stream`` if they fit into the Infinity Cache (or
  if nothing is known); ``hbm`` beyond that.
- stores: the acknowledgement comes from the L2.

What each role costs: wavesim/isa/memory_roles.py.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from wavesim.errors import UserError
from wavesim.isa.machine import Machine
from wavesim.isa.memory_roles import role_clk
from wavesim.trace import Kind, Trace

Int32 = npt.NDArray[np.int32]

UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def role_of_footprint(machine: Machine, footprint_bytes: int) -> str:
    """The role of a loop's loads when the operands of the whole kernel are so large."""
    l2_bytes = machine.integer("memory.l2_bytes") * machine.integer("memory.l2_caches")
    if footprint_bytes <= l2_bytes:
        return "l2"
    if footprint_bytes <= machine.integer("memory.mall_bytes"):
        return "stream"
    return "hbm"


def footprint(text: str) -> int:
    """Bytes of ``16MiB``, ``512KiB`` or ``1048576``.

    Raises:
        UserError: not a size.
    """
    digits = text.rstrip("KMGiB")
    unit = text[len(digits) :]
    if digits.isascii() and digits.isdigit() and unit in UNITS and len(digits) < 16:
        return int(digits) * UNITS[unit]
    raise UserError(f"{text!r:.40} is not a size", hint="bytes, or with KiB, MiB, GiB")


def model_latencies(trace: Trace, head: int | None, machine: Machine, role: str) -> tuple[Int32, ...]:
    """Per wave and row, the modelled latency of global-memory rows; other rows keep what they have.

    Args:
        trace: the streams.
        head: code index of the loop's head; None: no loop, all loads are cold.
        machine: latencies and sizes.
        role: of the loop's loads.
    """
    load = np.array([entry.kind is Kind.VMEM_LOAD for entry in trace.code], np.bool_)
    store = np.array([entry.kind is Kind.VMEM_STORE for entry in trace.code], np.bool_)
    result = []
    for wave in trace.waves:
        latency = wave.memory_latency_clk.copy()
        first = np.flatnonzero(wave.code == head) if head is not None else np.zeros(0, np.int64)
        begin = int(first[0]) if len(first) else len(wave.code)
        loads = np.flatnonzero(load[wave.code])
        latency[loads[loads < begin]] = role_clk(machine.integer, "cold")
        latency[loads[loads >= begin]] = role_clk(machine.integer, role)
        latency[store[wave.code]] = role_clk(machine.integer, "l2")
        result.append(latency)
    return tuple(result)
