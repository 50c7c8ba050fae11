"""Reads a sweep's YAML file: which axes there are, what each may be, which figures are wanted."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import product
from pathlib import Path

from wavesim.errors import LimitExceeded, UserError
from wavesim.front.launch.file import launch_path
from wavesim.front.tile.node import Node, kind
from wavesim.front.tile.source import read_source
from wavesim.inputs import files_read
from wavesim.isa.archs import DEFAULT_ARCH
from wavesim.isa.clock import SUSTAINED, read_choice
from wavesim.isa.load import load_machine
from wavesim.isa.memory_roles import MODES
from wavesim.isa.names import named
from wavesim.isa.paths import data_dir, kernel_path
from wavesim.limits import MAX_WAVES, budget
from wavesim.pipeline.run import RunOptions, find_loader, prepare
from wavesim.sweeps.cells import Cell, content_hash, read_contents
from wavesim.sweeps.measures import MEASURES, USUAL, Value
from wavesim.yaml_source import load_yaml

MAX_CELLS = 1_000_000
"""Cells of one sweep: what a table, a page and the memory of one process can still hold."""

MAX_CANDIDATES = 1_000_000
"""Schedules that ``wavesim tune`` may try for one cell."""

KERNEL, MACHINES, OPTIONS, SEED = (
    "kernel",
    ("arch", "machine"),
    ("workgroups", "memory", "clock", "candidates"),
    "seed",
)
"""Names of the axes that are not constants of a kernel or values of a machine."""

KEYS = (
    *("about", "kernels", "arch", "machine", "set", "machine_set", *OPTIONS, "seeds"),
    *("numbers", "figures", "page"),
)
PAGE_KEYS = ("rows", "columns", "figure", "front")


@dataclass(frozen=True)
class SweptKernel:
    """A kernel file: its name in the table, what it reads, and its constants."""

    shown: str
    path: str
    files: tuple[str, ...]
    constants: frozenset[str]


@dataclass(frozen=True)
class Axis:
    """A column of the table that the spec varies. ``of`` says what it sets: ``kernel``, ``arch``,
    ``machine``, ``set`` (of a launch or of the machine), an option's name or ``seed``."""

    name: str
    of: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class PageAxes:
    """What the page shows first: the heat map's axes and figure, and the two figures of the front."""

    rows: str
    columns: str
    figure: str
    front: tuple[str, str]


@dataclass(frozen=True)
class Spec:
    """A sweep. The first axis is the kernel; the last one varies fastest."""

    file: str
    about: str
    kernels: Mapping[str, SweptKernel]
    axes: tuple[Axis, ...]
    machine_files: Mapping[str, tuple[str, ...]]
    figures: tuple[str, ...]
    numbers: bool
    page: PageAxes

    def rows(self) -> Iterator[tuple[Value, ...]]:
        """The values of each row of the table. An axis that a kernel does not have is empty there, once."""
        for kernel in self.kernels.values():
            yield from product([kernel.shown], *(_for(kernel, axis) for axis in self.axes[1:]))

    def count(self) -> int:
        """The number of rows."""
        total = 0
        for kernel in self.kernels.values():
            count = 1
            for axis in self.axes[1:]:
                count *= len(_for(kernel, axis))
            total += count
        return total

    def cells(self) -> Iterator[tuple[tuple[Value, ...], Cell]]:
        """The rows with the run that each stands for.

        Raises:
            UserError: a file cannot be read any more.
        """
        hashes: dict[tuple[str, ...], str] = {}
        limits = budget()
        for values in self.rows():
            given = [each for each in zip(self.axes, values, strict=True) if each[1] is not None]
            by_kind = {axis.of: value for axis, value in given if axis.of != "set"}
            kernel = self.kernels[str(values[0])]
            machine = str(by_kind["machine"]) if "machine" in by_kind else None
            files = (*kernel.files, *(self.machine_files[machine] if machine is not None else ()))
            if files not in hashes:
                hashes[files] = content_hash(read_contents(files))
            clock = by_kind.get("clock", SUSTAINED)
            yield (
                values,
                Cell(
                    kernel=kernel.path,
                    shown=kernel.shown,
                    files=files,
                    content=hashes[files],
                    settings={axis.name: str(value) for axis, value in given if axis.of == "set"},
                    arch=str(by_kind["arch"]) if "arch" in by_kind else None,
                    machine=self.machine_files[machine][0] if machine is not None else None,
                    workgroups=int(by_kind.get("workgroups") or 0) or None,
                    memory=str(by_kind.get("memory", "")),
                    clock=clock if isinstance(clock, str) else float(clock or 0),
                    candidates=int(by_kind.get("candidates") or 0),
                    seed=int(by_kind.get(SEED) or 0),
                    numbers=self.numbers,
                    instructions=limits.instructions,
                    clk=limits.clk,
                ),
            )


