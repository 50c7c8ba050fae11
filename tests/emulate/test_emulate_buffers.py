"""Buffer addresses and range checks against a reading of CDNA3 ISA 9.1.5, lane by lane and dword by dword.

The second source is `dword_places`: plain integers, written from the manual's formulas and notes and from
ROCm/rocm-systems 10928 (what gfx950 does), not from the emulator's arrays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from emulate_harness import execute, run
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wavesim.emulate.state import State
from wavesim.front.launch.model import MatrixArgument

IN = MatrixArgument("A", "i32", 4, 256, init="index")
OUT = MatrixArgument("C", "i32", 4, 256, init="unwritten")
SIZE = 4096
LANE = np.arange(64)
LOAD = "s_load_dwordx2 s[4:5], s[0:1], 0x0\n"


@dataclass(frozen=True)
class Access:
    """A resource and an instruction on it; ``index`` and ``offset`` are lane 0's, ``*_step`` per lane."""

    dwords: int = 1
    idxen: bool = False
    offen: bool = False
    index: int = 0
    index_step: int = 0
    offset: int = 0
    offset_step: int = 0
    soffset: int = 0
    inst_offset: int = 0
    stride: int = 0
    records: int = SIZE
    swizzle: bool = False
    add_tid: bool = False
    data_format: int = 0
    index_stride: int = 8

    @property
    def words(self) -> tuple[int, int, int]:
        """What the resource has beside the base: bits of its second, third and fourth dword."""
        fourth = self.data_format << 15 | (self.index_stride.bit_length() - 4) << 21 | self.add_tid << 23
        return self.stride << 16 | 3 * self.swizzle << 30, self.records, fourth

    def instruction(self, kind: str) -> str:
        """The load into v8 or store from v8."""
        data = f"v[8:{7 + self.dwords}]" if self.dwords > 1 else "v8"
        address = {(0, 0): "off", (1, 0): "v4", (0, 1): "v5", (1, 1): "v[4:5]"}[self.idxen, self.offen]
        name = f"buffer_{kind}_dword{f'x{self.dwords}' if self.dwords > 1 else ''}"
        flags = "idxen " * self.idxen + "offen " * self.offen + f"offset:{self.inst_offset}"
        return f"{name} {data}, {address}, s[8:11], s12 {flags}"


def dword_places(access: Access, lane: int) -> list[int | None]:
    """Byte offsets from the base that a lane's dwords have in memory; None: out of range."""
    index = (access.index + lane * access.index_step) % 2**32 if access.idxen else 0
    vgpr_offset = (access.offset + lane * access.offset_step) % 2**32 if access.offen else 0
    buffer_offset = (vgpr_offset + access.inst_offset) % 2**32
    with_lane = access.add_tid and (access.swizzle or not access.idxen)
    stride = access.stride + (access.data_format * 2**14 if with_lane else 0)
    places: list[int | None] = []
    for dword in range(access.dwords):
        at = buffer_offset + 4 * dword
        if access.add_tid and not access.idxen:
            good = True  # a private buffer
        elif access.idxen and stride:
            good = index < access.records  # a structured buffer
        else:
            good = at + 4 + access.soffset <= access.records  # a raw buffer
        number = index + (lane if with_lane else 0)
        if access.swizzle and (access.idxen or access.add_tid):
            group, member = divmod(number, access.index_stride)
            element, within = divmod(at, 4)
            place = (group * stride + element * 4) * access.index_stride + member * 4 + within
        else:
            place = number * stride + at
        places.append(place + access.soffset if good else None)
    return places


def resource(access: Access, pointer: str) -> str:
    """Code that makes the resource in s[8:11] and the SGPR offset in s12."""
    second, third, fourth = access.words
    first, high = pointer.split()
    return (
        f"s_mov_b32 s8, {first}\n s_and_b32 s9, {high}, 0xffff\n s_or_b32 s9, s9, {second:#x}\n"
        f" s_mov_b32 s10, {third:#x}\n s_mov_b32 s11, {fourth:#x}\n s_mov_b32 s12, {access.soffset:#x}\n"
    )


