"""Writes true outputs into README.md and docs: `python tests/update_docs.py [PAGE...]`; look at the diff.

Outputs that hold ``...`` are left alone. The tables of docs/trust.md and the picture of
the README are made, too.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from terminal_picture import FILE as PICTURE
from terminal_picture import picture
from test_docs import PAGES, ROOT, examples, furnish, run
from trust_tables import PAGE as TRUST
from trust_tables import with_tables


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        furnish(folder)
        chosen = [Path(name).resolve() for name in sys.argv[1:]] or PAGES
        for page in chosen:
            text = page.read_text(encoding="utf-8")
            for example in examples():
                if example.page != page or not example.output.strip() or example.is_elided:
                    continue
                printed, _ = run(example.command, folder)
                shown = f"$ {example.command}\n{example.output}"
                assert shown in text, f"{page}:{example.line}"
                blank = "\n" if example.output.endswith("\n\n") else ""
                text = text.replace(shown, f"$ {example.command}\n{printed}{blank}")
            page.write_text(with_tables(text) if page == TRUST else text, encoding="utf-8")
            if page == ROOT / "README.md":
                os.chdir(folder)
                PICTURE.write_text(picture(), encoding="utf-8")


if __name__ == "__main__":
    main()
