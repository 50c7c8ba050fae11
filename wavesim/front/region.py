"""A piece of a kernel between two labels as a kernel of its own, for code whose launch is not known."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from wavesim.errors import SourceSpan, UserError
from wavesim.front.launch.model import Launch, LoadedKernel
from wavesim.front.lds_use import uses_lds
from wavesim.front.loops import HOTTEST, branch_target, code_loops, hottest, shown_address
from wavesim.isa.kinds import LANES
from wavesim.isa.unknown import marked
from wavesim.program import Immediate, Instruction, KernelMetadata, Program, Symbol

REPEAT = "s_cbranch_repeat"
"""The branch back that is put behind a straight piece; no instruction of any architecture."""
START, END, PAST = "region_start", "region_end", "region_left_out"
MOST_WAVES = 16
DEFAULT_TRIPS, DEFAULT_WAVES = 32, 8
WHOLE = ":"
"""The region from a kernel's start to its end: all of a kernel whose launch is not known."""


@dataclass(frozen=True, slots=True)
class RegionOptions:
    """``LABEL1:LABEL2`` (up to, not including, the second), trips of its loops, waves of the workgroup (None:
    as many as the kernel was compiled for, else :data:`DEFAULT_WAVES`, if they fit)."""

    text: str
    trips: int = DEFAULT_TRIPS
    waves: int | None = None


@dataclass(frozen=True, slots=True)
class Region:
    """Where a piece was cut from: instruction indices [``first``, ``stop``) of the kernel; ``before`` is
    the code before it, as a program of its own (None at the kernel's start)."""

    first: int
    stop: int
    before: Program | None = None


def find_region(program: Program, text: str) -> Region:
    """The instructions that ``LABEL1:LABEL2`` names; an empty side is the kernel's start or end, a number
    a line of the file, 0x.. an address. ``hottest`` alone is the loop to look at first.

    Raises:
        UserError: no such label, or nothing between them; no loop.
    """
    span = SourceSpan(program.file) if program.file else None
    if text == HOTTEST:
        loop = hottest(code_loops(program))
        if loop is None:
            raise UserError(
                f"kernel {program.name} has no loop", span, "--region LABEL1:LABEL2 takes any code"
            )
        return Region(loop.first, loop.stop)
    first_name, colon, stop_name = text.partition(":")
    if not colon:
        hint = f"from the first label up to the second, or {HOTTEST}; wavesim loops names them"
        raise UserError(f"{text!r} is not LABEL1:LABEL2", span, hint)
    first = _place(program, first_name.strip(), 0)
    stop = _place(program, stop_name.strip(), len(program))
    if stop <= first:
        raise UserError(f"nothing stands between {first_name!r} and {stop_name!r}", span)
    return Region(first, stop)


def _place(program: Program, name: str, default: int) -> int:
    if not name:
        return default
    place = program.labels.get(name)
    if place is not None:
        return place
    if name == program.name:
        return 0
    if re.fullmatch(r"0x[0-9a-f]{1,16}", name):
        address = int(name, 16)
        found = next((each for each in range(len(program)) if shown_address(program, each) == address), None)
        if found is not None:
            return found
    if name.isdigit():
        for index, instruction in enumerate(program.instructions):
            if instruction.span is not None and instruction.span.line >= int(name):
                return index
        return len(program)
    labels = sorted(program.labels, key=lambda label: program.labels[label])
    shown = ", ".join(labels[:20]) + (" ..." if len(labels) > 20 else "")
    raise UserError(
        f"label {name!r} is not in kernel {program.name}",
        SourceSpan(program.file) if program.file else None,
        f"labels: {shown or 'none'}; a line number or an address (0x..) does too",
    )


def unknown_at_start() -> Iterator[tuple[str, int]]:
    """Registers and memories whose content is not known where a kernel begins, without its launch: all but
    EXEC and the work-item numbers in v0."""
    yield from (("s", index) for index in range(128))
    yield from (("v", index) for index in range(1, 256))
    yield from (("a", index) for index in range(256))
    yield from ((name, 0) for name in ("vcc", "scc", "m0"))
    yield from (("memory", cell) for cell in range(3))


