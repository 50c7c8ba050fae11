"""The kernel descriptor of a code object: its 64 bytes as the ``.amdhsa_`` values that make them.

Bit fields: LLVM's user guide for the AMDGPU back end, "Kernel Descriptor", for GFX9 with unified registers.
"""

from __future__ import annotations

import importlib
import struct
from typing import Any

import yaml

from wavesim.asm.object.elf import NT_AMDGPU_METADATA, Elf, notes
from wavesim.asm.object.metadata import read_metadata
from wavesim.asm.tools import find_tool, run_tool
from wavesim.errors import SourceSpan, UserError
from wavesim.isa.archs import ARCHITECTURES, DEFAULT_ARCH

SIZE_BYTES = 64
_UNREADABLE = (ValueError, TypeError, RecursionError, yaml.YAMLError)
_VGPR_GRANULE, _SGPR_GRANULE, _ACCUM_GRANULE = 8, 8, 4
_EXTRA_SGPRS = 6
"""SGPRs that the assembler adds to ``next_free_sgpr`` (VCC, FLAT_SCRATCH, XNACK_MASK)."""
_MOST_SGPRS = 102

_RSRC1 = {
    "float_round_mode_32": (12, 2),
    "float_round_mode_16_64": (14, 2),
    "float_denorm_mode_32": (16, 2),
    "float_denorm_mode_16_64": (18, 2),
    "dx10_clamp": (21, 1),
    "ieee_mode": (23, 1),
    "fp16_overflow": (26, 1),
}
_RSRC2 = {
    "enable_private_segment": (0, 1),
    "user_sgpr_count": (1, 5),
    "system_sgpr_workgroup_id_x": (7, 1),
    "system_sgpr_workgroup_id_y": (8, 1),
    "system_sgpr_workgroup_id_z": (9, 1),
    "system_sgpr_workgroup_info": (10, 1),
    "system_vgpr_workitem_id": (11, 2),
    "exception_fp_ieee_invalid_op": (24, 1),
    "exception_fp_denorm_src": (25, 1),
    "exception_fp_ieee_div_zero": (26, 1),
    "exception_fp_ieee_overflow": (27, 1),
    "exception_fp_ieee_underflow": (28, 1),
    "exception_fp_ieee_inexact": (29, 1),
    "exception_int_div_zero": (30, 1),
}
_RSRC3 = {"tg_split": (16, 1)}
_PROPERTIES = {
    "user_sgpr_dispatch_ptr": (1, 1),
    "user_sgpr_queue_ptr": (2, 1),
    "user_sgpr_kernarg_segment_ptr": (3, 1),
    "user_sgpr_dispatch_id": (4, 1),
    "user_sgpr_private_segment_size": (6, 1),
    "uses_dynamic_stack": (11, 1),
}
_OWN_SCRATCH = "system_sgpr_private_segment_wavefront_offset"
"""Name of the lowest bit of rsrc2 where flat scratch is not architected; two more properties exist there."""
_OWN_SCRATCH_PROPERTIES = {
    "user_sgpr_private_segment_buffer": (0, 1),
    "user_sgpr_flat_scratch_init": (5, 1),
}
_PRELOAD = {"user_sgpr_kernarg_preload_length": (0, 7), "user_sgpr_kernarg_preload_offset": (7, 9)}


def read_descriptor(data: bytes, arch: str, kernel: dict[str, Any] | None = None) -> dict[str, int]:
    """The ``.amdhsa_`` values (without the prefix) of a descriptor.

    Registers are known by granules of 8 registers; where the metadata entry ``kernel`` has a count
    of VGPRs that fits into the granules, that count is taken.
    """
    lds, scratch, kernarg = struct.unpack_from("<III", data, 0)
    rsrc3, rsrc1, rsrc2 = struct.unpack_from("<III", data, 44)
    properties, preload = struct.unpack_from("<HH", data, 56)
    values = {
        "group_segment_fixed_size": lds,
        "private_segment_fixed_size": scratch,
        "kernarg_size": kernarg,
    }
    for word, fields in (
        (rsrc2, _RSRC2),
        (properties, _PROPERTIES),
        (preload, _PRELOAD),
        (rsrc1, _RSRC1),
        (rsrc3, _RSRC3),
    ):
        for name, (bit, bits) in fields.items():
            values[name] = word >> bit & (1 << bits) - 1
    vgprs = ((rsrc1 & 0x3F) + 1) * _VGPR_GRANULE
    sgprs = ((rsrc1 >> 6 & 0xF) + 1) * _SGPR_GRANULE
    noted = (kernel or {}).get(".vgpr_count")
    if isinstance(noted, int) and vgprs - _VGPR_GRANULE < noted <= vgprs:
        vgprs = noted
    if ARCHITECTURES[arch].scratch_buffer:
        values[_OWN_SCRATCH] = values.pop("enable_private_segment")
        for name, (bit, bits) in _OWN_SCRATCH_PROPERTIES.items():
            values[name] = properties >> bit & (1 << bits) - 1
        values["reserve_flat_scratch"] = 0
    values["next_free_vgpr"] = vgprs
    values["next_free_sgpr"] = min(sgprs - _EXTRA_SGPRS, _MOST_SGPRS)
    values["reserve_vcc"] = 0
    values["accum_offset"] = ((rsrc3 & 0x3F) + 1) * _ACCUM_GRANULE
    return values


def code_offset(data: bytes) -> int:
    """Bytes from the descriptor to the kernel's first instruction."""
    (offset,) = struct.unpack_from("<q", data, 16)
    return int(offset)


def metadata_of(elf: Elf, path: str) -> dict[str, dict[str, Any]]:
    """Kernels of the metadata note by name; empty where there is no such note.

    The note is MessagePack: read with the package ``msgpack`` if it is installed, else by ``llvm-readobj``.

    Args:
        elf: the code object.
        path: a file with exactly its bytes.

    Raises:
        MissingTool: neither is here.
        UserError: the note cannot be read.
    """
    raw = next(
        (data for owner, kind, data in notes(elf) if (owner, kind) == ("AMDGPU", NT_AMDGPU_METADATA)), None
    )
    if raw is None:
        return {}
    span = SourceSpan(elf.file)
    try:
        msgpack = importlib.import_module("msgpack")
    except ImportError:
        return read_metadata(_as_yaml(elf, path, span), span)
    try:
        text = yaml.safe_dump(msgpack.unpackb(raw, raw=False, strict_map_key=False))
    except (*_UNREADABLE, msgpack.exceptions.UnpackException) as error:
        raise UserError(f"the metadata note cannot be read: {error}", span) from None
    return read_metadata(text, span)


def _as_yaml(elf: Elf, path: str, span: SourceSpan) -> str:
    """The metadata note as llvm-readobj prints it: a YAML document between ``---`` and ``...``."""
    tool = find_tool("llvm-readobj", elf.arch or DEFAULT_ARCH)
    output = run_tool([tool, "--notes", path], span).decode(errors="replace")
    begin = output.find("AMDGPU Metadata: ---\n")
    end = output.find("\n...\n", begin)
    if begin < 0 or end < 0:
        raise UserError("the metadata note cannot be read", span)
    return output[output.index("\n", begin) + 1 : end]