def _for(kernel: SweptKernel, axis: Axis) -> Sequence[Value]:
    """The values of an axis for a kernel; a constant that it does not have is no axis of it."""
    own = axis.of != "set" or "." in axis.name or axis.name in kernel.constants
    return axis.values if own else (None,)


def read_spec(source: str | os.PathLike[str] | Mapping[str, object]) -> Spec:
    """Reads a sweep's file, or takes the same keys as a mapping.

    Raises:
        UserError: an unknown key, figure, machine or machine value; a kernel that is missing; a constant that
            no kernel has; nothing to do.
        LimitExceeded: more than ``MAX_CELLS`` cells.
    """
    if isinstance(source, Mapping):
        import json

        data, marks = load_yaml("sweep", json.dumps(source))
        folder = Path()
    else:
        data, marks = load_yaml(os.fspath(source))
        folder = Path(source).parent
    root = Node(data, marks, ())
    root.keys(KEYS, "a sweep")
    about = root.get("about")
    kernels = _kernels(root.need("kernels"), folder)
    axes = [Axis(KERNEL, KERNEL, tuple(kernels)), *_machines(root)]
    machine_files = _machine_files(root, axes, folder)
    axes += [*_constants(root, kernels), *_machine_values(root, axes, machine_files), *_options(root)]
    figures = _figures(root)
    numbers = root.get("numbers")
    if numbers is not None and not isinstance(numbers.data, bool):
        raise numbers.error(f"numbers: must be true or false, not {kind(numbers.data)}")
    spec = Spec(
        marks.file,
        about.text().strip() if about is not None else "",
        kernels,
        tuple(axes),
        machine_files,
        figures,
        numbers is None or bool(numbers.data),
        _page(root, axes, figures),
    )
    if spec.count() > MAX_CELLS:
        raise LimitExceeded(f"{spec.count()} cells; a sweep has at most {MAX_CELLS}", root.span)
    return spec


def _values(node: Node, read: Callable[[Node], Value]) -> tuple[Value, ...]:
    """The values of an axis: a list, or one alone; none twice."""
    items = node.items(node.name) if isinstance(node.data, list) else [node]
    if not items:
        raise node.error(f"{node.name}: is an empty list", "at least one value is needed")
    found: dict[Value, None] = {}
    for item in items:
        value = read(item)
        if value in found:
            raise item.error(f"{node.name}: {value} stands there twice")
        found[value] = None
    return tuple(found)


def _plain(item: Node) -> Value:
    if isinstance(item.data, bool) or not isinstance(item.data, int | float | str):
        raise item.error(f"{item.path[-2]}: must be numbers or text, not {kind(item.data)}")
    return item.data


def _whole(least: int, most: int) -> Callable[[Node], Value]:
    def read(item: Node) -> Value:
        if isinstance(item.data, bool) or not isinstance(item.data, int) or not least <= item.data <= most:
            raise item.error(f"{item.data!r:.40} does not fit", f"a whole number from {least} to {most}")
        return item.data

    return read


