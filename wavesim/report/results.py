"""Results of the Python API: typed figures and tables that show themselves in a notebook."""

from __future__ import annotations

import base64
import html
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from wavesim.analyze.result import Analysis, Bounds, Overlap, Throughput
from wavesim.emulate.judge.numerics import Numerics
from wavesim.errors import UserError
from wavesim.explanation.explanation import Explanation
from wavesim.front.loops import CodeLoop, hottest, region_of
from wavesim.pipeline.run import Run
from wavesim.program import Finding, Program
from wavesim.program.verdict import Verdict
from wavesim.report.output import Look
from wavesim.report.tables import Table, stall_table, timeline_table
from wavesim.report.text.loops import loops_json, loops_text

if TYPE_CHECKING:
    from wavesim.pipeline.run import RunOptions
    from wavesim.tuning.hints import Hints
    from wavesim.tuning.tune import Tuned


def _plain(lines: Sequence[Text]) -> str:
    return "\n".join(line.plain for line in lines)


PRE = (
    "font-family:'DejaVu Sans Mono','Liberation Mono',Menlo,Consolas,ui-monospace,monospace;font-size:13px;"
    "line-height:1.25;white-space:pre;overflow-x:auto;max-width:100%"
)
"""A style of its own: notebooks and their exports wrap lines and take fonts whose letters are not equally
wide. The fonts named first have every sign of the bars and pictures."""


def _pre(text: str) -> str:
    return f'<pre style="{PRE}">{html.escape(text)}</pre>'


