"""``wavesim explain --apply N -o FILE``: what it writes takes the clocks that it promised, and is right."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from wavesim.checks.run import check_kernel
from wavesim.cli.main import cli
from wavesim.errors import UserError
from wavesim.explanation.explanation import explain_kernel
from wavesim.explanation.glance import at_a_glance
from wavesim.explanation.patch import patch_files
from wavesim.pipeline.run import RunOptions, prepare, run_kernel

ROOT = Path(__file__).resolve().parents[2]
QUICK = {"K": "512", "memory.latency_clk": "100"}
KERNELS = {
    "tile": ("kernels/8wave.yaml", {"K": "512"}),
    "swizzle": ("kernels/8wave.yaml", {**QUICK, "SWIZZLE_BYTES": "16", "SWIZZLE_ROWS": "8"}),
    "stagger": ("kernels/8wave_pingpong.yaml", {**QUICK, "STAGGER": "0"}),
    "wait": ("kernels/wrong/wait-too-strong.s", {"memory.latency_clk": "685"}),  # not predicted
    "unrolled": ("kernels/fp8_triple_buffer.yaml", {"K": "768"}),
}


def wavesim(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, list(map(str, words)))


def bad(path: Path, options: RunOptions) -> set[tuple[str, str]]:
    findings = check_kernel(*prepare(path, options)).findings
    return {(each.rule, str(each.severity)) for each in findings if each.is_bad}


@pytest.mark.parametrize("name", KERNELS)
def test_the_written_kernel_keeps_the_promise(name: str, tmp_path: Path) -> None:
    """Its clocks are those of the advice, and check finds nothing that it did not find before."""
    kernel, settings = KERNELS[name]
    options = RunOptions(settings=settings)
    found = explain_kernel(ROOT / kernel, options, processes=1)
    before = bad(ROOT / kernel, options)
    assert found.advice
    for advice in found.advice:
        patch = advice.patch
        assert patch is not None
        for path, text in patch_files(patch, found.run.kernel, tmp_path / f"new{patch.ending}"):
            path.write_text(text)
        kept = {key: value for key, value in settings.items() if key not in advice.replaces}
        per = 1
        if patch.why_assembly:  # a file that knows neither the constants nor the source's iterations
            kept = {key: value for key, value in kept.items() if "." in key}
            per = found.run.analysis.loops[0].unroll
        wanted = RunOptions(settings=kept, workgroups=1 if patch.why_assembly else None)
        loop = run_kernel(path, wanted).analysis.loop
        assert loop is not None
        assert loop.clk_per_iteration / per == pytest.approx(advice.clk, abs=0.01), advice.text
        assert bad(path, wanted) <= before


def test_with_predicted_memory_the_file_s_own_prediction_is_as_promised(tmp_path: Path) -> None:
    """An edit is timed with the latencies that were predicted for the kernel without it."""
    options = RunOptions(arch="MI325X", settings={"K": "512"}, numbers=False)
    found = explain_kernel(ROOT / "kernels/8wave.yaml", options, processes=1)
    assert found.run.memory is not None
    assert found.advice
    for advice in found.advice:
        assert advice.patch is not None
        path = tmp_path / f"{advice.name}.yaml"
        path.write_text(advice.patch.text)
        loop = run_kernel(path, options).analysis.loop
        assert loop is not None
        assert loop.clk_per_iteration == pytest.approx(advice.clk, rel=0.01)


def test_a_name_and_no_ending_will_do(tmp_path: Path) -> None:
    done = wavesim(
        "explain", ROOT / "kernels/lessons/strong_wait.s", "--apply", "split-wait-32", "-o", tmp_path / "new"
    )
    assert done.exit_code == 0, done.output
    assert "s_waitcnt lgkmcnt(7)" in (tmp_path / "new.s").read_text()


def test_run_names_what_explain_applies() -> None:
    kernel = ROOT / "kernels/lessons/strong_wait.s"
    said = at_a_glance(run_kernel(kernel, RunOptions())).to_try
    assert said == explain_kernel(kernel, RunOptions(), processes=1).run.to_try
    assert "explain --apply split-wait-32 -o FILE" in said


def test_what_is_refused(tmp_path: Path) -> None:
    kernel = tmp_path / "k.s"
    shutil.copy(ROOT / "kernels/lessons/strong_wait.s", kernel)
    before = kernel.read_bytes()
    for words, why in (
        (("--apply", "9", "-o", tmp_path / "n.s"), "there is no such advice"),
        (("--apply", "1", "-o", tmp_path / "n.yaml"), "is written as .s"),
        (("--apply", "1", "-o", kernel), "would replace an input"),
        (("--apply", "1", "-o", tmp_path / "k"), "would replace an input"),
    ):
        done = wavesim("explain", kernel, *words)
        assert isinstance(done.exception, UserError), done.output
        assert why in str(done.exception)
    assert wavesim("explain", kernel, "--apply", "1").exit_code == 2
    assert kernel.read_bytes() == before
    assert list(tmp_path.iterdir()) == [kernel]
