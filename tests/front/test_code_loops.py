"""Loops found in the code alone: nesting, counts, and a region that can be run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from wavesim.asm.text.parse import parse_program
from wavesim.cli.main import cli
from wavesim.errors import UserError
from wavesim.front.loops import code_loops, hottest, region_of
from wavesim.front.region import find_region
from wavesim.program import Program

MFMA = "\tv_mfma_f32_16x16x16_bf16 a[0:3], v[2:3], v[4:5], a[0:3]\n"
NEST = f"""\
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
k:
	s_mov_b32 s0, 4
outer:
	ds_read_b64 v[2:3], v0
	s_mov_b32 s1, 4
inner:
{MFMA}	s_sub_u32 s1, s1, 1
	s_cmp_lg_u32 s1, 0
	s_cbranch_scc1 inner
	global_store_dword v6, v2, s[4:5]
	s_sub_u32 s0, s0, 1
	s_cmp_lg_u32 s0, 0
	s_cbranch_scc1 outer
	s_nop 0
spin:
	s_cbranch_scc0 spin
	s_endpgm
"""


def parsed(text: str) -> Program:
    return parse_program(text, "k.s")


def test_a_nest() -> None:
    program = parsed(NEST)
    outer, inner, spin = code_loops(program)
    assert [each.depth for each in (outer, inner, spin)] == [1, 2, 1]
    assert (outer.instructions, outer.mfmas, outer.lds_accesses, outer.memory_accesses) == (6, 0, 1, 1)
    assert (inner.instructions, inner.mfmas) == (4, 1)
    assert inner.members < outer.members
    assert spin.instructions == 1
    assert hottest((outer, inner, spin)) is inner
    last = program.addresses[inner.stop]
    assert region_of(program, inner) == f"inner:{last:#x}"
    region = find_region(program, "hottest")
    assert (region.first, region.stop) == (inner.first, inner.stop)
    assert find_region(program, region_of(program, inner)) == region


def test_a_loop_whose_test_stands_before_its_body_in_the_code() -> None:
    text = (
        NEST.split("k:\n")[0]
        + "k:\n\ts_branch test\nbody:\n\ts_nop 0\ntest:\n\ts_cbranch_scc1 body\n\ts_endpgm\n"
    )
    (loop,) = code_loops(parsed(text))
    assert (loop.first, loop.stop, loop.head) == (1, 3, 2)


def test_no_loop() -> None:
    program = parsed(NEST.split("k:\n")[0] + "k:\n\ts_endpgm\n")
    assert code_loops(program) == ()
    with pytest.raises(UserError, match="has no loop"):
        find_region(program, "hottest")
    with pytest.raises(UserError, match="an address"):
        find_region(program, "0x123:")


def test_the_command_and_the_region_it_names(tmp_path: Path) -> None:
    path = tmp_path / "k.s"
    path.write_text(NEST)

    def wavesim(*words: str) -> str:
        done = CliRunner().invoke(cli, list(words), standalone_mode=False)
        assert done.exception is None, done.exception
        return done.output

    lines = wavesim("loops", str(path)).splitlines()
    assert lines[2].split()[:6] == ["outer:0x38", "1", "6", "0", "1", "1"]
    assert lines[3].startswith("  inner:")
    assert lines[-1] == f"hottest: --region {lines[3].split()[0]}"
    data = json.loads(wavesim("loops", str(path), "--json"))
    assert [each["label"] for each in data["loops"]] == ["outer", "inner", "spin"]
    region = ("--region", "hottest", "--waves", "1", "--trips", "8", "--json")
    named = json.loads(wavesim("run", str(path), *region))
    given = json.loads(wavesim("run", str(path), "--region", data["hottest"], *region[2:]))
    assert named["clk_per_iteration"] == given["clk_per_iteration"]
