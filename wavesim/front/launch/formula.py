"""Expected results as formulas over the launch's matrices: ``O = softmax(Q @ K.T * scale) @ V``.

Python syntax, parsed to a tree and never evaluated as code. Everything is float64; a matrix is all of its
elements as they are at the launch.
"""

from __future__ import annotations

import ast
import math
import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from wavesim.errors import UserError

Numbers = npt.NDArray[np.float64]

MAX_TEXT = 400
MAX_ELEMENTS = 1 << 24
"""Elements of a matrix in a formula, and of each result on the way."""
MAX_PRODUCTS = 1 << 38
"""Multiplications of one matrix product."""

BINARY: Mapping[type[ast.operator], Callable[..., Numbers]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
    ast.MatMult: np.matmul,
}
"""What the operators of a formula do."""


def _softmax(x: Numbers) -> Numbers:
    power = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(power / power.sum(axis=-1, keepdims=True))


def _causal(x: Numbers) -> Numbers:
    rows, columns = np.indices(x.shape)
    return np.where(columns <= rows, x, -np.inf)


def _erf(x: Numbers) -> Numbers:
    return np.asarray(np.vectorize(math.erf, otypes=[np.float64])(x))


def _sigmoid(x: Numbers) -> Numbers:
    return np.asarray(1 / (1 + np.exp(-x)))


FUNCTIONS: Mapping[str, tuple[int, Callable[..., Numbers]]] = {
    "exp": (1, np.exp),
    "exp2": (1, np.exp2),
    "log": (1, np.log),
    "log2": (1, np.log2),
    "sqrt": (1, np.sqrt),
    "rsqrt": (1, lambda x: np.asarray(1 / np.sqrt(x))),
    "abs": (1, np.abs),
    "tanh": (1, np.tanh),
    "erf": (1, _erf),
    "sigmoid": (1, _sigmoid),
    "silu": (1, lambda x: x * _sigmoid(x)),
    "gelu": (1, lambda x: np.asarray(x * (1 + _erf(x / math.sqrt(2))) / 2)),
    "relu": (1, lambda x: np.maximum(x, 0)),
    "maximum": (2, np.maximum),
    "minimum": (2, np.minimum),
    "sum": (1, lambda x: x.sum(axis=-1, keepdims=True)),
    "mean": (1, lambda x: x.mean(axis=-1, keepdims=True)),
    "var": (1, lambda x: x.var(axis=-1, keepdims=True)),
    "max": (1, lambda x: x.max(axis=-1, keepdims=True)),
    "min": (1, lambda x: x.min(axis=-1, keepdims=True)),
    "cumsum": (1, lambda x: x.cumsum(axis=-1)),
    "sort": (1, lambda x: np.sort(x, axis=-1)),
    "softmax": (1, _softmax),
    "causal": (1, _causal),
}
"""Name -> (arguments, what it does). ``sum`` to ``softmax`` go along rows; ``causal`` leaves each row r of a
square of scores its columns up to r."""


@lru_cache(maxsize=64)
def parse_formula(text: str) -> ast.expr:
    """The tree of a formula (what stands right of ``=``).

    Raises:
        UserError: not a formula.
    """
    if len(text) > MAX_TEXT:
        raise UserError(f"a formula has at most {MAX_TEXT} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a formula that Python warns of is refused
            tree = ast.parse(text.strip(), mode="eval").body
        _require(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError, Warning):
        hint = f"matrices, numbers, + - * / ** @, .T, [rows, columns] and {', '.join(FUNCTIONS)}"
        raise UserError(f"expected result: {text!r} is not a formula", None, hint) from None
    return tree


def names_in(text: str) -> list[str]:
    """Matrices and scalars that a formula names, each once."""
    tree = parse_formula(text)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called)
    return list(dict.fromkeys(node.id for node in nodes))


def evaluate_formula(text: str, values: Callable[[str], Numbers]) -> Numbers:
    """The elements that a formula gives, [rows, columns] or a number.

    Raises:
        UserError: shapes that do not fit, rows or columns of a number, numbers beyond float64, or more
            elements than MAX_ELEMENTS.
    """
    try:
        with np.errstate(all="ignore"):
            return _value(parse_formula(text), values)
    except (ValueError, IndexError, TypeError, ArithmeticError, MemoryError) as error:
        raise UserError(f"expected result: {text}: {error}") from None


def _require(node: ast.expr) -> None:
    """Refuse whatever has no meaning here (ValueError)."""
    if isinstance(node, ast.BinOp) and type(node.op) in BINARY:
        _require(node.left)
        _require(node.right)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        _require(node.operand)
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        _require(node.value)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        if node.func.id not in FUNCTIONS or len(node.args) != FUNCTIONS[node.func.id][0]:
            raise ValueError
        for each in node.args:
            _require(each)
    elif isinstance(node, ast.Subscript):
        _require(node.value)
        slices_of(node.slice)
    elif not isinstance(node, ast.Name) and not (
        isinstance(node, ast.Constant) and type(node.value) in (int, float)
    ):
        raise ValueError


def slices_of(node: ast.expr) -> tuple[slice, ...]:
    """The rows and columns that stand in a formula's brackets."""
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    found = []
    for part in parts:
        if not isinstance(part, ast.Slice) or part.step is not None or len(parts) > 2:
            raise ValueError
        found.append(slice(_whole(part.lower), _whole(part.upper)))
    return tuple(found)


def _whole(node: ast.expr | None) -> int | None:
    if node is None:
        return None
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    raise ValueError


def _value(node: ast.expr, values: Callable[[str], Numbers]) -> Numbers:
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left, values), _value(node.right, values)
        _require_room(left.shape, right.shape, product=isinstance(node.op, ast.MatMult))
        return np.asarray(BINARY[type(node.op)](left, right))
    if isinstance(node, ast.UnaryOp):
        return np.asarray(-_value(node.operand, values))
    if isinstance(node, ast.Attribute):
        return _value(node.value, values).T
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        given = [_value(each, values) for each in node.args]
        _require_room(*(each.shape for each in given))
        return np.asarray(FUNCTIONS[node.func.id][1](*given))
    if isinstance(node, ast.Subscript):
        return _value(node.value, values)[slices_of(node.slice)]
    if isinstance(node, ast.Name):
        return values(node.id)
    assert isinstance(node, ast.Constant)  # what _require lets through
    assert isinstance(node.value, int | float)
    return np.asarray(node.value, np.float64)


def _require_room(*shapes: tuple[int, ...], product: bool = False) -> None:
    """Refuse a result that is too large before it is made.

    Raises:
        ValueError: it is, or the shapes do not fit.
    """
    if product:
        left, right = shapes
        if not left or not right:
            raise ValueError("@ takes matrices, not numbers")
        elements = math.prod(left[:-1]) * math.prod(right[1:])
        if elements * left[-1] > MAX_PRODUCTS:
            raise ValueError(f"{elements * left[-1]} multiplications; the limit is {MAX_PRODUCTS}")
    else:
        elements = math.prod(np.broadcast_shapes(*shapes))
    if elements > MAX_ELEMENTS:
        raise ValueError(f"a result of {elements} elements; the limit is {MAX_ELEMENTS}")
