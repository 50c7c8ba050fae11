"""The tools' answers as plain data, small: a verdict, the figure, why, the first findings, what to try."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from wavesim.errors import UserError
from wavesim.explanation.diagnosis import UNTIMED
from wavesim.explanation.glance import at_a_glance
from wavesim.isa.names import devices
from wavesim.mcp.request import Request, run_options
from wavesim.pipeline.run import Run, RunOptions, prepare, run_kernel
from wavesim.program import Finding
from wavesim.report.json.trust import trust_json

MOST_FINDINGS = 5
MOST_ROWS = 5
MOST_DIFF_LINES = 200
MOST_ADVICE_LINES = 60
"""Of the diff of one piece of advice."""
SEARCHED = 0.3
"""Share of a call's time that `tune` searches for; the proof takes the rest."""

Answer = dict[str, Any]


class Asked:
    """One call: the folder of files, the one of texts, and its time in seconds."""

    def __init__(self, root: Path, scratch: Path, seconds: float) -> None:
        self.root, self.scratch, self.seconds = root, scratch, seconds

    def kernel(self, given: Mapping[str, Any], number: int = 0) -> tuple[Path, RunOptions]:
        """A kernel's file and options; its texts get a folder of their own."""
        folder = self.scratch / str(number)
        folder.mkdir(exist_ok=True)
        return run_options(Request.of(given), self.root, folder)


def run(asked: Asked, kernel: Mapping[str, Any]) -> Answer:
    """As `wavesim run`."""
    return _run_answer(at_a_glance(run_kernel(*asked.kernel(kernel))))


def predict(asked: Asked, kernel: Mapping[str, Any]) -> Answer:
    """As `wavesim run --arch DEVICE`: global memory predicted, of the whole dispatch.

    Raises:
        UserError: no device.
    """
    path, options = asked.kernel(kernel)
    if options.arch not in devices():
        known = ", ".join(devices())
        raise UserError("a prediction is of a device: arch names one", None, f"devices: {known}")
    found = at_a_glance(run_kernel(path, options))
    answer = _run_answer(found)
    memory = found.memory
    if memory is None:
        raise UserError(f"{path}: nothing to predict: the launch has no matrices in global memory")
    answer["memory"] = {level.name.lower(): share for level, share in memory.prediction.share.items()}
    throughput = found.analysis.throughput
    answer["tflops"] = throughput.tflops_with_tail if throughput is not None else None
    return answer


def check(asked: Asked, kernel: Mapping[str, Any]) -> Answer:
    """As `wavesim check`."""
    from wavesim.checks.run import check_prepared

    path, options = asked.kernel(kernel)
    prepared = prepare(path, options)
    result = check_prepared(path, prepared, options)
    loaded, machine = result.kernel, prepared[1]
    not_executed = not result.looked_at
    says = [f"executed: {len(result.executed)} workgroups of {loaded.launch.grid}"]
    if result.no_launch:
        says = ["executed as far as lane and wave numbers say: no launch is known"]
    elif not_executed:
        says = ["not executed: no launch is known; only the code was read"]
    says += [each for each in (result.left_out, result.shortened) if each]
    says += [each.text for each in result.unknowns.assumptions] if result.unknowns is not None else []
    fixes = [each.fix for each in result.findings if each.is_bad and each.fix]
    return {
        "verdict": str(result.verdict),
        "kernel": loaded.name,
        "machine": machine.name,
        **_findings(result.findings),
        "try_next": list(dict.fromkeys(fixes))[:MOST_ROWS]
        or (["give a launch, so that it is executed"] if not_executed else ["run"]),
        "says": says,
    }


def explain(asked: Asked, kernel: Mapping[str, Any]) -> Answer:
    """As `wavesim explain`."""
    from wavesim.explanation.explanation import explain_kernel

    found = explain_kernel(*asked.kernel(kernel), processes=1)
    answer = _run_answer(found.run)
    answer["what_if"] = [
        {"name": each.name, "text": each.text, "clk": each.clk, "gain_clk": each.gain_clk}
        for each in found.ladder[:MOST_ROWS]
    ]
    answer["advice"] = [
        {
            "name": each.name,
            "text": each.text,
            "clk": each.clk,
            "gain_clk": each.gain_clk,
            "checked": each.how_checked,
            "diff": _shortened(each.patch.diff, MOST_ADVICE_LINES) if each.patch is not None else "",
        }
        for each in found.advice[:MOST_ROWS]
    ]
    answer["try_next"] = [f"advice: {each.name}" for each in found.advice[:MOST_ROWS]] or ["tune"]
    return answer


