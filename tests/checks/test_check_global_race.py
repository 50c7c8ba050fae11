"""Rule global-race: what waves of a workgroup exchange through memory is waited for before the barrier."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavesim.checks.run import check_kernel
from wavesim.emulate import global_access
from wavesim.emulate.context import Context
from wavesim.front.launch.file import LaunchOptions
from wavesim.pipeline.run import RunOptions, prepare
from wavesim.program import Finding, Severity

KERNEL = """kernel:
	s_load_dwordx4 s[4:7], s[0:1], 0x0
	v_lshlrev_b32_e32 v1, 2, v0
	v_xor_b32_e32 v3, 0x100, v1                ; the other wave's word
	s_mov_b32 m0, 0
	s_waitcnt lgkmcnt(0)
	v_mov_b32_e32 v9, s5
	v_add_co_u32_e32 v8, vcc, s4, v1
	v_addc_co_u32_e32 v9, vcc, 0, v9, vcc
	s_mov_b64 s[12:13], s[4:5]
	s_mov_b32 s14, -1
	s_mov_b32 s15, 0x20000
	v_readfirstlane_b32 s8, v0
	s_lshl_b32 s8, s8, 2                       ; the wave's first word
{body}
	s_waitcnt vmcnt(0) lgkmcnt(0)
	global_store_dword v1, v2, s[6:7]
	s_endpgm
	.amdhsa_kernel kernel
		.amdhsa_group_segment_fixed_size 1024
		.amdhsa_user_sgpr_count 2
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_next_free_vgpr 12
		.amdhsa_next_free_sgpr 24
		.amdhsa_accum_offset 12
	.end_amdhsa_kernel
