"""A cell of a sweep: one run, as plain data that another process or machine can be given, and its result.

A cell is known by its content: the text of every file that the kernel reads, the machine, the settings and
wavesim itself. So a result is used again only for the very same run.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from wavesim.errors import LimitExceeded, UserError
from wavesim.limits import Budget, allowing
from wavesim.pipeline.cluster import OTHER_WAVESIM, fingerprint
from wavesim.pipeline.run import Run, RunOptions, prepare, run_kernel
from wavesim.program.verdict import Verdict
from wavesim.sweeps.measures import Value, measured

_ONE_AT_A_TIME = threading.Lock()
"""A process executes one cell at a time, also where a cluster gives it several threads."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One run: the kernel's absolute path, and as the table shows it; ``files`` is all that it reads, of
    which ``content`` is the hash; ``candidates`` is how many schedules ``wavesim tune`` tries first (0: the
    kernel runs as it is written); the rest as in :class:`wavesim.pipeline.run.RunOptions`."""

    kernel: str
    shown: str
    files: tuple[str, ...]
    content: str
    settings: Mapping[str, str]
    arch: str | None = None
    machine: str | None = None
    workgroups: int | None = None
    memory: str = ""
    clock: float | str = "sustained"
    candidates: int = 0
    seed: int = 0
    numbers: bool = True
    instructions: int = Budget().instructions
    clk: int = Budget().clk

    @property
    def key(self) -> str:
        """The hash of everything that decides the result."""
        own = [getattr(self, name) for name in _DECIDING]
        return hashlib.sha256(json.dumps([fingerprint(), own], sort_keys=True).encode()).hexdigest()


_DECIDING = sorted({each.name for each in fields(Cell)} - {"kernel", "machine", "files"})
"""What a result hangs on; of files it is ``content``."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a cell: all figures and the verdict, or why there is none. ``lasting``: the same cell
    would give the same again. An error is so only if it took its time to find: a budget that was used up."""

    key: str
    verdict: str
    error: str
    figures: Mapping[str, Value]
    lasting: bool = True


def cell_from(text: str) -> Cell:
    """The cell that :func:`cell_text` wrote."""
    data = json.loads(text)
    return Cell(**{**data, "files": tuple(data["files"])})


def cell_text(cell: Cell) -> str:
    """A cell as one line of JSON."""
    return json.dumps(asdict(cell))


def result_text(result: Result) -> str:
    """A result as one line of JSON."""
    return json.dumps(asdict(result), allow_nan=False)


def result_from(text: str, cell: Cell) -> Result:
    """The result of ``cell`` that :func:`result_text` wrote; none of another wavesim is taken."""
    result = Result(**json.loads(text))
    if result.key != cell.key:
        return lost(cell, result.error or OTHER_WAVESIM)
    return result


def lost(cell: Cell, why: str) -> Result:
    """The result of a cell that nothing could be learnt of."""
    return Result(cell.key, str(Verdict.BAD), why, {}, lasting=False)


def content_hash(contents: Iterable[tuple[str, bytes]]) -> str:
    """The hash of files: of their names without the folder, and of their bytes, in the given order."""
    found = hashlib.sha256()
    for name, content in contents:
        found.update(os.path.basename(name).encode() + b"\0" + hashlib.sha256(content).digest())
    return found.hexdigest()


def read_contents(files: Iterable[str]) -> list[tuple[str, bytes]]:
    """The files' names and bytes.

    Raises:
        UserError: one cannot be read any more.
    """
    try:
        return [(name, Path(name).read_bytes()) for name in files]
    except OSError as error:
        raise UserError(f"{error.filename}: cannot be read: {error.strerror}") from None


def _run(path: Path, options: RunOptions, candidates: int) -> Run:
    """The kernel's run, with the schedule that a search of so many candidates finds and proves."""
    if not candidates:
        return run_kernel(path, options)
    from wavesim.tuning.tune import TuneOptions, tune_kernel

    wanted = TuneOptions(minutes=None, candidates=candidates, seed=options.seed)
    found = tune_kernel(path, options, wanted)
    kernel, machine = prepare(path, options)
    return run_kernel(path, options, prepared=(replace(kernel, program=found.program), machine))


def run_cell(cell: Cell, root: str = "") -> Result:
    """Runs a cell. What is wrong with it becomes the error of its result, in one line.

    Args:
        cell: what to run.
        root: folder in which its files' absolute paths are to be found (default: where they are).
    """
    key = cell.key
    options = RunOptions(
        arch=cell.arch,
        machine=root + cell.machine if cell.machine else None,
        settings=cell.settings,
        workgroups=cell.workgroups,
        memory=cell.memory,
        clock=cell.clock,
        seed=cell.seed,
        numbers=cell.numbers,
    )
    with _ONE_AT_A_TIME, allowing(Budget(cell.instructions, cell.clk)):
        try:
            if content_hash(read_contents(root + name for name in cell.files)) != cell.content:
                return lost(cell, "a file of the kernel changed while the sweep ran")
            run = _run(Path(root + cell.kernel), options, cell.candidates)
        except UserError as error:
            text = str(error).replace(root + cell.kernel, cell.shown)
            text = text.replace(root, "") if root else text
            line = "; ".join(each.strip() for each in text.splitlines())
            return Result(key, str(Verdict.BAD), line, {}, lasting=isinstance(error, LimitExceeded))
        except Exception as error:  # a fault of wavesim's: the other cells go on
            return lost(cell, f"{type(error).__name__}: {error}".replace("\n", " "))
    return Result(key, str(run.verdict), "", measured(run))


def run_cell_elsewhere(text: str, contents: list[tuple[str, bytes]], made_by: str) -> str:
    """Runs a cell on a machine that has wavesim but not the files; all is text for the way there and back.

    Args:
        text: the cell (:func:`cell_text`).
        contents: its files, with their absolute paths.
        made_by: the fingerprint of the wavesim that asks.
    """
    cell = cell_from(text)
    if fingerprint() != made_by:
        return result_text(lost(cell, OTHER_WAVESIM))
    with tempfile.TemporaryDirectory(prefix="wavesim-sweep-") as root:
        for name, content in contents:
            path = Path(root + name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return result_text(run_cell(cell, root))
