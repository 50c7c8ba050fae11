"""``wavesim tune``: a better schedule of a kernel's loop, found and proven."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from wavesim.checks.run import check_execution, check_kernel
from wavesim.emulate.run import Execution, emulate
from wavesim.errors import SourceSpan, UserError
from wavesim.isa.kinds import Kind
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.pipeline.run import Run, RunOptions, run_kernel
from wavesim.pipeline.shorter import shorter_kernel
from wavesim.program import Finding, Instruction, Program
from wavesim.tuning.crew import Crew, GoneAway, Here, Job, crew
from wavesim.tuning.dependence import Addresses
from wavesim.tuning.ground import Ground
from wavesim.tuning.lists import rules_for
from wavesim.tuning.loop import chosen_loop
from wavesim.tuning.pace import latencies_of, loop_clk
from wavesim.tuning.parameters import Parameters
from wavesim.tuning.parts import strong_waits, unrotated
from wavesim.tuning.proof import Original, failure
from wavesim.tuning.remade import Change, in_step, renamed, staggered, without_barriers
from wavesim.tuning.rotate import cuts
from wavesim.tuning.schedule import each_block
from wavesim.tuning.score import LATENCIES, MIDDLE, Judge, at_latency, cut
from wavesim.tuning.search import BOLD, HOT
from wavesim.tuning.state import Progress, State
from wavesim.tuning.variant import Variant, with_priorities
from wavesim.tuning.words import changed

MINUTES = 2.0
"""How long a search takes where nothing else is said."""

CHANGES = ("waits", "order", "rotation", "priority", "stagger", "barriers", "rename")
"""What may change, in the order in which their shares of the gain are counted."""

PARAMETERS = "parameters"
"""What else may change in a tile program (:mod:`wavesim.tuning.whole`)."""

SEARCH_PASSES = 12
"""Passes of the loop that a candidate is scored by; the best ones are scored again by many more."""

SCORE_PASSES = 40
"""Passes that the best ones, and the kernel as it was, are scored by."""

FEW = 12
"""Lists that every variant is judged by first."""

KEPT = 2
"""The best so many variants of each remade kernel get all of their lists and are annealed; a kernel may be
slow by lists and fast in the end, so that none is given up by them alone."""

LEGS = 4
"""Annealings of a round at least, wherever they run: results must not depend on the number of cores. As many
variants stay to the end, for the one that is best at last may be slow at first."""

TRIES, MOST_TRIES = 200, 3200
"""Candidates of an annealing of the first round, in which every variant has its turn, and at most. Each round
halves the variants and doubles this."""

LONG_ROUNDS = 4
"""Rounds of the longest annealings that there are at least, where many candidates are left: the rest of them
is for more annealings beside each other, so that a cluster has work."""

PRIORITIES = tuple((level, shortest) for level in (1, 3) for shortest in (2, 4, 8))
RESERVED = 3 * len(PRIORITIES)
"""Of a given number of candidates, those with priorities."""

PROVEN_AT_MOST = 8
"""The best so many are tried to be proven, one after the other."""


_KNOWN_CHANGES = f"changes: {', '.join((*CHANGES, PARAMETERS))}"


@dataclass(frozen=True)
class TuneOptions:
    """What a search is asked for: the loop's label, what may change, how long (``None``: no limit of that
    kind), whether a kernel that is wrong is scheduled all the same, and the address of a Dask scheduler whose
    workers search, if any."""

    loop: str | None = None
    changes: frozenset[str] = frozenset(CHANGES)
    minutes: float | None = MINUTES
    candidates: int | None = None
    seed: int = 1
    force: bool = False
    scheduler: str | None = None


@dataclass(frozen=True)
class Share:
    """What a kind of change is worth: clocks per pass that the result takes without it, and loses."""

    change: str
    without_clk: float
    lost_clk: float


@dataclass(frozen=True)
class Tuned:
    """What was found and proven. Clocks are per pass of the loop, at each of ``latencies``.

    Attributes:
        original: the kernel as it was, executed and checked; ``run``: timed.
        before, schedule: the instructions of the loop as it was and as it is, the branch included.
        program: the kernel with the schedule; as it was where nothing better was proven.
        bound_clk: what no schedule of these instructions can be faster than; 0: not known.
        bound: the name of the resource that bounds the loop at the machine's own latency.
        shares: what the result loses without each kind of change.
        dropped: of candidates that were not proven, why.
        how: which operations run a pass ahead.
        unroll: iterations of the source in a pass.
        changes: what is different, in plain words.
        fault: what is wrong with the kernel as it was; only with ``force``.
        stopped: why the search ended before its time, if it did.
        parameters: what was found for the constants of a tile program; the schedule is of the best of them.
        latencies: shares of what global memory costs.
        anew_clk: clocks with the memory predicted anew for the program, where it is predicted. The search
            takes what was predicted for the kernel as it was.
    """

    run: Run
    original: Original
    before: tuple[Instruction, ...]
    schedule: tuple[Instruction, ...]
    program: Program
    label: str
    before_clk: tuple[float, ...]
    after_clk: tuple[float, ...]
    bound_clk: tuple[float, ...]
    bound: str
    shares: tuple[Share, ...]
    tried: int
    dropped: tuple[str, ...]
    how: str
    seed: int
    unroll: int
    changes: tuple[str, ...]
    fault: str = ""
    stopped: str = ""
    parameters: Parameters | None = None
    latencies: tuple[float, ...] = LATENCIES
    anew_clk: float | None = None

    @property
    def better(self) -> bool:
        """Whether the program is another one than it was."""
        return self.program is not self.run.kernel.program

    @property
    def gain(self) -> float:
        """Share of its clocks that the loop loses, at the machine's own latency."""
        return 1.0 - self.after_clk[MIDDLE] / self.before_clk[MIDDLE]


