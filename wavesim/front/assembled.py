"""Assembly files as kernels: read by wavesim's parser, or else assembled by clang and read as an object.

That is for what LLVM takes and wavesim does not: code in ``.long`` words, other assemblers' macros, #define.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from wavesim.asm.text.parse import parse_program
from wavesim.asm.text.source import target_of
from wavesim.asm.tools import MissingTool, assemble_with_lines, assembling
from wavesim.errors import LimitExceeded, SourceSpan, UnknownInstruction, UserError
from wavesim.front.assembly import loaded
from wavesim.front.code_object import program_of
from wavesim.front.launch.file import LaunchOptions, launch_kernel
from wavesim.front.launch.model import LoadedKernel
from wavesim.program import Finding, Program, Severity
from wavesim.yaml_source import read_text

RULE = "assembled"
_CLANGS = re.compile(r"in\.s:(\d+):\d+: error: (.*)")
_PREPROCESSED = re.compile(r"^\s*#\s*(?:define|include|ifn?def|if)\b", re.MULTILINE)
_OF_THE_ISA = ("s_", "v_", "ds_", "buffer_", "tbuffer_", "global_", "flat_", "scratch_", "image_", "exp")


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
    known_arch = arch or target_of(text)
    if known_arch is not None and refused.span is not None and refused.span.line:
        try:
            return _assembled(text, path, file, known_arch, kernel, refused, allow_unknown)
        except MissingTool as missing:
            refused = _with_command(refused, missing, file, known_arch)
        except UserError as error:
            refused = _of_both(refused, error)
    if allow_unknown:
        return parse_program(text, file, arch, kernel, allow_unknown=True), ()
    raise refused


def _assembled(
    text: str, path: Path, file: str, arch: str, kernel: str | None, refused: UserError, allow_unknown: bool
) -> tuple[Program, tuple[Finding, ...]]:
    language = "assembler-with-cpp" if _PREPROCESSED.search(text) else "assembler"
    image, name = assemble_with_lines(text, arch, path.parent, language)
    program = program_of(image, file, arch, kernel, allow_unknown=allow_unknown, assembled=True)
    spans = [each.source for each in program.instructions]
    if any(spans) and all(span is None or span.file == name for span in spans):
        instructions = tuple(
            replace(each, span=SourceSpan(file, span.line if span else 0), source=None, comment="")
            for each, span in zip(program.instructions, spans, strict=True)
        )
        program, lines = replace(program, instructions=instructions), ""
    else:
        lines = "; lines are those that wavesim lower prints"
    line = f"line {refused.span.line}: " if refused.span is not None and refused.span.line else ""
    message = f"assembled by clang and read as an object, because {line}{refused.message}{lines}"
    span = refused.span or SourceSpan(file)
    return program, (Finding(RULE, Severity.NOTE, message, (span,)),)


def _of_both(refused: UserError, of_clang: UserError) -> UserError:
    """The error to show where the way through clang failed too: that of the first reading; with clang's
    where it stands on another line, for then clang took what the first did not; or that of reading the
    object."""
    found = _CLANGS.search(of_clang.message)
    if found is None:
        return refused if isinstance(refused, UnknownInstruction) else of_clang
    line, message = int(found[1]), found[2]
    if refused.span is None or line == refused.span.line:
        return refused
    hint = f"clang takes that, and refuses line {line}: {message}"
    return type(refused)(refused.message, refused.span, hint)


def _with_command(refused: UserError, missing: MissingTool, file: str, arch: str) -> UserError:
    """``refused`` with the command that makes an object of the file, unless LLVM does not know it either."""
    unknown = isinstance(refused, UnknownInstruction)
    if unknown and re.search(rf"'(?:{'|'.join(_OF_THE_ISA)})", refused.message):
        return refused
    name = f"./{file}" if file.startswith(("-", "@")) else file
    target = name.rpartition(".")[0] + ".o"
    command = " ".join(("clang", *assembling(arch), name, "-o", target))
    hint = f"where LLVM assembles it, give wavesim the object: {command} ({missing.message})"
    kind = UnknownInstruction if unknown else UserError
    return kind(refused.message, refused.span, f"{refused.hint}\n  {hint}" if refused.hint else hint)
