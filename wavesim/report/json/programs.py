"""Kernels as code, without a run: what lower, compile, launch and trace listing say, as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from wavesim.asm.compile import Compiled
from wavesim.front.launch.unfilled import unfilled
from wavesim.program import Finding, Program
from wavesim.report.json.run import Json, finding_json
from wavesim.yaml_source import load_yaml


def program_json(program: Program) -> dict[str, Json]:
    """A kernel's size and what it needs of a compute unit."""
    needs = program.metadata
    return {
        "kernel": program.name,
        "arch": program.arch,
        "instructions": len(program),
        "vgprs": needs.vgprs,
        "sgprs": needs.sgprs,
        "lds_bytes": needs.lds_bytes,
        "scratch_bytes": needs.scratch_bytes,
    }


def lowered_json(program: Program, findings: Iterable[Finding], assembly: str) -> dict[str, Json]:
    """What a kernel becomes."""
    found: list[Json] = [finding_json(each) for each in findings]
    return {**program_json(program), "findings": found, "assembly": assembly}


def compiled_json(compiled: Compiled, file: str, arch: str, programs: Iterable[Program]) -> dict[str, Json]:
    """What a HIP file was compiled with, and the kernels in it."""
    return {
        "file": file,
        "arch": arch,
        "compiler": str(compiled.compiler),
        "command": compiled.command_line,
        "kernels": [program_json(each) for each in programs],
        "messages": compiled.messages,
    }


def listing_json(
    program: Program, deduced: Mapping[str, str], notes: Sequence[str], assembly: str
) -> dict[str, Json]:
    """The kernel of a trace."""
    return {**program_json(program), "deduced": dict(deduced), "notes": list(notes), "assembly": assembly}


def launch_json(text: str, file: str) -> dict[str, Json]:
    """A launch file to fill in; lines count from 1."""
    data, marks = load_yaml(file, text)
    places: list[Json] = [{"name": name, "line": span.line} for name, span in unfilled(data, marks)]
    return {"kernel": str(data["kernel"]), "launch": text, "fill_in": places}