class NotRight(UserError):
    """The kernel to be scheduled is wrong as it is: a bad verdict, not unusable input."""

    exit_code = 1


@dataclass
class _Candidate:
    variant: int
    order: list[int]
    clk: float
    levels: tuple[int, ...] = ()


def tune_kernel(
    path: Path,
    options: RunOptions,
    wanted: TuneOptions,
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
    known: Tuned | None = None,
) -> Tuned:
    """Find a better schedule of a kernel's loop, and prove it.

    Args:
        path: the kernel.
        options: how it is run.
        wanted: what may change and how long it may take.
        progress: called now and then.
        stop: asked between candidates: whether to prove the best so far and end.
        known: the same kernel :func:`as_it_was`, so that it is not executed and checked again.

    Raises:
        NotRight: the kernel is wrong as it is; with its findings.
        UserError: unusable kernel, no such loop, nothing in it may change, or no scheduler answers.
    """
    _refuse_unknown(wanted.changes, path)
    with crew(wanted.scheduler) as helpers:
        return _Tuner(path, options, wanted, progress, stop, helpers, known).result()


def _refuse_unknown(changes: frozenset[str], path: Path) -> None:
    for each in sorted(changes):
        if each not in CHANGES:
            raise UserError(f"no search changes {each!r:.40}", None, _KNOWN_CHANGES)
    if not changes:
        raise UserError(f"{path}: nothing may change", None, _KNOWN_CHANGES)


def as_it_was(path: Path, options: RunOptions, wanted: TuneOptions) -> Tuned:
    """A kernel without any search, as the result of one that found nothing.

    Raises:
        NotRight: the kernel is wrong as it is; with its findings.
        UserError: unusable kernel, or no such loop.
    """
    return _Tuner(path, options, wanted, None, lambda: False, Here()).unchanged()


