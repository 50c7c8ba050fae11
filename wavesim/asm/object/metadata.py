"""What the dispatcher must know of a kernel: the ``.amdhsa_*`` values and ``.amdgpu_metadata``, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from wavesim.errors import SourceSpan, UserError
from wavesim.program import KernelArgument, KernelMetadata, Program

METADATA_VERSION = (1, 2)
"""``amdhsa.version`` of the metadata that is printed (code object version 5)."""

_FIELDS = {
    "group_segment_fixed_size": "lds_bytes",
    "next_free_vgpr": "vgprs",
    "accum_offset": "accum_offset",
    "next_free_sgpr": "sgprs",
    "kernarg_size": "kernarg_bytes",
    "user_sgpr_kernarg_segment_ptr": "user_sgpr_kernarg_segment_ptr",
    "user_sgpr_dispatch_ptr": "user_sgpr_dispatch_ptr",
    "user_sgpr_count": "user_sgpr_count",
    "system_sgpr_workgroup_id_x": "workgroup_id_x",
    "system_sgpr_workgroup_id_y": "workgroup_id_y",
    "system_sgpr_workgroup_id_z": "workgroup_id_z",
    "private_segment_fixed_size": "scratch_bytes",
}
"""``.amdhsa_`` directives that are fields of KernelMetadata; all others are kept in ``extra``."""

_FLAGS = {
    "user_sgpr_kernarg_segment_ptr",
    "user_sgpr_dispatch_ptr",
    "workgroup_id_x",
    "workgroup_id_y",
    "workgroup_id_z",
}
_USER_SGPRS = {
    "user_sgpr_private_segment_buffer": 4,
    "user_sgpr_dispatch_ptr": 2,
    "user_sgpr_queue_ptr": 2,
    "user_sgpr_kernarg_segment_ptr": 2,
    "user_sgpr_dispatch_id": 2,
    "user_sgpr_flat_scratch_init": 2,
    "user_sgpr_private_segment_size": 1,
}
"""SGPRs of each enabled user value, for kernels that do not state ``user_sgpr_count``."""


def read_directives(
    values: Mapping[str, int],
    texts: Mapping[str, str],
    places: Mapping[str, SourceSpan] = MappingProxyType({}),
) -> dict[str, Any]:
    """Fields of KernelMetadata from ``.amdhsa_`` values (names without the prefix).

    ``texts`` are the values as written; what has no field is kept from them in ``extra``.
    """
    fields: dict[str, Any] = {}
    extra: dict[str, str] = {}
    for name, value in values.items():
        if name in _FIELDS:
            field = _FIELDS[name]
            fields[field] = bool(value) if field in _FLAGS else value
        elif name == "system_vgpr_workitem_id":
            fields["workitem_id_dimensions"] = value + 1
        else:
            extra[name] = texts[name]
    fields.setdefault("user_sgpr_kernarg_segment_ptr", False)
    fields.setdefault("user_sgpr_dispatch_ptr", False)
    fields.setdefault("workgroup_id_x", True)  # the assembler's default
    if "user_sgpr_count" not in fields:
        preload = values.get("user_sgpr_kernarg_preload_length", 0)
        fields["user_sgpr_count"] = preload + sum(
            count for name, count in _USER_SGPRS.items() if values.get(name, 0)
        )
    fields["extra"] = extra
    fields["places"] = {_FIELDS[name]: span for name, span in places.items() if name in _FIELDS}
    return fields


def read_metadata(text: str, span: SourceSpan) -> dict[str, dict[str, Any]]:
    """Kernels of an ``.amdgpu_metadata`` document by name.

    Raises:
        UserError: the document is no YAML, or not of the expected shape.
    """
    import yaml  # few assembly files have this metadata

    try:
        document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = span.line + 1 + mark.line if mark is not None else span.line
        problem = getattr(error, "problem", "") or "unreadable"
        raise UserError(f".amdgpu_metadata is no YAML: {problem}", SourceSpan(span.file, line)) from None
    except RecursionError:
        raise UserError(".amdgpu_metadata is nested too deeply", span) from None
    kernels = document.get("amdhsa.kernels") if isinstance(document, dict) else None
    if not isinstance(kernels, list):
        raise UserError(".amdgpu_metadata has no list amdhsa.kernels", span)
    found = {}
    for kernel in kernels:
        if not isinstance(kernel, dict) or not isinstance(kernel.get(".name"), str):
            raise UserError("a kernel of .amdgpu_metadata has no .name", span)
        found[kernel[".name"]] = kernel
    return found


def _integer(kernel: Mapping[str, Any], key: str, span: SourceSpan, default: int = 0) -> int:
    value = kernel.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise UserError(f".amdgpu_metadata: {key} must be an integer, not {value!r}", span)
    return value


def read_arguments(kernel: Mapping[str, Any], span: SourceSpan) -> tuple[KernelArgument, ...]:
    """The kernel arguments of a kernel's metadata entry, in order."""
    arguments = kernel.get(".args", [])
    if not isinstance(arguments, list) or not all(isinstance(item, dict) for item in arguments):
        raise UserError(".amdgpu_metadata: .args must be a list of mappings", span)
    return tuple(
        KernelArgument(
            name=str(item.get(".name", "")),
            offset_bytes=_integer(item, ".offset", span),
            size_bytes=_integer(item, ".size", span),
            kind=str(item.get(".value_kind", "by_value")),
            address_space=str(item.get(".address_space", "")),
        )
        for item in arguments
    )


