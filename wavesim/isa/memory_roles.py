"""Memory roles: where a kernel's loads find their lines on a busy device, and the latency that follows.

- ``l2``: some other workgroup has brought the line into the L2. Stores are acknowledged from there, too.
- ``mall``: the line is in the Infinity Cache.
- ``stream``: the dies ask for a line within the time of one HBM access. The first one waits for HBM, the
  others for what is left of it, but at least an Infinity Cache hit: between the two, in the mean half way.
- ``hbm``: each line comes from HBM; also ``cold``, what nobody on the device has touched yet.

Unloaded latencies are the machine file's (``memory.*_latency_clk``); queueing at the compute unit's own path
is the timing model's (docs/model §10). Contention on the way is not modelled.
"""

from __future__ import annotations

from collections.abc import Callable

LATENCY = "memory.latency_clk"
"""The one machine value that a role may be given for."""

MODES = ("cold", "warm", "dispatch")
"""How global memory may be predicted in place of a latency: for the first round of workgroups, a later one,
or both."""

ONE_LATENCY = "latency"
"""The mode that predicts nothing: ``memory.latency_clk`` holds for every load."""

ROLES = ("l2", "mall", "stream", "hbm")
"""What ``memory.latency_clk`` may be set to instead of clocks."""


def role_clk(integer: Callable[[str], int], role: str) -> int:
    """Latency of a role from acceptance to return, clk.

    Args:
        integer: gives a whole number of the machine file by its key (:meth:`Machine.integer`).
        role: one of :data:`ROLES`, or ``cold``.

    Raises:
        KeyError: no such role.
    """
    mall, hbm = integer("memory.mall_latency_clk"), integer("memory.hbm_latency_clk")
    return {
        "l2": integer("memory.l2_latency_clk"),
        "mall": mall,
        "stream": (mall + hbm) // 2,
        "hbm": hbm,
        "cold": hbm,
    }[role]
