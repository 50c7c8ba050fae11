"""Bank conflicts found without register contents: what follows from the listing, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wavesim.asm.text.parse import parse_program
from wavesim.isa.load import load_machine
from wavesim.replays.att.importer import import_trace
from wavesim.replays.att.lds_addresses import find_conflicts, with_conflicts
from wavesim.trace import UNKNOWN, Kind, Trace, WaveTrace
from wavesim.trace.decode import code_entries

LISTING = """
.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
.text
.globl k
.type k,@function
k:
  s_load_dword s8, s[0:1], 0x0
  v_lshlrev_b32_e32 v1, 2, v0
  v_lshlrev_b32_e32 v2, 4, v0
  s_movk_i32 s9, 0x100
  v_add_u32_e32 v3, s9, v1
  v_mul_lo_u32 v4, v0, s8
  v_add_u32_e32 v5, s8, v1
  ds_read_b32 v10, v1
  ds_write_b32 v2, v10
  ds_read_b32 v11, v3 offset:64
  ds_read_b32 v12, v4
  ds_read_b32 v13, v10
  s_endpgm
.rodata
.amdhsa_kernel k
  .amdhsa_next_free_vgpr 16
  .amdhsa_next_free_sgpr 16
.end_amdhsa_kernel
"""


def listing_trace(waves: int = 2) -> Trace:
    program = parse_program(LISTING, "k.s", "gfx942")
    code = code_entries(program)
    rows = np.arange(len(code), dtype=np.int32)
    lds = np.array([entry.kind in (Kind.LDS_READ, Kind.LDS_WRITE) for entry in code])
    unknown = np.full(len(code), UNKNOWN, np.int32)
    streams = tuple(
        WaveTrace(
            wave=number,
            workgroup=0,
            simd=number % 4,
            slot=0,
            start_clk=0,
            code=rows,
            array_clk=np.where(lds, UNKNOWN, 0).astype(np.int32),
            memory_bytes=unknown,
            taken=np.zeros(len(code), np.bool_),
            memory_latency_clk=unknown,
        )
        for number in range(waves)
    )
    return Trace("gfx942", program, code, streams)


def test_what_the_lane_and_constants_determine_is_found() -> None:
    trace = listing_trace()
    found = find_conflicts(trace, load_machine("gfx942"))
    (read, write, moved, by_argument, by_loaded) = found.array_clk[0][
        [entry.kind in (Kind.LDS_READ, Kind.LDS_WRITE) for entry in trace.code]
    ]
    assert read == moved == 2  # 64 dwords over 32 banks
    assert write == 8  # every fourth bank: 32 lanes of a phase on eight banks, twice
    assert by_argument == by_loaded == UNKNOWN
    assert (found.accesses, found.known, found.conflicting) == (10, 6, 2)
    assert "6 of 10" in str(found)
    assert "taken as free" in str(found)


def test_the_trace_gets_the_clocks() -> None:
    trace = listing_trace()
    found = find_conflicts(trace, load_machine("gfx942"))
    changed = with_conflicts(trace, found)
    assert (changed.waves[1].array_clk == found.array_clk[1]).all()
    assert changed.code is trace.code


@pytest.mark.parametrize(("name", "write_clk"), [("gfx942_gemm_1024cube", 8), ("gfx942_gemm_2048cube", 4)])
def test_writes_of_measured_kernels(name: str, write_clk: int) -> None:
    """1024cube's writes conflict two by two, and hold 16 clk in the trace; 2048cube's do neither."""
    folder = Path(__file__).parents[2].parent / "shared" / "traces" / name
    if not folder.is_dir():
        pytest.skip("the measured traces are not here")
    (unit,) = import_trace(folder).units
    found = find_conflicts(unit.trace, load_machine("gfx942"))
    assert found.known == found.accesses
    writes = np.array([entry.kind is Kind.LDS_WRITE for entry in unit.trace.code])
    for wave, clk in zip(unit.trace.waves, found.array_clk, strict=True):
        assert set(clk[writes[wave.code]].tolist()) == {write_clk}
