"""Rule lds-uninitialised: LDS bytes are read that no wave has written, in the order of the execution."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from wavesim.checks.waits import span_of
from wavesim.emulate.observe import LdsAccess
from wavesim.program import Finding, Severity
from wavesim.trace import Trace


@dataclass(slots=True)
class _Reads:
    """What one instruction read that was not written: the first byte, how many in that access, waves."""

    byte: int
    count: int
    width: int
    waves: set[int] = field(default_factory=set)


def uninitialised_lds_reads(trace: Trace, accesses: Sequence[LdsAccess], lds_bytes: int) -> Iterator[Finding]:
    """One finding per line of the source that reads such bytes, in program order.

    ``accesses`` stand in the order of execution. Each workgroup has its own LDS.
    """
    found: dict[int, _Reads] = {}
    written = {wave.workgroup: np.zeros(lds_bytes, np.bool_) for wave in trace.waves}
    open_groups = set(written)  # those whose LDS is not yet written to the last byte
    for access in accesses:
        group = trace.waves[access.wave].workgroup
        if group not in open_groups or not len(access.addresses):
            continue
        known = found.get(access.index)
        if known is not None and not access.write and trace.waves[access.wave].wave in known.waves:
            continue
        mask = written[group]
        low = int(access.addresses.min())
        high = int(access.addresses.max()) + access.width_bytes
        if mask[max(low, 0) : high].all():
            continue
        touched = access.touched()
        touched = touched[(touched >= 0) & (touched < lds_bytes)]
        if access.write:
            mask[touched] = True
            if mask.all():
                open_groups.discard(group)
            continue
        _note(found, trace, access, touched[~mask[touched]])
    lines: dict[object, int] = {}
    for index in sorted(found):
        first = lines.setdefault(span_of(trace.program, index), index)
        if first != index:
            found[first].waves |= found[index].waves
    for index in lines.values():
        yield _finding(trace, index, found[index])


def _note(found: dict[int, _Reads], trace: Trace, access: LdsAccess, missing: npt.NDArray[np.int64]) -> None:
    if len(missing):
        reads = found.setdefault(
            access.index,
            _Reads(int(missing.min()), len(np.unique(missing)), len(np.unique(access.touched()))),
        )
        reads.waves.add(trace.waves[access.wave].wave)


def _finding(trace: Trace, index: int, reads: _Reads) -> Finding:
    opcode = trace.program.instructions[index].opcode
    return Finding(
        rule="lds-uninitialised",
        severity=Severity.WARNING,
        message=(
            f"{opcode} reads LDS bytes that no wave has written: {reads.count} of the {reads.width} bytes of "
            f"its access, the first at byte {reads.byte} (0x{reads.byte:x})"
        ),
        spans=(span_of(trace.program, index),),
        waves=tuple(sorted(reads.waves)),
        fix="write all of the buffer first (do all waves take part in the load?), or read less of it",
    )
