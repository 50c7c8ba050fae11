"""The launch that a host function of FlyDSL makes, read from its MLIR: grid, workgroup and operands.

What a host function computes is arithmetic on its arguments and constants. Of that the usual is carried out;
anything else is named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from wavesim.errors import UserError

Number = int | float

_FUNCTION = re.compile(
    r"func\.func @(?P<name>[\w$.]+)\((?P<parameters>.*?)\) (?:->.*?)?attributes .*?\{\n", re.DOTALL
)
_LOCATION = re.compile(r"\s*loc\((?:\"[^\"]*\"(?::\d+:\d+)?|[^()]*)\)")
_PARAMETER = re.compile(r"(%\w+): ([^%]*)")
_STEP = re.compile(r"(?P<to>%[\w#]+)(?::\d+)? = (?P<op>[\w.]+) (?P<rest>.*)")
_LAUNCH = re.compile(
    r"gpu\.launch_func.*?@\w+::@(?P<kernel>[\w$.]+).*?blocks in \((?P<grid>[^)]*)\)"
    r" threads in \((?P<block>[^)]*)\)"
    r"(?:\s*dynamic_shared_memory_size (?P<lds>%\w+))?[^\n]*?args\((?P<args>.*)\)"
)
_OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "addi": lambda a, b: a + b,
    "subi": lambda a, b: a - b,
    "muli": lambda a, b: a * b,
    "floordivsi": lambda a, b: a // b,
    "ceildivsi": lambda a, b: -(-a // b),
    "divsi": lambda a, b: abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1),
    "divui": lambda a, b: a // b,
    "ceildivui": lambda a, b: -(-a // b),
    "remsi": lambda a, b: a - b * (abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)),
    "remui": lambda a, b: a % b,
    "minsi": min,
    "maxsi": max,
    "shli": lambda a, b: a << b,
    "shrsi": lambda a, b: a >> b,
}
_IN_MEMORY = ("!fly.memref", "!fly.ptr")
_VIEWS = ("fly.get_iter", "fly.make_view")
"""The same memory with another layout; the tensor or its pointer is the first operand."""
_CASTS = ("index_cast", "index_castui", "extsi", "extui", "trunci")


@dataclass(frozen=True)
class Operand:
    """What the kernel gets: the host function's ``argument`` (with the ``layout`` of a tensor), or a
    ``number`` that was computed, of a launch file's type ``dtype``."""

    argument: int | None = None
    layout: str = ""
    number: Number | None = None
    dtype: str = ""


@dataclass(frozen=True)
class Launched:
    """A launch: the kernel's symbol, workgroups, work-items, bytes of dynamic LDS, operands in order."""

    kernel: str
    grid: tuple[int, int, int]
    block: tuple[int, int, int]
    lds_bytes: int
    operands: tuple[Operand, ...]


def launched(text: str, numbers: Sequence[Number | None], name: str) -> Launched:
    """The only launch of the host function in a module.

    Args:
        text: the module before lowering.
        numbers: the values of the function's arguments, those of tensors being none.
        name: of the function, for messages.

    Raises:
        UserError: no launch or several, or one whose grid or operands are computed by what is not read here.
    """
    found = _FUNCTION.search(text)
    if found is None:
        raise UserError(f"{name}: no host function in what FlyDSL made")
    host = _Host(name, _PARAMETER.findall(_LOCATION.sub("", found["parameters"])), numbers)
    launches = []
    for line in text[found.end() :].split("\n  }")[0].splitlines():
        line = _LOCATION.sub("", line.strip())
        launch, step = _LAUNCH.search(line), _STEP.match(line)
        if launch is not None:
            launches.append(launch)
        elif step is not None:
            host.carry_out(step["to"], step["op"], step["rest"])
    if len(launches) != 1:
        raise UserError(f"{name}: {len(launches)} launches, where one is simulated")
    (launch,) = launches
    return Launched(
        launch["kernel"],
        host.three(launch["grid"]),
        host.three(launch["block"]),
        int(host.value(launch["lds"])) if launch["lds"] else 0,
        tuple(host.operands(launch["args"])),
    )


class _Host:
    """What is known of the values of a host function: numbers, and which argument a tensor is."""

    def __init__(
        self, name: str, parameters: Sequence[tuple[str, str]], numbers: Sequence[Number | None]
    ) -> None:
        self.name = name
        self.places = {parameter: place for place, (parameter, _) in enumerate(parameters)}
        self.known = {word: numbers[at] if at < len(numbers) else None for word, at in self.places.items()}
        self.how: dict[str, str] = {}

    def carry_out(self, to: str, operation: str, rest: str) -> None:
        """One operation."""
        self.how[to] = operation
        self.known[to] = _result(operation, rest, self.known)
        source = re.match(r"\(?(%\w+)", rest) if operation in _VIEWS else None
        if source is not None and source[1] in self.places:
            self.places[to] = self.places[source[1]]

    def value(self, word: str) -> Number:
        """A number."""
        result = self.known.get(word.strip())
        if result is None:
            by = self.how.get(word.strip(), "an argument that is no number")
            raise UserError(f"{self.name}: its launch is computed by {by}, which is not read here")
        return result

    def three(self, words: str) -> tuple[int, int, int]:
        """Sizes in x, y and z."""
        x, y, z = (int(self.value(word)) for word in words.split(","))
        return x, y, z

    def operands(self, text: str) -> Iterator[Operand]:
        """What the kernel gets."""
        for word, kind in re.findall(r"(%\w+) : (!?[\w.]+(?:<[^%]*>)?)", text):
            if kind.startswith("!") and not kind.startswith(_IN_MEMORY):
                continue  # a layout or an atom, which has nothing that is not in its type
            if word in self.places and (kind.startswith("!") or self.known[word] is not None):
                layout = re.search(r"<[^,]*, [^,]*, (.*)>$", kind)
                yield Operand(self.places[word], layout[1] if layout else "")
            else:
                yield Operand(None, "", self.value(word), "i32" if kind == "index" else kind)


def _result(operation: str, rest: str, known: dict[str, Number | None]) -> Number | None:
    """What an operation of ``arith`` gives; none where it or an operand is not known."""
    dialect, _, name = operation.partition(".")
    if dialect != "arith":
        return None
    if name == "constant":
        number = re.match(r"(-?[\d.eE+-]+|true|false)", rest)
        if number is None:
            return None
        word = {"true": "1", "false": "0"}.get(number[1], number[1])
        return float(word) if "." in word else int(word)
    words = [known.get(word) for word in re.findall(r"%[\w#]+", rest)]
    if any(word is None for word in words):
        return None
    if name in _CASTS:
        return words[0]
    if name in _OPERATIONS and len(words) == 2:
        left, right = words
        by_zero = right == 0 and ("div" in name or "rem" in name)
        if isinstance(left, int) and isinstance(right, int) and not by_zero:
            return _OPERATIONS[name](left, right)
    return None
