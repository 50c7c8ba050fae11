"""How far a run can be trusted: by what was measured on its architecture, and what it executes."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from wavesim.isa.validated import validated_traces
from wavesim.pipeline.run import RunOptions, run_kernel
from wavesim.pipeline.trust import Trust, trust_in

ROOT = Path(__file__).resolve().parents[2]
WAVE8 = "kernels/8wave.yaml"


def trust(kernel: str, **options: str) -> Trust:
    return trust_in(run_kernel(ROOT / kernel, RunOptions(settings={"K": "256"}, **options)))


def test_a_kernel_of_known_instructions_has_the_largest_error_of_its_kind() -> None:
    found = trust(WAVE8)
    worst = max(abs(each.error) for each in validated_traces()["gfx942"])
    assert found.unvalidated == {}
    assert found.interval is not None
    assert found.interval.share == math.ceil(100 * worst) / 100 == 0.02
    assert any("is an input (685 clk)" in each for each in found.says)


def test_instructions_that_no_measured_kernel_executed_widen_it() -> None:
    """The gfx950 traces read LDS by 1 and 16 bytes only, and multiply f8f6f4."""
    found = trust(WAVE8, arch="gfx950")
    assert "lds_read 8 B" in found.unvalidated
    assert "v_mfma_f32_16x16x32_bf16" in found.unvalidated
    assert found.validated_share < 0.99
    assert found.interval is not None
    assert found.interval.share == 0.20
    assert "an assumption" in found.interval.why


def test_an_architecture_without_traces_says_so() -> None:
    found = trust(WAVE8, arch="gfx90a")
    assert found.traces == 0
    assert found.validated_share == 0
    assert "nothing was measured on gfx90a" in found.says[0]


def test_predicted_memory_brings_its_interval() -> None:
    found = trust(WAVE8, arch="MI325X")
    assert found.interval is not None
    assert found.interval.share == 0.10
    assert not any("is an input" in each for each in found.says)


def test_only_numbers_that_concern_the_kernel_count() -> None:
    found = trust_in(run_kernel(ROOT / "kernels/lessons/mfma_chain.s", RunOptions()))
    assert not any(key.startswith(("lds.", "memory.", "clock.")) for key in found.assumed_values)


def test_a_deadlock_has_no_interval() -> None:
    assert trust_in(run_kernel(ROOT / "kernels/wrong/barrier-deadlock.s", RunOptions())).interval is None


def test_the_errors_are_those_of_the_accuracy_page() -> None:
    """To half a per cent; where the page has moved on: python -m benchmarks.validated FOLDER."""
    page = (ROOT / "docs/accuracy.md").read_text(encoding="utf-8").partition("## ")[0]
    shown = {
        name: float(error)
        for name, error in re.findall(
            r"^\| ([^\s*]+)[^|]*\|[^|]*\|[^|]*\|[^|]*\| +([-+][\d.]+) \|", page, re.M
        )
    }
    errors = {each.name: 100 * each.error for traces in validated_traces().values() for each in traces}
    assert errors == pytest.approx(shown, abs=0.5)


def test_the_classes_are_those_that_a_trace_executed(shared: Path) -> None:
    from benchmarks.validated import classes
    from wavesim.replays.att.importer import import_trace

    name = "gfx942_gemm_1024cube"
    (row,) = (each for each in validated_traces()["gfx942"] if each.name == name)
    assert classes(import_trace(shared / "traces" / name)) == row.classes
