"""Assembly files as kernels: read by wavesim's parser, or else by clang (:mod:`wavesim.front.by_clang`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wavesim.asm.text.parse import parse_program
from wavesim.asm.text.source import target_of
from wavesim.errors import LimitExceeded, UserError
from wavesim.front.assembly import loaded
from wavesim.front.launch.file import LaunchOptions, launch_kernel
from wavesim.front.launch.model import LoadedKernel
from wavesim.program import Finding, Program
from wavesim.source_text import read_text


def load_assembly(
    path: Path,
    arch: str | None,
    settings: Mapping[str, str],
    options: LaunchOptions | None = None,
    *,
    allow_unknown: bool = False,
) -> LoadedKernel:
    """Load a ``.s`` file.

    Raises:
        UserError: not assembly, another architecture than asked for, or a launch that cannot be read.
    """
    given = options or LaunchOptions()
    name = launch_kernel(path, given)
    text = read_text(path, lenient=True)
    program, findings = read_assembly(text, path, str(path), arch, name, allow_unknown=allow_unknown)
    return loaded(program, path, settings, given, findings)


def read_assembly(
    text: str, path: Path, file: str, arch: str | None, kernel: str | None, *, allow_unknown: bool = False
) -> tuple[Program, tuple[Finding, ...]]:
    """The Program of one kernel in an assembly ``text``, and a note where clang had to assemble it.

    Args:
        text: the text.
        path: the file that it is of; what it includes is searched beside that.
        file: its name in messages.
        arch: architecture, where the text need not name it.
        kernel: the kernel's name, where the text has several.
        allow_unknown: keep what is not known, marked (:func:`wavesim.asm.text.parse.parse_program`).

    Raises:
        UserError: neither way does; the message is that of wavesim's parser. Without clang it says the
            command that makes an object of the file.
    """
    try:
        return parse_program(text, file, arch, kernel), ()
    except LimitExceeded:
        raise
    except UserError as error:
        refused = error
    from wavesim.front.by_clang import RefusedAgain, read_by_clang

    known_arch = arch or target_of(text)
    if known_arch is not None and refused.span is not None and refused.span.line:
        try:
            return read_by_clang(text, path, file, known_arch, kernel, refused, allow_unknown)
        except RefusedAgain as again:
            refused = again.of_both
    if allow_unknown:
        return parse_program(text, file, arch, kernel, allow_unknown=True), ()
    raise refused
