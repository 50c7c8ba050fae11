"""The free constants of a tile program, and its reads of LDS laid among its MFMAs, statement by statement.

Every combination of the constants that the file's section ``tune`` names is lowered, executed for its
addresses and timed; then the best few with their reads and MFMAs merged in several ways. The best is proven
like any schedule: it leaves the same bytes as the kernel as it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from pathlib import Path

from wavesim.analyze.result import Loop
from wavesim.errors import LimitExceeded, SourceSpan, UserError
from wavesim.explanation.parallel import run_jobs
from wavesim.front.endings import TILES
from wavesim.front.tile.free import free_constants
from wavesim.front.tile.rewrite import interleavings, with_constants
from wavesim.front.tile.source import read_source
from wavesim.pipeline.run import Run, RunOptions, prepare, run_kernel
from wavesim.pipeline.shorter import shorter_kernel
from wavesim.source_text import read_text
from wavesim.tuning.pace import bound_clk, iterations, loop_clk
from wavesim.tuning.proof import Original, failure_of
from wavesim.tuning.score import LATENCIES
from wavesim.tuning.state import Progress, State

MOST_COMBINATIONS = 256
BATCH = 4
"""Combinations tried beside each other."""

INTERLEAVED = 2
"""Of so many of the best combinations the reads and MFMAs are merged, too."""

SAME_WORK = 0.1
"""Share by which the number of iterations may differ."""


@dataclass(frozen=True)
class Choice:
    """Constants with their values, and how reads and MFMAs are merged; ``text`` is the file with both."""

    values: Mapping[str, int]
    text: str
    interleaving: str = ""
    line: int = 0

    def __str__(self) -> str:
        named = [f"{name}: {value}" for name, value in self.values.items()]
        return ", ".join([*named, *([self.interleaving] if self.interleaving else [])]) or "as it is"


@dataclass(frozen=True)
class Tried:
    """A choice with its clocks per iteration at each latency, or why it has none."""

    choice: Choice
    at_latencies: tuple[float, ...] = (float("inf"),) * len(LATENCIES)
    refused: str = ""

    @property
    def clk(self) -> float:
        """What decides."""
        return sum(self.at_latencies) / len(self.at_latencies)


@dataclass(frozen=True)
class Parameters:
    """What was found for a tile program. Clocks are per iteration of the kernel as it was.

    Attributes:
        free: the constants that were tried, with their values.
        before: their values in the kernel as it was.
        best: the choice that was proven; the kernel as it was where nothing better was.
        before_clk, after_clk: at each latency.
        tried: every choice with its clocks, in the order in which they were tried.
        dropped: of faster ones that were not proven, why.
    """

    free: Mapping[str, tuple[int, ...]]
    before: Mapping[str, int]
    best: Choice
    before_clk: tuple[float, ...]
    after_clk: tuple[float, ...]
    tried: tuple[Tried, ...]
    dropped: tuple[str, ...] = ()
    changes: tuple[str, ...] = field(default=())

    @property
    def better(self) -> bool:
        """Whether another choice than the kernel as it was is the best."""
        return bool(self.changes)


def has_free_constants(path: Path, options: RunOptions) -> bool:
    """Whether a kernel is a tile program that names free constants which ``--set`` does not fix."""
    return path.suffix.lower() in TILES and bool(_free(path, options))


def _free(path: Path, options: RunOptions) -> dict[str, tuple[int, ...]]:
    free = free_constants(read_source(path, options.source))
    return {name: values for name, values in free.items() if name not in options.settings}


def tune_parameters(
    path: Path,
    options: RunOptions,
    original: Original,
    run: Run,
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Parameters:
    """The best choice of a tile program's free constants and interleaving.

    Args:
        path: the kernel.
        options: how it is run.
        original: the kernel as it was, executed and checked.
        run: its run.
        progress: called now and then.
        stop: asked between combinations: whether to end with the best so far.

    Raises:
        UserError: no tile program, nothing in it is free, or too many combinations.
    """
    if path.suffix.lower() not in TILES:
        raise UserError(f"{path}: no tile program has parameters", None, "--change order,waits,rotation")
    return _Search(path, options, original, run, progress, stop).result()


class _Search:
    """One search."""

    def __init__(
        self,
        path: Path,
        options: RunOptions,
        original: Original,
        run: Run,
        progress: Progress | None,
        stop: Callable[[], bool],
    ) -> None:
        self._path, self._options, self._original, self._run = path, options, original, run
        self._progress, self._stop, self._begin = progress, stop, time.monotonic()
        self._free = _free(path, options)
        count = 1
        for values in self._free.values():
            count *= len(values)
        if count > MOST_COMBINATIONS:
            raise LimitExceeded(f"{count} combinations of parameters; at most {MOST_COMBINATIONS}")
        loop = run.analysis.loop
        if loop is None:
            raise UserError(f"{path}: no loop was executed", SourceSpan(str(path)))
        self._iterations = iterations(run, loop)
        text = options.source if options.source is not None else read_text(path)
        self._plain = Tried(Choice({}, text), loop_clk(run))
        self._before = _values(path, options, self._free)
        self._tried = [self._plain]

    def _choices(self) -> Iterator[Choice]:
        for values in product(*self._free.values()):
            chosen = dict(zip(self._free, values, strict=True))
            if chosen != self._before:
                changed = {name: value for name, value in chosen.items() if value != self._before.get(name)}
                yield Choice(chosen, with_constants(self._plain.choice.text, changed))

    def _merged(self, choice: Choice) -> Iterator[Choice]:
        for each in interleavings(self._path, choice.text):
            yield replace(choice, text=each.text, interleaving=each.said, line=each.line)

    def _try(self, choice: Choice) -> Tried:
        try:
            run = run_kernel(self._path, replace(self._options, source=choice.text, numbers=False))
        except UserError as refused:
            return Tried(choice, refused=refused.message)
        loop = run.analysis.loop
        if loop is None or not self._same_work(run, loop):
            return Tried(choice, refused="its loop makes another number of iterations")
        wrong = next((each for each in run.findings if each.is_bad), None)
        if wrong is not None:
            return Tried(choice, refused=f"{wrong.rule}: {wrong.message}")
        return Tried(choice, loop_clk(run))

    def _same_work(self, run: Run, loop: Loop) -> bool:
        """Whether there are as many iterations, but for the rest of an unrolled loop."""
        other = abs(iterations(run, loop) - self._iterations)
        return other < max(loop.unroll, SAME_WORK * self._iterations)

    def _all(self, choices: Sequence[Choice]) -> None:
        for first in range(0, len(choices), BATCH):
            if self._stop():
                return
            self._tried += run_jobs([partial(self._try, each) for each in choices[first : first + BATCH]])
            self._tell()

    def _tell(self) -> None:
        if self._progress is None:
            return
        best = min(self._tried, key=lambda each: each.clk)
        bound, seconds = bound_clk(self._run, 1.0), time.monotonic() - self._begin
        bounds = self._run.analysis.bounds
        name = bounds.binding if bounds is not None else ""
        state = State("parameters", self._plain.clk, best.clk, bound, name, len(self._tried) - 1, seconds)
        self._progress(replace(state, changed=str(best.choice)))

    def _ranked(self) -> list[Tried]:
        return sorted(self._tried, key=lambda each: each.clk)

    def result(self) -> Parameters:
        """Search, and prove the best."""
        self._tell()
        self._all(list(self._choices()))
        for each in self._ranked()[:INTERLEAVED]:
            self._all(list(self._merged(each.choice)))
        if len(self._tried) == 1 and not self._free:
            raise UserError(
                f"{self._path}: it names no free constants, and no reads stand beside MFMAs in a loop",
                SourceSpan(str(self._path)),
                "tune: {UNROLL: [1, 2]} in the file, for the constants of section constants",
            )
        found = Parameters(
            self._free,
            self._before,
            self._plain.choice,
            self._plain.at_latencies,
            self._plain.at_latencies,
            tuple(self._tried),
        )
        dropped: list[str] = []
        for each in self._ranked():
            if each.clk >= self._plain.clk:
                break
            why = self._failure(each.choice)
            if not why:
                return replace(
                    found,
                    best=each.choice,
                    after_clk=each.at_latencies,
                    dropped=tuple(dropped),
                    changes=self._changes(each.choice),
                )
            dropped.append(f"{each.choice}: {why}")
        return replace(found, dropped=tuple(dropped))

    def _failure(self, choice: Choice) -> str:
        wanted = replace(self._options, source=choice.text)
        kernel, _ = prepare(self._path, wanted)
        return failure_of(self._original, kernel, shorter_kernel(self._path, wanted, kernel), "")

    def _changes(self, choice: Choice) -> tuple[str, ...]:
        changed = [
            f"{name}: {self._before[name]} before, {value} now"
            for name, value in choice.values.items()
            if value != self._before[name]
        ]
        if choice.interleaving:
            changed.append(f"line {choice.line}: {choice.interleaving}")
        return tuple(changed)


def _values(path: Path, options: RunOptions, free: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """The values that free constants have in the kernel as it is."""
    from wavesim.front.tile.load import constants_of

    settings = {name: text for name, text in options.settings.items() if "." not in name}
    known = constants_of(read_source(path, options.source), settings)
    return {name: value for name in free if (value := known[name].constant) is not None}
