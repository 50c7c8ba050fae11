"""Runs a few lines of assembly on chosen registers and gives the registers back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from wavesim.asm.text.parse import parse_program
from wavesim.emulate.blocks import BlockMap
from wavesim.emulate.context import Context
from wavesim.emulate.launch_state import make_context, placements
from wavesim.emulate.polls import find_polls
from wavesim.emulate.run import Execution, emulate
from wavesim.emulate.scheduler import Scheduler
from wavesim.emulate.state import State
from wavesim.front.launch.model import Launch, MatrixArgument, ScalarArgument
from wavesim.isa.load import load_machine
from wavesim.program import Finding, KernelArgument, KernelMetadata, Program
from wavesim.trace.decode import code_entries

Argument = MatrixArgument | ScalarArgument


@dataclass
class Outcome:
    state: State
    context: Context
    complete: bool
    findings: list[Finding]

    def v(self, register: int, dtype: type = np.uint32) -> np.ndarray:
        """A VGPR of all waves, [waves, 64]."""
        return self.state.vgpr[register].view(dtype)

    def s(self, register: int, wave: int = 0) -> int:
        return int(self.state.sgpr[register, wave])

    def s64(self, register: int, wave: int = 0) -> int:
        return self.s(register, wave) | self.s(register + 1, wave) << 32


def make_program(
    text: str,
    arch: str = "gfx942",
    lds_bytes: int = 1024,
    arguments: tuple[Argument, ...] = (),
    **meta: object,
) -> Program:
    lines = f'.amdgcn_target "amdgcn-amd-amdhsa--{arch}"\n.text\nkernel:\n{text}\n s_endpgm\n'
    program = parse_program(lines, "test.s", arch)
    offset, kernel_arguments = 0, []
    for argument in arguments:
        size = 8 if isinstance(argument, MatrixArgument) or argument.dtype.endswith("64") else 4
        offset = -(-offset // size) * size
        kernel_arguments.append(KernelArgument(argument.name, offset, size))
        offset += size
    metadata = KernelMetadata(
        lds_bytes=lds_bytes, kernarg_bytes=offset, arguments=tuple(kernel_arguments), **meta
    )
    return replace(program, metadata=metadata)


def execute(
    text: str,
    setup: Callable[[State], None] | None = None,
    *,
    waves: int = 1,
    arch: str = "gfx942",
    lds_bytes: int = 1024,
    arguments: tuple[Argument, ...] = (),
    prepare: Callable[[Context], None] | None = None,
) -> Outcome:
    """Execute ``text``; ``setup`` sets registers first. VGPRs v0-v63 and AGPRs a0-a31 always exist."""
    program = make_program(
        text + "\n s_branch past\n v_mov_b32 v63, v63\n v_accvgpr_read_b32 v0, a31\n past:",
        arch,
        lds_bytes,
        arguments,
    )
    launch = Launch(arguments, 64 * waves)
    machine = load_machine(arch)
    blocks = BlockMap(program, code_entries(program))
    polls = bool(find_polls(program, blocks))
    context, _ = make_context(
        program, launch, machine, track_writers=polls, observe_lds=False, clock_values={}
    )
    if setup is not None:
        setup(context.state)
    if prepare is not None:
        prepare(context)
    scheduler = Scheduler(context, blocks, [p.workgroup for p in placements(launch, machine)])
    with np.errstate(all="ignore"):
        complete = scheduler.run()
    return Outcome(context.state, context, complete, [*scheduler.findings, *context.findings.values()])


def run(
    text: str,
    *,
    waves: int = 1,
    arch: str = "gfx942",
    lds_bytes: int = 1024,
    arguments: tuple[Argument, ...] = (),
    **options: object,
) -> Execution:
    """Emulate a whole kernel."""
    program = make_program(text, arch, lds_bytes, arguments)
    return emulate(program, Launch(arguments, 64 * waves), load_machine(arch), **options)