class _Tuner:
    """One search."""

    def __init__(
        self,
        path: Path,
        options: RunOptions,
        wanted: TuneOptions,
        progress: Progress | None,
        stop: Callable[[], bool],
        helpers: Crew,
        known: Tuned | None = None,
    ) -> None:
        self._begin = time.monotonic()
        options = replace(options, rounds=1)  # a loop's order is sought, not how workgroups follow each other
        self._path, self._options = path, options
        self._wanted, self._progress, self._crew = wanted, progress, helpers
        self._asked_to_stop, self._gone = stop, ""
        self._stage = "execute"
        self._run = known.run if known is not None else run_kernel(path, options, need_launch=True)
        trace = self._run.timeline.trace  # with the latencies that were predicted
        self._original = known.original if known is not None else self._checked(path, options)
        loop = chosen_loop(trace, wanted.loop, SourceSpan(str(path)))
        addresses = Addresses.of(self._original.execution, loop)
        self._base = Variant.of("as it is", trace, loop, addresses)
        if len(loop.operations) < 2:
            raise UserError(f"{path}: nothing may change in the loop at {loop.label}")
        bounds = self._run.analysis.bounds
        timed = self._run.analysis.loop
        self._latencies = latencies_of(self._run)
        self._bound, self._bounds_clk = "", dict.fromkeys(self._latencies, 0.0)
        same = timed is not None and timed.head in loop.own
        self._unroll = timed.unroll if timed is not None and same else 1
        if bounds is not None and same:
            self._bound = bounds.binding
            self._bounds_clk = {
                share: self._unroll * max(at_latency(bounds, share).values()) for share in self._latencies
            }
        self._variants, self._parents = [self._base], [0]
        self._grounds: dict[int, Ground] = {}
        self._judges: dict[tuple[int, float, int], Judge] = {}
        self._tried = 0
        self._before = self._ground(0).judge.clk(self._base.own)
        self._best = self._before
        self._how = "as it is"
        self._searching = time.monotonic()

    def _checked(self, path: Path, options: RunOptions) -> Original:
        run = self._run
        shorter = shorter_kernel(path, options, run.kernel)
        check = check_kernel(run.kernel, run.machine, shorter=lambda: shorter)
        bad = [each for each in check.findings if each.is_bad]
        if bad and not self._wanted.force:
            more = f"lists all {len(bad)}" if len(bad) > 1 else "says more"
            raise NotRight(
                f"this kernel is wrong as it is: {_said(bad[0])}",
                bad[0].spans[0] if bad[0].spans else SourceSpan(str(path)),
                f"wavesim check {path} {more}; --force schedules it all the same",
            )
        execution = emulate(run.kernel.program, run.kernel.launch, run.machine, observe_lds=True)
        return Original(run.kernel, run.machine, execution, check, shorter)

    # -- scores

    @property
    def _bound_clk(self) -> float:
        return self._bounds_clk[1.0]

    @property
    def _parameters(self) -> TimingParameters:
        return self._run.machine.parameters

    def _ground(self, variant: int) -> Ground:
        """What searches the orders of a variant."""
        if variant not in self._grounds:
            chosen = self._variants[variant]
            self._grounds[variant] = Ground(
                chosen.scheduler,
                chosen.entries,
                cut(chosen.trace, chosen.loop, SEARCH_PASSES),
                self._parameters,
                self._bound_clk,
            )
        return self._grounds[variant]

    def _judge(self, variant: int, share: float, passes: int) -> Judge:
        if (share, passes) == (1.0, SEARCH_PASSES):
            return self._ground(variant).judge
        key = variant, share, passes
        if key not in self._judges:
            chosen = self._variants[variant]
            trace = cut(chosen.trace, chosen.loop, passes)
            self._judges[key] = chosen.judge(trace, self._parameters, share)
        return self._judges[key]

    def _clk(self, candidate: _Candidate, share: float, passes: int) -> float:
        chosen = self._variants[candidate.variant]
        pieces = with_priorities(
            chosen.scheduler.schedule(candidate.order), chosen.relaxer.code, candidate.levels
        )
        return max(self._judge(candidate.variant, share, passes).clk(pieces), self._bounds_clk[share])

    def _at_latencies(self, candidate: _Candidate) -> tuple[float, ...]:
        return tuple(self._clk(candidate, share, SCORE_PASSES) for share in self._latencies)

    # -- the search

    def _may(self, change: str) -> bool:
        return change in self._wanted.changes

    def _over(self) -> bool:
        wanted = self._wanted
        enough = wanted.candidates is not None and self._tried >= wanted.candidates - RESERVED
        return enough or self._late()

    def _stop(self) -> bool:
        return bool(self._gone) or self._asked_to_stop()

    def _searched_s(self) -> float:
        return time.monotonic() - self._searching

    def _left_s(self) -> float | None:
        return None if self._wanted.minutes is None else 60 * self._wanted.minutes - self._searched_s()

    def _late(self) -> bool:
        left_s = self._left_s()
        return self._stop() or (left_s is not None and left_s < 0)

    def _scored(self, method: str, jobs: Sequence[tuple[Any, ...]]) -> list[_Candidate]:
        """What jobs find, each a variant and the arguments of a method of its :class:`Ground`; nothing of
        those that were given up."""
        asked = [Job(self._ground(variant), method, tuple(arguments)) for variant, *arguments in jobs]
        try:
            results = self._crew.results(asked, self._late, self._left_s())
        except GoneAway as gone:
            self._gone = str(gone)
            return []
        found = []
        for (variant, *_), result in zip(jobs, results, strict=True):
            orders, tried = result or ([], 0)
            self._tried += tried
            found += [_Candidate(variant, order, clk) for clk, order in orders]
        return found

    def _tell(self) -> None:
        if self._progress is not None:
            seconds = time.monotonic() - self._begin
            state = State(
                self._stage,
                self._before,
                self._best,
                self._bound_clk,
                self._bound,
                self._tried,
                seconds,
                self._how,
            )
            self._progress(state)

    def _note(self, candidates: Sequence[_Candidate]) -> None:
        for each in candidates:
            if each.clk < self._best:
                self._best = each.clk
                self._how = self._variants[each.variant].name
        self._tell()

    def _part(self, of: int) -> int:
        """The ``of``-th part of a given number of candidates."""
        return (self._wanted.candidates or sys.maxsize) // of

    def _as_it_is(self) -> list[_Candidate]:
        """The kernel as it is, and orders that lists make of it: an eighth of a given number of candidates,
        or half where it is the only variant."""
        found = self._scored("own", [(0,)])
        if self._may("order"):
            only = self._wanted.changes.isdisjoint(("rotation", "barriers", "stagger", "rename"))
            lists = min(self._part(2 if only else 8), len(list(rules_for(self._base.entries))))
            edges = [lists * leg // LEGS for leg in range(LEGS + 1)]
            found += self._scored("lists", [(0, *part) for part in pairwise(edges)])
        self._note(found)
        return found

    def _listed(self, found: list[_Candidate]) -> list[_Candidate]:
        """With what ``found`` of the kernel as it is: every other variant's own order; a few lists of each,
        and all of the best ones'. Of a given number of candidates each of the three has a quarter at most."""
        variants = list(range(1, len(self._variants)))
        found += self._scored("own", [(each,) for each in variants])
        self._note(found)
        if not self._may("order"):
            return found
        begun = 0
        for most in (FEW, sys.maxsize):
            lists = min(most, self._part(4) // max(1, len(variants)))
            found += self._scored("lists", [(each, begun, begun + lists) for each in variants])
            self._note(found)
            if self._ground(0).at_bound(self._best):
                break
            variants, begun = self._kept(found), lists
        return [each for each in found if each.variant in (0, *variants)]

    def _kept(self, found: Sequence[_Candidate]) -> list[int]:
        """The best variants of each remade kernel, and of all, the fastest first, without the first."""
        kept: dict[tuple[str, ...], list[int]] = {}
        ranked = [each.variant for each in _best_of_each(_ranked(found))]
        for each in ranked:
            several = kept.setdefault(self._variants[each].remade_as, [])
            several += [each] * (len(several) < KEPT)
        best = {*ranked[:LEGS], *(each for several in kept.values() for each in several)}
        return [each for each in ranked if each in best and each]

    def _search(self) -> list[_Candidate]:
        """The best candidates, the fastest first; those of the kernel as it is among them."""
        self._stage = "lists"
        self._tell()
        found = self._as_it_is()
        if not self._ground(0).at_bound(self._best):
            self._vary()
            found = self._listed(found)
            if self._may("order"):
                self._anneal(found)
        return _ranked(found)

    def _room(self) -> bool:
        """Whether another variant would have its turn: of a given number of candidates a quarter is for the
        variants as they are, and half of a given time for making them."""
        enough = self._wanted.minutes is not None and self._wanted.minutes * 60 / 2 < self._searched_s()
        return not (enough or self._stop()) and len(self._variants) < self._part(4)

    def _vary(self) -> None:
        """The kernel remade, as far as that is proven, and with operations a pass ahead."""
        plain, mixed = [0, *self._remade()], self._shifted()
        if not self._may("rotation") or any(wave.spins for wave in self._base.trace.waves):
            return
        for parent in dict.fromkeys((0, plain[-1], *mixed)):
            base = self._variants[parent]
            for chosen in cuts(base.loop, base.relaxer.code, base.relaxer.effects, base.scheduler.order):
                if self._room():
                    self._add(base.ahead(chosen), parent)

    def _add(self, variant: Variant, parent: int) -> int:
        self._variants.append(variant)
        self._parents.append(parent)
        self._tell()
        return len(self._variants) - 1

    def _remade(self) -> list[int]:
        """Variants with barriers taken out, values renamed and waves staggered, the last one with all that is
        proven but the stagger; none of a kernel that is wrong as it is."""
        if self._original.rules_broken:
            return []
        found: list[int] = []
        for kind, changes in (
            ("stagger", self._staggers),
            ("barriers", self._barriers),
            ("rename", self._renames),
        ):
            parent = found[-1] if found and kind != "barriers" else 0
            todo = list(changes(self._variants[parent])) if self._may(kind) else []
            while todo and self._room():
                made = self._proven(self._variants[parent], todo.pop(0))
                if made is None:
                    continue
                found.append(self._add(made, parent))
                parent = found[-1]
                todo = list(changes(made)) if kind == "barriers" else []
        return found

    def _proven(self, base: Variant, change: Change) -> Variant | None:
        """The kernel remade; ``None`` where an execution of the shorter one shows that it computes something
        else, or has a race. A schedule of it is proven in full at the end, like every other."""
        kernel, machine, shorter = self._original.kernel, self._original.machine, self._original.shorter
        small = kernel if shorter is None else shorter.kernel
        program = small.program
        try:
            for each in (*base.made, change):
                program = each.applied(program)
            execution = emulate(program, small.launch, machine, observe_lds=True)
            findings, _ = check_execution(execution)
            if not execution.complete or any(each.is_bad for each in findings):
                return None

            def execute(program: Program) -> Execution:
                if shorter is None:
                    return execution
                return emulate(program, kernel.launch, machine, observe_lds=True)

            return base.remade(change, execute)
        except UserError:
            return None

    def _staggers(self, base: Variant) -> Iterator[Change]:
        waves = 1 + max(wave.wave for wave in base.trace.waves)
        relaxer = base.relaxer
        yield from in_step(base.loop, base.trace)
        yield from staggered(base.loop, relaxer.code, relaxer.effects, relaxer.flow, waves)

    def _barriers(self, base: Variant) -> Iterator[Change]:
        return without_barriers(base.loop, base.relaxer.code)

    def _shifted(self) -> list[int]:
        """Variants whose accesses to a part of the LDS come later, each of one part: of the kernel as it is,
        or of one whose waves run in step."""
        parent = next((n for n, each in enumerate(self._variants) if each.in_step), 0)
        base = self._variants[parent]
        if self._original.rules_broken or not self._may("barriers"):
            return []
        made = (self._proven(base, change) for change in base.shifts() if self._room())
        return [self._add(each, parent) for each in made if each is not None]

    def _renames(self, base: Variant) -> Iterator[Change]:
        relaxer = base.relaxer
        return renamed(base.trace.program, base.loop, relaxer.effects, relaxer.flow, self._original.machine)

    def _anneal(self, found: list[_Candidate]) -> None:
        self._stage = "annealing"
        self._tell()
        pool, tries, rounds = len({each.variant for each in found}), TRIES, 0
        while not self._over():
            best = _best_of_each(_ranked(found))[:pool]
            if self._ground(0).at_bound(best[0].clk):
                return
            legs, given = max(LEGS, pool), self._wanted.candidates
            if given is None:
                each = [tries] * max(legs, self._crew.width)
            else:
                each = tries_of_legs(given - self._tried - RESERVED, legs, tries)
            jobs = []
            for leg, most in enumerate(each):
                start, heat = best[leg % len(best)], BOLD if leg >= len(best) else HOT
                seed = hash((self._wanted.seed, rounds, leg)) & 0xFFFFFFFF
                jobs.append((start.variant, (start.clk, start.order), seed, most, heat))
            found += self._scored("leg", jobs)
            rounds, pool, tries = rounds + 1, max(LEGS, pool // 2), min(2 * tries, MOST_TRIES)
            self._note(found)

    def _prioritised(self, found: list[_Candidate]) -> list[_Candidate]:
        own = any(self._base.relaxer.code[n].kind is Kind.SETPRIO for n in self._base.loop.operations)
        if not self._may("priority") or own:
            return found
        self._stage = "priorities"
        more = []
        for each in found[:3]:
            for levels in PRIORITIES:
                if self._stop() or self._tried == self._wanted.candidates:
                    break
                tried = replace(each, levels=levels)
                tried.clk = self._clk(tried, 1.0, SEARCH_PASSES)
                self._tried += 1
                more.append(tried)
        self._tell()
        return _ranked([*found, *more])

    # -- the end

    def result(self) -> Tuned:
        """Search, and prove the best."""
        found = self._prioritised(self._search())
        self._stage = "proof"
        self._tell()
        timed = [(self._at_latencies(each), each) for each in _distinct(found)[:PROVEN_AT_MOST]]
        before = self._before_clk()
        dropped = []
        for after, candidate in sorted(timed, key=lambda each: sum(each[0])):
            if sum(after) >= sum(before):
                break
            variant = self._variants[candidate.variant]
            recipe = variant.recipe(candidate.order, candidate.levels)
            why = failure(self._original, variant, candidate.order, recipe)
            if why:
                dropped.append(why)
                continue
            program = recipe.applied(self._original.kernel.program)
            return replace(
                self._nothing_better(before, dropped),
                schedule=tuple(each for _, each in recipe.pieces),
                program=program,
                anew_clk=self._predicted_anew(program, variant.loop.label),
                after_clk=after,
                shares=self._shares(candidate),
                how=variant.name,
                changes=changed(
                    self._base.own.pieces, recipe.pieces, self._base.relaxer.code, variant.origin
                ),
            )
        return self._nothing_better(before, dropped)

    def _predicted_anew(self, program: Program, label: str) -> float | None:
        if self._run.memory is None:
            return None
        prepared = replace(self._original.kernel, program=program), self._original.machine
        run = run_kernel(self._path, replace(self._options, numbers=False), prepared=prepared)
        heads = [each.head for each in run.analysis.loops]
        head = program.labels.get(label)
        return loop_clk(run, heads.index(head))[MIDDLE] * self._unroll if head in heads else None

    def unchanged(self) -> Tuned:
        """The kernel as it was."""
        return self._nothing_better(self._before_clk(), ())

    def _before_clk(self) -> tuple[float, ...]:
        return tuple(
            max(self._judge(0, share, SCORE_PASSES).clk(self._base.own), self._bounds_clk[share])
            for share in self._latencies
        )

    def _nothing_better(self, before: tuple[float, ...], dropped: Sequence[str]) -> Tuned:
        faults = [each for each in self._original.check.findings if each.is_bad]
        return Tuned(
            run=self._run,
            original=self._original,
            before=tuple(each for _, each in self._base.own.pieces),
            schedule=tuple(each for _, each in self._base.own.pieces),
            program=self._original.kernel.program,
            label=self._base.loop.label,
            before_clk=before,
            after_clk=before,
            bound_clk=tuple(self._bounds_clk.values()),
            bound=self._bound,
            shares=(),
            tried=self._tried,
            dropped=tuple(dropped),
            how=self._base.name,
            seed=self._wanted.seed,
            unroll=self._unroll,
            changes=(),
            fault=_said(faults[0]) if faults else "",
            latencies=self._latencies,
            stopped=self._gone or ("it was asked to" if self._stop() else ""),
        )

    def _shares(self, best: _Candidate) -> tuple[Share, ...]:
        """What the best loses if one kind of change is taken out of it and the others stay."""
        variant = self._variants[best.variant]
        others = {
            "order": replace(best, order=variant.as_it_is),
            "priority": replace(best, levels=()),
        }
        if best.variant:
            parent = self._parents[best.variant]
            before = unrotated(self._variants[parent], variant, best.order)
            kind = "rotation" if variant.turned is not None else variant.made[-1].kind
            others[kind] = replace(best, variant=parent, order=before)
        clk = self._clk(best, 1.0, SCORE_PASSES)
        without = {name: self._clk(each, 1.0, SCORE_PASSES) for name, each in others.items() if each != best}
        weak = variant.scheduler.schedule(best.order)
        strong = each_block(weak, lambda pieces: strong_waits(pieces, self._base.own.pieces))
        if strong != weak:
            judged = self._judge(best.variant, 1.0, SCORE_PASSES)
            put = with_priorities(strong, variant.relaxer.code, best.levels)
            without["waits"] = max(judged.clk(put), self._bound_clk)
        return tuple(Share(name, without[name], without[name] - clk) for name in CHANGES if name in without)


def tries_of_legs(left: int, legs: int, tries: int) -> list[int]:
    """Of each annealing of a round how many candidates it has.

    Args:
        left: candidates of the whole search.
        legs: annealings at least, if there are enough candidates for them.
        tries: candidates of one at most.
    """
    if tries == MOST_TRIES:
        legs = max(legs, left // (LONG_ROUNDS * tries))
    legs = max(1, min(legs, left // (2 * tries)))
    return [min(tries, (left + leg) // legs) for leg in range(legs)]


def _said(finding: Finding) -> str:
    return f"{finding.rule}: {finding.message}"


def _ranked(found: Sequence[_Candidate]) -> list[_Candidate]:
    return sorted(found, key=lambda each: (each.clk, each.variant, each.levels, each.order))


def _distinct(found: Sequence[_Candidate]) -> list[_Candidate]:
    seen: set[tuple[object, ...]] = set()
    result = []
    for each in found:
        key = each.variant, tuple(each.order), each.levels
        if key not in seen:
            seen.add(key)
            result.append(each)
    return result


def _best_of_each(ranked: Sequence[_Candidate]) -> list[_Candidate]:
    """The best candidate of each variant, the fastest first."""
    best: dict[int, _Candidate] = {}
    for each in ranked:
        best.setdefault(each.variant, each)
    return list(best.values())