def registers(access: Access):
    def setup(state: State) -> None:
        lanes = np.arange(64, dtype=np.int64)
        state.vgpr[4] = (access.index + lanes * access.index_step) % 2**32
        state.vgpr[5] = (access.offset + lanes * access.offset_step) % 2**32
        for dword in range(4):
            state.vgpr[8 + dword] = 1000 * (dword + 1) + lanes

    return setup


ACCESSES = st.builds(
    Access,
    dwords=st.integers(1, 4),
    idxen=st.booleans(),
    offen=st.booleans(),
    index=st.integers(0, 40),
    index_step=st.sampled_from([0, 1, 1, 3]),
    offset=st.sampled_from([0, 4, 16, 100, 2**32 - 64]),
    offset_step=st.sampled_from([4, 8, 16]),
    soffset=st.sampled_from([0, 4, 40, 512]),
    inst_offset=st.sampled_from([0, 4, 64, 1020]),
    stride=st.sampled_from([0, 4, 16, 24]),
    records=st.sampled_from([0, 3, 20, 50, 1016, 1020, 1024, 1030, SIZE, 2**32 - 1]),
    swizzle=st.booleans(),
    add_tid=st.booleans(),
    data_format=st.sampled_from([0, 0, 4]),
    index_stride=st.sampled_from([8, 16, 32, 64]),
).filter(lambda access: not (access.idxen and access.offen))
STRADDLE = Access(4, offen=True, offset_step=16, records=1016)
WRAP = Access(1, offen=True, offset=2**32 - 64, offset_step=4, inst_offset=64, records=1024)
CACHE_SWIZZLE = Access(4, offen=True, offset_step=16, stride=16, swizzle=True, data_format=2)

ACROSS = Access(2, idxen=True, index=2, index_step=3, inst_offset=1020, stride=24, records=1016)
BEYOND = Access(2, idxen=True, index=3, index_step=3, inst_offset=1020, stride=16, records=1016)


@settings(max_examples=150)
@given(ACCESSES)
@example(STRADDLE)
@example(WRAP)
@example(CACHE_SWIZZLE)
@example(ACROSS)
def test_loads(access: Access) -> None:
    outcome = execute(
        LOAD + resource(access, "s4 s5") + access.instruction("load"),
        registers(access),
        arguments=(IN,),
        arch="gfx950",
    )
    outside = False
    for lane in range(64):
        places = dword_places(access, lane)
        if any(place is not None and not 0 <= place <= SIZE - 4 for place in places):
            outside = True  # a finding, whatever is loaded
            continue
        for dword, place in enumerate(places):
            assert int(outcome.v(8 + dword)[0, lane]) == (place or 0) // 4, (lane, dword)
    assert ("global-out-of-bounds" in {finding.rule for finding in outcome.findings}) == outside


