"""The loop of GLUON's kernel v9 as assembly, for any of its tiles: what its published efficiencies were
measured on, rebuilt from the tutorial's Python and from the rules of its scheduler.

Four waves in two rows and two columns compute a quarter of the tile at a time. Each *region* has the MFMAs
of a quarter, the reads of the half tile that the next region needs, and the loads to LDS of a half tile two
steps of K ahead. There are two LDS buffers, and six half tiles are on their way at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

STEP_BYTES = 128  # of a row, in a step of K: 64 elements of f16
ROW_SHIFT = 14  # of a row of K elements, in bytes
LOAD_MFMAS, READ_MFMAS, TAIL_MFMAS = (
    4,
    1,
    2,
)  # that GLUON's scheduler puts behind each; a group is left at the end

LAUNCH = """workgroup: 256
constants: {{M: {m}, N: {n}, K: 8192}}
grid: [256]
arguments: {{A: "f16[M,K]:random", B: "f16[N,K]:random"}}
"""

KERNEL = """
	.amdgcn_target "amdgcn-amd-amdhsa--gfx950"
	.text
	.globl	tile
	.p2align	8
	.type	tile,@function
tile:
{body}
.Lend:
	.size	tile, .Lend-tile
	.amdhsa_kernel tile
		.amdhsa_group_segment_fixed_size {lds}
		.amdhsa_kernarg_size 16
		.amdhsa_user_sgpr_count 2
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_next_free_vgpr {vgprs}
		.amdhsa_next_free_sgpr 32
		.amdhsa_accum_offset {accum}
	.end_amdhsa_kernel
	.amdgpu_metadata
---
amdhsa.kernels:
  - .args:
      - {{.address_space: global, .offset: 0, .size: 8, .value_kind: global_buffer, .name: A}}
      - {{.address_space: global, .offset: 8, .size: 8, .value_kind: global_buffer, .name: B}}
    .group_segment_fixed_size: {lds}
    .kernarg_segment_align: 8
    .kernarg_segment_size: 16
    .max_flat_workgroup_size: 256
    .name: tile
    .private_segment_fixed_size: 0
    .sgpr_count: 32
    .symbol: tile.kd
    .vgpr_count: {vgprs}
    .wavefront_size: 64
amdhsa.version: [1, 2]
...
	.end_amdgpu_metadata
