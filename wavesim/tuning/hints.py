"""A sequence of ``__builtin_amdgcn_sched_group_barrier`` for a HIP loop, scored as clang really compiles it.

The builtins are hints: clang's scheduler follows them as far as its own view of the dependences goes, and
chooses registers afterwards. So that every sequence is compiled, executed for its addresses and timed. First
come regular shapes, then the best of them changed a little, again and again. What is given back is proven
like any schedule.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from zlib import crc32

from wavesim.analyze.result import Loop
from wavesim.asm.compile import find_compiler
from wavesim.asm.printer import print_code
from wavesim.errors import SourceSpan, UserError
from wavesim.explanation.parallel import run_jobs
from wavesim.front.endings import HIP
from wavesim.front.hip_groups import (
    MOST_GROUPS,
    Groups,
    Shape,
    alike,
    arrangements,
    changed_a_little,
    groups_of,
    shaped,
    statements,
)
from wavesim.front.hip_loops import NoPlace, source_loop, span_at, with_at_end
from wavesim.pipeline.run import Run, RunOptions, run_kernel
from wavesim.program import Instruction
from wavesim.source_text import read_text
from wavesim.trace import Kind
from wavesim.trace.decode import code_entry
from wavesim.tuning.pace import bound_clk, iterations, loop_clk
from wavesim.tuning.proof import failure_of
from wavesim.tuning.score import LATENCIES
from wavesim.tuning.state import Progress, State
from wavesim.tuning.tune import PROVEN_AT_MOST, Tuned, TuneOptions

MOST_TRIES = 160
"""Sequences that are compiled at most; one takes half a second."""

BATCH = 4
"""Sequences tried beside each other, on however many cores: results must not depend on their number."""

BEST = 3
"""So many of the best are changed a little in turn."""


@dataclass(frozen=True)
class Hints:
    """A sequence for the author of a kernel. Clocks are per iteration, at each of the search's latencies.

    Attributes:
        groups: the sequence.
        source: the HIP text with the builtins in it; nothing where none was made.
        place: where its loop is.
        run: the run of what the compiler made of that.
        compiler: its name and version.
        before_clk, after_clk, bound_clk: of what the compiler makes of the source without and with them.
        tried: sequences that were compiled.
        dropped: of faster ones that were not proven, why.
        reason: why there is no source.
    """

    groups: Groups
    source: str = ""
    place: SourceSpan | None = None
    run: Run | None = None
    compiler: str = ""
    before_clk: tuple[float, ...] = ()
    after_clk: tuple[float, ...] = ()
    bound_clk: tuple[float, ...] = ()
    tried: int = 0
    dropped: tuple[str, ...] = ()
    reason: str = ""


def hints_for(
    path: Path,
    options: RunOptions,
    tuned: Tuned,
    wanted: TuneOptions,
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Hints:
    """The best sequence for the loop that was tuned.

    Args:
        path: the kernel.
        options: how it is run.
        tuned: what was found for it.
        wanted: how long to search; ``candidates`` are sequences here, and ``seed`` is theirs.
        progress: called now and then.
        stop: asked between sequences: whether to end with the best so far.
    """
    found = groups_of(_kinds(tuned.schedule, tuned.program.arch))
    if path.suffix.lower() not in HIP:
        return Hints(found, reason=f"{path} is no HIP source: nothing was compiled")
    try:
        return _Search(path, options, tuned, wanted, progress, stop).result(found)
    except NoPlace as refused:
        return Hints(found, reason=str(refused))


def _kinds(instructions: Sequence[Instruction], arch: str) -> list[Kind]:
    return [code_entry(each, arch).kind for each in instructions]


@dataclass(frozen=True)
class _Try:
    """A sequence, its clocks at each latency, and what code the compiler made of it."""

    groups: Groups
    at_latencies: tuple[float, ...] = (float("inf"),) * len(LATENCIES)
    code: int = 0

    @property
    def clk(self) -> float:
        """What decides: an order that wins at one latency only is of no use."""
        return sum(self.at_latencies) / len(LATENCIES)


class _Search:
    """One search."""

    def __init__(
        self,
        path: Path,
        options: RunOptions,
        tuned: Tuned,
        wanted: TuneOptions,
        progress: Progress | None,
        stop: Callable[[], bool],
    ) -> None:
        self._path, self._tuned, self._wanted = path, tuned, wanted
        self._options = replace(options, rounds=1)  # as the search that is built on
        self._progress, self._stop = progress, stop
        self._begin = time.monotonic()
        self._text = options.source if options.source is not None else read_text(path, lenient=True)
        run = tuned.run
        self._rank, loop = _rank(run, tuned.label)
        program = run.kernel.program
        self._loop = source_loop(self._text, path, program, loop.head, loop.tail)
        self._place = span_at(path, self._text, self._loop.begin)
        self._kinds = _kinds(program.instructions[loop.head : loop.tail], program.arch)
        self._iterations = iterations(run, loop)
        self._plain = self._tried((), run)
        self._tries: list[_Try] = [self._plain]

    # -- one sequence

    def _source(self, groups: Groups) -> str:
        return with_at_end(self._text, self._loop, statements(groups))

    def _run(self, groups: Groups, *, numbers: bool = False) -> Run:
        wanted = replace(self._options, source=self._source(groups), numbers=numbers)
        return run_kernel(self._path, wanted)

    def _try(self, groups: Groups) -> _Try:
        try:
            return self._tried(groups, self._run(groups))
        except UserError:  # the compiler refuses it, or it is one that the hints break
            return _Try(groups)

    def _tried(self, groups: Groups, run: Run) -> _Try:
        code = crc32("\n".join(print_code(run.kernel.program)).encode())
        return _Try(groups, loop_clk(run, self._rank, self._iterations), code)

    # -- the search

    def _over(self) -> bool:
        wanted = self._wanted
        late = wanted.minutes is not None and time.monotonic() - self._begin > 60 * wanted.minutes
        most = min(MOST_TRIES, wanted.candidates or MOST_TRIES)
        return late or len(self._tries) > most or self._stop()

    def _tell(self) -> None:
        if self._progress is None:
            return
        best = min(self._tries, key=lambda each: each.clk)
        bound = bound_clk(self._tuned.run, 1.0, self._rank)
        seconds = time.monotonic() - self._begin
        said = f"{len(best.groups)} groups" if best.groups else "as compiled without"
        self._progress(
            State(
                "compiling",
                self._plain.clk,
                best.clk,
                bound,
                self._tuned.bound,
                len(self._tries) - 1,
                seconds,
                said,
            )
        )

    def _all(self, several: Sequence[Groups]) -> None:
        known = {each.groups for each in self._tries}
        new = [each for each in dict.fromkeys(several) if each not in known and 0 < len(each) <= MOST_GROUPS]
        for first in range(0, len(new), BATCH):
            if self._over():
                return
            self._tries += run_jobs([partial(self._try, each) for each in new[first : first + BATCH]])
            self._tell()

    def _search(self, found: Groups) -> None:
        self._tell()
        shapes = {shaped(self._kinds, each): each for each in arrangements(self._kinds)}
        self._all([found, *shapes])
        known: list[tuple[float, Shape]] = [
            (each.clk, shapes[each.groups]) for each in self._tries if each.groups in shapes
        ]
        if known:
            best = min(known, key=lambda each: each[0])[1]
            self._all([shaped(self._kinds, each) for each in alike(best)])
        generator = random.Random(self._wanted.seed)
        barren = 0
        while not self._over() and barren < 20:
            ranked = self._ranked()[:BEST]
            before = len(self._tries)
            self._all([changed_a_little(ranked[n % len(ranked)].groups, generator) for n in range(BATCH)])
            barren = barren + 1 if len(self._tries) == before else 0

    def _ranked(self) -> list[_Try]:
        """The distinct ones with builtins, the fastest first; of equal ones the shortest."""
        ranked = sorted(
            (each for each in self._tries if each.groups), key=lambda each: (each.clk, len(each.groups))
        )
        return list({each.code: each for each in reversed(ranked)}.values())[::-1]

    def result(self, found: Groups) -> Hints:
        """Search, and prove the best."""
        self._search(found)
        run = self._tuned.run
        nothing = Hints(
            found,
            place=self._place,
            compiler=str(find_compiler(self._tuned.program.arch)),
            before_clk=self._plain.at_latencies,
            after_clk=self._plain.at_latencies,
            bound_clk=tuple(bound_clk(run, share, self._rank) for share in self._tuned.latencies),
            tried=len(self._tries) - 1,
            reason="no sequence is faster as compiled",
        )
        dropped = []
        for each in self._ranked()[:PROVEN_AT_MOST]:
            if each.clk >= self._plain.clk:
                break
            run = self._run(each.groups, numbers=True)
            why = failure_of(self._tuned.original, run.kernel, None, run.analysis.loops[self._rank].label)
            if why:
                dropped.append(why)
                continue
            return replace(
                nothing,
                groups=each.groups,
                source=self._source(each.groups),
                run=run,
                after_clk=each.at_latencies,
                bound_clk=tuple(bound_clk(run, share, self._rank) for share in self._tuned.latencies),
                dropped=tuple(dropped),
                reason="",
            )
        return replace(nothing, dropped=tuple(dropped))


def _rank(run: Run, label: str) -> tuple[int, Loop]:
    """Which of a run's loops the one at ``label`` is."""
    for rank, loop in enumerate(run.analysis.loops):
        if loop.head == run.kernel.program.labels.get(label):
            return rank, loop
    raise NoPlace(f"the loop at {label} is not among those that were timed")
