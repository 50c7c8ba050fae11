"""The kernel in a trace's listing: it assembles to the bytes that were listed, and can be launched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from trace_folders import KERNEL_START, disassembled, four_waves, write_folder

from wavesim.asm.printer import print_program
from wavesim.asm.text.parse import parse_program
from wavesim.asm.tools import code_bytes
from wavesim.emulate.launch_state import register_counts
from wavesim.errors import UserError
from wavesim.front.tile.load import load_tile_program
from wavesim.program import Program
from wavesim.replays.att.importer import import_trace
from wavesim.replays.att.kernel import print_listing, traced_kernel


def traced(root: Path, rows: list[list[Any]]) -> Path:
    """A folder whose waves executed the first and the last instruction of these rows."""
    wave = [[100, 2, 0, 4, 1], [104, 11, 0, 40, len(rows) - 1]]
    waves = four_waves()
    for content in waves.values():
        content["wave"]["instructions"] = wave
    write_folder(root, waves)
    (root / "code.json").write_text(json.dumps({"code": rows, "version": "3.0.0"}))
    return root


KERNELS = (
    "kernels/8wave.yaml",
    "kernels/8wave_256.yaml",
    "kernels/triton/matmul_gfx942.s",
    "kernels/triton/fp8_gfx950.s",
)


def program_of(path: Path) -> Program:
    if path.suffix == ".yaml":
        return load_tile_program(path, None, {"K": "256"}).program
    return parse_program(path.read_text(), str(path))


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_listing_assembles_to_the_bytes_that_were_traced(kernel: str, root: Path, tmp_path: Path) -> None:
    """From nothing but texts and addresses; and the registers are those that the kernel declares or fewer."""
    original = program_of(root / kernel)
    rows, content = disassembled(print_program(original), original.arch, tmp_path)
    found = traced_kernel(import_trace(traced(tmp_path / "trace", rows), original.arch))
    text = print_listing(found, "trace")
    assert code_bytes(text, original.arch)[: len(content)] == content
    again = parse_program(text, "again.s")
    assert all(one.same_code(other) for one, other in zip(again, found.program, strict=True))
    assert (again.labels, again.metadata) == (found.program.labels, found.program.metadata)
    named, declared = found.program.metadata, original.metadata
    assert register_counts(found.program) == register_counts(original)
    assert (named.sgprs, named.vgprs) <= (declared.sgprs, declared.vgprs)
    assert named.user_sgpr_count == declared.user_sgpr_count
    assert named.workgroup_size == 256


def test_what_is_deduced_says_so(root: Path, tmp_path: Path) -> None:
    original = program_of(root / KERNELS[0])
    rows, _ = disassembled(print_program(original), original.arch, tmp_path)
    found = traced_kernel(import_trace(traced(tmp_path / "trace", rows), original.arch))
    lines = [line for line in print_listing(found, "trace").splitlines() if ".amdhsa_" in line]
    values = {line.split()[0]: line for line in lines if line.startswith("\t\t")}
    assert all("; deduced: " in line for line in values.values())
    assert "read before they are written: s2, s3" in values[".amdhsa_system_sgpr_workgroup_id_y"]


def rows_at(texts: dict[int, str]) -> list[list[Any]]:
    rows: list[list[Any]] = [["; a_kernel", 0, 0, "", 3, KERNEL_START, 0, 0]]
    return rows + [[text, 0, 1, "", 3, KERNEL_START + at, 0, 0] for at, text in texts.items()]


def test_holes_are_filled_so_that_branches_keep_their_distance(tmp_path: Path) -> None:
    rows = rows_at({0: "s_mov_b32 s0, 4", 4: "s_cbranch_scc0 3", 20: "s_barrier", 24: "s_endpgm"})
    found = traced_kernel(import_trace(traced(tmp_path / "trace", rows), "gfx942"))
    assert [each.opcode for each in found.program][2:5] == ["s_nop"] * 3
    assert found.index == (0, 1, 5, 6)
    assert found.program.labels == {"L_1d14": 5}
    assert found.notes == ("12 bytes behind 0x1d04 are not in the listing: s_nop stands there",)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({4: "s_nop 0", 8: "s_endpgm"}, "begins at 0x1d04"),
        ({0: "v_mov_b32_e32 v0, 0", 8: "s_endpgm"}, "takes 4 bytes as it is written"),
        ({0: "v_mov_b32_e64 v0, 0", 4: "s_endpgm"}, "takes 8 bytes as it is written"),
        ({0: "s_nop 0", 1 << 20: "s_endpgm"}, "1048576 bytes further on"),
    ],
)
def test_a_listing_that_is_no_kernel(tmp_path: Path, texts: dict[int, str], message: str) -> None:
    folder = traced(tmp_path / "trace", rows_at(texts))
    with pytest.raises(UserError, match=message):
        traced_kernel(import_trace(folder, "gfx942"))


def test_the_arguments_pointer_tells_what_lies_before_it(tmp_path: Path) -> None:
    """Loads through s[2:3], which nothing has written: the dispatch packet's pointer lies in s[0:1]."""
    rows = rows_at({0: "s_load_dwordx2 s[8:9], s[2:3], 0x10", 8: "s_add_u32 s8, s8, s4", 12: "s_endpgm"})
    found = traced_kernel(import_trace(traced(tmp_path / "trace", rows), "gfx942")).program.metadata
    assert (found.user_sgpr_dispatch_ptr, found.user_sgpr_count, found.kernarg_bytes) == (True, 4, 24)
    assert (found.workgroup_id_x, found.workgroup_id_y) == (True, False)