def _kernels(node: Node, folder: Path) -> dict[str, SweptKernel]:
    found = {}
    for item in node.items("kernels") if isinstance(node.data, list) else [node]:
        shown = item.text()
        if shown in found:
            raise item.error(f"kernels: {shown} stands there twice")
        beside = folder / shown
        path = beside if os.path.isfile(beside) else kernel_path(shown)
        if not os.path.isfile(path):
            raise item.error(
                f"kernels: no such file {shown!r:.200}", f"looked in {folder}, here and in wavesim"
            )
        try:
            find_loader(path)
        except UserError as error:
            raise item.error(error.message, error.hint) from None
        found[shown] = _kernel(shown, path)
    if not found:
        raise node.error("kernels: is an empty list", "at least one kernel is needed")
    return found


def _kernel(shown: str, path: Path) -> SweptKernel:
    """A kernel with all the files that loading it reads, and the constants that may be set.

    What is wrong with it is for its cells to say.
    """
    constants: frozenset[str] = frozenset()
    with files_read() as files:
        try:
            if path.suffix.lower() in (".yaml", ".yml"):
                constants = frozenset(read_source(path).named["constants"])
            elif os.path.isfile(launch_path(path)):
                data, _ = load_yaml(launch_path(path))
                declared = data.get("constants") if isinstance(data, dict) else None
                constants = frozenset(map(str, declared)) if isinstance(declared, dict) else constants
            prepare(path, RunOptions())
        except UserError:
            pass
    data_files = str(data_dir("isa"))
    read = [os.path.abspath(path), *(each for each in files if not each.startswith(data_files))]
    return SweptKernel(shown, os.path.abspath(path), tuple(dict.fromkeys(read)), constants)


def _machines(root: Node) -> list[Axis]:
    arch, machine = root.get("arch"), root.get("machine")
    if arch is not None and machine is not None:
        raise root.marks.error(
            ("machine",), "arch and machine exclude each other", "a machine file names its base", at_key=True
        )
    if arch is not None:
        return [Axis("arch", "arch", _values(arch, lambda item: named(item.text(), item.span)))]
    return [Axis("machine", "machine", _values(machine, _machine_file))] if machine is not None else []


def _machine_file(item: Node) -> Value:
    if not item.text().endswith((".yaml", ".yml")):
        raise item.error(f"machine: {item.data!r:.60} is no machine file", "a .yaml; or a device under arch:")
    return item.text()


def _machine_files(root: Node, axes: Sequence[Axis], folder: Path) -> dict[str, tuple[str, ...]]:
    """Of each machine file, by its name in the spec, the files that it stands on, its own first."""
    found = {}
    stock = str(data_dir("isa"))
    for name in (str(value) for axis in axes if axis.of == "machine" for value in axis.values):
        path = os.path.abspath(folder / name)
        with files_read() as files:
            load_machine(path)
        found[name] = tuple(dict.fromkeys((path, *(each for each in files if not each.startswith(stock)))))
    return found


def _constants(root: Node, kernels: Mapping[str, SweptKernel]) -> list[Axis]:
    node = root.get("set")
    if node is None:
        return []
    known = sorted({name for kernel in kernels.values() for name in kernel.constants})
    axes = []
    for name, values in node.mapping("set"):
        if "." in name:
            raise node.marks.error(
                (*node.path, name),
                f"set: {name} is a value of the machine",
                "put it under machine_set:",
                at_key=True,
            )
        if name not in known:
            close = get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]}?" if close else f"constants: {', '.join(known) or 'none'}"
            raise node.marks.error(
                (*node.path, name), f"set: no kernel has a constant {name!r}", hint, at_key=True
            )
        axes.append(_named_axis(name, "set", values))
    return axes


def _named_axis(name: str, of: str, node: Node) -> Axis:
    taken = (KERNEL, *MACHINES, *OPTIONS, SEED, "verdict", "error", *MEASURES)
    if name in taken:
        raise node.marks.error(node.path, f"{name!r} is the name of a column already", at_key=True)
    return Axis(name, of, _values(node, _plain))


