"""How far a run can be trusted, as JSON."""

from __future__ import annotations

from typing import Any

from wavesim.pipeline.run import Run
from wavesim.pipeline.trust import trust_in


def trust_json(run: Run) -> dict[str, Any]:
    """The fields ``trust`` of docs/schema/run.schema.json."""
    found = trust_in(run)
    interval = found.interval
    return {
        "measured_kernels": found.traces,
        "unvalidated": dict(found.unvalidated),
        "validated_share": found.validated_share,
        "assumed_values": list(found.assumed_values),
        "inferred_values": found.inferred_values,
        "assumptions": found.assumptions,
        "interval": None
        if interval is None
        else {"low": interval.low, "high": interval.high, "share": interval.share, "why": interval.why},
        "says": list(found.says),
    }
