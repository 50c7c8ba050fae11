"""A kernel that copies a tile through LDS again and again, in a layout: what a ranking is proven on.

Its code is the same for all layouts but for constants, so that only bank conflicts tell them apart.
"""

from __future__ import annotations

from collections.abc import Iterator

from wavesim.isa.kinds import LANES
from wavesim.swizzles.access import Tile
from wavesim.swizzles.layouts import Layout

NAME = "swizzle_proof"
LOOP = ".Lpass"
PASSES = 24
_MOVES = {4: "dword", 8: "dwordx2", 16: "dwordx4"}
_BITS = {4: "b32", 8: "b64", 16: "b128"}
_FIRST_ADDRESS = 8
"""VGPRs before it are scratch."""


def launch_text(tile: Tile) -> str:
    """The launch: the tile's bytes as f32, whatever its type, so that a copy is exact; a row of C for each
    round of reads."""
    dwords = tile.rows * tile.row_bytes // 4
    matrices = f'A: "f32[1,{dwords}]:random", C: "f32[{tile.reads},{dwords}]:unwritten"'
    arguments = f'{{{matrices}, Z: "f32[{tile.reads},1]:zero"}}'
    return f"workgroup: {tile.waves * LANES}\narguments: {arguments}\nexpect: C = A + Z\n"


def kernel_text(tile: Tile, layout: Layout, arch: str) -> str:
    """The kernel's assembly."""
    lines = [*_prologue(tile, layout), f"{LOOP}:", *_pass(tile), *_epilogue(tile)]
    registers = _data_register(tile, _count(tile))
    return "\n".join(
        [
            f'.amdgcn_target "amdgcn-amd-amdhsa--{arch}"',
            f"{NAME}:",
            *(line if line.endswith(":") else f"  {line}" for line in lines),
            f".amdhsa_kernel {NAME}",
            f"  .amdhsa_group_segment_fixed_size {layout.size_bytes(tile.rows)}",
            "  .amdhsa_user_sgpr_kernarg_segment_ptr 1",
            "  .amdhsa_user_sgpr_count 2",
            f"  .amdhsa_next_free_vgpr {registers}",
            "  .amdhsa_next_free_sgpr 32",
            f"  .amdhsa_accum_offset {_whole(registers)}",
            ".end_amdhsa_kernel",
            "",
        ]
    )


def _reads(tile: Tile) -> int:
    return tile.reads * tile.fragments * tile.parts


def _count(tile: Tile) -> int:
    return tile.writes + _reads(tile)


def _address(number: int) -> str:
    return f"v{_FIRST_ADDRESS + number}"


