"""Findings on what a kernel asks of the machine: too many registers, too much LDS."""

from __future__ import annotations

from wavesim.errors import SourceSpan
from wavesim.front.tile.declarations import Declarations
from wavesim.front.tile.source import Source
from wavesim.isa.load import load_machine
from wavesim.program import Finding, Severity

ARCH_VGPRS = 256
"""VGPRs (and AGPRs) that an instruction can name."""


def resource_findings(
    source: Source, arch: str, declared: Declarations, vgprs: int, agprs: int, sgprs: int, workgroups: int
) -> tuple[Finding, ...]:
    """``register-overflow``, ``lds-overflow``: faults that a kernel may have and still be read; and
    ``occupancy`` where the launch puts more ``workgroups`` on a compute unit than fit."""
    machine = load_machine(arch)
    found = []
    limit = machine.integer("lds.size_bytes")
    if declared.lds_bytes > limit:
        span = next((node.span for node in source.named["lds"].values()), source.root.span)
        found.append(
            Finding(
                "lds-overflow",
                Severity.ERROR,
                f"the workgroup allocates {declared.lds_bytes} bytes of LDS; {arch} has {limit}",
                (span,),
                fix="fewer stages or smaller tiles",
            )
        )
    simds = machine.integer("structure.simds")
    per_simd = -(-declared.waves // simds)
    fitting = machine.waves_per_simd(vgprs, agprs)
    if fitting < per_simd or max(vgprs, agprs) > ARCH_VGPRS:
        budget = min(machine.integer("structure.simd_vgprs") // per_simd, 2 * ARCH_VGPRS)
        found.append(
            Finding(
                "register-overflow",
                Severity.ERROR,
                f"a wave uses {vgprs} VGPRs and {agprs} AGPRs; {per_simd} waves share a SIMD, which leaves "
                f"{budget} for each (at most {ARCH_VGPRS} of either kind)",
                (_register_span(source),),
                fix="smaller fragments or accumulators, or registers: agpr for accumulators",
            )
        )
    if sgprs > machine.integer("structure.wave_sgprs"):
        found.append(
            Finding(
                "register-overflow",
                Severity.ERROR,
                f"a wave uses {sgprs} SGPRs; {arch} has {machine.integer('structure.wave_sgprs')}",
                (source.root.span,),
                fix="fewer different rows and columns of global memory",
            )
        )
    if not found and workgroups > 1:
        by_registers = fitting // per_simd
        by_lds = limit // max(1, machine.lds_allocated_bytes(declared.lds_bytes))
        if min(by_registers, by_lds) < workgroups:
            found.append(
                Finding(
                    "occupancy",
                    Severity.WARNING,
                    f"{workgroups} workgroups are to share a compute unit; {vgprs + agprs} registers per "
                    f"wave leave room for {by_registers}, {declared.lds_bytes} bytes of LDS for {by_lds}",
                    (source.need("launch", "").span,),
                    fix=f"workgroups_per_cu: {max(1, min(by_registers, by_lds))}",
                )
            )
    return tuple(found)


def _register_span(source: Source) -> SourceSpan:
    for section in ("accumulators", "fragments"):
        for node in source.named[section].values():
            return node.span
    return source.root.span
