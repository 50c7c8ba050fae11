"""Stamps: a kernel with clock reads around its prologue, each pass of its loop and its epilogue.

A stamp must not change what it measures. In the loop it is one ``s_memtime``, placed with no counted wait
between it and an ``s_waitcnt lgkmcnt(0)`` that is there anyway, which drains it; one
``v_writelane_b32`` behind that wait keeps it in a register, in the lane of its pass (modulo 64); one
``s_add_u32`` counts, where SCC is free (else SCC is put back). Everything is stored after the kernel's own
last instruction. A kernel without such a loop gets only the stamps at its start and end.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

from wavesim.asm.layout import lay_out
from wavesim.asm.text.parse import parse_instruction
from wavesim.errors import SourceSpan, UserError
from wavesim.front.launch.model import Launch, MatrixArgument
from wavesim.isa.kinds import BRANCH_KINDS, LANES
from wavesim.isa.opcodes import lookup
from wavesim.program import Instruction, KernelArgument, Program
from wavesim.program.dataflow import effects
from wavesim.program.operands import Modified, Operand, Register
from wavesim.trace import CodeEntry, Kind
from wavesim.trace.decode import code_entries

ARGUMENT = "wavesim_stamps"
WAVE_BYTES = 8 * LANES
"""Per wave 64 pass stamps (low words), then start, loop end, end (64 bits each) and the number of passes."""

MOST_SGPRS = 102
MOST_VGPRS = 256
MASK = 0xFFFFFFFF


@dataclass(frozen=True)
class Stamped:
    """A stamped kernel. ``added`` is the number of added instructions per pass of the loop."""

    program: Program
    launch: Launch
    waves: int
    added: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WaveStamps:
    """One wave's clocks, relative to its start stamp. ``passes_clk`` are the last (at most 64) pass stamps in
    order; ``passes`` how many there were."""

    wave: int
    passes: int
    passes_clk: tuple[int, ...]
    loop_end_clk: int
    end_clk: int

    @property
    def intervals_clk(self) -> tuple[int, ...]:
        """Clocks from each kept pass stamp to the next."""
        return tuple(
            later - earlier for earlier, later in zip(self.passes_clk, self.passes_clk[1:], strict=False)
        )


def stamp(program: Program, launch: Launch, loop: tuple[int, int] | None) -> Stamped:
    """Put stamps around the loop whose first and last instructions are given; without one around the run.

    Raises:
        UserError: the loop has no wait that could drain a stamp, or no registers are free.
    """
    code = code_entries(program)
    names = _Registers.free(program)
    kernarg = program.metadata.kernarg_bytes + -program.metadata.kernarg_bytes % 8
    workgroup_waves = -(-launch.workgroup_size // LANES)
    insert: dict[int, list[str]] = {0: _begin(program, launch, names, kernarg, workgroup_waves)}
    added = 0
    if loop is not None:
        added = _stamp_loop(program, code, *loop, names, insert)
    for index, entry in enumerate(code):
        if entry.kind is Kind.ENDPGM:
            insert.setdefault(index, []).extend(_end(names))
    stamped = _with_insertions(program, insert, names, kernarg)
    waves = workgroup_waves * launch.grid[0] * launch.grid[1] * launch.grid[2]
    matrix = MatrixArgument(ARGUMENT, "i32", waves, WAVE_BYTES // 4, init="zero")
    return Stamped(stamped, replace(launch, arguments=(*launch.arguments, matrix)), waves, added)


def _stamp_loop(
    program: Program,
    code: Sequence[CodeEntry],
    head: int,
    tail: int,
    names: _Registers,
    insert: dict[int, list[str]],
) -> int:
    """Add a stamp for each pass and one behind the loop to ``insert``; the instructions added per pass."""
    drain = _find_drain(program, code, head, tail)
    place = _earliest(program, code, drain, head)
    count_at = _free_scc(program, code, drain + 1, tail)
    count = [f"s_add_u32 {names.count}, {names.count}, 1"]
    if count_at is None:
        count_at = drain + 1
        count = [f"s_cselect_b32 {names.saved}, 1, 0", *count, f"s_cmp_lg_u32 {names.saved}, 0"]
    keep = _keep(names)
    insert.setdefault(place, []).append(f"s_memtime {names.stamp}")
    insert.setdefault(drain + 1, [])[:0] = keep
    insert.setdefault(count_at, []).extend(count)
    insert.setdefault(tail + 1, [])[:0] = [f"s_memtime {names.loop_end}", "s_waitcnt lgkmcnt(0)"]
    return 1 + len(keep) + len(count)


def read_stamps(data: bytes, waves: int) -> tuple[WaveStamps, ...]:
    """What the stamped kernel stored, for the waves that ran.

    Raises:
        ValueError: too few bytes.
    """
    if len(data) < waves * WAVE_BYTES:
        raise ValueError(f"{len(data)} bytes of stamps for {waves} waves")
    found = []
    for wave in range(waves):
        words = struct.unpack_from(f"<{2 * LANES}I", data, wave * WAVE_BYTES)
        start, loop_end, end = (words[LANES + 2 * k] | words[LANES + 2 * k + 1] << 32 for k in range(3))
        passes = words[LANES + 6]
        if not start and not end:
            continue
        kept = range(max(0, passes - LANES), passes)
        clocks = tuple(((words[index % LANES] - start) & MASK) for index in kept)
        found.append(WaveStamps(wave, passes, clocks, loop_end - start, end - start))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Registers:
    """Names of registers that the kernel does not use, and how many there are now."""

    pointer: str
    pointer_pair: tuple[int, int]
    stamp: str
    stamp_low: str
    start: str
    loop_end: str
    end: str
    count: str
    saved: str
    wave: str
    lanes: str
    sgprs: int
    vgprs: int

    @staticmethod
    def free(program: Program) -> _Registers:
        used = {"s": 0, "v": 0, "a": 0}
        for instruction in program:
            for operand in instruction.operands:
                register = _register(operand)
                if register is not None:
                    used[register.file] = max(used[register.file], register.index + register.count)
        initial = program.metadata.user_sgpr_count + 3
        first = max(used["s"], initial)
        first += first % 2
        m0 = any(_touches_m0(instruction, program.arch) for instruction in program)
        if first + 13 > MOST_SGPRS or used["v"] + 1 > MOST_VGPRS:
            raise UserError(
                f"{program.name}: stamps need 13 SGPRs and a VGPR; the kernel uses {first} and {used['v']}",
                SourceSpan(program.file) if program.file else None,
            )

        def pair(offset: int) -> str:
            return f"s[{first + offset}:{first + offset + 1}]"

        return _Registers(
            pointer=pair(0),
            pointer_pair=(first, first + 1),
            stamp=pair(2),
            stamp_low=f"s{first + 2}",
            start=pair(4),
            loop_end=pair(6),
            end=pair(8),
            count=f"s{first + 10}" if m0 else "m0",
            saved=f"s{first + 12}",
            wave=f"s{first + 11}",
            lanes=f"v{max(used['v'], 3)}",
            sgprs=first + 13,
            vgprs=max(used["v"], 3) + 1,
        )


def _touches_m0(instruction: Instruction, arch: str) -> bool:
    used = effects(instruction, arch)
    return ("m0", 0) in used.reads | used.writes


def _keep(names: _Registers) -> list[str]:
    """Stamp -> lane of its pass. Two SGPR operands are one too many for the instruction, unless one is M0,
    which therefore counts where the kernel does not use it."""
    keep = f"v_writelane_b32 {names.lanes}, {names.stamp_low}, m0"
    if names.count == "m0":
        return [keep]
    return [
        f"s_mov_b32 {names.saved}, m0",
        f"s_mov_b32 m0, {names.count}",
        keep,
        f"s_mov_b32 m0, {names.saved}",
    ]


def _register(operand: Operand) -> Register | None:
    if isinstance(operand, Modified):
        operand = operand.operand
    return operand if isinstance(operand, Register) else None


def _find_drain(program: Program, code: Sequence[CodeEntry], head: int, tail: int) -> int:
    """The first lgkmcnt(0) wait that every pass of the loop reaches."""
    for index in range(head, tail + 1):
        entry = code[index]
        if entry.kind in BRANCH_KINDS:
            break
        if entry.kind is Kind.WAIT and entry.wait_lgkmcnt == 0:
            return index
    raise UserError(
        f"{program.name}: no s_waitcnt lgkmcnt(0) at the start of the loop that could drain a stamp",
        program.instructions[head].span,
        "stamps are only drained at waits that are there anyway",
    )


def _earliest(program: Program, code: Sequence[CodeEntry], drain: int, head: int) -> int:
    """The earliest place for a clock read before its drain: behind the wait, label or clobber before it."""
    labelled = set(program.labels.values())
    place = drain
    while place > head and place not in labelled:
        before = code[place - 1]
        if before.kind is Kind.WAIT and before.wait_lgkmcnt is not None:
            break
        place -= 1
    return place


def _free_scc(program: Program, code: Sequence[CodeEntry], first: int, tail: int) -> int | None:
    """The first place from ``first`` on where SCC holds nothing that is still read, if there is one."""
    scc = ("scc", 0)
    for place in range(first, tail + 1):
        for index in range(place, tail + 1):
            used = effects(program.instructions[index], program.arch)
            if scc in used.reads or code[index].kind in BRANCH_KINDS:
                break
            if scc in used.writes:
                return place
        if code[place].kind in BRANCH_KINDS:
            break
    return None


def _begin(
    program: Program, launch: Launch, names: _Registers, kernarg: int, workgroup_waves: int
) -> list[str]:
    """Wave number over the whole grid, pointer to the stamps, and the start stamp."""
    metadata = program.metadata
    if not metadata.user_sgpr_kernarg_segment_ptr:
        raise UserError(
            f"{program.name}: without a kernarg pointer stamps cannot be stored",
            None,
            "the kernel needs .amdhsa_user_sgpr_kernarg_segment_ptr 1",
        )
    first = 4 if metadata.extra.get("user_sgpr_private_segment_buffer", "0").strip() not in ("0", "") else 0
    first += 2 if metadata.user_sgpr_dispatch_ptr else 0
    first += 2 if metadata.extra.get("user_sgpr_queue_ptr", "0").strip() not in ("0", "") else 0
    lines = [
        f"s_load_dwordx2 {names.pointer}, s[{first}:{first + 1}], {kernarg:#x}",
        f"v_and_b32_e32 {names.lanes}, 0x3ff, v0",
        f"v_lshrrev_b32_e32 {names.lanes}, 6, {names.lanes}",
        "s_nop 0",
        f"v_readfirstlane_b32 {names.wave}, {names.lanes}",
        f"s_mov_b32 {names.count}, 0",
        f"s_mov_b64 {names.loop_end}, 0",
    ]
    # workgroup numbers stand behind the user SGPRs, those that are enabled in order
    scratch, row, stride = names.stamp_low, metadata.user_sgpr_count, workgroup_waves
    enabled = (metadata.workgroup_id_x, metadata.workgroup_id_y, metadata.workgroup_id_z)
    for size, present in zip(launch.grid, enabled, strict=True):
        if present:
            lines += [
                f"s_mul_i32 {scratch}, s{row}, {stride}",
                f"s_add_u32 {names.wave}, {names.wave}, {scratch}",
            ]
            row += 1
        stride *= size
    return [*lines, "s_waitcnt lgkmcnt(0)", f"s_memtime {names.start}", "s_waitcnt lgkmcnt(0)"]


def _end(names: _Registers) -> list[str]:
    """Behind everything: the end stamp, then the stores. All registers are free but the stamps'."""
    low, high = names.pointer_pair
    lines = [
        "s_waitcnt vmcnt(0) lgkmcnt(0)",
        f"s_memtime {names.end}",
        "s_waitcnt lgkmcnt(0)",
        "s_mov_b64 exec, -1",
        f"s_mul_i32 {names.wave}, {names.wave}, {WAVE_BYTES}",
        f"s_add_u32 s{low}, s{low}, {names.wave}",
        f"s_addc_u32 s{high}, s{high}, 0",
        "v_mbcnt_lo_u32_b32 v0, -1, 0",
        "v_mbcnt_hi_u32_b32 v0, -1, v0",
        "v_lshlrev_b32_e32 v0, 2, v0",
        "v_mov_b32_e32 v1, 0",
    ]
    start = low + 4
    values = [*(f"s{index}" for index in range(start, start + 6)), names.count]
    lines += [f"v_writelane_b32 v1, {value}, {lane}" for lane, value in enumerate(values)]
    return [
        *lines,
        f"global_store_dword v0, {names.lanes}, {names.pointer}",
        f"global_store_dword v0, v1, {names.pointer} offset:{4 * LANES}",
        "s_waitcnt vmcnt(0)",
    ]


