"""Loads a tile program: kernel file -> real instructions, Program, Launch and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from wavesim.asm.layout import lay_out
from wavesim.errors import UserError
from wavesim.front.launch.launching import read_launch
from wavesim.front.launch.model import LoadedKernel
from wavesim.front.tile.affine import Value, ValueProblem, variable
from wavesim.front.tile.control import Statements
from wavesim.front.tile.declarations import Declarations, Reader, declare, fragment_type
from wavesim.front.tile.emitter import Emitter, Item, Label, Raw
from wavesim.front.tile.expressions import evaluate, evaluate_condition
from wavesim.front.tile.free import free_constants
from wavesim.front.tile.materialize import start
from wavesim.front.tile.registers import allocate, registers_in, rewrite, single_registers
from wavesim.front.tile.resources import resource_findings
from wavesim.front.tile.shapes import read_shape
from wavesim.front.tile.source import Source, read_source
from wavesim.front.tile.waitstates import with_wait_states
from wavesim.isa.archs import ARCHS, DEFAULT_ARCH
from wavesim.isa.kinds import LANES
from wavesim.program import Instruction, KernelArgument, KernelMetadata, Program, Register, Waitcnt

RESERVED = ("wave", "lane", "thread", "grid_x", "grid_y")
"""Run-time variables: names that a kernel file cannot give to anything else."""

_KERNARG = Register("s", 0, 2)
_GRID_X, _GRID_Y = Register("s", 2), Register("s", 3)
_THREAD = Register("v", 0)


def load_tile_program(
    path: Path,
    arch: str | None,
    overrides: Mapping[str, str] = MappingProxyType({}),
    text: str | None = None,
    position: tuple[int, int] | None = None,
) -> LoadedKernel:
    """Lowers a kernel file.

    Args:
        path: the file.
        arch: architecture; none: the file's, else gfx942.
        overrides: constants by name (``{"K": "512"}``); names with a dot are machine values and not used.
        text: the file's text where it is not on disk.
        position: of the simulated workgroup, in place of the file's.

    Raises:
        UserError: anything that has no meaning, with file, line and what is right.
    """
    source = read_source(path, text)
    arch = _arch(source, arch)
    reader = Reader(constants_of(source, overrides))
    _require(source, reader)
    free_constants(source)
    waves = _waves(source, reader)
    reader.names.update(
        wave=variable("wave", 0, waves - 1) if waves > 1 else Value(0),
        lane=variable("lane", 0, LANES - 1, vector=True),
        thread=variable("thread", 0, waves * LANES - 1, vector=True),
        grid_x=variable("grid_x", 0, (1 << 16) - 1),
        grid_y=variable("grid_y", 0, (1 << 16) - 1),
    )
    for name, node in source.named["values"].items():
        if name in reader.names:
            raise node.error(f"{name} is taken already", "choose another name")
        reader.names[name] = reader.value(node)
    types = [fragment_type(node) for node in source.named["fragments"].values()]
    shape = read_shape(source.single.get("mfma"), arch, types)
    declared = declare(source, reader, waves, shape.m)
    launch = read_launch(source.need("launch", "launch: {grid: [x, y]}"), reader, declared, position)
    emitter = Emitter(source.root.span)
    _prologue(emitter, declared)
    values = start(emitter, _THREAD, {"grid_x": _GRID_X, "grid_y": _GRID_Y}, waves)
    lowering = Statements(arch, declared, reader, emitter, values, shape, source.named["macros"])
    lowering.active = frozenset(range(waves))
    lowering.binding = {
        (name, index): fragment
        for name, copies in declared.fragments.items()
        for index, fragment in enumerate(copies)
    }
    lowering.statements(source.need("program", "program: a list of statements").items("program"))
    emitter.put("s_endpgm")
    name = source.single["kernel"].text() if "kernel" in source.single else path.stem
    if not name.isidentifier():
        raise source.single.get("kernel", source.root).error(f"kernel: {name!r}", "letters, digits and _")
    program, vgprs, agprs = _program(name, arch, str(path), declared, lowering)
    about = source.single["about"].text().strip() if "about" in source.single else ""
    findings = (
        *dict.fromkeys(lowering.findings),
        *resource_findings(
            source, arch, declared, vgprs, agprs, program.metadata.sgprs, len(launch.workgroups)
        ),
    )
    return LoadedKernel(name, str(path), program, launch, about, findings)


def _arch(source: Source, arch: str | None) -> str:
    node = source.single.get("arch")
    stated = node.text() if node is not None else None
    if node is not None and stated not in ARCHS:
        raise node.error(f"unknown architecture {stated!r}", f"one of {', '.join(ARCHS)}")
    chosen = arch or stated or DEFAULT_ARCH
    if chosen not in ARCHS:
        raise UserError(f"unknown architecture {chosen!r}", None, f"one of {', '.join(ARCHS)}")
    return chosen


def constants_of(source: Source, overrides: Mapping[str, str]) -> dict[str, Value]:
    """Constants in written order; each may use the ones before it."""
    names: dict[str, Value] = {}
    table = source.named["constants"]
    for name, node in table.items():
        if name in RESERVED:
            raise node.error(f"{name} is a run-time variable", "choose another name")
        if name in overrides:
            names[name] = _override(name, overrides[name], names)
            continue
        try:
            names[name] = evaluate(node.expression(), names)
        except ValueProblem as problem:
            raise node.error(f"{name}: {problem}") from None
    for name in overrides:
        if name not in table and "." not in name:
            raise UserError(
                f"--set {name}: the kernel has no constant {name!r}",
                source.root.span,
                f"constants: {', '.join(table) or 'none'}",
            )
    return names


def _override(name: str, text: str, names: Mapping[str, Value]) -> Value:
    try:
        return evaluate(text, names)
    except ValueProblem as problem:
        message = f"--set {name}={text}: {problem}"
        raise UserError(message, None, f"a whole number: --set {name}=512") from None


def _require(source: Source, reader: Reader) -> None:
    """Refuses constants that do not go together, by the conditions that the file states."""
    node = source.single.get("require")
    for condition in node.items("require") if node is not None else ():
        text = condition.expression()
        try:
            holds = evaluate_condition(text, reader.names)
        except ValueProblem as problem:
            raise condition.error(f"require: {problem}") from None
        if holds is not True:
            names = sorted(name for name in reader.names if name in re.findall(r"\w+", text))
            given = ", ".join(f"{name} = {reader.names[name].constant}" for name in names)
            raise condition.error(f"the kernel needs {text}", f"here {given}")


def _waves(source: Source, reader: Reader) -> int:
    workgroup = source.need("workgroup", "workgroup: {waves: 8}")
    workgroup.keys(("waves", "lds_reserved_bytes"), "workgroup")
    return reader.number(workgroup.need("waves"), 1, 16)


def _prologue(emitter: Emitter, declared: Declarations) -> None:
    """Reads the matrices' addresses from the kernel arguments."""
    for index, matrix in enumerate(declared.matrices.values()):
        emitter.put(
            "s_load_dwordx2", matrix.pointer, _KERNARG, 8 * index, into=emitter.preamble, comment=matrix.name
        )
    if declared.matrices:
        emitter.put("s_waitcnt", Waitcnt(lgkmcnt=0), into=emitter.preamble)


