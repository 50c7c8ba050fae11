"""Kernels ready to be scheduled, and the command."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner

from wavesim.checks.run import check_kernel
from wavesim.cli.main import cli
from wavesim.emulate.run import emulate
from wavesim.pipeline.run import RunOptions, run_kernel
from wavesim.pipeline.shorter import shorter_kernel
from wavesim.tuning.dependence import Addresses
from wavesim.tuning.loop import chosen_loop
from wavesim.tuning.proof import Original
from wavesim.tuning.rotate import cuts
from wavesim.tuning.variant import Variant

ROOT = Path(__file__).resolve().parents[2]


def written(folder: Path, text: str, waves: int = 1) -> Path:
    """A kernel in assembly without arguments."""
    path = folder / "small.s"
    path.write_text(text)
    (folder / "small.launch.yaml").write_text(f"workgroup: {64 * waves}\narguments: {{}}\n")
    return path


def call(*words: object) -> str:
    """What a command prints that must end well; what is refused is raised."""
    done = CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def prepared(name: str | Path, settings: Mapping[str, str]) -> tuple[Original, list[Variant]]:
    """A kernel, of the folder kernels if no whole path, as it is and with operations a pass ahead."""
    path, options = ROOT / "kernels" / name, RunOptions(settings=dict(settings))
    run = run_kernel(path, options)
    shorter = shorter_kernel(path, options, run.kernel)
    execution = emulate(run.kernel.program, run.kernel.launch, run.machine, observe_lds=True)
    check = check_kernel(run.kernel, run.machine, shorter=lambda: shorter)
    loop = chosen_loop(execution.trace, None)
    base = Variant.of("as it is", execution.trace, loop, Addresses.of(execution, loop))
    turned = list(cuts(loop, base.relaxer.code, base.relaxer.effects, base.scheduler.order))
    some = turned[:: max(1, len(turned) // 2)]
    original = Original(run.kernel, run.machine, execution, check, shorter)
    return original, [base, *(base.ahead(each) for each in some)]
