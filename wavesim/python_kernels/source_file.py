"""The kernels of a Python file, without running the rest of it.

Files with kernels often make data, launch and measure when they are imported, and import packages that only
that needs. Here only its imports, functions, classes and constants are carried out. An import or a constant
that fails is left out; a kernel that needs it says so when it is compiled.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import CodeType
from typing import Any

from wavesim.errors import SourceSpan, UserError
from wavesim.inputs import note_input
from wavesim.source_text import read_text

_KEPT_DECORATORS = ("jit", "kernel", "constexpr_function", "aggregate", "dataclass")
_OF_LAUNCHES = ("repr", "launch_metadata")
"""Arguments of jit that only name a kernel or its launches, often by helpers that are not here."""
_PURE_CALLS = ("constexpr", "int", "float", "bool", "str", "tuple", "list", "dict", "min", "max", "len")


class _KernelsOnly(SourceFileLoader):
    """Imports a file as this module does; nothing is cached beside it. ``jitted`` are then the names of its
    functions under a ``jit``."""

    jitted: tuple[str, ...]

    def get_code(self, fullname: str) -> CodeType:
        text = read_text(Path(self.path))
        try:
            tree = ast.parse(text, self.path)
        except SyntaxError as error:
            raise UserError(f"not Python: {error.msg}", SourceSpan(self.path, error.lineno or 0)) from None
        functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        self.jitted = tuple(node.name for node in functions if "jit" in _decorators(node))
        tree.body = [_carried_out(node) for node in tree.body if _is_wanted(node)]
        return self.source_to_code(ast.fix_missing_locations(tree), self.path)


def kernels_of(path: Path) -> dict[str, Any]:
    """The functions under a ``jit`` of a file, by name.

    Raises:
        UserError: not a file of Python, or a kernel that its decorator refuses.
    """
    note_input(path)
    loader = _KernelsOnly(path.stem, str(path))
    spec = spec_from_loader(path.stem, loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))
    try:
        loader.exec_module(module)
    except (UserError, KeyboardInterrupt):
        raise
    except Exception as error:
        raise UserError(f"{path}: {type(error).__name__}: {error}") from None
    finally:
        sys.path.pop(0)
    return {name: getattr(module, name) for name in loader.jitted}


def _decorators(node: ast.FunctionDef | ast.ClassDef) -> list[str]:
    return [_last_name(each) for each in node.decorator_list]


def _last_name(node: ast.expr) -> str:
    """``jit`` of ``triton.jit``, ``@jit`` and ``triton.jit(...)``."""
    if isinstance(node, ast.Call):
        node = node.func
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _is_wanted(node: ast.stmt) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef):
        return True
    if isinstance(node, ast.Try | ast.If):
        return all(_is_wanted(each) for each in (*node.body, *node.orelse)) and (
            isinstance(node, ast.Try) or not _calls(node.test)
        )
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        return all(name in _PURE_CALLS for name in _calls(node.value))
    return False


def _calls(node: ast.expr) -> list[str]:
    return [_last_name(each) for each in ast.walk(node) if isinstance(each, ast.Call)]


def _carried_out(node: ast.stmt) -> ast.stmt:
    """Kernels without what tunes them. All else may fail, with what it needs."""
    if isinstance(node, ast.ImportFrom) and node.module == "__future__":
        return node
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        node.decorator_list = [each for each in node.decorator_list if _last_name(each) in _KEPT_DECORATORS]
        for each in node.decorator_list:
            if isinstance(each, ast.Call):
                each.keywords = [word for word in each.keywords if word.arg not in _OF_LAUNCHES]
        if node.decorator_list:
            return node
    failed = ast.ExceptHandler(ast.Name("Exception", ast.Load()), None, [ast.Pass()])
    return ast.copy_location(ast.Try([node], [failed], [], []), node)


def kernel_of(path: Path, name: str | None) -> Any:
    """One kernel of a file: :func:`one_of` what it has.

    Raises:
        UserError: as :func:`kernels_of` and :func:`one_of`.
    """
    return one_of(kernels_of(path), path, name)


def one_of(found: Mapping[str, Any], path: Path, name: str | None) -> Any:
    """One kernel of those ``found`` in a file: the one named, or the only one.

    Raises:
        UserError: there is none, or there are several and none is named.
    """
    known = ", ".join(found)
    if not found:
        raise UserError(f"{path}: no function under a jit decorator")
    if name is not None:
        if name not in found:
            raise UserError(f"{path}: no kernel {name!r}", None, f"it has {known}")
        return found[name]
    if len(found) > 1:
        raise UserError(f"{path}: {len(found)} kernels", None, f"choose one with --kernel: {known}")
    return next(iter(found.values()))
