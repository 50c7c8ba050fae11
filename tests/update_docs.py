"""Writes the true outputs into README.md and docs/*.md: `python tests/update_docs.py`, then look at the diff.

Outputs that hold ``...`` are left alone.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from test_docs import PAGES, ROOT, examples, run


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for data in ("isa", "kernels"):
            (folder / data).symlink_to(ROOT / data)
        for page in PAGES:
            text = page.read_text(encoding="utf-8")
            for example in examples():
                if example.page != page or not example.output.strip() or "..." in example.output:
                    continue
                printed, _ = run(example.command, folder)
                shown = f"$ {example.command}\n{example.output}"
                assert shown in text, f"{page}:{example.line}"
                blank = "\n" if example.output.endswith("\n\n") else ""
                text = text.replace(shown, f"$ {example.command}\n{printed}{blank}")
            page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
