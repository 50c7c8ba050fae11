"""Flags order waves: what one wave completed before it stored the value that another polls for."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavesim.checks.run import check_kernel
from wavesim.front.launch.file import LaunchOptions
from wavesim.pipeline.run import RunOptions, prepare

KERNEL = """kernel:
	s_load_dwordx4 s[4:7], s[0:1], 0x0
	v_lshlrev_b32_e32 v1, 2, v0
	v_and_b32_e32 v3, 63, v0
	v_lshlrev_b32_e32 v3, 2, v3                ; the lane's word, the same in both waves
	v_mov_b32_e32 v5, 1
	v_mov_b32_e32 v6, 0
	v_lshrrev_b32_e32 v4, 6, v0
	v_readfirstlane_b32 s8, v4
	s_mov_b32 s10, 0
	s_mov_b32 m0, 0
	ds_write_b32 v6, v6 offset:1024            ; the flags are 0
	ds_write_b32 v6, v6 offset:1028
	s_waitcnt lgkmcnt(0)
	s_barrier
	s_cmp_eq_u32 s8, 0
	s_cbranch_scc0 consumer
{producer}
	s_branch done
consumer:
{consumer}
done:
	s_waitcnt vmcnt(0) lgkmcnt(0)
	global_store_dword v1, v2, s[6:7]
	s_endpgm
	.amdhsa_kernel kernel
		.amdhsa_group_segment_fixed_size 2048
		.amdhsa_user_sgpr_count 2
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_next_free_vgpr 12
		.amdhsa_next_free_sgpr 24
		.amdhsa_accum_offset 12
	.end_amdhsa_kernel
"""
WAIT = ["s_waitcnt vmcnt(0) lgkmcnt(0)"]
FLAG = ["ds_write_b32 v6, v5 offset:1024"]


def poll(name: str = "poll", offset: int = 1024, value: str = "1") -> list[str]:
    return [
        f"{name}:",
        f"ds_read_b32 v7, v6 offset:{offset}",
        "s_waitcnt lgkmcnt(0)",
        "v_readfirstlane_b32 s9, v7",
        f"s_cmp_eq_u32 s9, {value}",
        f"s_cbranch_scc0 {name}",
    ]


def rules(tmp_path: Path, producer: list[str], consumer: list[str], waves: int = 2) -> set[str]:
    path = tmp_path / "kernel.s"
    path.write_text(KERNEL.format(producer="\n".join(producer), consumer="\n".join(consumer)))
    size = 64 * waves
    launch = LaunchOptions(arguments=(f"A=i32[1,{size}]", f"C=i32[1,{size}]"), block=size)
    kernel, machine = prepare(path, RunOptions(arch="gfx942", launch=launch))
    found = {each.rule for each in check_kernel(kernel, machine).findings if each.is_bad}
    return found - {"register-uninitialised", "wait-states"}  # about other things than order


DATA = {
    "LDS": ("ds_write_b32 v3, v0", "ds_read_b32 v2, v3"),
    "load to LDS": ("global_load_lds_dword v1, s[4:5]", "ds_read_b32 v2, v3"),
    "memory": ("global_store_dword v3, v0, s[4:5]", "global_load_dword v2, v3, s[4:5]"),
}


@pytest.mark.parametrize("kind", DATA)
def test_written_waited_for_and_flagged(kind: str, tmp_path: Path) -> None:
    write, read = DATA[kind]
    assert not rules(tmp_path, [write, *WAIT, *FLAG], [*poll(), read])


@pytest.mark.parametrize("kind", DATA)
def test_flagged_before_it_is_written(kind: str, tmp_path: Path) -> None:
    write, read = DATA[kind]
    race = "global-race" if kind == "memory" else "lds-race"
    assert race in rules(tmp_path, [*FLAG, write, *WAIT], [*poll(), read])
    assert race in rules(tmp_path, [write, *WAIT, *FLAG], [read, *WAIT, *poll()])


@pytest.mark.parametrize("kind", DATA)
def test_flagged_without_a_wait(kind: str, tmp_path: Path) -> None:
    """LDS operations of a wave act in order; for memory and its counter a flag in LDS needs the wait."""
    write, read = DATA[kind]
    found = rules(tmp_path, [write, *FLAG], [*poll(), read])
    assert found == {"LDS": set(), "load to LDS": {"lds-race"}, "memory": {"global-race"}}[kind]


@pytest.mark.parametrize("caches", [False, True])
def test_a_flag_in_memory(caches: bool, tmp_path: Path) -> None:
    """With cache control too, as compilers put it for a scope beyond the workgroup."""
    flag = ["global_store_dword v6, v5, s[6:7] sc0 sc1"]
    asks = [
        "poll:",
        "global_load_dword v7, v6, s[6:7] sc0 sc1",
        "s_waitcnt vmcnt(0)",
        *(["buffer_inv sc1"] if caches else []),
        "v_readfirstlane_b32 s9, v7",
        "s_cmp_eq_u32 s9, 1",
        "s_cbranch_scc0 poll",
    ]
    write, read = DATA["memory"]
    flag = [*(["buffer_wbl2 sc1", "s_waitcnt vmcnt(0)"] if caches else []), *flag]
    assert "global-race" not in rules(tmp_path, [write, *WAIT, *flag, "s_endpgm"], [*asks, read, "s_endpgm"])
    if not caches:
        assert "global-race" in rules(tmp_path, [write, *flag, "s_endpgm"], [*asks, read, "s_endpgm"])


@pytest.mark.parametrize("kind", DATA)
def test_barriers_order_beside_flags(kind: str, tmp_path: Path) -> None:
    """A barrier behind the flag: as without flags, what comes before it must be complete."""
    write, read = DATA[kind]
    race = "global-race" if kind == "memory" else "lds-race"
    other = [*poll(), "s_barrier", read]
    assert not rules(tmp_path, [*FLAG, write, *WAIT, "s_barrier"], other)
    assert race in rules(tmp_path, [*FLAG, write, "s_barrier"], other)


def ring(release: bool) -> tuple[list[str], list[str]]:
    """Four rounds through one buffer, handed on by a flag there and a flag back."""
    again = ["s_add_u32 s10, s10, 1", "s_cmp_lt_u32 s10, 4"]
    count = ["v_mov_b32 v8, s10", "v_add_u32 v8, 1, v8"]
    there = [*poll("free", 1028, "s10"), "ds_write_b32 v3, v0", *WAIT, *count]
    there += ["ds_write_b32 v6, v8 offset:1024", *again, "s_cbranch_scc1 free"]
    back = ["s_add_u32 s11, s10, 1", *poll("full", 1024, "s11"), "ds_read_b32 v2, v3", *WAIT, *count]
    flag = "ds_write_b32 v6, v8 offset:1028"
    body = back[1:]
    if not release:  # the buffer is given back before it is read
        read = body.index("ds_read_b32 v2, v3")
        body = [*body[:read], *count, flag, *body[read:]]
    else:
        body.append(flag)
    return there, ["next:", back[0], *body, *again, "s_cbranch_scc1 next"]


def test_a_ring(tmp_path: Path) -> None:
    assert not rules(tmp_path, *ring(True))
    assert "lds-race" in rules(tmp_path, *ring(False))


def test_several_producers_count_up(tmp_path: Path) -> None:
    """Three waves wait for a counter that each of four raises: every one of them comes before."""
    write = ["ds_write_b32 v1, v0", *WAIT, "v_mbcnt_lo_u32_b32 v9, -1, 0", "v_mbcnt_hi_u32_b32 v9, -1, v9"]
    one = ["v_cmp_eq_u32 vcc, 0, v9", "s_and_saveexec_b64 s[12:13], vcc", "ds_add_u32 v6, v5 offset:1024"]
    body = [*write, *one, "s_mov_b64 exec, s[12:13]"]
    read = ["v_xor_b32 v3, 0x100, v1", "ds_read_b32 v2, v3"]
    asks = poll(value="4")
    late = [*body[:2], *body]  # nothing is written behind the counter
    assert not rules(tmp_path, [*late, *poll("mine", value="4"), *read], [*late, *asks, *read], waves=4)
    early = [*body[2:], *body[:2]]
    assert "lds-race" in rules(
        tmp_path, [*early, *poll("mine", value="4"), *read], [*early, *asks, *read], waves=4
    )


PEELED = [
    "ds_read_b32 v7, v6 offset:1024",
    "s_waitcnt lgkmcnt(0)",
    "v_cmp_eq_u32_e32 vcc, 1, v7",
    "s_cbranch_vccnz got",
    "poll:",
    "s_sleep 1",
    "ds_read_b32 v7, v6 offset:1024",
    "s_waitcnt lgkmcnt(0)",
    "v_cmp_ne_u32_e32 vcc, 1, v7",
    "s_cbranch_vccnz poll",
    "got:",
]
"""A polling loop as compilers make it: the first pass stands before it."""


@pytest.mark.parametrize("kind", DATA)
def test_the_first_pass_out_of_the_loop(kind: str, tmp_path: Path) -> None:
    write, read = DATA[kind]
    assert not rules(tmp_path, [write, *WAIT, *FLAG], [*PEELED, read])
    assert rules(tmp_path, [*FLAG, write, *WAIT], [*PEELED, read])


def test_what_is_read_before_the_flag_has_come(tmp_path: Path) -> None:
    """The flag's value is waited for with what was read behind it: lgkmcnt(1) is the flag alone."""
    asks = poll()
    early = [*asks[:2], "ds_read_b32 v2, v3", *asks[2:]]
    assert "lds-race" in rules(tmp_path, [DATA["LDS"][0], *WAIT, *FLAG], early)