def _data_register(tile: Tile, number: int) -> int:
    """First register of an access's data, behind the addresses; writes and reads begin at multiples of 4."""
    first = _whole(_FIRST_ADDRESS + _count(tile))
    if number < tile.writes:
        return first + number * tile.write_bytes // 4
    reads = _whole(first + tile.writes * tile.write_bytes // 4)
    return reads + (number - tile.writes) * tile.read_bytes // 4


def _whole(register: int) -> int:
    return -(-register // 4) * 4


def _data(tile: Tile, number: int) -> str:
    first = _data_register(tile, number)
    dwords = (tile.write_bytes if number < tile.writes else tile.read_bytes) // 4
    return f"v{first}" if dwords == 1 else f"v[{first}:{first + dwords - 1}]"


def _prologue(tile: Tile, layout: Layout) -> Iterator[str]:
    """Arguments; the wave's number; the part of the tile that it loads; every address of LDS."""
    yield "s_load_dwordx4 s[4:7], s[0:1], 0x0"
    yield "v_lshrrev_b32 v1, 6, v0"
    yield "s_nop 4"
    yield "v_readfirstlane_b32 s8, v1"
    yield f"v_and_b32 v7, {LANES - 1}, v0"
    yield f"s_mov_b32 s9, {layout.row_bytes + layout.pad_bytes:#x}"
    yield f"s_movk_i32 s10, {PASSES:#x}"
    yield "s_waitcnt lgkmcnt(0)"
    for number in range(tile.writes):
        yield from _write_place(tile, number)
        yield f"v_mov_b32 {_address(number)}, v1"
        yield f"global_load_{_MOVES[tile.write_bytes]} {_data(tile, number)}, v1, s[4:5]"
        yield from _layout(layout, tile, _address(number))
    for number in range(_reads(tile)):
        yield from _read_place(tile, number)
        yield f"v_mov_b32 {_address(tile.writes + number)}, v1"
        yield from _layout(layout, tile, _address(tile.writes + number))
    yield "s_waitcnt vmcnt(0)"
    yield "s_barrier"


def _write_place(tile: Tile, number: int) -> Iterator[str]:
    """Into v1 the byte of the tile that this thread writes: threads side by side."""
    begin = number * tile.waves * LANES * tile.write_bytes
    yield f"v_lshlrev_b32 v1, {tile.write_bytes.bit_length() - 1}, v0"
    yield f"s_mov_b32 s11, {begin:#x}"
    yield "v_add_u32 v1, s11, v1"


def _read_place(tile: Tile, number: int) -> Iterator[str]:
    """Into v1 the byte of the tile that this lane reads: its part of the wave's fragment."""
    rest, part = divmod(number, tile.parts)
    turn, fragment = divmod(rest, tile.fragments)
    size = tile.element_bytes
    yield f"s_add_i32 s11, s8, {turn}"
    yield f"s_and_b32 s11, s11, {tile.waves - 1}"
    yield f"s_add_i32 s11, s11, {fragment * tile.waves:#x}"
    yield f"s_lshr_b32 s12, s11, {tile.steps.bit_length() - 1}"  # the fragment's row block
    yield f"s_and_b32 s11, s11, {tile.steps - 1}"
    yield f"s_mul_i32 s11, s11, {tile.k * size:#x}"
    yield f"s_mul_i32 s12, s12, {tile.m * tile.row_bytes:#x}"
    yield "s_add_i32 s11, s11, s12"
    yield f"s_add_i32 s11, s11, {part * tile.read_bytes:#x}"
    yield f"v_and_b32 v1, {tile.m - 1}, v7"
    yield f"v_lshlrev_b32 v1, {tile.row_bytes.bit_length() - 1}, v1"
    yield f"v_lshrrev_b32 v2, {tile.m.bit_length() - 1}, v7"
    yield f"v_lshlrev_b32 v2, {tile.lane_bytes.bit_length() - 1}, v2"
    yield "v_add3_u32 v1, v1, v2, s11"


def _layout(layout: Layout, tile: Tile, register: str) -> Iterator[str]:
    """Turns a byte of the tile into its LDS address."""
    yield f"v_lshrrev_b32 v2, {tile.row_bytes.bit_length() - 1}, {register}"
    yield f"s_movk_i32 s11, {tile.row_bytes - 1:#x}"
    yield f"v_and_b32 v3, s11, {register}"
    yield f"v_lshrrev_b32 v4, {layout.per_phase.bit_length() - 1}, v2"
    yield f"s_movk_i32 s11, {layout.max_phase - 1:#x}"
    yield "v_and_b32 v4, s11, v4"
    yield f"v_lshlrev_b32 v4, {layout.unit_bytes.bit_length() - 1}, v4"
    yield "v_xor_b32 v3, v4, v3"
    yield "v_mul_u32_u24 v2, s9, v2"
    yield f"v_add_u32 {register}, v2, v3"


def _pass(tile: Tile) -> Iterator[str]:
    """One pass: write the tile, read the fragments; a barrier behind each."""
    for number in range(tile.writes):
        yield f"ds_write_{_BITS[tile.write_bytes]} {_address(number)}, {_data(tile, number)}"
    yield "s_waitcnt lgkmcnt(0)"
    yield "s_barrier"
    for number in range(tile.writes, _count(tile)):
        yield f"ds_read_{_BITS[tile.read_bytes]} {_data(tile, number)}, {_address(number)}"
    yield "s_waitcnt lgkmcnt(0)"
    yield "s_barrier"
    yield "s_add_i32 s10, s10, -1"
    yield "s_cmp_lg_u32 s10, 0"
    yield f"s_cbranch_scc1 {LOOP}"


def _epilogue(tile: Tile) -> Iterator[str]:
    """Stores what was read to where it belongs."""
    for number in range(_reads(tile)):
        turn = number // (tile.parts * tile.fragments)
        yield from _read_place(tile, number)
        yield f"s_mov_b32 s11, {turn * tile.rows * tile.row_bytes:#x}"
        yield "v_add_u32 v1, s11, v1"
        yield f"global_store_{_MOVES[tile.read_bytes]} v1, {_data(tile, tile.writes + number)}, s[6:7]"
    yield "s_endpgm"