@dataclass(frozen=True)
class PageView:
    """The page of ``wavesim report``, in a notebook as a frame of ``height_px`` that can be used in place.

    The frame holds the page itself: it needs no file and no server, and stays in an exported notebook.
    """

    html: str = field(repr=False)
    height_px: int = 720

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page.

        Raises:
            UserError: the file cannot be written.
        """
        from wavesim.report.files import write_atomically

        write_atomically(Path(path), [self.html])

    def _repr_html_(self) -> str:
        look = f"width:100%;height:{self.height_px}px;border:1px solid #ccc"
        page = html.escape(self.html)
        # JupyterLab takes out frames and the attribute, but no words, of a notebook that came from elsewhere
        untrusted = "<p hidden>The page is here once the notebook is trusted: File, Trust Notebook.</p>"
        frame = f'<iframe sandbox="allow-scripts allow-popups" style="{look}" srcdoc="{page}"></iframe>'
        return frame + untrusted


@dataclass(frozen=True)
class TimelineView:
    """A stretch of a run's timeline: a table of instructions that draws itself in a notebook.

    ``table`` has one row per issued instruction (:func:`wavesim.report.tables.timeline_table`).
    """

    run: Run = field(repr=False)
    from_clk: int
    to_clk: int

    @cached_property
    def table(self) -> Table:
        """The instructions that issue in the stretch."""
        return timeline_table(self.run.timeline, self.from_clk, self.to_clk)

    def to_pandas(self) -> Any:
        """The table as a pandas DataFrame.

        Raises:
            UserError: pandas is not installed.
        """
        return self.table.to_pandas()

    def svg(self) -> str:
        """The stretch as an SVG: a lane for each wave, matrix pipe and LDS port, by SIMD."""
        from wavesim.report.export.svg import timeline_svg

        return timeline_svg(self.run.timeline, self.run.machine.parameters, self.from_clk, self.to_clk)

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, key: Any) -> Any:
        return self.table[key]

    def __str__(self) -> str:
        return repr(self.table)

    def _repr_html_(self) -> str:
        """An image: of SVG in a notebook that came from elsewhere JupyterLab would leave the words alone."""
        data = base64.b64encode(self.svg().encode()).decode()
        said = f"Timeline, clocks {self.from_clk} to {self.to_clk}"
        return f'<img width="900" style="max-width:100%" alt="{said}" src="data:image/svg+xml;base64,{data}">'


@dataclass(frozen=True)
class RunResult:
    """One kernel's run. ``run`` is everything; the properties are the figures that are asked for most."""

    run: Run = field(repr=False)

    @property
    def name(self) -> str:
        """The kernel's name."""
        return self.run.kernel.name

    @property
    def analysis(self) -> Analysis:
        """Every figure of the run."""
        return self.run.analysis

    @property
    def verdict(self) -> str:
        """``"bad"``: a warning or error, wrong numbers or a deadlock; else ``"unchecked"``: a run looks for
        no race, missing wait or hazard (:func:`wavesim.check` does)."""
        return str(self.run.verdict)

    @property
    def clk_total(self) -> int:
        """Clocks of the whole run."""
        return self.run.analysis.clk_total

    @property
    def clk_per_iteration(self) -> float | None:
        """Clocks of the compute unit per iteration of all waves of the main loop; ``None`` without a loop."""
        loop = self.run.analysis.loop
        return loop.clk_per_iteration if loop else None

    @property
    def wave_clk_per_iteration(self) -> float | None:
        """Clocks in which one wave goes once round the main loop, median over waves; ``None`` without one."""
        loop = self.run.analysis.loop
        return loop.wave_clk_per_iteration if loop else None

    @property
    def overlap(self) -> Overlap | None:
        """How much of the LDS reads is hidden under MFMA."""
        return self.run.analysis.overlap

    @property
    def bounds(self) -> Bounds | None:
        """Lower bounds on an iteration."""
        return self.run.analysis.bounds

    @property
    def throughput(self) -> Throughput | None:
        """TFLOP/s, at a stated clock."""
        return self.run.analysis.throughput

    @property
    def mfma_busy(self) -> tuple[float, ...]:
        """Busy share (0..1) of each SIMD's matrix pipe, in steady state."""
        return self.run.analysis.mfma_busy

    @property
    def numerics(self) -> Numerics:
        """The numeric check."""
        return self.run.numerics

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Faults that the run met."""
        return self.run.findings

    @cached_property
    def stalls(self) -> Table:
        """Clocks of every wave by reason; they add up to the run's total."""
        return stall_table(self.run.analysis)

    def timeline(self, from_clk: int | None = None, to_clk: int | None = None) -> TimelineView:
        """A stretch of the timeline, in clocks of the run; default: one steady iteration.

        Args:
            from_clk: First clock; 0 if only ``to_clk`` is given.
            to_clk: First clock after the stretch; the end of the run if only ``from_clk`` is given.
        """
        if from_clk is None and to_clk is None:
            from wavesim.report.text.picture import scale_for

            scale, _ = scale_for(self.run.timeline, self.run.analysis, 100)
            return TimelineView(self.run, scale.from_clk, scale.to_clk)
        last = self.clk_total if to_clk is None else to_clk
        return TimelineView(self.run, from_clk or 0, last)

    def to_json(self) -> dict[str, Any]:
        """The JSON report (docs/schema/run.schema.json) as plain data."""
        from wavesim.report.json.run import run_json

        return run_json(self.run)

    def page(self, height_px: int = 720) -> PageView:
        """The interactive timeline: the page of ``wavesim report``, shown in place at the end of a cell."""
        from wavesim.report.page import page_parts, run_panel

        return PageView("".join(page_parts([run_panel(self.run)])), height_px)

    def details(self, width: int = 80) -> str:
        """The terminal report with all figures, as ``wavesim run --details`` prints it."""
        from wavesim.report.text.terminal import report_lines

        return _plain(report_lines(self.run, Look(width=width), details=True))

    def __str__(self) -> str:
        from wavesim.report.text.terminal import report_lines

        return _plain(report_lines(self.run, Look()))

    def _repr_html_(self) -> str:
        from wavesim.report.text.terminal import report_lines

        report = _plain(report_lines(self.run, Look(width=100), drawn=False))
        return _pre(report) + self.timeline()._repr_html_()


