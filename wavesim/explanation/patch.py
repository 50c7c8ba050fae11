"""A piece of advice as a change of the kernel's own text, loaded again to see that it is that change.

Where the file has no lines for it (macros, unrolled loops, a compiled source) the whole edited kernel is
written out as assembly instead, and the patch says why.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from wavesim.asm.printer import print_code, print_program
from wavesim.errors import UserError
from wavesim.explanation.edits import Edit, edited_program
from wavesim.explanation.patch_lines import edited_texts
from wavesim.front.assembled import read_assembly
from wavesim.front.endings import ASSEMBLY, HIP, TILES
from wavesim.front.launch.file import launch_path
from wavesim.front.launch.model import LoadedKernel
from wavesim.front.launch.write import launch_text, with_its_workgroup
from wavesim.pipeline.run import RunOptions, split_settings
from wavesim.program import Program
from wavesim.source_text import read_text
from wavesim.trace.decode import code_entries

_PLACE = re.compile(r"(?<=^.)-?\d+\0")


@dataclass(frozen=True)
class Patch:
    """A change of a text.

    Attributes:
        file: what is changed: the kernel's file, or the assembly that it becomes.
        before, text: the whole text as it is and with the change.
        ending: of a file that takes ``text``.
        why_assembly: why it is none of the kernel's file; nothing where it is.
        needs_launch: a launch file belongs beside it, where the launch has arguments.
        stood: where each line of ``text`` stood in ``before``, from 0 (-1: it is new or moved), if known.
    """

    file: str
    before: str
    text: str
    ending: str
    why_assembly: str = ""
    needs_launch: bool = True
    stood: tuple[int, ...] = ()

    @property
    def diff(self) -> str:
        """As a unified diff."""
        before, after = self.before.splitlines(), self.text.splitlines()
        if self.stood:  # equal lines are told apart, so that what was moved is what moves
            places = [place if place >= 0 else -1 - at for at, place in enumerate(self.stood)]
            before = [f"{place}\0{line}" for place, line in enumerate(before)]
            after = [f"{place}\0{line}" for place, line in zip(places, after, strict=False)]
        lines = difflib.unified_diff(before, after, self.file, f"{self.file} edited", lineterm="", n=2)
        return "".join(f"{re.sub(_PLACE, '', line)}\n" for line in lines)


def text_patch(path: Path, text: str) -> Patch:
    """The change of the file at ``path`` that makes it ``text``."""
    before = read_text(path, lenient=True)
    return Patch(str(path), before, text, path.suffix, needs_launch=path.suffix.lower() not in TILES)


def edit_patch(kernel: LoadedKernel, path: Path, options: RunOptions, edit: Edit) -> Patch:
    """An edit of the kernel as a change of the file that it was read from, or else of its assembly.

    Args:
        kernel: as loaded.
        path: its file.
        options: with which it was loaded.
        edit: the edit of its program.
    """
    program, _ = edited_program(kernel.program, code_entries(kernel.program), edit)
    ending = path.suffix.lower()
    why = "the kernel is a compiled source"
    if ending in (*ASSEMBLY, *TILES):
        text = read_text(path, lenient=True)
        wanted = print_code(program, comments=False)
        for each in edited_texts(text, str(path), kernel.program, edit, is_tile=ending in TILES):
            edited = "\n".join(line for _, line in each)
            found = _loaded(path, options, kernel, edited)
            if found is not None and print_code(found, comments=False) == wanted:
                return replace(text_patch(path, edited), stood=tuple(number for number, _ in each))
        why = "its lines stand for other places, too (a macro, an unrolled loop or the like)"
    before, after = (
        print_program(with_its_workgroup(each, kernel.launch)) for each in (kernel.program, program)
    )
    return Patch(f"{path} as assembly", before, after, ASSEMBLY[0], why)


def _loaded(path: Path, options: RunOptions, kernel: LoadedKernel, text: str) -> Program | None:
    """The program of an edited text; ``None`` where it is none."""
    arch = kernel.program.arch
    try:
        if path.suffix.lower() in ASSEMBLY:
            return read_assembly(
                text, path, str(path), arch, kernel.program.name, allow_unknown=options.allow_unknown
            )[0]
        from wavesim.front.tile.load import load_tile_program

        return load_tile_program(path, arch, split_settings(options.settings)[0], text).program
    except UserError:
        return None


def patch_files(patch: Patch, kernel: LoadedKernel, output: Path) -> Iterator[tuple[Path, str]]:
    """The edited kernel for the file ``output``, and the launch file that belongs beside it.

    Args:
        patch: the change.
        kernel: as loaded.
        output: where it goes.

    Raises:
        UserError: an ending that the text has not, or a launch that no file can state.
    """
    given = output.suffix.lower()
    kinds = next((kinds for kinds in (TILES, ASSEMBLY, HIP) if patch.ending.lower() in kinds), ())
    if given not in kinds:
        why = f": {patch.why_assembly}" if patch.why_assembly else ""
        raise UserError(
            f"-o {output}: this edit is written as {patch.ending}{why}",
            None,
            f"-o {output.with_suffix(patch.ending)}",
        )
    if patch.needs_launch and kernel.launch.arguments:
        yield launch_path(output), launch_text(kernel.launch)
    yield output, patch.text
