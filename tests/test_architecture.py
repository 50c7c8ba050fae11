"""The package's imports point one way only, and no modules import each other round."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import networkx as nx
import pytest

from wavesim.isa.kinds import Kind

LAYERS = [
    "__main__",
    "cli",
    "mcp",
    "api",
    "python_kernels",
    "sweeps",
    "lessons",
    "report",
    "calibrate",
    "swizzles",
    "tuning",
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
    "glossary",
    "isa",
    "yaml_source",
    "source_text",
    "inputs",
    "visible",
    "limits",
    "words",
    "errors",
    "read_only",
    "_version",
]
"""As in the architecture: top first. ``isa`` is pure data access, so ``program`` stands on it."""

PACKAGE = Path(__file__).resolve().parent.parent / "wavesim"


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports() -> nx.DiGraph:
    """Module -> module, with the line: imports anywhere in a file, and names in strings of the package."""
    names = {name_of(path): path for path in modules()}
    graph = nx.DiGraph()
    graph.add_nodes_from(names)
    for name, path in names.items():
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            found: list[str] = []
            if isinstance(node, ast.Import):
                found = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: relative import on line {node.lineno}"
                found = [f"{node.module}.{alias.name}" for alias in node.names]
                found = [each if each in names else str(node.module) for each in found]
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                own = f"{name}.".startswith(f"{node.value}.")  # a file of its own package is read
                found = [node.value] if node.value in names and not own else []  # importlib
            for each in found:
                if each in names and each != name:
                    graph.add_edge(name, each, line=getattr(node, "lineno", 0))
    return graph


def layer_of(name: str) -> str | None:
    """``None``: the package's front, which hands on the names of the API."""
    return name.split(".")[1] if "." in name else None


def test_every_module_has_a_layer() -> None:
    assert {layer_of(name) for name in imports()} - {None} == set(LAYERS)


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_point_downwards(layer: str) -> None:
    wrong = [
        f"{name}:{place['line']} imports {target}, which stands above it"
        for name, target, place in imports().edges(data=True)
        if layer_of(name) == layer
        and (layer_of(target) is None or LAYERS.index(str(layer_of(target))) < LAYERS.index(layer))
    ]
    assert wrong == []


def test_no_modules_import_each_other_round() -> None:
    circles = [sorted(each) for each in nx.strongly_connected_components(imports()) if len(each) > 1]
    assert circles == []


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_private_names_stay_in_their_file(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("wavesim"):
            private = [alias.name for alias in node.names if alias.name.startswith("_")]
            assert set(private) <= {"__version__"}, f"{path}:{node.lineno}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_has_one_idea_and_says_it(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), f"{path}: no docstring that names its idea"


KIND_WORDS = {str(kind) for kind in Kind}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_kinds_and_lanes_stand_once(path: Path) -> None:
    """A kind is never compared with a word, and the lanes of a wave are counted in one place."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Compare) and ast.unparse(node.left).endswith(".kind"):
            words = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
            assert not words & KIND_WORDS, f"{path}:{node.lineno}: compare with wavesim.isa.kinds.Kind"
        if isinstance(node, ast.Assign) and name_of(path) != "wavesim.isa.kinds":
            names = [each.id for each in node.targets if isinstance(each, ast.Name)]
            assert not [name for name in names if name.endswith("LANES")], f"{path}:{node.lineno}"


def test_nothing_is_evaluated_or_unpickled() -> None:
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec", "compile"}, f"{path}:{node.lineno}"
            if isinstance(node, ast.Import):
                assert not {alias.name for alias in node.names} & {"pickle", "marshal", "shelve"}, path