@dataclass(frozen=True)
class ExplainResult:
    """Why a kernel takes its clocks. ``explanation`` is everything."""

    explanation: Explanation = field(repr=False)

    @property
    def path(self) -> Table:
        """The critical path by cause: clocks per iteration."""
        from wavesim.report.tables import structured

        causes = self.explanation.path.per_iteration
        return structured({"cause": list(causes), "clk": list(causes.values())})

    @property
    def what_if(self) -> Table:
        """The ladder: what was changed, clocks per iteration with it, and the gain."""
        from wavesim.report.tables import structured

        ladder = self.explanation.ladder
        return structured(
            {
                "name": [each.name for each in ladder],
                "clk": [each.clk for each in ladder],
                "gain_clk": [each.gain_clk for each in ladder],
            }
        )

    @property
    def exposed(self) -> Table:
        """Loads by line: where they are waited for, how long they take, and the clocks waves stand there."""
        from wavesim.report.tables import structured

        loads = self.explanation.exposed
        return structured(
            {
                "line": [each.span.line if each.span else 0 for each in loads],
                "opcode": [each.opcode for each in loads],
                "wait_line": [each.wait.line if each.wait else 0 for each in loads],
                "most_latency_clk": [each.latency_clk[1] for each in loads],
                "exposed_clk": [each.exposed_clk for each in loads],
            }
        )

    @property
    def advice(self) -> tuple[str, ...]:
        """What to do, the largest gain first."""
        return tuple(f"{each.text} (-{each.gain_clk:.0f} clk)" for each in self.explanation.advice)

    def to_json(self) -> dict[str, Any]:
        """The JSON report (docs/schema/explain.schema.json) as plain data."""
        from wavesim.report.json.explanation import explanation_json

        return explanation_json(self.explanation)

    def __str__(self) -> str:
        from wavesim.report.text.explanation import explanation_lines

        return _plain(explanation_lines(self.explanation, Look()))

    def _repr_html_(self) -> str:
        return _pre(str(self))


@dataclass(frozen=True)
class CheckReport:
    """Findings of the static and dynamic rules, the worst first."""

    findings: tuple[Finding, ...]
    verdict: str
    text: str = field(repr=False)

    @property
    def good(self) -> bool:
        """Whether nothing above a note was found."""
        return self.verdict != Verdict.BAD

    def __len__(self) -> int:
        return len(self.findings)

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return _pre(self.text)


@dataclass(frozen=True)
class FileCheck:
    """What :func:`wavesim.check_files` found in one file: a report, or why it cannot be used."""

    file: str
    report: CheckReport | None
    error: UserError | None = None

    @property
    def good(self) -> bool:
        """Whether it could be checked, and nothing above a note was found."""
        return self.report is not None and self.report.good

    def __str__(self) -> str:
        return str(self.report if self.report is not None else self.error)


@dataclass(frozen=True)
class LoopsReport:
    """The loops of a kernel's code, an outer one before those inside of it."""

    program: Program = field(repr=False)
    loops: tuple[CodeLoop, ...]

    @property
    def hottest(self) -> CodeLoop | None:
        """The one with the most MFMAs of its own; where there are none, the deepest."""
        return hottest(self.loops)

    def region(self, loop: CodeLoop) -> str:
        """What :class:`wavesim.RegionOptions` takes for a loop."""
        return region_of(self.program, loop)

    def to_json(self) -> dict[str, Any]:
        """As ``wavesim loops --json``."""
        found = loops_json(self.program, self.loops)
        assert isinstance(found, dict)
        return found

    def __len__(self) -> int:
        return len(self.loops)

    def __str__(self) -> str:
        return loops_text(self.program, self.loops)

    def _repr_html_(self) -> str:
        return _pre(str(self))


