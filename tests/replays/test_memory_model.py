"""Modelled latencies by role: what a footprint means, and which access has which role."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wavesim.asm.text.parse import parse_program
from wavesim.errors import UserError
from wavesim.isa.load import load_machine
from wavesim.isa.memory_roles import role_clk
from wavesim.replays.att.memory_model import footprint, model_latencies, role_of_footprint
from wavesim.replays.compute_unit import memory_mode
from wavesim.replays.validate import read_footprints
from wavesim.trace import UNKNOWN, Trace, WaveTrace
from wavesim.trace.decode import code_entries

MIB = 1 << 20

LISTING = """
.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
.text
.globl k
.type k,@function
k:
  global_load_dwordx4 v[0:3], v[4:5], off
L1:
  global_load_dwordx4 v[0:3], v[4:5], off
  s_cbranch_scc1 L1
  global_store_dword v[4:5], v0, off
  s_load_dword s0, s[2:3], 0x0
  s_endpgm
.rodata
.amdhsa_kernel k
  .amdhsa_next_free_vgpr 8
  .amdhsa_next_free_sgpr 8
.end_amdhsa_kernel
"""


def looping_trace() -> Trace:
    program = parse_program(LISTING, "k.s", "gfx942")
    rows = np.array([0, 1, 2, 1, 2, 3, 4, 5], np.int32)
    unknown = np.full(len(rows), UNKNOWN, np.int32)
    wave = WaveTrace(0, 0, 0, 0, 0, rows, unknown, unknown, np.array([0, 0, 1, 0, 0, 0, 0, 0], bool), unknown)
    return Trace("gfx942", program, code_entries(program), (wave,))


def test_roles_of_footprints() -> None:
    machine = load_machine("gfx942")
    roles = [role_of_footprint(machine, size * MIB) for size in (4, 32, 33, 256, 257)]
    assert roles == ["l2", "l2", "stream", "stream", "hbm"]
    assert role_clk(machine.integer, "stream") == (494 + 876) // 2
    assert [role_clk(machine.integer, role) for role in ("l2", "mall", "hbm", "cold")] == [288, 494, 876, 876]


def test_each_access_has_its_role() -> None:
    (latency,) = model_latencies(looping_trace(), 1, load_machine("gfx942"), "stream")
    assert latency.tolist() == [876, 685, UNKNOWN, 685, UNKNOWN, 288, UNKNOWN, UNKNOWN]
    (latency,) = model_latencies(looping_trace(), None, load_machine("gfx942"), "l2")
    assert latency.tolist()[:4] == [876, 876, UNKNOWN, 876]


@pytest.mark.parametrize(
    ("text", "size"), [("16MiB", 16 * MIB), ("512KiB", 1 << 19), ("2GiB", 2 << 30), ("77", 77)]
)
def test_sizes(text: str, size: int) -> None:
    assert footprint(text) == size
    mode = memory_mode(f"model:{text}")
    assert (mode.name, mode.footprint_bytes) == ("model", size)
    assert memory_mode(str(mode)) == mode


@pytest.mark.parametrize("text", ["model:", "model:l3", "model:12parsecs", "model:-1", "model:1e9"])
def test_bad_modes_are_refused(text: str) -> None:
    with pytest.raises(UserError):
        memory_mode(text)


def test_modes_by_role() -> None:
    assert memory_mode("model").role == "stream"
    assert str(memory_mode("model:l2")) == "model:l2"


def test_footprint_files(tmp_path: Path) -> None:
    good = Path(__file__).parents[2] / "docs" / "footprints.yaml"
    assert read_footprints(good)["gfx942_gemm_1024cube"] == 4 * MIB
    bad = tmp_path / "sizes.yaml"
    bad.write_text("a: 5\nb: large\n")
    with pytest.raises(UserError, match="b: the footprint") as caught:
        read_footprints(bad)
    assert caught.value.span is not None
    assert caught.value.span.line == 2
