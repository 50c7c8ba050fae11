"""Transposing reads under a partial EXEC are named, others are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavesim.checks.run import check_kernel
from wavesim.front.launch.file import LaunchOptions
from wavesim.isa.opcodes import opcode_table
from wavesim.pipeline.run import RunOptions, prepare
from wavesim.program import Severity

KERNEL = Path(__file__).resolve().parents[2] / "kernels" / "wrong" / "transposed-read.s"
TRANSPOSED = sorted(name for name, info in opcode_table().items() if "transpose" in info.flags)


@pytest.mark.parametrize("opcode", TRANSPOSED)
@pytest.mark.parametrize(
    ("mask", "block", "named"), [("0xff", 64, True), ("-1", 64, False), ("-1", 32, True)]
)
def test_partial_exec(opcode: str, mask: str, block: int, named: bool, tmp_path: Path) -> None:
    path = tmp_path / "k.s"
    text = KERNEL.read_text().replace(
        "s_mov_b64 exec, 0xff", f"s_mov_b64 exec, {mask}" if block == 64 else "s_nop 0"
    )
    wide = "v[4:6], v1" if "b96" in opcode else "v[4:5], v1"
    path.write_text(
        text.replace("ds_read_b64_tr_b16 v[4:5], v1", f"{opcode} {wide}").replace("size 512", "size 1024")
    )
    launch = LaunchOptions(block=block, arguments=("C=f32[1,64]:unwritten",))
    kernel, machine = prepare(path, RunOptions(launch=launch))
    found = [each for each in check_kernel(kernel, machine).findings if each.rule == "transposed-read"]
    assert bool(found) is named
    assert all(each.severity is Severity.NOTE for each in found)


def test_an_ordinary_read_may_have_any_exec(tmp_path: Path) -> None:
    path = tmp_path / "k.s"
    path.write_text(KERNEL.read_text().replace("ds_read_b64_tr_b16", "ds_read_b64"))
    kernel, machine = prepare(
        path, RunOptions(launch=LaunchOptions(block=64, arguments=("C=f32[1,64]:unwritten",)))
    )
    assert not [each for each in check_kernel(kernel, machine).findings if each.rule == "transposed-read"]