"""

# The place of the tile: XCDs have runs of 32, in groups of four rows of tiles. Lane l of a load brings chunk
# l % 8 of row l / 8, at the place that the bank swizzle gives it. Lane l of a read has chunk l / 16 of row
# l % 16.
START = """
s_load_dwordx4 s[4:7], s[0:1], 0x0
v_readfirstlane_b32 s20, v0
s_lshr_b32 s20, s20, 6
s_and_b32 s21, s2, 7
s_lshr_b32 s22, s2, 3
s_lshl_b32 s21, s21, 5
s_add_i32 s21, s21, s22
s_lshr_b32 s22, s21, 6
s_lshl_b32 s22, s22, 2
s_and_b32 s23, s21, 3
s_add_i32 s22, s22, s23
s_and_b32 s23, s21, 63
s_lshr_b32 s23, s23, 2
s_mul_i32 s22, s22, {rows}
s_mul_i32 s23, s23, {cols}
v_and_b32_e32 v1, 63, v0
v_lshrrev_b32_e32 v2, 3, v1
v_and_b32_e32 v3, 7, v1
v_xor_b32_e32 v3, v3, v2
v_lshlrev_b32_e32 v3, 4, v3
v_lshrrev_b32_e32 v4, 6, v0
v_lshl_add_u32 v2, v4, 3, v2
v_add_u32_e32 v5, s22, v2
v_lshl_add_u32 v5, v5, 14, v3
v_add_u32_e32 v6, s23, v2
v_lshl_add_u32 v6, v6, 14, v3
v_and_b32_e32 v2, 15, v1
v_lshrrev_b32_e32 v3, 4, v1
v_and_b32_e32 v7, 7, v1
v_xor_b32_e32 v3, v3, v7
v_lshlrev_b32_e32 v3, 4, v3
v_lshl_add_u32 v2, v2, 7, v3
s_lshr_b32 s24, s20, 1
s_and_b32 s25, s20, 1
s_lshl_b32 s20, s20, 10
s_waitcnt lgkmcnt(0)
s_mov_b64 s[8:9], s[4:5]
s_mov_b32 s10, -1
s_mov_b32 s11, 0x27000
s_mov_b64 s[12:13], s[6:7]
s_mov_b64 s[14:15], s[10:11]
s_mov_b32 s16, 0
s_mov_b32 s17, 128
s_movk_i32 s18, 63
"""


class Operand:
    """A or B of a tile: the registers of its two halves, and the instructions that bring and read one."""

    def __init__(self, size: int, register: int, base: int, wave: int, first: int, descriptor: int) -> None:
        self.size, self.base, self.descriptor = size, base, descriptor
        self.parts = size // 64  # of a half, for each wave: loads, and rows of MFMAs
        self.halves = [register, register + 8 * self.parts]
        self.source = [register + (16 + half) * self.parts for half in range(2)]
        self.place = self.source[1] + self.parts  # of a read: by buffer and half of the step
        self.end = self.place + 4
        self.wave, self.first = wave, first

    def start(self, buffer_bytes: int) -> list[str]:
        """Addresses of loads and of reads."""
        lines = []
        for half in range(2):
            for i in range(self.parts):
                place = (half * self.size // 2 + 32 * i) << ROW_SHIFT
                lines.append(f"v_add_u32_e32 v{self.source[half] + i}, 0x{place:x}, v{self.first}")
        lines += [
            f"s_mul_i32 s{self.wave}, s{self.wave}, {self.size // 4 * STEP_BYTES}",
            f"v_add_u32_e32 v{self.place}, s{self.wave}, v2",
            f"v_add_u32_e32 v{self.place}, 0x{self.base:x}, v{self.place}",
            f"v_xor_b32_e32 v{self.place + 1}, 64, v{self.place}",
        ]
        return lines + [
            f"v_add_u32_e32 v{self.place + 2 + k}, 0x{buffer_bytes:x}, v{self.place + k}" for k in range(2)
        ]

    def load(self, half: int, buffer: int, buffer_bytes: int) -> list[list[str]]:
        to = buffer * buffer_bytes + self.base + half * self.size // 2 * STEP_BYTES
        descriptor = f"s[{self.descriptor}:{self.descriptor + 3}]"
        return [
            [
                f"s_add_u32 m0, s20, 0x{to + 4096 * i:x}",
                f"buffer_load_dwordx4 v{self.source[half] + i}, {descriptor}, s{16 + buffer} offen lds",
            ]
            for i in range(self.parts)
        ]

    def read(self, half: int, buffer: int) -> list[list[str]]:
        found = []
        for k in range(2):
            for i in range(self.parts):
                to = self.halves[half] + 4 * (k * self.parts + i)
                offset = half * self.size // 2 * STEP_BYTES + i * 16 * STEP_BYTES
                place = self.place + 2 * buffer + k
                found.append([f"ds_read_b128 v[{to}:{to + 3}], v{place} offset:{offset}"])
        return found


def scheduled(
    mfmas: Sequence[str], reads: Sequence[list[str]], loads: Sequence[list[str]], wait: str
) -> list[str]:
    """A region as GLUON's scheduler orders it: backwards from the end, each access gets as many MFMAs behind
    it as it takes of its path, as long as there are any; half of what is left over stands at the end."""
    left = max(0, len(mfmas) - LOAD_MFMAS * len(loads) - READ_MFMAS * len(reads) - TAIL_MFMAS)
    rest, lines = list(mfmas), list[str]()
    for number, access in reversed(list(enumerate([*reads, *loads]))):
        count = READ_MFMAS if number < len(reads) else LOAD_MFMAS
        if not lines:
            count += TAIL_MFMAS + left // 2
        behind = rest[max(0, len(rest) - count) :]
        del rest[max(0, len(rest) - count) :]
        lines = [*access, *behind, *lines]
    return ["s_waitcnt lgkmcnt(0)", *rest, wait, "s_barrier", *lines]


def tile(rows: int, cols: int) -> str:
    """The kernel; ``rows`` and ``cols`` are 64, 128 or 256."""
    a = Operand(rows, 16, 0, 24, 5, 8)
    b = Operand(cols, a.end, rows * STEP_BYTES, 25, 6, 12)
    buffer_bytes = (rows + cols) * STEP_BYTES
    quarter = 4 * a.parts * b.parts
    lines = START.format(rows=rows, cols=cols).split("\n") + a.start(buffer_bytes) + b.start(buffer_bytes)
    lines += [f"v_accvgpr_write_b32 a{register}, 0" for register in range(4 * quarter)]

    def mfmas(a_half: int, b_half: int, number: int) -> list[str]:
        found = []
        for k in range(2):
            for i in range(a.parts):
                for j in range(b.parts):
                    left = a.halves[a_half] + 4 * (k * a.parts + i)
                    right = b.halves[b_half] + 4 * (k * b.parts + j)
                    sum_ = number * quarter + 4 * (i * b.parts + j)
                    registers = [
                        f"{f}[{r}:{r + 3}]" for f, r in zip("avva", (sum_, left, right, sum_), strict=True)
                    ]
                    found.append("v_mfma_f32_16x16x32_f16 " + ", ".join(registers))
        return found

    for buffer in range(2):
        for operand, half in ((b, 0), (a, 0), (a, 1), (b, 1)):
            lines += chain.from_iterable(operand.load(half, buffer, buffer_bytes))
    advance = ["s_add_u32 s16, s16, 256", "s_add_u32 s17, s17, 256"]
    lines += [*advance, f"s_waitcnt vmcnt({3 * (a.parts + b.parts)})", "s_barrier"]
    lines += chain.from_iterable(b.read(0, 0) + a.read(0, 0))
    lines.append("turn:")
    for now in range(2):
        early = f"s_waitcnt vmcnt({2 * a.parts + 3 * b.parts})"
        late = f"s_waitcnt vmcnt({3 * a.parts + 2 * b.parts})"
        then = 1 - now
        lines += scheduled(mfmas(0, 0, 0), a.read(1, now), b.load(0, now, buffer_bytes), early)
        lines += scheduled(mfmas(1, 0, 1), b.read(1, now), a.load(0, now, buffer_bytes), early)
        lines += scheduled(mfmas(0, 1, 2), b.read(0, then), a.load(1, now, buffer_bytes), late)
        lines += scheduled(mfmas(1, 1, 3), a.read(0, then), b.load(1, now, buffer_bytes), late)
    lines += [*advance, "s_sub_u32 s18, s18, 1", "s_cmp_lg_u32 s18, 0", "s_cbranch_scc1 turn", "s_endpgm"]
    accum = -(-b.end // 8) * 8
    return KERNEL.format(body="\n".join(lines), lds=2 * buffer_bytes, vgprs=accum + 4 * quarter, accum=accum)
