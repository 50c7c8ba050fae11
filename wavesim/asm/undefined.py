"""Names that compiled assembly refers to and does not define: device functions and variables left out.

A compiler is content with a declaration, and a linker would ask for the rest. Here the text is all there is.
"""

from __future__ import annotations

import re
from pathlib import Path

from wavesim.asm.names import readable
from wavesim.errors import SourceSpan, UserError

_REFERENCE = re.compile(r"\b([A-Za-z_$][\w$.]*)@(?:rel32|gotpcrel32|abs32)@(?:lo|hi)")
_LABEL = re.compile(r"^([A-Za-z_$][\w$.]*):", re.MULTILINE)
_DEFINED = re.compile(r"^\s*\.(?:set|lcomm|comm|amdgpu_lds|weak)\s+([A-Za-z_$][\w$.]*)", re.MULTILINE)
_FILE = re.compile(r'^\s*\.file\s+(\d+)\s+(?:"([^"]*)"\s+)?"([^"]*)"', re.MULTILINE)
_LINE = re.compile(r"^\s*\.loc\s+(\d+)\s+(\d+)", re.MULTILINE)
MOST_NAMED = 5


def refuse_undefined(text: str, file: str) -> None:
    """Refuse assembly of the HIP file ``file`` that cannot run as it is.

    Raises:
        UserError: it names what it refers to and does not define, at the first such place.
    """
    defined = {*_LABEL.findall(text), *_DEFINED.findall(text)}
    missing: dict[str, int] = {}
    for reference in _REFERENCE.finditer(text):
        if reference[1] not in defined:
            missing.setdefault(reference[1], reference.start())
    if not missing:
        return
    shown = readable(list(missing)[:MOST_NAMED])
    further = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
    raise UserError(
        f"used on the device and not defined: {', '.join(shown)}{further}",
        _place(text, min(missing.values()), file),
        "define it in this file or in one that it includes (-I DIR): nothing is linked to it, "
        "and there are no device libraries (docs/compile.md)",
    )


def _place(text: str, at: int, file: str) -> SourceSpan:
    """The source line before a place in the text, by the line table."""
    lines = list(_LINE.finditer(text, 0, at))
    if not lines:
        return SourceSpan(file)
    names = {number: name for number, _, name in _FILE.findall(text)}
    number, line = lines[-1].groups()
    name = names.get(number, file)
    return SourceSpan(file if Path(name).name == Path(file).name else name, int(line))
