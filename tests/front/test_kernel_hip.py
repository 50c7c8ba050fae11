"""kernels/hip/8wave.hip from its source: right numbers, clean, and the overlap that it is there to show."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from wavesim.asm.compile import find_compiler
from wavesim.asm.tools import MissingTool
from wavesim.checks.run import check_kernel
from wavesim.cli.main import cli
from wavesim.errors import UserError
from wavesim.pipeline.run import RunOptions, prepare, run_kernel

KERNEL = Path(__file__).resolve().parents[2] / "kernels" / "hip" / "8wave.hip"
ARCHS = ("gfx942", "gfx950")


def needs_compiler(arch: str) -> None:
    try:
        find_compiler(arch)
    except MissingTool as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("arch", ARCHS)
def test_from_source_to_timeline(arch: str) -> None:
    needs_compiler(arch)
    run = run_kernel(KERNEL, RunOptions(arch=arch, settings={"K": "512"}))
    assert run.verdict == "unchecked"
    assert run.numerics.checked
    assert run.numerics.max_rel_error is not None
    assert run.numerics.max_rel_error < 1e-5
    assert len(run.analysis.waves) == 8
    overlap = run.analysis.overlap
    assert overlap is not None
    assert overlap.hidden > 0.5  # more than half of the LDS reads is under another wave's MFMAs


@pytest.mark.parametrize("arch", ARCHS)
def test_it_is_clean_also_when_executed_adversarially(arch: str) -> None:
    needs_compiler(arch)
    kernel, machine = prepare(KERNEL, RunOptions(arch=arch, settings={"K": "256"}))
    result = check_kernel(kernel, machine)
    assert result.good, [str(finding) for finding in result.findings]
    assert result.numerics is not None
    assert result.numerics.ok
    assert not [finding for finding in result.findings if finding.rule == "bank-conflict"]


@pytest.mark.parametrize("arch", ARCHS)
def test_the_compiler_kept_the_phases(arch: str) -> None:
    """All reads of the next fragments are issued before the first MFMA, and waited for after the last."""
    needs_compiler(arch)
    kernel, _ = prepare(KERNEL, RunOptions(arch=arch))
    program = kernel.program
    start = next(at for name, at in program.labels.items() if name.startswith(".LBB"))
    order: list[str] = []
    for item in program.instructions[start:]:
        kind = item.opcode.partition("_b")[0] if item.opcode.startswith("ds_") else item.opcode[:6]
        if kind in ("ds_read", "v_mfma", "s_barr") and (not order or order[-1] != kind):
            order.append(kind)
    assert order[:6] == ["ds_read", "v_mfma", "s_barr", "ds_read", "v_mfma", "s_barr"]
    assert program.metadata.scratch_bytes == 0


def test_places_of_findings_show_both_lines() -> None:
    needs_compiler("gfx942")
    shown = CliRunner().invoke(cli, ["check", str(KERNEL), "--set", "K=256"])
    assert shown.exit_code == 0
    assert "8wave.gfx942.s:" in shown.output
    assert f"({KERNEL}:" in shown.output


def test_lower_prints_what_run_executes() -> None:
    needs_compiler("gfx950")
    shown = CliRunner().invoke(cli, ["lower", str(KERNEL), "--arch", "gfx950"])
    assert shown.exit_code == 0
    assert "v_mfma_f32_16x16x32_bf16" in shown.output


def test_compile_says_with_what(tmp_path: Path) -> None:
    needs_compiler("gfx942")
    target = tmp_path / "k.s"
    shown = CliRunner().invoke(cli, ["compile", str(KERNEL), "-o", str(target), "--flag=-O1"])
    assert shown.exit_code == 0, shown.output
    assert shown.output.startswith("compiler  ")
    assert "--offload-arch=gfx942" in shown.output
    assert "-O1" in shown.output
    assert "half_split:" in target.read_text()
    alone = CliRunner().invoke(cli, ["compile", str(KERNEL), "-o", "-"])
    assert alone.stdout.startswith("\t.")


def test_a_kernel_is_chosen_by_name(tmp_path: Path) -> None:
    needs_compiler("gfx942")
    source = tmp_path / "two.hip"
    head = 'extern "C" __attribute__((global)) void'
    source.write_text(f"{head} one(int *p) {{ *p = 1; }}\n{head} two(int *p) {{ *p = 2; }}\n")
    options = RunOptions(arch="gfx942")
    with pytest.raises(UserError, match="2 kernels"):
        prepare(source, options)
    launch = tmp_path / "two.launch.yaml"
    launch.write_text('kernel: two\nworkgroup: 64\narguments: {p: "i32[1,1]:unwritten"}\n')
    assert prepare(source, options)[0].name == "two"
    shown = CliRunner().invoke(cli, ["lower", str(source), "--kernel", "one"])
    assert "one:" in shown.output


@pytest.mark.parametrize("arch", ARCHS)
def test_a_read_that_the_compiler_moved_behind_its_barrier_is_a_race(arch: str) -> None:
    """Judged by what came out: a compiler that leaves the read in its place gives a clean kernel."""
    needs_compiler(arch)
    kernel, machine = prepare(KERNEL.with_name("moved-reads.hip"), RunOptions(arch=arch))
    opcodes = [item.opcode for item in kernel.program]
    barriers = [at for at, opcode in enumerate(opcodes) if opcode == "s_barrier"]
    moved = opcodes.index("ds_read_b32") > barriers[1]
    rules = {finding.rule for finding in check_kernel(kernel, machine).findings if finding.is_bad}
    assert rules == ({"lds-race"} if moved else set())