def _shortened(diff: str, most: int) -> str:
    lines = diff.splitlines()
    rest = [f"... {len(lines) - most} more lines"] if len(lines) > most else []
    return "\n".join([*lines[:most], *rest])


def tune(
    asked: Asked, kernel: Mapping[str, Any], candidates: int, loop: str | None, seed: int, diff: bool
) -> Answer:
    """As `wavesim tune`; the search ends in time for the proof."""
    from wavesim.report.json.schemas import headed
    from wavesim.report.text.tuning import tuned_assembly, tuning_diff, tuning_json
    from wavesim.tuning.tune import CHANGES, TuneOptions, tune_kernel

    wanted = TuneOptions(
        loop, frozenset(CHANGES), SEARCHED * asked.seconds / 60, candidates, seed, force=False
    )
    found = tune_kernel(*asked.kernel(kernel), wanted)
    data = tuning_json(found)
    for other in ("sched_group_barrier", "parameters"):  # of a source; this tool gives assembly
        del data[other]
    return {
        **{name: value for name, value in data.items() if name not in headed("tune", {})},
        "verdict": "good" if found.better else "unchanged",
        "diff": _shortened(tuning_diff(found), MOST_DIFF_LINES) if diff else "",
        "assembly": tuned_assembly(found),
    }


def compare(asked: Asked, kernels: Sequence[Mapping[str, Any]]) -> Answer:
    """As `wavesim compare`: runs, and their clocks over those of the first."""
    runs = []
    says: dict[str, None] = {}
    for number, kernel in enumerate(kernels):
        answer = _run_answer(at_a_glance(run_kernel(*asked.kernel(kernel, number))))
        says |= dict.fromkeys(answer.pop("trust")["says"])
        del answer["try_next"]
        runs.append(answer)
    first = runs[0]["clk"]
    times = [each["clk"] / first - 1 for each in runs]
    bad = any(each["verdict"] == "bad" for each in runs)
    return {
        "verdict": "bad" if bad else "unchecked",
        "runs": runs,
        "slower_than_first": times,
        "fastest": min(range(len(runs)), key=lambda number: runs[number]["clk"]),
        "says": list(says),
    }


TOOLS: Mapping[str, Callable[..., Answer]] = {
    "run": run,
    "check": check,
    "explain": explain,
    "predict": predict,
    "tune": tune,
    "compare": compare,
}


def _run_answer(run: Run) -> Answer:
    analysis, loop = run.analysis, run.analysis.loop
    trust = trust_json(run)
    interval = trust.pop("interval")
    bounds = analysis.bounds
    numerics = run.numerics
    return {
        "verdict": str(run.verdict),
        "kernel": run.kernel.name,
        "machine": run.machine.name,
        "clk_per_iteration": loop.clk_per_iteration if loop is not None else None,
        "clk": loop.clk_per_iteration if loop is not None else float(analysis.clk_total),
        "interval": interval,
        "clk_total": analysis.clk_total,
        "bound": None if bounds is None else {"name": bounds.binding, "clk": bounds.named()[bounds.binding]},
        "mfma_busy": analysis.mfma_busy_share,
        "numbers": "right" if numerics.checked and numerics.ok else "not checked" if numerics.ok else "wrong",
        "diagnosis": run.diagnosis if run.diagnosis != UNTIMED else "",
        **_findings(run.findings),
        "try_next": _after_run(run),
        "trust": trust,
    }


def _after_run(run: Run) -> list[str]:
    fixes = [each.fix for each in run.findings if each.is_bad and each.fix][:MOST_ROWS]
    if fixes or not run.numerics.ok:
        return [*fixes, "check"]
    if not run.analysis.complete:
        return ["check"]
    first = [run.to_try] if run.to_try else []
    return [*first, "check", "explain", *(["tune"] if run.analysis.loop is not None else [])]


def _findings(found: Sequence[Finding]) -> dict[str, Any]:
    """The first findings above a note; those left out are counted."""
    bad = [each for each in found if each.is_bad]
    shown = [
        {
            "rule": each.rule,
            "severity": str(each.severity),
            "message": each.message,
            "places": [str(span) for span in each.spans],
            "fix": each.fix,
        }
        for each in bad[:MOST_FINDINGS]
    ]
    return {"findings": shown, "more_findings": len(bad) - len(shown)}
