"""What isa/opcodes.yaml says of an opcode: declared once; parsing, sizes, hazards and timing follow."""

from __future__ import annotations

from dataclasses import dataclass, field

from wavesim.isa.archs import ARCHS
from wavesim.isa.kinds import LDS_KINDS, Kind

DWORD_BYTES = 4


@dataclass(frozen=True, slots=True)
class OperandSpec:
    """One operand position.

    ``role``: ``"dst"``, ``"src"`` or ``"both"``. ``kinds``: letters of what may stand there: ``v`` VGPR,
    ``a`` AGPR, ``s`` SGPR or special register, ``i`` inline constant or literal, ``l`` label,
    ``w`` wait counts, ``o`` ``off``/``null``, ``n`` a plain number or symbolic call.
    ``dwords``: 32-bit registers read or written; 0: as many as are written in the text (addresses, f8f6f4).
    """

    role: str
    kinds: str
    dwords: int = 1
    type: str = "b32"


@dataclass(frozen=True, slots=True)
class OpcodeInfo:
    """An opcode.

    ``format`` is the encoding family (SOP2, VOP1, VOP3P, DS, FLAT, MUBUF, SMEM ...). ``reads`` and ``writes``
    name implicit registers (``scc``, ``vcc``, ``exec``, ``m0``). ``width_bytes`` is per lane for memory
    accesses. ``flags``: ``packed_f32``, ``f64``, ``atomic``, ``returns``, ``scaled`` ...
    """

    name: str
    format: str
    kind: Kind
    operands: tuple[OperandSpec, ...]
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    width_bytes: int = 0
    lgkm_increment: int = 0
    vm_increment: int = 0
    archs: tuple[str, ...] = ARCHS
    flags: frozenset[str] = field(default_factory=frozenset)

    @property
    def lds_data_bytes(self) -> int:
        """Bytes per lane, in whole dwords, that an LDS instruction sends with its address; 0: it only reads.

        Sent are the sources behind the address (``ds_write_addtid_b32`` has none); ``ds_swizzle_b32`` has its
        value in the address's place.
        """
        if self.kind not in LDS_KINDS:
            return 0
        sources = [spec.dwords for spec in self.operands if spec.role == "src"]
        behind = sources if self.kind is Kind.LDS_WRITE and len(sources) == 1 else sources[1:]
        return DWORD_BYTES * sum(behind)
