"""Expressions in kernel files: Python syntax, integers only, parsed to a tree and never evaluated as code."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from wavesim.front.tile.affine import (
    Value,
    ValueProblem,
    add,
    combine,
    constant,
    divide,
    modulo,
    multiply,
)

MAX_TEXT = 400
MAX_SHIFT = 40

_BINARY: Mapping[type[ast.operator], Callable[[Value, Value], Value]] = {
    ast.Add: add,
    ast.Sub: lambda left, right: add(left, right, -1),
    ast.Mult: multiply,
    ast.Div: divide,
    ast.FloorDiv: divide,
    ast.Mod: modulo,
    ast.BitAnd: lambda left, right: combine("and", left, right),
    ast.BitOr: lambda left, right: combine("or", left, right),
    ast.BitXor: lambda left, right: combine("xor", left, right),
    ast.LShift: lambda left, right: multiply(left, Value(1 << _shift(right))),
    ast.RShift: lambda left, right: divide(left, Value(1 << _shift(right))),
}
_COMPARE: Mapping[type[ast.cmpop], tuple[str, Callable[[int, int], bool]]] = {
    ast.Eq: ("eq", operator.eq),
    ast.NotEq: ("lg", operator.ne),
    ast.Lt: ("lt", operator.lt),
    ast.LtE: ("le", operator.le),
    ast.Gt: ("gt", operator.gt),
    ast.GtE: ("ge", operator.ge),
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A condition that is known at run time only; ``relation`` as in ``s_cmp_<relation>_i32``."""

    relation: str
    left: Value
    right: Value


Condition = bool | Comparison


def _shift(right: Value) -> int:
    if not right.is_constant or not 0 <= right.constant <= MAX_SHIFT:
        raise ValueProblem(f"a shift must be by a constant from 0 to {MAX_SHIFT}")
    return right.constant


@lru_cache(maxsize=4096)
def _parse(text: str) -> ast.expr:
    if len(text) > MAX_TEXT:
        raise ValueProblem(f"an expression of {len(text)} characters; at most {MAX_TEXT}")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise ValueProblem(f"expression {text!r} cannot be read: {error.msg}") from None
    except (ValueError, MemoryError, RecursionError):
        raise ValueProblem(f"expression {text[:40]!r} cannot be read") from None


def evaluate(text: str, names: Mapping[str, Value]) -> Value:
    """The value of an integer expression.

    Args:
        text: ``+ - * / % << >> & | ^ ( )``, ``min(a, b)``, ``max(a, b)``, numbers and names. ``/`` and
            ``//`` both round down.
        names: what a name stands for.

    Raises:
        ValueProblem: anything else, or a value that cannot be formed.
    """
    return _value(_parse(text), names)


def _value(node: ast.expr, names: Mapping[str, Value]) -> Value:
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool) or not isinstance(node.value, int):
            raise ValueProblem(f"{node.value!r} is not a whole number")
        return constant(node.value)
    if isinstance(node, ast.Name):
        found = names.get(node.id)
        if found is None:
            raise ValueProblem(f"unknown name {node.id!r}; known: {', '.join(sorted(names))}")
        return found
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        return _BINARY[type(node.op)](_value(node.left, names), _value(node.right, names))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return add(Value(0), _value(node.operand, names), -1)
    if isinstance(node, ast.Call):
        return _call(node, names)
    raise ValueProblem(
        f"{ast.unparse(node)!r} is not an integer expression; use + - * / % << >> & | ^ ( ) min max"
    )


def _call(node: ast.Call, names: Mapping[str, Value]) -> Value:
    if not isinstance(node.func, ast.Name) or node.func.id not in ("min", "max"):
        raise ValueProblem(f"{ast.unparse(node.func)!r} cannot be called; only min and max")
    if node.keywords or len(node.args) < 2:
        raise ValueProblem(f"{node.func.id} takes two or more values")
    result = _value(node.args[0], names)
    for argument in node.args[1:]:
        result = combine(node.func.id, result, _value(argument, names))
    return result


def evaluate_condition(text: str, names: Mapping[str, Value]) -> Condition:
    """A comparison (``wave < 4``), decided now where both sides are constant.

    ``and``, ``or`` and ``not`` join conditions that are decided now. A plain value counts as "not zero".

    Raises:
        ValueProblem: not a condition, or it differs from lane to lane.
    """
    return _condition(_parse(text), names)


def _condition(node: ast.expr, names: Mapping[str, Value]) -> Condition:
    if isinstance(node, ast.BoolOp):
        parts = [_decided(part, names) for part in node.values]
        return all(parts) if isinstance(node.op, ast.And) else any(parts)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return not _decided(node.operand, names)
    if isinstance(node, ast.Compare):
        if len(node.ops) != 1 or type(node.ops[0]) not in _COMPARE:
            raise ValueProblem(f"{ast.unparse(node)!r}: one comparison of two values, such as wave < 4")
        relation, decide = _COMPARE[type(node.ops[0])]
        left, right = _value(node.left, names), _value(node.comparators[0], names)
    else:
        relation, decide = "lg", operator.ne
        left, right = _value(node, names), Value(0)
    if left.is_constant and right.is_constant:
        return decide(left.constant, right.constant)
    if left.is_vector or right.is_vector:
        raise ValueProblem(
            "a condition must be the same for all lanes of a wave: use wave, not lane or thread"
        )
    return Comparison(relation, left, right)


def _decided(node: ast.expr, names: Mapping[str, Value]) -> bool:
    found = _condition(node, names)
    if isinstance(found, Comparison):
        raise ValueProblem("and, or, not: only of conditions that are known before the run; nest if: instead")
    return found
