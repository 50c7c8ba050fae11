"""Checks the data of isa/ and writes its built forms (:mod:`wavesim.isa.built`).

The build hook calls it; after a change of isa/ in a checkout ``python -m wavesim.isa.build`` does.
"""

from __future__ import annotations

import os
from pathlib import Path

from wavesim.isa.built import FOLDER, form_of
from wavesim.isa.hazards import hazard_rows
from wavesim.isa.load import load_machine
from wavesim.isa.names import DEVICES
from wavesim.isa.opcodes import aliases, opcode_table
from wavesim.isa.paths import data_dir
from wavesim.yaml_source import load_yaml


def build(folder: Path = FOLDER) -> tuple[str, ...]:
    """Check all of isa/ and write the form of each YAML file; the names of what was written.

    Raises:
        UserError: a file is not as it should be, with its line.
        ValueError: JSON cannot hold what a file says.
    """
    isa = data_dir("isa")
    opcode_table()
    for path in (*sorted(isa.glob("gfx*.yaml")), *sorted((isa / DEVICES).glob("*.yaml"))):
        arch = load_machine(str(path)).arch
        hazard_rows(arch)
        aliases(arch)
    forms = {}
    for path in sorted(isa.rglob("*.yaml")):
        name = f"{path.stem}.json"
        if name in forms:
            raise ValueError(f"{path}: another file of isa/ has this name")
        forms[name] = form_of(path.read_bytes(), load_yaml(path)[0])
    folder.mkdir(exist_ok=True)
    for name, form in forms.items():
        made = folder / f".{name}.{os.getpid()}"
        made.write_text(form, encoding="utf-8")
        os.replace(made, folder / name)  # whole: another process may be reading it
    return tuple(forms)


if __name__ == "__main__":
    build()