def _with_insertions(
    program: Program, insert: dict[int, list[str]], names: _Registers, kernarg: int
) -> Program:
    """The program with instructions put before the given indices; labels keep their instruction, and a
    branch to an index meets what was put before it."""
    arch = program.arch
    instructions: list[Instruction] = []
    moved: list[int] = []
    for index in range(len(program) + 1):
        moved.append(len(instructions))
        for text in insert.get(index, ()):
            made = parse_instruction(text, arch)
            lookup(made.opcode, arch)
            span = program.instructions[min(index, len(program) - 1)].span
            instructions.append(replace(made, span=span, comment="stamp"))
        if index < len(program):
            instructions.append(program.instructions[index])
    addresses, sizes = lay_out(instructions, arch)
    old = program.metadata
    accum = old.accum_offset
    agprs = max(old.vgprs - accum, 0) if accum else 0
    vgprs = max(names.vgprs, accum or old.vgprs)
    accum = -(-vgprs // 4) * 4 if accum else 0
    metadata = replace(
        old,
        kernarg_bytes=kernarg + 8,
        sgprs=max(old.sgprs, names.sgprs),
        vgprs=accum + agprs if accum else vgprs,
        accum_offset=accum,
        arguments=(*old.arguments, KernelArgument(ARGUMENT, kernarg, 8, "global_buffer", "global")),
    )
    labels = {name: moved[index] for name, index in program.labels.items()}
    return replace(
        program,
        instructions=tuple(instructions),
        labels=labels,
        addresses=addresses,
        sizes=sizes,
        metadata=metadata,
    )
