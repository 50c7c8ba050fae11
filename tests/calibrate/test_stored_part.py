"""The part of a program that its stores come from stores the same; what memory a calibration takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from wavesim.asm.text.parse import parse_program
from wavesim.calibrate.bench.benchmark import Benchmark
from wavesim.calibrate.bench.lane_phases import phase_benchmark
from wavesim.calibrate.bench.programs import microbenchmarks
from wavesim.calibrate.bench.samples import with_overheads
from wavesim.calibrate.bench.template import program
from wavesim.calibrate.device.stores import stored_part
from wavesim.emulate.run import emulate
from wavesim.front.launch.model import Launch, MatrixArgument
from wavesim.isa.load import load_machine
from wavesim.program import Program

MACHINE = load_machine("gfx942")
MOST_MB = 400


def stored(code: Program, benchmark: Benchmark, clocks: dict[int, list[int]]) -> bytes:
    body = benchmark.body
    out = MatrixArgument("out", "i32", 1, 64 * body.waves, init="zero")
    data = MatrixArgument("data", "i32", 1, -(-len(body.data) // 4), init="given", content=body.data)
    done = emulate(code, Launch((out, data), 64 * body.waves), MACHINE, clock_values=clocks)
    return done.matrices["out"].raw()


def test_the_part_of_every_microbenchmark_stores_the_same() -> None:
    found = 0
    for benchmark in (*with_overheads(tuple(microbenchmarks(MACHINE))), phase_benchmark("read", 8, (), 128)):
        whole = program(benchmark.name, benchmark.body, "gfx942")
        part = stored_part(whole)
        if part is None:
            continue
        found += 1
        assert 2 * len(part) <= len(whole)
        clocks = {wave: [7 * wave, 1000 + 13 * wave] for wave in range(benchmark.body.waves)}
        assert stored(part, benchmark, clocks) == stored(whole, benchmark, clocks), benchmark.name
    assert found > 100


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("s_cbranch_scc1 .Lend\nv_mov_b32 v1, 0", "a branch goes round what is stored"),
        (".Lback:\nv_add_u32 v1, 1, v1\ns_cbranch_scc1 .Lback", "a loop changes what is stored"),
        ("s_cmp_eq_u32 s8, 0\ns_cbranch_scc1 .Lend", "a clock decides where it goes"),
        ("s_setpc_b64 s[20:21]", "nobody knows where it goes"),
        ("ds_read_b32 v1, v4\ns_waitcnt lgkmcnt(0)", "what is stored comes from LDS"),
        ("v_mov_b32 v4, s8\nds_write_b32 v4, v5", "a clock is an address of LDS"),
        ("v_mov_b32 v4, s8\nglobal_load_dword v6, v4, s[2:3]", "a clock is an address"),
        ("s_mov_b64 exec, s[8:9]", "a clock decides which lanes store"),
        ("global_atomic_add v0, v1, s[2:3]", "memory changes"),
        ("s_setreg_b32 hwreg(HW_REG_MODE), s20", "later instructions act in another way"),
        ("s_getpc_b64 s[20:21]", "places count"),
    ],
)
def test_where_there_is_none(body: str, why: str) -> None:
    padding = "v_add_u32 v30, 1, v30\n" * 40

    def part_with(line: str) -> Program | None:
        text = (
            '.amdgcn_target "amdgcn-amd-amdhsa--gfx942"\nk:\ns_load_dwordx2 s[2:3], s[0:1], 0x0\n'
            f"s_memtime s[8:9]\ns_waitcnt lgkmcnt(0)\nv_mov_b32 v1, s8\n{padding}{line}\n.Lend:\n"
            "v_lshlrev_b32 v2, 2, v0\nglobal_store_dword v2, v1, s[2:3]\ns_endpgm\n"
        )
        return stored_part(parse_program(text, "k.s", "gfx942"))

    for harmless in ("s_nop 0", ".Lback:\nv_add_u32 v31, 1, v31\ns_cbranch_scc1 .Lback"):
        plain = part_with(harmless)
        assert plain is not None
        assert len(plain) < 12
    assert part_with(body) is None, why


WATCHED = """
import sys
from wavesim.cli.main import cli
cli(sys.argv[1:], standalone_mode=False)
print(*(line for line in open("/proc/self/status") if line.startswith("VmHWM")), file=sys.stderr)
"""
"""The command, then what memory it took. What the parent measures begins with the parent's own size."""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux says what a process took")
def test_calibration_with_the_real_kernel_stays_small(root: Path) -> None:
    """C of the real kernel has 256 MB, of which one workgroup stores 64 KiB."""
    words = ["calibrate", "--virtual", "gfx942", "--only", "chase_l1"]
    done = subprocess.run([sys.executable, "-c", WATCHED, *words], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "max rel error" in done.stdout, done.stdout
    most_kb = int(done.stderr.rpartition("VmHWM:")[2].split()[0])
    assert most_kb / 1024 < MOST_MB
