"""The schemas of what commands write with --json: docs/schema/NAME.schema.json, each with a version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

VERSIONS: Mapping[str, int] = {
    "run": 2,
    "check": 1,
    "compare": 1,
    "explain": 2,
    "explain-trace": 1,
    "tune": 1,
    "swizzle": 1,
    "loops": 1,
    "lower": 1,
    "compile": 1,
    "launch": 1,
    "triton": 1,
    "sweep": 1,
    "report": 1,
    "predict": 1,
    "replay": 1,
    "trace": 1,
    "trace-listing": 1,
    "trace-capture": 1,
    "validate": 1,
    "prediction-study": 1,
    "calibrate": 1,
    "calibrate-traces": 1,
    "isa-list": 1,
    "isa-show": 1,
    "isa-explain": 1,
    "isa-rules": 1,
    "isa-coverage": 1,
    "explain-word": 1,
}
"""Name of the schema -> its version, raised when a field changes its meaning or goes."""


def schema_file(name: str) -> str:
    """What a report's field ``schema`` says."""
    return f"{name}.schema.json"


def headed(name: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """A report with what says how to read it: its schema and version."""
    return {"schema": schema_file(name), "schema_version": VERSIONS[name], **data}
