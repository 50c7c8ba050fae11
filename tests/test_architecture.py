"""The package's imports point one way only: each layer may import those below it in the list."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

LAYERS = [
    "cli",
    "report",
    "calibrate",
    "explanation",
    "replays",
    "checks",
    "pipeline",
    "analyze",
    "timing",
    "emulate",
    "front",
    "asm",
    "trace",
    "program",
    "isa",
    "yaml_source",
    "inputs",
    "visible",
    "limits",
    "errors",
]
"""As in the architecture: top first. ``isa`` is pure data access, so ``program`` stands on it."""

PACKAGE = Path(__file__).resolve().parent.parent / "wavesim"
MAX_LINES = 400


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py"))


def layer_of(path: Path) -> str | None:
    first = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return first if first in LAYERS else None


def imported_layers(path: Path) -> set[tuple[str, int]]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import on line {node.lineno}"
            names = [node.module or ""]
            if node.module == "wavesim":
                names = [f"wavesim.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "wavesim" and len(parts) > 1 and parts[1] in LAYERS:
                found.add((parts[1], node.lineno))
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downwards(path: Path) -> None:
    layer = layer_of(path)
    if layer is None:  # wavesim/__init__.py and __main__.py stand above everything
        assert path.parent == PACKAGE
        return
    for imported, line in imported_layers(path):
        assert LAYERS.index(imported) >= LAYERS.index(layer), (
            f"{path.relative_to(PACKAGE)}:{line}: {layer} may not import {imported}, which stands above it"
        )


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_has_one_idea_and_says_it(path: Path) -> None:
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text)), f"{path}: no docstring that names its idea"
    assert text.count("\n") <= MAX_LINES, f"{path}: over {MAX_LINES} lines; split it"


def test_nothing_is_evaluated_or_unpickled() -> None:
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec", "compile"}, f"{path}:{node.lineno}"
            if isinstance(node, ast.Import):
                assert not {alias.name for alias in node.names} & {"pickle", "marshal", "shelve"}, path
