"""A hook of mkdocs: each notebook becomes a page of the manual, with what its cells show when it is built.

The notebooks are kept without outputs. Their results show themselves as HTML, so that a page needs nothing of
Jupyter.
"""

from __future__ import annotations

import ast
import html
import io
import json
import os
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


def run_cell(source: str, names: dict[str, Any]) -> Any:
    """Executes a cell as Jupyter does: the value of a last expression is what is shown."""
    tree = ast.parse(source)
    shown = None
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr):
        tree.body.pop()
    exec(compile(tree, "cell", "exec"), names)
    if isinstance(last, ast.Expr):
        shown = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
    return shown


@contextmanager
def _from_root() -> Iterator[None]:
    """Notebooks name kernels as they lie in a checkout."""
    before = Path.cwd()
    os.chdir(ROOT)
    try:
        yield
    finally:
        os.chdir(before)


def page(notebook: Path) -> str:
    """The notebook as Markdown: code in fences, below it what was printed and what is shown."""
    names: dict[str, Any] = {}
    parts = []
    with _from_root():
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] != "code":
                parts.append(source)
                continue
            printed = io.StringIO()
            with redirect_stdout(printed):
                shown = run_cell(source, names)
            parts += [f"```python\n{source}\n```", *_output(printed.getvalue(), shown)]
    return "\n\n".join(parts) + "\n"


def _output(printed: str, shown: Any) -> Iterator[str]:
    text = printed if shown is None or hasattr(shown, "_repr_html_") else f"{printed}{shown!r}"
    if text:
        yield f'<div class="output"><pre>{html.escape(text)}</pre></div>'
    if hasattr(shown, "_repr_html_"):
        yield f'<div class="output">{shown._repr_html_()}</div>'


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages in place of the notebooks' files."""
    from mkdocs.structure.files import File

    for notebook in NOTEBOOKS:
        name = notebook.relative_to(ROOT / "docs").with_suffix(".md").as_posix()
        files.append(File.generated(config, name, content=page(notebook)))
    return files
