"""Executes a program only as far as its Trace needs: addresses, branches, lanes, and no numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from wavesim.emulate.blocks import BlockMap
from wavesim.emulate.memory import Withheld
from wavesim.emulate.polls import find_polls
from wavesim.emulate.run import Execution, emulate
from wavesim.emulate.semantics.memory.addresses import has_scratch_buffer
from wavesim.emulate.slice import NotSliced, slice_program
from wavesim.front.launch.model import Launch, Position
from wavesim.isa.machine import Machine
from wavesim.program import Program
from wavesim.trace.decode import code_entries
from wavesim.trace.trace import Trace

ABOUT_CONTENTS = frozenset({"global-uninitialised"})
"""Rules of an execution that look at what memory holds."""


def emulate_addresses(
    program: Program,
    launch: Launch,
    machine: Machine,
    *,
    progress: Callable[[int], None] | None = None,
    clock_values: Mapping[int, Sequence[int]] | None = None,
    observe_lds: bool = False,
) -> Execution:
    """As :func:`~wavesim.emulate.run.emulate`, for the Trace alone: the same streams, addresses and branches,
    but no numbers in matrices and registers, no values in observed accesses, and no findings about contents
    of memory (``ABOUT_CONTENTS``).

    The result's ``sliced`` says what was left out, or why the program was executed in full.

    Raises:
        UserError, UnknownInstruction, LimitExceeded: as the full execution.
    """
    blocks = BlockMap(program, code_entries(program))
    return _execution(program, launch, machine, blocks, frozenset(), progress, clock_values, observe_lds)


def address_traces(
    program: Program, launch: Launch, machine: Machine, workgroups: Iterable[Position]
) -> Iterator[Trace]:
    """The Trace of each of ``workgroups``, executed alone and for its addresses only.

    Args:
        program: the kernel.
        launch: its launch; which workgroups it names does not matter.
        machine: gives LDS lane phases.
        workgroups: positions (x, y, z) in the launch's grid.
    """
    blocks = BlockMap(program, code_entries(program))
    wanted: frozenset[int] = frozenset()
    for position in workgroups:
        alone = replace(launch, workgroups=(position,))
        execution = _execution(program, alone, machine, blocks, wanted, None, None, False)
        yield execution.trace


def _execution(
    program: Program,
    launch: Launch,
    machine: Machine,
    blocks: BlockMap,
    wanted: frozenset[int],
    progress: Callable[[int], None] | None,
    clock_values: Mapping[int, Sequence[int]] | None,
    observe_lds: bool,
) -> Execution:
    watched = observe_lds or bool(find_polls(program, blocks))
    private = has_scratch_buffer(program)
    while True:
        found = slice_program(program, blocks, wanted=wanted, atomics=watched, private_buffers=private)
        sliced = None if isinstance(found, NotSliced) else found
        try:
            execution = emulate(
                program,
                launch,
                machine,
                progress=progress,
                clock_values=clock_values,
                observe_lds=observe_lds,
                blocks=blocks,
                sliced=sliced,
            )
        except Withheld as met:
            wanted |= met.stores
            continue
        return execution if sliced is not None else replace(execution, sliced=found)
