"""Rule register-spill: registers kept in scratch memory, what that costs, and what would help.

Scratch that holds arrays is not meant: the kernel's metadata says how many registers were spilled
(``.vgpr_spill_count``); where it says nothing, accesses count whose address is a constant, in a kernel that
has no others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from wavesim.checks.cfg import ControlFlow
from wavesim.checks.costs import CostMeter
from wavesim.checks.registers import SCRATCH_BUFFER, has_scratch_buffer
from wavesim.checks.waits import span_of
from wavesim.emulate.run import Execution
from wavesim.isa.kinds import LANES
from wavesim.isa.machine import Machine
from wavesim.program import Finding, Program, Register, Severity
from wavesim.trace import CodeEntry, Kind
from wavesim.words import counted


@dataclass(frozen=True, slots=True)
class _Spills:
    """Static loads and stores of spilled registers, and how many registers those are."""

    loads: tuple[int, ...]
    stores: tuple[int, ...]
    registers: int


def register_spills(
    program: Program,
    code: tuple[CodeEntry, ...],
    flow: ControlFlow,
    machine: Machine,
    waves: int,
    execution: Execution | None = None,
) -> Iterator[Finding]:
    """One note for a kernel with spills. ``waves``: of a workgroup. The cost is simulated where an
    ``execution`` came to its end; else it is what the memory path needs at least."""
    spills = _spills(program, code)
    if spills is None:
        return
    inside = _busiest_loop(spills, flow)
    loads = [index for index in spills.loads if inside is None or index in inside]
    stores = [index for index in spills.stores if inside is None or index in inside]
    where = f"{counted(len(loads), 'scratch load')} and {counted(len(stores), 'scratch store')}"
    where += " in the loop" if inside is not None else ""
    yield Finding(
        "register-spill",
        Severity.NOTE,
        f"{counted(spills.registers, 'spilled register')}: {where}; "
        + _cost(program, code, machine, waves, spills, [*loads, *stores], inside is not None, execution),
        (span_of(program, min([*loads, *stores])),),
        fix=_fix(program, machine, spills.registers),
    )


def _spills(program: Program, code: tuple[CodeEntry, ...]) -> _Spills | None:
    stated = program.metadata.extra.get("vgpr_spill_count")
    if stated == "0":
        return None
    buffers = _scratch_buffers(program)
    loads: list[int] = []
    stores: list[int] = []
    places: set[tuple[str, int]] = set()
    for index, entry in enumerate(code):
        opcode = entry.instruction.opcode
        operands = entry.instruction.operands
        is_load = entry.kind is Kind.VMEM_LOAD
        if opcode.startswith(("scratch_load_", "scratch_store_")):
            address = operands[1 if is_load else 0]
        elif opcode.startswith("buffer_") and not buffers.isdisjoint(map(str, operands)):
            address = operands[1]
        else:
            continue
        if isinstance(address, Register):
            if stated is None:
                return None  # an array
            continue
        offset = entry.instruction.modifier("offset", 0)
        first = offset if isinstance(offset, int) else 0
        (loads if is_load else stores).append(index)
        places |= {(str(operands[-1]), first + byte) for byte in range(0, max(entry.width_bytes, 4), 4)}
    if not loads or not stores:
        return None
    return _Spills(tuple(loads), tuple(stores), len(places))


def _scratch_buffers(program: Program) -> frozenset[str]:
    """The resources of scratch memory on gfx90a: what the launch gives, and where it is copied to."""
    if not has_scratch_buffer(program):
        return frozenset()
    found = {SCRATCH_BUFFER}
    for instruction in program:
        if instruction.opcode == "s_mov_b64" and str(instruction.operands[1]) == "s[2:3]":
            upper = instruction.operands[0]
            if isinstance(upper, Register):
                found.add(str(Register("s", upper.index - 2, 4)))
    return frozenset(found)


def _busiest_loop(spills: _Spills, flow: ControlFlow) -> range | None:
    """The smallest loop that has most of them."""
    every = (*spills.loads, *spills.stores)
    loops = [range(target, source + 1) for source, target in flow.back_edges()]
    by_spills = [(sum(index in loop for index in every), -len(loop), loop) for loop in loops]
    best = max(by_spills, key=lambda each: each[:2], default=(0, 0, None))
    return best[2] if best[0] else None


def _cost(
    program: Program,
    code: tuple[CodeEntry, ...],
    machine: Machine,
    waves: int,
    spills: _Spills,
    each_pass: list[int],
    in_loop: bool,
    execution: Execution | None,
) -> str:
    if execution is not None and execution.complete:
        without = list(execution.trace.code)
        for index in (*spills.loads, *spills.stores):
            without[index] = replace(
                without[index], kind=Kind.NOP, nop_slots=1, vm_increment=0, width_bytes=0
            )
        cost = CostMeter(execution.trace, machine).cost(replace(execution.trace, code=tuple(without)))
        if cost is not None:
            return str(cost)
    size = sum(code[index].width_bytes for index in each_pass) * LANES * waves
    clk = -(-size // machine.integer("memory.bytes_per_clk"))
    per = " an iteration" if in_loop else ""
    return (
        f"their {size} bytes for {counted(waves, 'wave')} hold the memory path for at least {clk} clk{per}, "
        "and a load that is used at once waits for the memory "
        f"({machine.integer('memory.latency_clk')} clk, an input)"
    )


def _fix(program: Program, machine: Machine, spilled: int) -> str:
    granule = machine.integer("structure.vgpr_granule")
    needed = -(-(program.metadata.vgprs + spilled) // granule) * granule
    fit = min(
        machine.integer("structure.simd_vgprs") // needed, machine.parameters.structure_wave_slots_per_simd
    )
    kept = f"about {needed} registers ({program.metadata.vgprs} now and {spilled} spilled)"
    if not fit:
        return f"{kept} are more than a wave can have: use smaller tiles"
    return (
        f"ask for at most {counted(fit, 'wave')} per SIMD (amdgpu_waves_per_eu, or __launch_bounds__): "
        f"{kept} fit then"
    )