"""
STORES = (
    "global_store_dword v1, v0, s[4:5]",
    "global_store_dword v1, v0, s[4:5] sc0 sc1",
    "global_store_byte v1, v0, s[4:5]",
    "buffer_store_dword v0, v1, s[12:15], 0 offen",
    "buffer_store_format_x v0, v1, s[12:15], 0 offen",
    "flat_store_dword v[8:9], v0",
    "global_atomic_add v1, v0, s[4:5]",
)
LOADS = (
    "global_load_dword v2, v3, s[4:5]",
    "global_load_dword v2, v3, s[4:5] sc0",
    "buffer_load_dword v2, v3, s[12:15], 0 offen",
    "global_load_lds_dword v3, s[4:5]",
)


def found(tmp_path: Path, *body: str, waves: int = 2) -> list[Finding]:
    path = tmp_path / "kernel.s"
    path.write_text(KERNEL.format(body="\n".join(f"\t{line}" for line in body)))
    size = f"{64 * waves}"
    launch = LaunchOptions(arguments=(f"A=i32[1,{size}]", f"C=i32[1,{size}]"), block=64 * waves)
    kernel, machine = prepare(path, RunOptions(arch="gfx942", launch=launch))
    return [each for each in check_kernel(kernel, machine).findings if each.rule == "global-race"]


@pytest.mark.parametrize("store", STORES)
def test_a_store_is_waited_for_before_the_barrier(store: str, tmp_path: Path) -> None:
    (race,) = found(tmp_path, store, "s_barrier", LOADS[0])
    assert race.severity is Severity.WARNING
    assert [span.line for span in race.spans] == [15, 17]
    assert "vmcnt(0)" in race.fix
    assert race.fix.endswith("kernel.s:16")
    assert found(tmp_path, store, "s_waitcnt lgkmcnt(0)", "s_barrier", LOADS[0])
    assert found(tmp_path, store, "s_barrier", "s_waitcnt vmcnt(0)", LOADS[0])
    assert not found(tmp_path, store, "s_waitcnt vmcnt(0) lgkmcnt(0)", "s_barrier", LOADS[0])


@pytest.mark.parametrize("load", LOADS)
def test_through_every_load(load: str, tmp_path: Path) -> None:
    assert found(tmp_path, STORES[0], "s_barrier", load)
    assert not found(tmp_path, STORES[0], "s_waitcnt vmcnt(0)", "s_barrier", load)


def test_a_scalar_load_reads_it_too(tmp_path: Path) -> None:
    body = ("s_xor_b32 s8, s8, 0x100", "s_load_dword s9, s[4:5], s8")
    assert found(tmp_path, STORES[0], "s_barrier", *body)
    assert not found(tmp_path, STORES[0], "s_waitcnt vmcnt(0)", "s_barrier", *body)


def test_a_load_is_waited_for_before_another_wave_stores(tmp_path: Path) -> None:
    store = "global_store_dword v3, v0, s[4:5]"
    (race,) = found(tmp_path, "global_load_dword v2, v1, s[4:5]", "s_barrier", store)
    assert race.severity is Severity.WARNING
    assert not found(tmp_path, "global_load_dword v2, v1, s[4:5]", "s_waitcnt vmcnt(0)", "s_barrier", store)


def test_without_a_barrier_it_is_an_error(tmp_path: Path) -> None:
    (race,) = found(tmp_path, STORES[0], "s_waitcnt vmcnt(0)", LOADS[0])
    assert race.severity is Severity.ERROR


def test_counted_waits_and_split_barriers(tmp_path: Path) -> None:
    """vmcnt(1) covers the first of two stores; of two barriers the wait may stand before either."""
    second = "global_store_dword v1, v0, s[6:7]"
    assert not found(tmp_path, STORES[0], second, "s_waitcnt vmcnt(1)", "s_barrier", LOADS[0])
    (race,) = found(tmp_path, STORES[0], second, "s_waitcnt vmcnt(2)", "s_barrier", LOADS[0])
    assert "vmcnt(1), not vmcnt(2)" in race.fix
    assert "kernel.s:17" in race.fix
    assert not found(tmp_path, STORES[0], "s_barrier", "s_waitcnt vmcnt(0)", "s_barrier", LOADS[0])


def test_a_flat_store_is_done_at_zero(tmp_path: Path) -> None:
    """It may go to LDS as well, so that nothing orders it among the others."""
    second = "global_store_dword v1, v0, s[6:7]"
    (race,) = found(tmp_path, STORES[5], second, "s_waitcnt vmcnt(1)", "s_barrier", LOADS[0])
    assert "vmcnt(0), not vmcnt(1)" in race.fix


@pytest.mark.parametrize(
    "body",
    [
        (STORES[0], "global_load_dword v2, v1, s[4:5]"),  # its own word
        (STORES[0], "s_barrier", "global_load_dword v2, v1, s[4:5]"),
        ("global_load_dword v2, v3, s[4:5]", "s_barrier", LOADS[0]),  # nobody writes
        ("global_atomic_add v3, v0, s[4:5]", "global_atomic_add v1, v0, s[4:5]"),
        ("v_mov_b32 v4, 0", "global_store_dword v4, v4, s[4:5]"),  # both waves store the same
        ("scratch_store_dword off, v0, off", "s_barrier", LOADS[0]),
    ],
)
def test_no_race(body: tuple[str, ...], tmp_path: Path) -> None:
    assert not found(tmp_path, *body)


def test_one_wave_alone(tmp_path: Path) -> None:
    load = "global_load_dword v2, v4, s[4:5]"
    assert not found(tmp_path, STORES[0], "v_xor_b32 v4, 4, v1", "s_barrier", load, waves=1)


def test_of_many_accesses_those_of_what_is_only_read_are_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store later on is still checked against what follows it."""
    monkeypatch.setattr(global_access, "MOST_KEPT", 8)
    dropped: list[set[str]] = []
    drop = global_access._drop_only_read

    def noted(context: Context) -> None:
        drop(context)
        dropped.append(set(context.only_read))

    monkeypatch.setattr(global_access, "_drop_only_read", noted)
    reads = ["global_load_dword v4, v1, s[6:7]"] * 9
    assert found(tmp_path, *reads, STORES[0], *reads, "s_barrier", LOADS[0])
    assert dropped[0] == {"C"}
    assert not found(tmp_path, *reads, STORES[0], *reads, "s_waitcnt vmcnt(0)", "s_barrier", LOADS[0])