@settings(max_examples=100)
@given(ACCESSES)
@example(STRADDLE)
@example(WRAP)
@example(CACHE_SWIZZLE)
@example(BEYOND)
def test_stores(access: Access) -> None:
    moved = (
        f"v_mov_b32 v4, {access.index}\n v_mov_b32 v5, {access.offset:#x}\n"
        f"v_mul_u32_u24 v6, {access.index_step}, v0\n v_add_u32 v4, v4, v6\n"
        f"v_mul_u32_u24 v6, {access.offset_step}, v0\n v_add_u32 v5, v5, v6\n"
        + "".join(f"v_add_u32 v{8 + at}, {1000 * (at + 1)}, v0\n" for at in range(4))
    )
    execution = run(
        "s_load_dwordx2 s[4:5], s[0:1], 0x0\n"
        + resource(access, "s4 s5")
        + moved
        + access.instruction("store"),
        arguments=(OUT,),
        arch="gfx950",
    )
    written: dict[int, set[int]] = {}
    astray: set[int] = set()  # dwords of lanes that leave the allocation: a finding, whatever is stored
    bytes_in_range = 0
    for lane in range(64):
        places = dword_places(access, lane)
        leaves = any(place is not None and not 0 <= place <= SIZE - 4 for place in places)
        for dword, place in enumerate(places):
            bytes_in_range += 4 * (place is not None)
            if place is not None and 0 <= place <= SIZE - 4:
                written.setdefault(place // 4, set()).add(1000 * (dword + 1) + lane)
                if leaves:
                    astray.add(place // 4)
    got = execution.matrix("C", (0, 0, 4, 256)).reshape(-1)
    known = execution.matrices["C"].written_region(0, 0, 4, 256).reshape(-1)
    stored = set(np.flatnonzero(known).tolist())
    assert stored | astray == set(written)
    for place in stored:
        assert int(got[place]) in written[place]
    assert execution.trace.waves[0].memory_bytes.max() == bytes_in_range


def test_format_atomic_and_typed_accesses_are_all_or_nothing() -> None:
    """A range that ends inside a lane's element: nothing of it is read, stored or added."""
    text = """
        s_load_dwordx2 s[4:5], s[0:1], 0x0
        s_mov_b32 s8, s4
        s_mov_b32 s9, s5
        s_mov_b32 s10, 20
        s_mov_b32 s11, 0x5ffac
        v_lshlrev_b32 v1, 3, v0
        v_mov_b32 v2, 7
        v_mov_b32 v3, 7
        v_mov_b32 v4, 7
        v_mov_b32 v5, 7
        buffer_load_format_xy v[6:7], v1, s[8:11], 0 offen
        tbuffer_load_format_xy v[8:9], v1, s[8:11], 0 format:[BUF_DATA_FORMAT_32_32,BUF_NUM_FORMAT_UINT] offen
        buffer_store_format_xy v[2:3], v1, s[8:11], 0 offen offset:8
        buffer_atomic_add_x2 v[4:5], v1, s[8:11], 0 offen
    """
    execution = run(
        text
        + "global_store_dwordx4 v1, v[6:9], s[4:5] offset:2048\n".replace("v1", "v10").join(
            ["v_lshlrev_b32 v10, 4, v0\n", ""]
        ),
        arguments=(MatrixArgument("C", "i32", 1, 1024, init="index"),),
        arch="gfx950",
    )
    got = execution.matrix("C", (0, 0, 1, 1024))[0]
    assert got[512 : 512 + 8].tolist() == [0, 1, 0, 1, 2, 3, 2, 3]  # lanes 0 and 1
    assert got[520 : 512 + 256].tolist() == [0] * 248
    # lane 0 stored to 8 (its range ends at 16), then lanes 0 and 1 added 7 to both halves of their numbers
    assert got[:8].tolist() == [7, 8, 14, 14, 4, 5, 6, 7]


@pytest.mark.parametrize("dwords", [1, 4])
def test_out_of_range_lanes_of_a_load_to_lds_write_zero(dwords: int) -> None:
    width = 4 * dwords
    name = "buffer_load_dword" + ("x4" if dwords == 4 else "")
    outcome = execute(
        f"""
        s_load_dwordx2 s[4:5], s[0:1], 0x0
        s_mov_b32 s6, {width * 10 + 4 * (dwords > 1)}
        s_mov_b32 s7, 0x20000
        v_mov_b32 v2, -1
        v_lshlrev_b32 v3, {width.bit_length() - 1}, v0
        ds_write_b32 v3, v2
        s_mov_b32 m0, 0
        {name} v3, s[4:7], 0 offen lds
        ds_read_b32 v8, v3
        """,
        arguments=(IN,),
        arch="gfx950",
        lds_bytes=1024,
    )
    expected = np.where((10 if dwords == 1 else 11) > LANE, LANE * dwords, 0)
    np.testing.assert_array_equal(outcome.v(8)[0], expected)