def _program(
    name: str, arch: str, file: str, declared: Declarations, lowering: Statements
) -> tuple[Program, int, int]:
    """The Program, and the VGPRs and AGPRs it uses."""
    emitter = lowering.emitter
    ranges = lowering.values.made
    first_free = {"v": declared.vgprs, "s": declared.sgprs}
    allocation = allocate(ranges, emitter.preamble, emitter.body, first_free)
    single = single_registers(ranges, allocation)
    items: list[Item] = []
    used = {"v": allocation.used["v"], "s": allocation.used["s"], "a": declared.agprs}
    for item in (*emitter.preamble, *emitter.body):
        items.append(rewrite(item, single) if isinstance(item, Instruction) else item)
        if isinstance(item, Raw):
            for register in registers_in(item):
                used[register.file] = max(used[register.file], register.index + register.count)
    instructions: list[Instruction] = []
    labels: dict[str, int] = {}
    for item in with_wait_states(items, arch):
        if isinstance(item, Label):
            labels[item.name] = len(instructions)
        else:
            instructions.append(item.instruction if isinstance(item, Raw) else item)
    addresses, sizes = lay_out(instructions, arch)
    vgprs, agprs = used["v"], used["a"]
    accum = max(4, -(-vgprs // 4) * 4)
    metadata = KernelMetadata(
        lds_bytes=declared.lds_bytes,
        vgprs=accum + agprs if agprs else vgprs,
        accum_offset=min(accum, 256),
        sgprs=used["s"],
        workgroup_size=declared.waves * LANES,
        kernarg_bytes=8 * len(declared.matrices),
        arguments=tuple(
            KernelArgument(matrix.name, 8 * index, 8, "global_buffer", "global")
            for index, matrix in enumerate(declared.matrices.values())
        ),
        workgroup_id_y=True,
    )
    program = Program(
        name,
        arch,
        tuple(instructions),
        MappingProxyType(labels),
        metadata,
        addresses,
        sizes,
        file,
        unrolled=MappingProxyType(dict(lowering.unrolled)),
    )
    return program, vgprs, agprs
