"""LDS bank conflicts: textbook strides, published conflicts, and every case against a plain count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavesim.isa.banks import array_clk, array_clk_batch, exec_lanes
from wavesim.isa.load import load_machine
from wavesim.isa.machine import LanePhases

LANE = np.arange(64)
GFX942, GFX950 = load_machine("gfx942"), load_machine("gfx950")


def clk(machine_name: str, kind: str, width: int, addresses: np.ndarray, mask: int | None = None) -> int:
    machine = GFX942 if machine_name == "gfx942" else GFX950
    return array_clk(machine.lane_phases(kind, width), addresses, width, mask)


@pytest.mark.parametrize(
    ("arch", "kind", "width", "expected"),
    [
        ("gfx942", "read", 4, 2),
        ("gfx942", "read", 8, 4),
        ("gfx942", "read", 16, 8),
        ("gfx942", "write", 4, 2),
        ("gfx942", "write", 8, 4),
        ("gfx942", "write", 16, 8),
        ("gfx950", "read", 4, 1),
        ("gfx950", "read", 8, 2),
        ("gfx950", "read", 16, 4),
        ("gfx950", "write", 8, 4),
        ("gfx950", "write", 16, 8),
    ],
)
def test_contiguous_access_is_conflict_free(arch: str, kind: str, width: int, expected: int) -> None:
    assert clk(arch, kind, width, LANE * width) == expected
    machine = GFX942 if arch == "gfx942" else GFX950
    assert machine.lane_phases(kind, width).conflict_free_clk(width) == expected
    assert machine.parameters.lds_array_clk[kind, width] == expected


@pytest.mark.parametrize(("stride", "expected"), [(1, 2), (2, 4), (4, 8), (8, 16), (16, 32), (32, 64)])
def test_dword_strides_on_gfx942(stride: int, expected: int) -> None:
    """PYHIP measured 4.2, 8.1, 16, 32 and 64 clk for strides 2 to 32."""
    assert clk("gfx942", "read", 4, LANE * 4 * stride) == expected


@pytest.mark.parametrize(("stride", "expected"), [(1, 1), (2, 2), (4, 4), (32, 32), (64, 64)])
def test_dword_strides_on_gfx950(stride: int, expected: int) -> None:
    assert clk("gfx950", "read", 4, LANE * 4 * stride) == expected


def fragment_rows(pitch: int) -> np.ndarray:
    """A 16x16x16 bf16 fragment: lane % 16 is the row, lane // 16 the group of four elements of K."""
    return (LANE & 15) * pitch + (LANE >> 4) * 8


def test_the_16_byte_swizzle_of_gemm8_is_two_way() -> None:
    """row * 128 + (k bytes ^ (row & 7) << 4), read 8 bytes a lane: rows r and r + 8 meet."""
    row, k_bytes = LANE & 15, (LANE >> 4) * 8
    addresses = row * 128 + (k_bytes ^ ((row & 7) << 4))
    assert clk("gfx942", "read", 8, addresses) == 2 * 4
    assert clk("gfx950", "read", 8, addresses) == 2 * 2


def test_rows_of_128_bytes_without_swizzle() -> None:
    assert clk("gfx942", "read", 8, fragment_rows(128)) == 16 * 4
    # 64 banks: rows alternate between the halves, and two groups of K share a phase
    assert clk("gfx950", "read", 8, fragment_rows(128)) == 8 * 2


def test_padding_by_8_bytes_frees_b64_reads_on_gfx942() -> None:
    assert clk("gfx942", "read", 8, fragment_rows(128 + 8)) == 4


@pytest.mark.parametrize(("ways", "expected"), [(1, 4), (2, 8), (4, 16), (8, 32)])
def test_b128_conflicts_on_gfx950(ways: int, expected: int) -> None:
    """Four waves read every 16, 32, 64, 128 clk with 0, 2, 4, 8-way conflicts: 4 clk each times ways."""
    phases = GFX950.lane_phases("read", 16).phases
    addresses = np.zeros(64, dtype=np.int64)
    for lanes in phases:
        for place, lane in enumerate(lanes):
            bank_group, level = place % (16 // ways), place // (16 // ways)
            addresses[lane] = level * 256 + bank_group * 16
    assert clk("gfx950", "read", 16, addresses) == expected


def test_broadcast_and_exec() -> None:
    assert clk("gfx942", "read", 4, np.zeros(64, dtype=np.int64)) == 2
    assert clk("gfx942", "read", 16, (LANE & 1) * 16) == 8
    assert clk("gfx942", "read", 4, LANE * 128, mask=0) == 0
    assert clk("gfx942", "read", 4, LANE * 128, mask=0xFF) == 8
    assert clk("gfx942", "read", 4, LANE * 128, mask=1 << 63) == 1


def test_narrow_and_unaligned() -> None:
    assert clk("gfx942", "read", 1, LANE) == 2
    assert clk("gfx942", "read", 2, LANE * 2 + 1) == 2  # two bytes across a dword boundary: one dword more
    assert clk("gfx942", "read", 4, LANE * 4 + 2) == 4  # 33 dwords in each phase, one bank twice
    with pytest.raises(KeyError):
        GFX942.lane_phases("read", 32)


def test_exec_lanes() -> None:
    assert exec_lanes(0b101)[:4].tolist() == [True, False, True, False]
    assert exec_lanes(2**64 - 1).all()
    assert exec_lanes(-1).all()


def counted(phases: LanePhases, addresses: list[int], width: int, active: list[bool]) -> int:
    """The definition, one lane after the other."""
    total = 0
    for lanes in phases.phases:
        dwords = {
            dword
            for lane in lanes
            if active[lane]
            for dword in range(addresses[lane] // 4, (addresses[lane] + width - 1) // 4 + 1)
        }
        banks = [dword % phases.banks for dword in dwords]
        total += max((banks.count(bank) for bank in set(banks)), default=0)
    return total


@given(
    st.sampled_from([GFX942, GFX950]),
    st.sampled_from(
        [("read", 1), ("read", 4), ("read", 8), ("write", 8), ("read", 12), ("read", 16), ("write", 16)]
    ),
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 2**12), min_size=64, max_size=64),
            st.one_of(st.just(2**64 - 1), st.integers(0, 2**64 - 1)),
        ),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from([1, 2, 4, 8, 16]),
)
def test_any_access_against_the_definition(machine, access, rows, alignment) -> None:  # type: ignore[no-untyped-def]
    kind, width = access
    phases = machine.lane_phases(kind, width)
    addresses = np.array([row for row, _ in rows]) * alignment
    active = np.stack([exec_lanes(mask) for _, mask in rows])
    expected = [counted(phases, addresses[i].tolist(), width, active[i].tolist()) for i in range(len(rows))]
    assert array_clk_batch(phases, addresses, width, active).tolist() == expected
    # the same pattern elsewhere, from memory and with another number type
    moved = (addresses + 4 * 17).astype(np.uint32)
    assert array_clk_batch(phases, moved, width, active).tolist() == expected