def _machine_values(root: Node, axes: Sequence[Axis], files: Mapping[str, tuple[str, ...]]) -> list[Axis]:
    """Axes of the machine's values. Each value is tried on each machine of the sweep."""
    node = root.get("machine_set")
    if node is None:
        return []
    machines = next((axis.values for axis in axes if axis.of in MACHINES), (DEFAULT_ARCH,))
    found = []
    for name, values in node.mapping("machine_set"):
        axis = _named_axis(name, "set", values)
        if "." not in name:
            raise values.marks.error(
                values.path,
                f"machine_set: {name} is no value of a machine",
                "such as memory.latency_clk",
                at_key=True,
            )
        for index, value in enumerate(axis.values):
            for machine in machines:
                try:
                    load_machine(files.get(str(machine), (str(machine),))[0], {name: str(value)})
                except UserError as error:
                    place = values.child(index) if isinstance(values.data, list) else values
                    raise place.error(error.message, error.hint) from None
        found.append(axis)
    return found


def _options(root: Node) -> list[Axis]:
    def clock(item: Node) -> Value:
        try:
            return read_choice(str(item.data))
        except UserError as error:
            raise item.error(f"clock: {item.data!r:.40} is no clock", error.hint) from None

    read: dict[str, tuple[str, Callable[[Node], Value]]] = {
        "workgroups": ("workgroups", _whole(1, MAX_WAVES)),
        "memory": ("memory", lambda item: item.text(MODES)),
        "clock": ("clock", clock),
        "candidates": ("candidates", _whole(0, MAX_CANDIDATES)),
        "seeds": (SEED, _whole(0, 2**31)),
    }
    return [
        Axis(name, name, _values(node, reader))
        for key, (name, reader) in read.items()
        if (node := root.get(key)) is not None
    ]


def _figures(root: Node) -> tuple[str, ...]:
    node = root.get("figures")
    if node is None:
        return USUAL
    return tuple(map(str, _values(node, _figure)))


def _figure(item: Node) -> str:
    name = item.text()
    if name not in MEASURES:
        close = get_close_matches(name, MEASURES, 1)
        hint = f"did you mean {close[0]}?" if close else f"figures: {', '.join(MEASURES)}"
        raise item.error(f"unknown figure {name!r:.60}", hint)
    return name


def _page(root: Node, axes: Sequence[Axis], figures: Sequence[str]) -> PageAxes:
    """What the page shows first: as the spec says, else the two axes with most values."""
    node = root.get("page")
    most = sorted(axes, key=lambda axis: -len(axis.values))
    names = [axis.name for axis in most]
    rows, columns = names[0], names[1] if len(names) > 1 else names[0]
    ordered = [axis.name for axis in axes]
    if ordered.index(rows) > ordered.index(columns):
        rows, columns = columns, rows
    numeric = [name for name in figures if MEASURES[name].better] or list(figures)
    figure, front = numeric[0], (numeric[0], numeric[-1])
    if node is None:
        return PageAxes(rows, columns, figure, front)
    node.keys(PAGE_KEYS, "page")

    def chosen(key: str, usual: str, choices: Sequence[str]) -> str:
        given = node.get(key)
        return usual if given is None else given.text(choices)

    if (pair := node.get("front")) is not None:
        items = pair.items("front")
        if len(items) != 2:
            raise pair.error("front: two figures are needed", "front: [clk_per_iteration, tflops]")
        front = (items[0].text(figures), items[1].text(figures))
        for item in items:
            if not MEASURES[str(item.data)].better:
                raise item.error(f"front: {item.data} is better neither less nor more")
    rows, columns = chosen("rows", rows, names), chosen("columns", columns, names)
    return PageAxes(rows, columns, chosen("figure", figure, figures), front)
