"""How large the terms are that an element of a formula is made of: what its rounding errors are in
proportion to, also where terms cancel or another element is far larger.

A sum has the sum of its terms' sizes, a product their product; a function has its value and its slope times
the size of its argument.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

import numpy as np

from wavesim.front.launch.formula import BINARY, FUNCTIONS, Numbers, parse_formula, slices_of

_STEP = 2.0**-10
"""Of an argument's size: by this much it is moved to find a slope."""
_ALONG_ROWS = ("sum", "cumsum")
Sized = tuple[Numbers, Numbers]
"""A value and the size of its terms."""


def formula_sizes(text: str, values: Callable[[str], Numbers]) -> Numbers:
    """The sizes of a formula's elements, of its result's shape; infinite where they are not known."""
    with np.errstate(all="ignore"):
        size = _sized(parse_formula(text), values)[1]
        return np.where(np.isnan(size), np.inf, size)


def _sized(node: ast.expr, values: Callable[[str], Numbers]) -> Sized:
    if isinstance(node, ast.BinOp):
        left, right = _sized(node.left, values), _sized(node.right, values)
        return _binary(type(node.op), left, right)
    if isinstance(node, ast.UnaryOp):
        value, size = _sized(node.operand, values)
        return -value, size
    if isinstance(node, ast.Attribute):
        value, size = _sized(node.value, values)
        return value.T, size.T
    if isinstance(node, ast.Subscript):
        value, size = _sized(node.value, values)
        part = slices_of(node.slice)
        return value[part], size[part]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _call(node.func.id, [_sized(each, values) for each in node.args])
    if isinstance(node, ast.Name):
        value = values(node.id)
        return value, np.abs(value)
    assert isinstance(node, ast.Constant)  # what parse_formula lets through
    assert isinstance(node.value, int | float)
    value = np.asarray(node.value, np.float64)
    return value, np.abs(value)


def _binary(kind: type[ast.operator], left: Sized, right: Sized) -> Sized:
    value = np.asarray(BINARY[kind](left[0], right[0]))
    if kind in (ast.Add, ast.Sub):
        return value, np.asarray(left[1] + right[1])
    if kind in (ast.Mult, ast.MatMult):
        return value, np.asarray(BINARY[kind](left[1], right[1]))
    return value, _by_slope(BINARY[kind], [left, right], value)


def _call(name: str, arguments: list[Sized]) -> Sized:
    function = FUNCTIONS[name][1]
    value = np.asarray(function(*(each[0] for each in arguments)))
    size = arguments[0][1]
    if name in _ALONG_ROWS:
        return value, np.asarray(function(size))
    if name == "mean":
        return value, np.asarray(size.mean(axis=-1, keepdims=True))
    if name == "var":
        return value, np.asarray(4 * (size**2).mean(axis=-1, keepdims=True))
    if name in ("max", "min", "sort"):
        return value, np.broadcast_to(size.max(axis=-1, keepdims=True), value.shape)
    if name == "softmax":
        return value, value * (1 + 2 * size.max(axis=-1, keepdims=True))
    if name == "causal":
        return value, size
    return value, _by_slope(function, arguments, value)


def _by_slope(function: Callable[..., Numbers], arguments: list[Sized], value: Numbers) -> Numbers:
    """Of a function of single elements: its value's size and its slope times each argument's size."""
    total = np.abs(value)
    for place, (_, size) in enumerate(arguments):
        moved = []
        for sign in (-1, 1):
            near = [each[0] for each in arguments]
            near[place] = near[place] + sign * _STEP * size
            change = np.abs(function(*near) - value) / _STEP
            moved.append(np.where(np.isnan(change), 0, change))  # past the end of where it is defined
        total = total + np.maximum(*moved)
    return total
