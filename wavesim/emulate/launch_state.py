"""The state in which a launch starts its waves: memories, kernel arguments, initial registers."""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

from wavesim.asm.names import short_name
from wavesim.emulate.context import Context, Lds
from wavesim.emulate.elements import f32_to_bf16
from wavesim.emulate.float_mode import mode_of
from wavesim.emulate.matrices import VirtualMatrix
from wavesim.emulate.memory import Memory, Region
from wavesim.emulate.recorder import Placement
from wavesim.emulate.semantics.memory.addresses import (
    PRIVATE_BUFFER,
    has_scratch_buffer,
    is_enabled,
    scratch_bytes,
)
from wavesim.emulate.semantics.scalar.mode_register import writes_mode
from wavesim.emulate.state import CODE_BASE, State
from wavesim.errors import LimitExceeded, SourceSpan, UserError
from wavesim.front.launch.model import Launch, MatrixArgument, ScalarArgument
from wavesim.front.launch.structs import Packed, one_each
from wavesim.isa.kinds import LANES
from wavesim.isa.machine import Machine
from wavesim.limits import budget
from wavesim.program import Modified, Operand, Program, Register
from wavesim.trace import FOLLOWS
from wavesim.words import counted

_SCALARS = {
    **{"i8": "<b", "u8": "<B", "i16": "<h", "u16": "<H", "i32": "<i", "u32": "<I", "i64": "<q", "u64": "<Q"},
    **{"f32": "<f", "f64": "<d", "f16": "<e", "bf16": "<f"},
}
_ARCH_VGPRS = 256
_WHAT_IT_TAKES = "wavesim launch FILE writes a launch file with the arguments that it takes"
KERNARG_PIECE_BYTES = 16


