"""Assembly that clang assembles and that is read as an object.

That is for what LLVM takes and wavesim's parser does not: code in ``.long`` words, other assemblers' macros,
#define. Few files need it, so it is imported when one does.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from wavesim.asm.tools import MissingTool, assemble_with_lines, assembling
from wavesim.errors import SourceSpan, UnknownInstruction, UserError
from wavesim.front.code_object import program_of
from wavesim.program import Finding, Program, Severity

RULE = "assembled"
_CLANGS = re.compile(r"in\.s:(\d+):\d+: error: (.*)")
_PREPROCESSED = re.compile(r"^\s*#\s*(?:define|include|ifn?def|if)\b", re.MULTILINE)
_OF_THE_ISA = ("s_", "v_", "ds_", "buffer_", "tbuffer_", "global_", "flat_", "scratch_", "image_", "exp")


class RefusedAgain(Exception):
    """This way does not read it either; ``of_both`` is the error to show."""

    def __init__(self, of_both: UserError) -> None:
        super().__init__(of_both.message)
        self.of_both = of_both


def read_by_clang(
    text: str,
    path: Path,
    file: str,
    arch: str,
    kernel: str | None,
    refused: UserError,
    allow_unknown: bool,
) -> tuple[Program, tuple[Finding, ...]]:
    """The Program of a text that the parser ``refused``, and a note that clang assembled it.

    Raises:
        RefusedAgain: clang does not take it, there is no clang, or its object cannot be read.
    """
    try:
        return _assembled(text, path, file, arch, kernel, refused, allow_unknown)
    except MissingTool as missing:
        raise RefusedAgain(_with_command(refused, missing, file, arch)) from None
    except UserError as error:
        raise RefusedAgain(_of_both(refused, error)) from None


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
    """The error to show where the way through clang failed too: that of the first reading, or that of
    reading the object. Clang's is added if it is on another line: then clang accepts what the first
    reading did not."""
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
