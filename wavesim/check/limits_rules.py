"""Rules on resources: lds-overflow, register-overflow and the occupancy note."""

from __future__ import annotations

from collections.abc import Iterator

from wavesim.errors import SourceSpan
from wavesim.isa.machine import Machine
from wavesim.program import Finding, Program, Severity

WAVE_LANES = 64


def occupancy(program: Program, machine: Machine, waves_per_workgroup: int) -> Iterator[Finding]:
    """Whether a workgroup fits on a compute unit, and how many fit together (CDNA3 ISA §3.6, §3.7)."""
    metadata = program.metadata
    span = (SourceSpan(program.file),)
    places = {name: (place,) for name, place in metadata.places.items()}
    lds_limit = machine.integer("lds.size_bytes")
    if metadata.lds_bytes > lds_limit:
        yield Finding(
            "lds-overflow",
            Severity.ERROR,
            f"the workgroup allocates {metadata.lds_bytes} bytes of LDS; {machine.arch} has {lds_limit}",
            places.get("lds_bytes", span),
            fix="use fewer stages or smaller tiles",
        )
        return
    per_simd_registers = machine.integer("structure.simd_vgprs")
    granule = machine.integer("structure.vgpr_granule")
    registers = max(granule, -(-metadata.vgprs // granule) * granule)
    slots = machine.parameters.structure_wave_slots_per_simd
    by_registers = min(slots, per_simd_registers // registers) if metadata.vgprs else slots
    simds = machine.parameters.structure_simds
    waves_per_simd = -(-waves_per_workgroup // simds)
    if by_registers < waves_per_simd:
        yield Finding(
            "register-overflow",
            Severity.ERROR,
            f"{metadata.vgprs} VGPRs per wave leave room for "
            f"{by_registers} wave{'s' * (by_registers != 1)} on a SIMD; "
            f"the workgroup needs {waves_per_simd}",
            places.get("vgprs", span),
            fix=f"use at most {per_simd_registers // waves_per_simd} VGPRs and AGPRs together",
        )
        return
    by_lds = lds_limit // metadata.lds_bytes if metadata.lds_bytes else slots
    workgroups = min(by_lds, by_registers // waves_per_simd)
    if by_lds < by_registers // waves_per_simd:
        limit = "LDS"
    else:
        limit = "wave slots" if by_registers == slots else "registers"
    yield Finding(
        "occupancy",
        Severity.NOTE,
        f"{metadata.vgprs} VGPRs and {metadata.lds_bytes} bytes of LDS: {workgroups} "
        f"workgroup{'s' * (workgroups != 1)} and {workgroups * waves_per_simd} of {slots} waves per SIMD "
        f"fit on a compute unit (limited by {limit})",
        span,
    )