def waves_per_workgroup(launch: Launch) -> int:
    """Waves of one workgroup that are executed."""
    return -(-(launch.executed_lanes or launch.workgroup_size) // LANES)


def placements(launch: Launch, machine: Machine) -> list[Placement]:
    """Where every wave sits and when it starts, oldest first (docs/model, section 1).

    A dispatcher starts a wave at a time, and gives each of its compute units a workgroup in turn. Where those
    that follow are is found when they start; here they are where they would be with room everywhere.
    """
    per_group = waves_per_workgroup(launch)
    order = machine.simds("dispatch.wave_simds")
    wave_gap = machine.integer("dispatch.wave_interval_clk")
    of_group = max(machine.integer("dispatch.workgroup_least_clk"), per_group * wave_gap)
    group_gap = machine.integer("dispatch.engine_units") * of_group
    taken = dict.fromkeys(order, 0)
    places = []
    for group in range(len(launch.workgroups)):
        for wave in range(per_group):
            simd = order[(group + wave) % len(order)]
            start_clk = group * group_gap + wave * wave_gap if group < launch.sharing else FOLLOWS
            places.append(Placement(wave, group, simd, taken[simd], start_clk))
            taken[simd] += group < launch.sharing
    return places


def register_counts(program: Program) -> tuple[int, int]:
    """VGPRs and AGPRs that the instructions name."""
    vgprs, agprs = 1, 0
    for instruction in program.instructions:
        for operand in instruction.operands:
            inner: Operand = operand.operand if isinstance(operand, Modified) else operand
            if isinstance(inner, Register):
                if inner.file == "v":
                    vgprs = max(vgprs, inner.index + inner.count)
                elif inner.file == "a":
                    agprs = max(agprs, inner.index + inner.count)
    if vgprs > _ARCH_VGPRS or agprs > _ARCH_VGPRS:
        raise UserError(f"registers up to v{vgprs - 1} and a{agprs - 1} are named; there are 256 of each")
    return vgprs, agprs


def pack_arguments(program: Program, launch: Launch, regions: dict[str, Region]) -> bytes:
    """The kernarg segment: launch arguments in order at the metadata's offsets, hidden ones filled in.

    Raises:
        UserError: the launch's arguments do not fit the kernel's.
    """
    metadata = program.metadata
    span = SourceSpan(program.file) if program.file else None
    visible = [argument for argument in metadata.arguments if not argument.kind.startswith("hidden_")]
    content = bytearray(metadata.kernarg_bytes)
    offset = 0
    given = list(one_each([_packed(argument, regions) for argument in launch.arguments]))
    left_out = visible[len(given) :]
    scratch = all(each.size_bytes == 8 and each.address_space and not each.name for each in left_out)
    # Triton's last two arguments, pointers without a name, are its own scratch memory: null if not used
    if visible and (len(visible) < len(given) or len(left_out) > 2 or not scratch):
        raise UserError(
            f"kernel {short_name(program.name)} takes {counted(len(visible), 'argument')}, the launch gives "
            f"{len(given)}",
            span,
            _WHAT_IT_TAKES,
        )
    for place, argument in enumerate(given):
        packed = argument.content
        if visible:
            offset = visible[place].offset_bytes
            size = visible[place].size_bytes
            if size != len(packed):
                raise UserError(
                    f"argument {place} ({argument.name}) has {len(packed)} bytes; "
                    f"kernel {short_name(program.name)} takes {size}",
                    span,
                    _WHAT_IT_TAKES,
                )
        else:  # no metadata: natural alignment
            offset = -(-offset // argument.alignment_bytes) * argument.alignment_bytes
        if len(content) < offset + len(packed):
            content.extend(bytes(offset + len(packed) - len(content)))
        content[offset : offset + len(packed)] = packed
        offset += len(packed)
    for hidden in metadata.arguments:
        value = _hidden(hidden.kind, launch)
        if value is not None:
            end = hidden.offset_bytes + hidden.size_bytes
            content.extend(bytes(max(0, end - len(content))))
            content[hidden.offset_bytes : end] = value.to_bytes(hidden.size_bytes, "little")
    return bytes(content)


def _packed(argument: MatrixArgument | ScalarArgument, regions: dict[str, Region]) -> Packed:
    content = _content(argument, regions)
    return Packed(argument.name, argument.structs, content, len(content))


def _content(argument: MatrixArgument | ScalarArgument, regions: dict[str, Region]) -> bytes:
    if isinstance(argument, MatrixArgument):
        return struct.pack("<Q", regions[argument.name].base)
    form = _SCALARS.get(argument.dtype)
    if form is None:
        raise UserError(
            f"argument {argument.name}: unknown type {argument.dtype!r}", hint=", ".join(_SCALARS)
        )
    try:
        if argument.dtype == "bf16":
            return f32_to_bf16(np.array([argument.value], np.float32)).tobytes()
        return struct.pack(form, float(argument.value) if form in ("<f", "<d", "<e") else int(argument.value))
    except (struct.error, OverflowError):
        raise UserError(f"argument {argument.name}: {argument.value} is no {argument.dtype}") from None


def _hidden(kind: str, launch: Launch) -> int | None:
    """Hidden arguments that the launch determines (code object version 5)."""
    if kind.startswith("hidden_block_count_"):
        return launch.grid["xyz".index(kind[-1])]
    if kind.startswith("hidden_group_size_"):
        return launch.workgroup_shape["xyz".index(kind[-1])]
    if kind == "hidden_grid_dims":
        return 3 if launch.grid[2] > 1 else 2 if launch.grid[1] > 1 else 1
    return None


def make_memory(
    program: Program, launch: Launch, track_writers: bool
) -> tuple[Memory, dict[str, Region], Region]:
    """Global memory with the launch's matrices and the kernarg segment."""
    memory = Memory()
    memory.track_writers = track_writers
    regions: dict[str, Region] = {}
    for argument in launch.arguments:
        if isinstance(argument, MatrixArgument):
            if argument.name in regions:
                raise UserError(f"two matrices are named {argument.name}")
            matrix = VirtualMatrix(argument, program.arch)
            matrix.observed = launch.expect is not None and launch.expect.result == argument.name
            regions[argument.name] = memory.add(argument.name, matrix.data, matrix.size, matrix)
    arguments = pack_arguments(program, launch, regions)
    # the segment is allocated in pieces of 16 bytes (HSA), and compilers load it so: 12 bytes as 16
    kernarg = memory.add_bytes("kernarg segment", arguments + bytes(-len(arguments) % KERNARG_PIECE_BYTES))
    return memory, regions, kernarg


def make_state(program: Program, launch: Launch, memory: Memory, kernarg: Region) -> State:
    """Registers as the dispatcher sets them (LLVM AMDGPU usage, initial kernel execution state)."""
    per_group = waves_per_workgroup(launch)
    waves = per_group * len(launch.workgroups)
    together = per_group * launch.sharing
    if together > budget().waves or not 0 < launch.workgroup_size <= 1024:
        raise LimitExceeded(
            f"{launch.sharing} workgroups of {launch.workgroup_size} work-items are {together} waves; "
            f"at most {budget().waves} waves and 1024 work-items in a workgroup"
        )
    state = State(waves, *register_counts(program))
    group = np.repeat(np.arange(len(launch.workgroups)), per_group)
    local = np.tile(np.arange(per_group), len(launch.workgroups))[:, None] * LANES + np.arange(LANES)
    state.vgpr[0] = _work_item_ids(local, launch, program.metadata.workitem_id_dimensions)
    state.exec_lanes[...] = local < launch.workgroup_size
    state.sgpr[126:128] = np.packbits(state.exec_lanes, axis=1, bitorder="little").view(np.uint32).T
    state.sgpr[:102] = 0xFFFFFFFF
    row = _user_sgprs(program, launch, state, memory, kernarg)
    metadata = program.metadata
    position = np.array(launch.workgroups, np.uint32).reshape(-1, 3)[group]
    for axis, enabled in enumerate(
        (metadata.workgroup_id_x, metadata.workgroup_id_y, metadata.workgroup_id_z)
    ):
        if enabled:
            state.sgpr[row] = position[:, axis]
            row += 1
    if is_enabled(program, "system_sgpr_private_segment_wavefront_offset"):
        row += is_enabled(program, "system_sgpr_workgroup_info")
        state.sgpr[row] = 0  # where the wave's scratch begins: the descriptor's base knows its lanes
    return state


def _work_item_ids(local: npt.NDArray[np.int64], launch: Launch, dimensions: int) -> npt.NDArray[np.uint32]:
    """What v0 holds of each lane: x in bits 9:0, y in 19:10 and z in 29:20, as far as the kernel asks for
    them (LLVM AMDGPU usage, "Initial VGPR State", packed work-item ids)."""
    x, y, _ = launch.workgroup_shape
    found = local % x
    if dimensions > 1:
        found |= local // x % y << 10
    if dimensions > 2:
        found |= local // (x * y) << 20
    return found.astype(np.uint32)


def needs_arguments(program: Program) -> bool:
    """Whether the kernel asks for arguments: its metadata name some, or it loads through their pointer."""
    metadata = program.metadata
    if metadata.arguments:
        return True
    if not metadata.user_sgpr_kernarg_segment_ptr:
        return False
    before = (
        4 * has_scratch_buffer(program),
        2 * metadata.user_sgpr_dispatch_ptr,
        2 * is_enabled(program, "user_sgpr_queue_ptr"),
    )
    pointer = Register("s", sum(before), 2)
    return any(
        each.opcode.startswith("s_load_") and pointer in each.operands[1:2] for each in program.instructions
    )


def _user_sgprs(program: Program, launch: Launch, state: State, memory: Memory, kernarg: Region) -> int:
    """Fill the user SGPRs in their fixed order; returns the first row after them."""
    metadata = program.metadata

    def enabled(name: str) -> bool:
        return is_enabled(program, f"user_sgpr_{name}")

    row = 0
    if has_scratch_buffer(program):
        for value in (0, PRIVATE_BUFFER, 0xFFFFFFFF, 0):
            state.sgpr[row] = value
            row += 1
    if metadata.user_sgpr_dispatch_ptr:
        _put_pair(state, row, memory.add_bytes("dispatch packet", _dispatch_packet(launch, kernarg)).base)
        row += 2
    if enabled("queue_ptr"):
        row += 2
    if metadata.user_sgpr_kernarg_segment_ptr:
        _put_pair(state, row, kernarg.base)
        row += 2
    for name, count in (("dispatch_id", 2), ("flat_scratch_init", 2), ("private_segment_size", 1)):
        if enabled(name):
            row += count
    row = _preload(program, state, kernarg, row)
    return max(row, metadata.user_sgpr_count)


def _preload(program: Program, state: State, kernarg: Region, row: int) -> int:
    """Kernel arguments that the dispatcher puts into SGPRs itself."""

    def number(name: str) -> int:
        text = program.metadata.extra.get(f"user_sgpr_kernarg_preload_{name}", "0")
        return int(text, 0) if text.strip().lower().removeprefix("0x").isalnum() else 0

    length, offset = number("length"), number("offset")
    words = kernarg.words[offset : offset + length]
    state.sgpr[row : row + len(words)] = words[:, None]
    return row + length


def _put_pair(state: State, row: int, value: int) -> None:
    state.sgpr[row] = value & 0xFFFFFFFF
    state.sgpr[row + 1] = value >> 32


def _dispatch_packet(launch: Launch, kernarg: Region) -> bytes:
    """An AQL kernel dispatch packet with the sizes (HSA runtime specification)."""
    sizes = launch.workgroup_shape
    grid = tuple(count * size for count, size in zip(launch.grid, sizes, strict=True))
    return struct.pack("<HHHHHHIIIIIQQQQ", 0, 3, *sizes, 0, *grid, 0, 0, 0, kernarg.base, 0, 0)


def _symbols(program: Program, memory: Memory) -> dict[str, int]:
    """Addresses of labels in the code, and of constants, which are put into memory."""
    found = {
        name: CODE_BASE + program.addresses[place]
        for name, place in program.labels.items()
        if place < len(program.addresses)
    }
    for section in program.constants:
        region = memory.add_bytes(f"section {section.section}", section.content)
        found |= {name: region.base + offset for name, offset in section.labels.items()}
    return found


def make_context(
    program: Program,
    launch: Launch,
    machine: Machine,
    *,
    track_writers: bool,
    observe_lds: bool,
    clock_values: dict[int, list[int]],
) -> tuple[Context, dict[str, Region]]:
    """Everything an execution needs.

    Raises:
        UserError: the launch does not fit the kernel, or asks for too much.
    """
    memory, regions, kernarg = make_memory(program, launch, track_writers)
    state = make_state(program, launch, memory, kernarg)
    group: npt.NDArray[np.int64] = np.repeat(np.arange(len(launch.workgroups)), waves_per_workgroup(launch))
    lds = Lds(program.metadata.lds_bytes, len(launch.workgroups), group)
    if track_writers:
        lds.writer = np.zeros(len(lds.words), np.int32)
    stride = -(-scratch_bytes(program) // 16) * 16
    try:
        scratch = np.zeros(state.waves * LANES * stride // 4 + 16, np.uint32)
    except MemoryError:
        raise LimitExceeded(f"{scratch_bytes(program)} bytes of scratch memory per lane") from None
    context = Context(
        program, machine, state, memory, lds, scratch, stride, clock_values, track_writers, observe_lds
    )
    context.symbols = _symbols(program, memory)
    context.first_mode, context.writes_mode = mode_of(program.metadata), writes_mode(program)
    state.mode[...] = context.first_mode.bits
    context.rows = np.zeros(state.waves, np.int64)
    context.clocks_read = np.zeros(state.waves, np.int64)
    context.stored = np.zeros(state.waves, np.bool_)
    return context, regions