def test_the_last_to_count_reads_what_all_wrote(tmp_path: Path) -> None:
    """An atomic that returns the count orders as well as a polling loop."""
    write = ["ds_write_b32 v1, v0", "s_waitcnt lgkmcnt(0)"]
    count = ["s_mov_b64 s[12:13], exec", "s_mov_b64 exec, 1", "ds_add_rtn_u32 v7, v6, v5 offset:1024"]
    last = ["s_waitcnt lgkmcnt(0)", "s_mov_b64 exec, s[12:13]", "v_readfirstlane_b32 s9, v7"]
    read = ["s_cmp_eq_u32 s9, 1", "s_cbranch_scc0 done", "v_xor_b32 v3, 0x100, v1", "ds_read_b32 v2, v3"]
    assert not rules(tmp_path, [*write, *count, *last, *read], [*write, *count, *last, *read])
    assert "lds-race" in rules(tmp_path, [*count, *last, *write, *read], [*count, *last, *write, *read])


def test_no_advice_to_leave_the_release_out(tmp_path: Path) -> None:
    """A store to memory is waited for before the flag in LDS that tells of it."""
    path = tmp_path / "kernel.s"
    write, read = DATA["memory"]
    body = {"producer": [write, "s_waitcnt vmcnt(0)", *FLAG], "consumer": [*poll(), read]}
    path.write_text(KERNEL.format(**{name: "\n".join(lines) for name, lines in body.items()}))
    launch = LaunchOptions(arguments=("A=i32[1,128]", "C=i32[1,128]"), block=128)
    kernel, machine = prepare(path, RunOptions(arch="gfx942", launch=launch))
    notes = [each for each in check_kernel(kernel, machine).findings if each.rule == "wait-too-strong"]
    assert not any("nothing relies on its vmcnt" in each.message for each in notes)