def cut_region(kernel: LoadedKernel, options: RegionOptions, waves: int) -> tuple[LoadedKernel, Region]:
    """The piece as a kernel: the same instructions at the same addresses, then s_endpgm. Branches out of it
    end it; a piece without a branch back gets one (:data:`REPEAT`), so that it can be repeated.

    Raises:
        UserError: no such labels, or a number of waves that no workgroup has.
    """
    program = kernel.program
    if not 0 < waves <= MOST_WAVES:
        raise UserError(f"--waves {waves}: a workgroup has 1 to {MOST_WAVES} waves")
    if options.trips < 1:
        raise UserError(f"--trips {options.trips}: at least 1")
    found = find_region(program, options.text)
    size = LANES * waves
    whole = options.text == WHOLE
    before = None
    if found.first:
        before = _piece(program, 0, found.first, size, repeat=False, stop_only=found.stop)
    region = replace(found, before=before)
    piece = _piece(program, found.first, found.stop, size, repeat=options.trips > 1 and not whole)
    name = program.name if whole else f"{program.name}[{options.text}]"
    launch = Launch((), size, machine_overrides=kernel.launch.machine_overrides)
    shown = kernel.name if whole else f"{kernel.name}[{options.text}]"
    return replace(kernel, name=shown, program=replace(piece, name=name), launch=launch), region


def _piece(
    program: Program, first: int, stop: int, workgroup_size: int, *, repeat: bool, stop_only: int = 0
) -> Program:
    """Instructions [``first``, ``stop``) and an s_endpgm, to which all branches out of them go.

    With ``stop_only``, for the code before a region: branches past the region go to another s_endpgm, so
    that the execution shows whether a wave reaches the region.
    """
    labels = {name: place - first for name, place in program.labels.items() if first <= place < stop}
    instructions = list(program.instructions[first:stop])
    index_of = {address: index for index, address in enumerate(program.addresses)}
    looped = False
    for place, instruction in enumerate(instructions):
        target = branch_target(program, first + place, index_of)
        if target is None:
            continue
        if first <= target < stop:
            looped = looped or target <= first + place
            operand = instruction.operands[-1]
            if isinstance(operand, Immediate):
                name = program.label_at(target) or f"at_{target - first}"
                labels[name] = target - first
                instructions[place] = replace(
                    instruction, operands=(*instruction.operands[:-1], Symbol(name))
                )
        else:
            past = stop_only and not stop <= target < stop_only
            where = Symbol(PAST if past else END)
            instructions[place] = replace(instruction, operands=(*instruction.operands[:-1], where))
    last = instructions[-1].span
    addresses, sizes = list(program.addresses[first:stop]), list(program.sizes[first:stop])
    if repeat and not looped:
        labels[START] = 0
        instructions.append(Instruction(marked(REPEAT), (Symbol(START),), span=last, comment="added"))
        addresses.append(addresses[-1] + sizes[-1])
        sizes.append(4)
    labels[END] = len(instructions)
    endings = [Instruction("s_endpgm", span=last)]
    if stop_only:
        endings = [Instruction("s_branch", (Symbol(END),), span=last), endings[0], endings[0]]
        labels[PAST], labels[END] = len(instructions) + 1, len(instructions) + 2
    for ending in endings:
        instructions.append(ending)
        addresses.append(addresses[-1] + sizes[-1])
        sizes.append(4)
    old = program.metadata
    return replace(
        program,
        instructions=tuple(instructions),
        labels=MappingProxyType(labels),
        addresses=tuple(addresses),
        sizes=tuple(sizes),
        metadata=replace(
            KernelMetadata(),
            lds_bytes=old.lds_bytes or (1 << 16 if uses_lds(program) else 0),
            vgprs=old.vgprs,
            accum_offset=old.accum_offset,
            sgprs=old.sgprs,
            workgroup_size=workgroup_size,
            scratch_bytes=old.scratch_bytes,
        ),
    )


def with_front(program: Program, front: Sequence[Instruction]) -> Program:
    """``program`` with instructions of four bytes before its first."""
    count = len(front)
    start = program.addresses[0] - 4 * count
    return replace(
        program,
        instructions=(*front, *program.instructions),
        labels=MappingProxyType({name: place + count for name, place in program.labels.items()}),
        addresses=(*(start + 4 * place for place in range(count)), *program.addresses),
        sizes=(*[4] * count, *program.sizes),
    )
