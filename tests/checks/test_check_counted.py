"""What counts in a counter and what it returns: atomics, cache operations, and the counter's capacity."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavesim.asm.text.parse import parse_program
from wavesim.checks.all_paths import check_program
from wavesim.checks.relaxing import NOT_WAITED
from wavesim.checks.strong_waits import find_strong_waits
from wavesim.emulate.judge.numerics import check_numerics
from wavesim.emulate.run import emulate
from wavesim.front.launch.file import LaunchOptions
from wavesim.isa.opcodes import opcode_table
from wavesim.pipeline.run import RunOptions, prepare
from wavesim.program import Finding
from wavesim.program.dataflow import effects
from wavesim.trace.decode import code_entries

ATOMICS = [
    # the atomic with its data in register 4, the flag that makes it return, a use of that register
    ("s_atomic_inc s4, s[8:9], 0x0", "glc", "s_add_u32 s5, s4, 1"),
    ("s_atomic_add_x2 s[4:5], s[8:9], 0x0", "glc", "s_add_u32 s6, s5, 1"),
    ("s_buffer_atomic_swap s4, s[8:11], 0x0", "glc", "s_add_u32 s5, s4, 1"),
    ("buffer_atomic_add v4, v1, s[8:11], 0 offen", "sc0", "v_add_u32 v5, v4, v4"),
    ("global_atomic_add {}v[2:3], v4, off", "sc0", "v_add_u32 v5, v4, v4"),
    ("flat_atomic_add {}v[2:3], v4", "sc0", "v_add_u32 v5, v4, v4"),
]


def findings(*lines: str, arch: str = "gfx942") -> list[Finding]:
    text = "kernel:\n" + "\n".join(lines) + "\ns_endpgm\n"
    found, _ = check_program(parse_program(text, "kernel.s", arch=arch))
    return [each for each in found if each.rule == "missing-wait"]


@pytest.mark.parametrize(("atomic", "flag", "use"), ATOMICS)
def test_an_atomic_returns_only_where_it_says_so(atomic: str, flag: str, use: str) -> None:
    assert not findings(atomic.format(""), use)
    assert findings(f"{atomic.format('v4, ')} {flag}", use)


def test_atomics_on_lds_return_by_their_opcode() -> None:
    assert not findings("ds_add_u32 v0, v4", "v_add_u32 v5, v4, v4")
    assert findings("ds_add_rtn_u32 v4, v0, v1", "v_add_u32 v5, v4, v4")


def test_a_scalar_atomic_stays_a_scalar_access() -> None:
    program = parse_program("k:\ns_atomic_inc s4, s[8:9], 0x0 glc\ns_endpgm\n", "k.s", arch="gfx942")
    (entry, _) = code_entries(program)
    assert (entry.kind.value, entry.lgkm_increment, entry.vm_increment) == ("smem", 1, 0)
    assert ("s", 4) in effects(program.instructions[0], "gfx942").writes


CACHE = [
    ("gfx942", "buffer_inv sc1"),
    ("gfx950", "buffer_inv sc0 sc1"),
    ("gfx942", "buffer_wbl2 sc1"),
    ("gfx90a", "buffer_wbl2"),
    ("gfx90a", "buffer_wbinvl1"),
    ("gfx90a", "buffer_wbinvl1_vol"),
    ("gfx90a", "buffer_invl2"),
]


@pytest.mark.parametrize(("arch", "operation"), CACHE)
def test_cache_operations_count_in_vmcnt(arch: str, operation: str) -> None:
    """llvm 178316 (buffer_wbl2), 220694 (buffer_inv); on gfx90a they acknowledge all the same."""
    load, use = "global_load_dword v2, v1, s[4:5]", "v_add_u32 v3, v2, v2"
    assert not findings(load, operation, "s_waitcnt vmcnt(1)", use, arch=arch)
    assert findings(load, operation, "s_waitcnt vmcnt(2)", use, arch=arch)


def test_no_cache_operation_of_the_vector_memory_is_left_out() -> None:
    known = {operation.split()[0] for _, operation in CACHE}
    table = opcode_table().values()
    assert known == {info.name for info in table if "cache" in info.flags and info.format == "MUBUF"}


LDS = ("ds_read_b32 v2, v1", "ds_read_b32 v{}, v1", 15)
VMEM = ("global_load_dword v2, v1, s[4:5]", "global_load_dword v{}, v1, s[4:5]", 63)


@pytest.mark.parametrize(("load", "younger", "full"), [LDS, VMEM])
def test_behind_as_many_as_the_counter_holds_a_load_is_complete(load: str, younger: str, full: int) -> None:
    """ROCm/rocm-systems 11202: the counter cannot hold one more, so the first has returned."""
    more = [younger.format(10 + place) for place in range(full)]
    use = "v_add_u32 v100, v2, v2"
    assert not findings(load, *more, use)
    (found,) = findings(load, *more[:-1], use)
    counter = "lgkmcnt" if full == 15 else "vmcnt"
    assert f"{counter}({full - 1})" in found.fix  # a count of `full` would be no wait
    assert not findings(load, *more[:-1], f"s_waitcnt {counter}({full - 1})", use)
    assert findings(load, *more[:-1], f"s_waitcnt {counter}({full})", use)


def test_scalar_loads_return_in_any_order_however_many_follow() -> None:
    loads = [f"s_load_dword s{10 + place}, s[0:1], 0x0" for place in range(20)]
    assert findings("s_load_dword s4, s[0:1], 0x0", *loads, "s_add_u32 s5, s4, 1")


def test_what_encodes_no_wait_is_never_advised() -> None:
    reads = "\n".join(f"ds_read_b32 v{10 + place}, v1" for place in range(30))
    text = f"kernel:\n{reads}\ns_waitcnt lgkmcnt(0)\nv_mov_b32 v1, v{{}}\ns_endpgm\n"
    advised = set()
    for used in range(30):
        _, relaxer = check_program(parse_program(text.format(10 + used), "kernel.s", arch="gfx942"))
        advised |= {each.counts["lgkmcnt"] for each in find_strong_waits(relaxer, None)}
    assert advised == {*range(1, 15), NOT_WAITED}


KERNEL = """	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
k:
	s_load_dwordx4 s[4:7], s[0:1], 0x0
	v_lshlrev_b32 v1, 2, v0
	s_waitcnt lgkmcnt(0)
	global_load_dword v2, v1, s[4:5]
	s_waitcnt vmcnt(0)
	ds_write_b32 v1, v2
	s_waitcnt lgkmcnt(0)
	ds_read_b32 v3, v1
{}
	v_and_b32 v3, 0xbfffffff, v3               ; A stays as it is; what is not there yet is no NaN any more
	global_store_dword v1, v3, s[6:7]
	s_endpgm
	.amdhsa_kernel k
		.amdhsa_group_segment_fixed_size 256
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_user_sgpr_count 2
		.amdhsa_next_free_vgpr 32
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 32
	.end_amdhsa_kernel
"""


@pytest.mark.parametrize(("younger", "right"), [(15, True), (14, False)])
def test_the_adversary_keeps_to_the_counters_capacity(younger: int, right: bool, tmp_path: Path) -> None:
    path = tmp_path / "k.s"
    path.write_text(KERNEL.format("\n".join(f"\tds_read_b32 v{10 + place}, v1" for place in range(younger))))
    launch = LaunchOptions(arguments=("A=f32[1,64]", "C=f32[1,64]:unwritten"), block=64, expect="C = A")
    kernel, machine = prepare(path, RunOptions(launch=launch))
    execution = emulate(kernel.program, kernel.launch, machine, adversarial=True)
    assert check_numerics(execution, kernel.launch).ok is right