def build(
    directives: Mapping[str, Any] | None, kernel: Mapping[str, Any] | None, span: SourceSpan
) -> KernelMetadata:
    """KernelMetadata from :func:`read_directives`' fields and a metadata entry; either may lack."""
    fields = dict(directives or {})
    extra = dict(fields.pop("extra", {}))
    places = dict(fields.pop("places", {}))
    if kernel is not None:
        fields["arguments"] = read_arguments(kernel, span)
        fields["workgroup_size"] = _integer(kernel, ".max_flat_workgroup_size", span)
        required = kernel.get(".reqd_workgroup_size")
        if isinstance(required, list) and all(isinstance(item, int) for item in required):
            extra["reqd_workgroup_size"] = ",".join(map(str, required))
        if ".vgpr_spill_count" in kernel:
            extra["vgpr_spill_count"] = str(_integer(kernel, ".vgpr_spill_count", span))
        if directives is None:
            fields["lds_bytes"] = _integer(kernel, ".group_segment_fixed_size", span)
            fields["vgprs"] = _integer(kernel, ".vgpr_count", span)
            fields["sgprs"] = _integer(kernel, ".sgpr_count", span)
            fields["scratch_bytes"] = _integer(kernel, ".private_segment_fixed_size", span)
        fields.setdefault("kernarg_bytes", _integer(kernel, ".kernarg_segment_size", span))
    return KernelMetadata(**fields, extra=MappingProxyType(extra), places=MappingProxyType(places))


def print_directives(program: Program) -> list[str]:
    """The ``.amdhsa_kernel`` block of a program, line by line."""
    metadata = program.metadata
    vgprs = metadata.vgprs
    lines = [f"\t.amdhsa_kernel {program.name}"]

    def put(name: str, value: int | str) -> None:
        lines.append(f"\t\t.amdhsa_{name} {value}")

    put("group_segment_fixed_size", metadata.lds_bytes)
    put("private_segment_fixed_size", metadata.scratch_bytes)
    put("kernarg_size", metadata.kernarg_bytes)
    put("user_sgpr_count", metadata.user_sgpr_count)
    put("user_sgpr_dispatch_ptr", int(metadata.user_sgpr_dispatch_ptr))
    put("user_sgpr_kernarg_segment_ptr", int(metadata.user_sgpr_kernarg_segment_ptr))
    put("system_sgpr_workgroup_id_x", int(metadata.workgroup_id_x))
    put("system_sgpr_workgroup_id_y", int(metadata.workgroup_id_y))
    put("system_sgpr_workgroup_id_z", int(metadata.workgroup_id_z))
    put("system_vgpr_workitem_id", max(metadata.workitem_id_dimensions, 1) - 1)
    put("next_free_vgpr", vgprs)
    put("next_free_sgpr", metadata.sgprs)
    put("accum_offset", metadata.accum_offset or min(max((vgprs + 3) // 4 * 4, 4), 256))
    for name, text in metadata.extra.items():
        if name not in ("reqd_workgroup_size", "vgpr_spill_count"):
            put(name, text)
    lines.append("\t.end_amdhsa_kernel")
    return lines


def print_metadata(program: Program) -> list[str]:
    """The ``.amdgpu_metadata`` document of a program, line by line."""
    metadata = program.metadata
    accum = metadata.accum_offset or metadata.vgprs
    agprs = max(metadata.vgprs - accum, 0)
    arguments = []
    for argument in metadata.arguments:
        entry: dict[str, Any] = {
            ".offset": argument.offset_bytes,
            ".size": argument.size_bytes,
            ".value_kind": argument.kind,
        }
        if argument.name:
            entry[".name"] = argument.name
        if argument.address_space:
            entry[".address_space"] = argument.address_space
        arguments.append(entry)
    kernel: dict[str, Any] = {
        ".agpr_count": agprs,
        ".args": arguments,
        ".group_segment_fixed_size": metadata.lds_bytes,
        ".kernarg_segment_align": 8,
        ".kernarg_segment_size": metadata.kernarg_bytes,
        ".max_flat_workgroup_size": metadata.workgroup_size or 1024,
        ".name": program.name,
        ".private_segment_fixed_size": metadata.scratch_bytes,
        ".sgpr_count": metadata.sgprs,
        ".symbol": f"{program.name}.kd",
        ".vgpr_count": metadata.vgprs,
        ".wavefront_size": 64,
    }
    if "reqd_workgroup_size" in metadata.extra:
        sizes = metadata.extra["reqd_workgroup_size"].split(",")
        kernel[".reqd_workgroup_size"] = [int(size) for size in sizes]
    if "vgpr_spill_count" in metadata.extra:
        kernel[".vgpr_spill_count"] = int(metadata.extra["vgpr_spill_count"])
    document = {
        "amdhsa.kernels": [kernel],
        "amdhsa.target": f"amdgcn-amd-amdhsa--{program.arch}",
        "amdhsa.version": list(METADATA_VERSION),
    }
    import yaml

    text = yaml.safe_dump(document, sort_keys=True, default_flow_style=False)
    return ["\t.amdgpu_metadata", "---", *text.rstrip("\n").split("\n"), "...", "\t.end_amdgpu_metadata"]
