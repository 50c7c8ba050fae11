"""A Run around a synthetic Timeline, without kernel file, emulator or engine."""

from __future__ import annotations

from types import SimpleNamespace

from synthetic_timeline import PingPong, machine

from wavesim.analyze.analysis import analyze
from wavesim.front.launch.model import Launch, LoadedKernel
from wavesim.pipeline.run import Run
from wavesim.program import Finding
from wavesim.trace import Timeline


def run_of(
    timeline: Timeline, *, findings: tuple[Finding, ...] = (), ok: bool = True, name: str = "toy"
) -> Run:
    """The Run of a Timeline; its numbers are right or wrong as told."""
    launch = Launch((), 512, grid=(64, 64, 1))
    numerics = SimpleNamespace(
        ok=ok,
        checked=True,
        max_rel_error=1.25e-7 if ok else 0.5,
        message="" if ok else "3 of 64 blocks differ",
        wrong_elements=(),
        wrong_places=(),
    )
    this = machine()
    kernel = LoadedKernel(name, f"{name}.yaml", timeline.trace.program, launch)
    analysis = analyze(timeline, this, launch, numerics)  # type: ignore[arg-type]
    return Run(kernel, this, timeline, numerics, analysis, findings)  # type: ignore[arg-type]


def ping_pong_run() -> Run:
    """Eight waves in two halves, twenty iterations."""
    return run_of(PingPong(iterations=20, reads=12, mfmas=16).timeline())
