"""Edits of a HIP source that may make its loop faster: builtins put in, barriers moved.

``__builtin_amdgcn_s_setprio(n)`` is s_setprio, ``__builtin_amdgcn_s_barrier()`` is s_barrier, and
``__builtin_amdgcn_sched_group_barrier(mask, size, id)`` asks clang's scheduler for an order (LLVM's user
guide for AMDGPU). The compiler's line table says which statements of the main loop became MFMAs, accesses
and barriers, at each depth of inlined functions. What comes of an edit shows only when clang has compiled
it, so each is tried so (:func:`wavesim.explanation.executed.try_text`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from wavesim.asm.compile import compile_hip
from wavesim.errors import SourceSpan
from wavesim.explanation.text_candidate import TextCandidate
from wavesim.front.hip_groups import Groups, arrangements, shaped, statements
from wavesim.front.hip_lines import Chain, chains_of
from wavesim.front.hip_loops import (
    NoPlace,
    SourceLoop,
    line_of,
    loops_of,
    offset_of,
    source_loop,
    with_at_end,
)
from wavesim.front.hip_statements import Statement, around, neighbours, runs_of, statement_at, swapped
from wavesim.isa.kinds import LDS_KINDS, MEMORY_KINDS, Kind
from wavesim.pipeline.run import Run, RunOptions
from wavesim.source_text import read_text

MOST_PLACES = 4
"""Statements that one edit puts builtins around; more are no advice that anybody follows."""

MOST_DEPTHS = 3
"""Functions inlined into one another that are looked into."""

MOST_SHAPES = 4
"""Sequences of groups that are tried; ``wavesim tune`` searches them."""

MOST_BARRIERS = 3

_SETPRIO = re.compile(r"[ \t]*__builtin_amdgcn_s_setprio\(\s*\d+\s*\);(?:[ \t]*\n)?")
_WORK = MEMORY_KINDS | {Kind.MFMA}
_RAISED = (
    (frozenset({Kind.MFMA}), "MFMAs"),
    (LDS_KINDS, "LDS accesses"),
    (frozenset({Kind.VMEM_LOAD}), "loads"),
)


def source_edits(run: Run, path: Path, options: RunOptions) -> Iterator[TextCandidate]:
    """The edits of a HIP kernel that are worth a compilation.

    Args:
        run: of the kernel.
        path: its file.
        options: with which it was run.
    """
    source = _Source.of(run, path, options)
    if source is not None:
        yield from source.groups()
        yield from source.priorities()
        yield from source.barriers()


@dataclass(frozen=True)
class _Source:
    """The text, its main loop, and for each instruction of the loop its kind and the places that it is of."""

    text: str
    loop: SourceLoop
    kinds: Sequence[Kind]
    chains: Sequence[Chain]

    @classmethod
    def of(cls, run: Run, path: Path, options: RunOptions) -> _Source | None:
        """What a run shows of its source; ``None`` where the loop is not in it."""
        loop, program = run.analysis.loop, run.kernel.program
        if loop is None:
            return None
        text = options.source or read_text(path, lenient=True)
        try:
            place = source_loop(text, path, program, loop.head, loop.tail)
        except NoPlace:
            return None
        compiled = compile_hip(path, program.arch, options.launch.compile_flags, options.source)
        chains = chains_of(compiled.text)
        inside = program.instructions[loop.head : loop.tail + 1]
        places = []
        for each in inside:
            line = each.span.line if each.span is not None else 0
            chain = chains[line - 1] if 0 < line <= len(chains) else ()
            places.append(tuple(span for span in chain if Path(span.file) == path))
        kinds = [entry.kind for entry in run.timeline.trace.code[loop.head : loop.tail + 1]]
        return cls(text, place, kinds, places)

    def _candidate(self, kind: str, advice: str, text: str, *places: int) -> TextCandidate:
        return TextCandidate(kind, advice, tuple(map(self._line, places)), text, builtins=True)

    def _places(self, kinds: frozenset[Kind]) -> set[SourceSpan]:
        """The places that instructions of some kinds are of."""
        pairs = zip(self.kinds, self.chains, strict=True)
        return {place for kind, chain in pairs if kind in kinds for place in chain}

    def _line(self, place: int) -> int:
        return line_of(self.text, place)

    def _statement(self, span: SourceSpan) -> Statement | None:
        """The statement of a place, with the loops around it that are not the main loop's own."""
        place = offset_of(self.text, span.line, span.column)
        if place is None:
            return None
        main = self.loop
        around_it = [
            each.begin
            for each in loops_of(self.text)
            if each.begin <= place < each.end and not (each.begin <= main.begin and main.end <= each.end)
        ]
        return statement_at(self.text, min(around_it, default=place))

    def groups(self) -> Iterator[TextCandidate]:
        """Sequences of groups at the end of the loop."""
        seen: set[Groups] = set()
        shapes = (each for each in arrangements(self.kinds) if not each.lead)
        for shape in sorted(shapes, key=lambda each: -each.reads):
            groups = shaped(self.kinds, shape)
            if not groups or groups in seen or len(seen) == MOST_SHAPES:
                continue
            seen.add(groups)
            text = with_at_end(self.text, self.loop, statements(groups))
            first = ", ".join(str(each) for each in islice(groups, 3))
            more = " and so on" if len(groups) > 3 else ""
            advice = f"ask clang at the end of this loop for {first}{more} (sched_group_barrier)"
            yield self._candidate("sched-group-barrier", advice, text, self.loop.begin)

    def priorities(self) -> Iterator[TextCandidate]:
        """s_setprio 1 around what became MFMAs, LDS accesses or loads; or none where there are some."""
        if _SETPRIO.search(self.text):
            places = [found.start() for found in _SETPRIO.finditer(self.text)]
            advice = f"leave every __builtin_amdgcn_s_setprio out ({len(places)} in the file)"
            yield self._candidate("setprio", advice, _SETPRIO.sub("", self.text), *places)
            return
        seen: set[tuple[Statement, ...]] = set()
        for kinds, what in _RAISED:
            chains = [chain for kind, chain in zip(self.kinds, self.chains, strict=True) if kind in kinds]
            others = self._places(_WORK - kinds)
            for depth in range(min(MOST_DEPTHS, max(map(len, chains), default=0))):
                spans = {chain[depth] for chain in chains if depth < len(chain)}
                if spans & others:  # a call that does all the work
                    continue
                found = [self._statement(span) for span in sorted(spans, key=str)]
                runs = tuple(runs_of(self.text, [each for each in found if each is not None]))
                jumps = any(self.text[each.begin :].startswith("return") for each in runs)
                if not 0 < len(runs) <= MOST_PLACES or None in found or jumps or runs in seen:
                    continue
                seen.add(runs)
                text = around(
                    self.text, runs, "__builtin_amdgcn_s_setprio(1);", "__builtin_amdgcn_s_setprio(0);"
                )
                more = "".join(f", {self._line(each.begin)}" for each in runs[1:])
                advice = f"raise the {what} here{f' and in line {more[2:]}' if more else ''}: "
                advice += "__builtin_amdgcn_s_setprio(1) before, (0) behind"
                yield self._candidate("setprio", advice, text, *(each.begin for each in runs))

    def barriers(self) -> Iterator[TextCandidate]:
        """A barrier of the loop one statement earlier or later."""
        others = self._places(_WORK)
        seen: list[Statement] = []
        for kind, chain in zip(self.kinds, self.chains, strict=True):
            own = next((place for place in chain if place not in others), None)
            each = self._statement(own) if kind is Kind.BARRIER and own is not None else None
            if each is None or each in seen or len(seen) == MOST_BARRIERS:
                continue
            seen.append(each)
            for earlier, other in zip((True, False), neighbours(self.text, each), strict=True):
                if other is None:
                    continue
                pair = (other, each) if earlier else (each, other)
                line = self._line(other.begin)
                advice = f"move this barrier {'before' if earlier else 'behind'} line {line}"
                text = swapped(self.text, *pair)
                yield self._candidate("source-barrier", advice, text, each.begin, other.begin)