@dataclass(frozen=True)
class Comparison:
    """Several kernels side by side; differences are to the first."""

    runs: tuple[RunResult, ...]

    def to_json(self) -> dict[str, Any]:
        """The runs' own reports, in the order given."""
        from wavesim.report.text.comparison import comparison_json

        return comparison_json([each.run for each in self.runs])

    def __str__(self) -> str:
        from wavesim.report.text.comparison import comparison_lines

        return _plain(comparison_lines([each.run for each in self.runs], 100))

    def _repr_html_(self) -> str:
        return _pre(str(self))


@dataclass(frozen=True)
class TuneResult:
    """A schedule that was searched and proven. ``tuned`` is everything; ``hints`` are builtins for HIP.

    Pairs and triples of clocks are at 0.8, 1.0 and 1.2 times the latency of global memory.
    """

    tuned: Tuned = field(repr=False)
    path: Path
    options: RunOptions = field(repr=False)
    hints: Hints | None = field(default=None, repr=False)

    @property
    def better(self) -> bool:
        """Whether a better schedule was found and proven."""
        return self.tuned.better

    @property
    def clk_per_iteration(self) -> tuple[tuple[float, float], ...]:
        """Clocks per iteration of the loop before and after, at each latency."""
        clocks = zip(self.tuned.before_clk, self.tuned.after_clk, strict=True)
        return tuple((old / self.tuned.unroll, new / self.tuned.unroll) for old, new in clocks)

    @property
    def bound_clk(self) -> tuple[float, ...]:
        """What no order of these instructions can be faster than, per iteration, at each latency."""
        return tuple(clk / self.tuned.unroll for clk in self.tuned.bound_clk)

    @property
    def changes(self) -> tuple[str, ...]:
        """What is different in the loop, in plain words."""
        return self.tuned.changes

    @property
    def parameters(self) -> dict[str, int]:
        """The free constants of a tile program with their best values; empty where nothing was free."""
        found = self.tuned.parameters
        return {} if found is None else {**found.before, **found.best.values}

    @property
    def source(self) -> str:
        """The changed text: HIP with builtins, or a tile program with its best parameters; else nothing."""
        if self.hints is not None and self.hints.source:
            return self.hints.source
        return self.tuned.parameters.best.text if self.tuned.parameters is not None else ""

    @property
    def assembly(self) -> str:
        """The scheduled kernel as assembly."""
        from wavesim.report.text.tuning import tuned_assembly

        return tuned_assembly(self.tuned)

    @property
    def diff(self) -> str:
        """The assembly (or HIP with builtins) as it was and as it is now, as a unified diff."""
        from wavesim.report.text.tuning import tuning_diff

        return tuning_diff(self.tuned, self.hints, self.path)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the kernel and, beside it, its launch file: assembly (``.s``), or by the ending HIP with
        builtins or a tile program with its best parameters.

        Raises:
            UserError: a file cannot be written.
        """
        from wavesim.report.files import write_atomically
        from wavesim.report.text.tuning import tuned_files

        for file, text in tuned_files(self.tuned, Path(path), self.hints, self.path):
            write_atomically(file, [text])

    def page(self, path: str | os.PathLike[str] | None = None, height_px: int = 720) -> PageView:
        """The page with the kernel before and after on one axis, shown in place at the end of a cell;
        with a ``path`` it is written there, too.

        Raises:
            UserError: the file cannot be written.
        """
        from wavesim.report.page.tuned import tuned_page

        made = PageView("".join(tuned_page(self.tuned, self.path, self.options, self.hints)), height_px)
        if path is not None:
            made.save(path)
        return made

    def to_json(self) -> dict[str, Any]:
        """The JSON report as plain data."""
        from wavesim.report.text.tuning import tuning_json

        return tuning_json(self.tuned, self.hints)

    def __str__(self) -> str:
        from wavesim.report.text.hints import hint_lines
        from wavesim.report.text.tuning import tuning_lines

        more = ("", *hint_lines(self.hints, self.tuned)) if self.hints is not None else ()
        return "\n".join((*tuning_lines(self.tuned), *more))

    def _repr_html_(self) -> str:
        return _pre(str(self))
