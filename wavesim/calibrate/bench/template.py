"""Template: the assembly around a microbenchmark's body, which two clock reads enclose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from wavesim.asm.text.parse import parse_program
from wavesim.isa.kinds import LANES
from wavesim.program import Program

OUT_POINTER, DATA_POINTER = "s[2:3]", "s[4:5]"
FIRST_FREE_SGPR, FIRST_FREE_VGPR = 20, 4
"""Bodies may use SGPRs from s20 and VGPRs from v4 on, all AGPRs, vcc, m0, scc; v0 is the thread's number."""

METADATA = """	.amdgpu_metadata
---
amdhsa.kernels:
  - .name: {name}
    .symbol: {name}.kd
    .kernarg_segment_size: 16
    .kernarg_segment_align: 8
    .group_segment_fixed_size: {lds}
    .private_segment_fixed_size: 0
    .wavefront_size: 64
    .sgpr_count: 100
    .vgpr_count: {vgprs}
    .max_flat_workgroup_size: {threads}
    .args:
      - {{.name: out, .offset: 0, .size: 8, .value_kind: global_buffer, .address_space: global}}
      - {{.name: data, .offset: 8, .size: 8, .value_kind: global_buffer, .address_space: global}}
amdhsa.version: [1, 2]
...
	.end_amdgpu_metadata
"""


@dataclass(frozen=True, slots=True)
class Body:
    """What one microbenchmark runs.

    Attributes:
        lines: the timed instructions.
        setup: before the clock is read first; everything has returned when it is.
        drain: behind the body, before the clock is read again.
        waves: of the one workgroup.
        lds_bytes: allocated.
        data: content of the data buffer.
        vgprs, agprs: registers of either kind.
        operations: what the clocks are divided by for a cost per operation.
        forced_level: the cache level that every load is taken to find its lines in; empty: by LRU.
        device: for a launch of many workgroups: each thread stores the shader clocks and the 100 MHz ticks
            of its wave, at its place in the grid, and s6 is the workgroup's number.
        align_bits: of the code's start.
    """

    lines: Sequence[str]
    setup: Sequence[str] = ()
    drain: Sequence[str] = ()
    waves: int = 1
    lds_bytes: int = 0
    data: bytes = bytes(256)
    vgprs: int = 64
    agprs: int = 64
    operations: int = 1
    forced_level: str = ""
    device: bool = False
    align_bits: int = 8

    def empty(self) -> Body:
        """The same without its timed instructions: what the clock reads themselves cost."""
        return replace(self, lines=(), drain=(), operations=1)


_STORE = (
    "\tv_mov_b32_e32 v1, s10",
    "\tv_lshlrev_b32_e32 v2, 2, v0",
    f"\tglobal_store_dword v2, v1, {OUT_POINTER}",
)


def _of_device(body: Body) -> tuple[Sequence[str], ...]:
    """What a program of many workgroups has more: its number, two more clock reads, and its own store."""
    store = [
        "\ts_sub_u32 s14, s14, s12",
        f"\ts_mul_i32 s6, s6, {LANES * body.waves}",
        "\ts_nop 7",
        "\tv_mov_b32_e32 v2, s10",
        "\tv_mov_b32_e32 v3, s14",
        "\tv_add_u32_e32 v1, s6, v0",
        "\tv_lshlrev_b32_e32 v1, 3, v1",
        f"\tglobal_store_dwordx2 v1, v[2:3], {OUT_POINTER}",
    ]
    return ["\ts_mov_b32 s6, s2"], ["\ts_memrealtime s[12:13]"], ["\ts_memrealtime s[14:15]"], store


def source(name: str, body: Body, arch: str) -> str:
    """The complete assembly; every thread stores the clocks of its wave to ``out[thread]``."""
    total = body.vgprs + body.agprs
    number, again, late, store = _of_device(body) if body.device else ((), (), (), _STORE)
    text = [
        "\t.text",
        f'\t.amdgcn_target "amdgcn-amd-amdhsa--{arch}"',
        "\t.amdhsa_code_object_version 5",  # what every ROCm from 5.7 on loads; newer LLVMs would make 6
        f"\t.protected {name}",
        f"\t.globl {name}",
        f"\t.p2align {body.align_bits}",
        f"\t.type {name},@function",
        f"{name}:",
        *number,
        f"\ts_load_dwordx2 {OUT_POINTER}, s[0:1], 0x0",
        f"\ts_load_dwordx2 {DATA_POINTER}, s[0:1], 0x8",
        "\ts_waitcnt lgkmcnt(0)",
        *(f"\t{line}" if not line.endswith(":") else line for line in body.setup),
        "\ts_waitcnt vmcnt(0) lgkmcnt(0)",
        "\ts_barrier",
        "\ts_nop 7",
        "\ts_memtime s[8:9]",
        *again,
        "\ts_waitcnt lgkmcnt(0)",
        *(f"\t{line}" if not line.endswith(":") else line for line in body.lines),
        *(f"\t{line}" for line in body.drain),
        "\ts_memtime s[10:11]",
        *late,
        "\ts_waitcnt vmcnt(0) lgkmcnt(0)",
        "\ts_sub_u32 s10, s10, s8",
        "\ts_nop 7",
        "\ts_nop 7",
        "\ts_nop 7",
        *store,
        "\ts_endpgm",
        f".Lend_{name}:",
        f"\t.size {name}, .Lend_{name}-{name}",
        '\t.section .rodata,"a",@progbits',
        "\t.p2align 6, 0x0",
        f"\t.amdhsa_kernel {name}",
        f"\t\t.amdhsa_group_segment_fixed_size {body.lds_bytes}",
        "\t\t.amdhsa_user_sgpr_count 2",
        "\t\t.amdhsa_user_sgpr_kernarg_segment_ptr 1",
        "\t\t.amdhsa_system_sgpr_workgroup_id_x 1",
        "\t\t.amdhsa_kernarg_size 16",
        f"\t\t.amdhsa_next_free_vgpr {total}",
        "\t\t.amdhsa_next_free_sgpr 96",
        f"\t\t.amdhsa_accum_offset {body.vgprs}",
        "\t.end_amdhsa_kernel",
        "\t.text",
    ]
    metadata = METADATA.format(name=name, lds=body.lds_bytes, vgprs=total, threads=LANES * body.waves)
    return "\n".join(text) + "\n" + metadata


def program(name: str, body: Body, arch: str) -> Program:
    """The microbenchmark as a Program."""
    return parse_program(source(name, body, arch), f"{name}.s", arch)
