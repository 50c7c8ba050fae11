"""The published schemas of docs/schema, and whether a report is what its own says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from wavesim.report.json.schemas import VERSIONS, schema_file

SCHEMAS = Path(__file__).resolve().parents[1] / "docs" / "schema"


def schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SCHEMAS / schema_file(name)).read_text(encoding="utf-8"))
    return loaded


def validate(data: dict[str, Any], name: str) -> None:
    """Fails unless ``data`` names the schema ``name`` and is what it says."""
    assert data["schema"] == schema_file(name)
    registry: Registry[Any] = Registry().with_resources(
        (schema_file(each), Resource.from_contents(schema(each))) for each in VERSIONS
    )
    Draft202012Validator(schema(name), registry=registry).validate(data)
