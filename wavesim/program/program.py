"""Program: instructions with operands, labels and kernel metadata; one class for all sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import wavesim.read_only  # noqa: F401  programs can be pickled
from wavesim.errors import SourceSpan
from wavesim.program.operands import Operand, Symbol

ModifierValue = bool | int | str | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Instruction:
    """One machine instruction.

    ``opcode`` is the mnemonic without encoding suffix (``v_add_u32``); ``encoding`` is the suffix as
    written (``e32``, ``e64``, ``dpp``, ``sdwa``) or empty. ``modifiers`` keep the written order
    (``offset:16``, ``glc``, ``op_sel:[0,1]``). ``span`` is the place in the assembly, YAML or listing
    that was given to wavesim; ``source`` the line of the HIP source (``.loc``), if known.
    """

    opcode: str
    operands: tuple[Operand, ...] = ()
    modifiers: tuple[tuple[str, ModifierValue], ...] = ()
    encoding: str = ""
    span: SourceSpan | None = None
    source: SourceSpan | None = None
    comment: str = ""

    def modifier(self, name: str, default: ModifierValue | None = None) -> ModifierValue | None:
        """Value of a modifier, or ``default`` where it is not written."""
        for key, value in self.modifiers:
            if key == name:
                return value
        return default

    def same_code(self, other: Instruction) -> bool:
        """Equal as machine code: places and comments do not count."""
        return (
            self.opcode == other.opcode
            and tuple(map(str, self.operands)) == tuple(map(str, other.operands))
            and self.modifiers == other.modifiers
        )


@dataclass(frozen=True, slots=True)
class KernelArgument:
    """One kernel argument in the kernarg segment (``.amdgpu_metadata``)."""

    name: str
    offset_bytes: int
    size_bytes: int
    kind: str = "by_value"  # by_value, global_buffer, hidden_*
    address_space: str = ""


@dataclass(frozen=True, slots=True)
class KernelMetadata:
    """What the dispatcher must know: the ``.amdhsa_*`` values and the metadata's arguments.

    Registers are counts of 32-bit registers per lane; ``vgprs`` is the unified total (arch VGPRs
    rounded to ``accum_offset`` plus AGPRs). ``places`` are the lines that state a field, where known.
    """

    lds_bytes: int = 0
    vgprs: int = 0
    accum_offset: int = 0
    sgprs: int = 0
    workgroup_size: int = 0
    kernarg_bytes: int = 0
    arguments: tuple[KernelArgument, ...] = ()
    user_sgpr_kernarg_segment_ptr: bool = True
    user_sgpr_dispatch_ptr: bool = False
    user_sgpr_count: int = 2
    workgroup_id_x: bool = True
    workgroup_id_y: bool = False
    workgroup_id_z: bool = False
    workitem_id_dimensions: int = 1
    scratch_bytes: int = 0
    extra: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    places: Mapping[str, SourceSpan] = field(default_factory=lambda: MappingProxyType({}), compare=False)


@dataclass(frozen=True, slots=True)
class Constants:
    """A data section that instructions read by address (``symbol@rel32@lo``): its bytes, and where its
    symbols begin in it."""

    section: str
    content: bytes
    labels: Mapping[str, int]


@dataclass(frozen=True)
class Program:
    """A kernel: what is printed, assembled, executed and checked.

    ``labels`` maps a label to the index of the instruction it stands before (``len(instructions)`` is
    allowed). ``addresses`` are byte offsets of the instructions from the start of the kernel (from the
    encodings, or the real ones of a code object or trace); ``sizes`` the encoded bytes. Functions that
    the kernel calls stand behind it, at their labels. ``unrolled`` says of a loop's label how many iterations
    of the source one pass is, where the source says so.
    """

    name: str
    arch: str
    instructions: tuple[Instruction, ...]
    labels: Mapping[str, int]
    metadata: KernelMetadata
    addresses: tuple[int, ...]
    sizes: tuple[int, ...]
    file: str = ""
    constants: tuple[Constants, ...] = ()
    unrolled: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    def __len__(self) -> int:
        return len(self.instructions)

    def __iter__(self) -> Iterator[Instruction]:
        return iter(self.instructions)

    def functions(self) -> tuple[int, ...]:
        """Where the functions begin whose addresses the code takes, as instruction indices."""
        named = (operand for each in self.instructions for operand in each.operands)
        names = (operand.name for operand in named if isinstance(operand, Symbol) and operand.suffix)
        return tuple(sorted({self.labels[name] for name in names if name in self.labels}))

    def label_at(self, index: int) -> str | None:
        """The label that stands before instruction ``index``, if any."""
        for name, place in self.labels.items():
            if place == index:
                return name
        return None
