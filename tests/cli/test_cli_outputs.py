"""No output replaces an input, however it is spelt; an output is whole or not there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from wavesim.cli.main import cli
from wavesim.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
ASSEMBLY = ROOT / "kernels/lessons/two_waves.s"
TILES = """\
include: part.yaml
workgroup: {waves: 1}
memory: {C: {type: f32, rows: 16, cols: 16, init: unwritten}}
accumulators: {c: {rows: 16, cols: 16}}
program:
- {store: c, to: C, row: 0, col: 0}
launch: {grid: [1, 1]}
"""


def wavesim(*words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in: a tile program with an include, assembly with a launch file, a machine file, and
    other names of the tile program."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "k.yaml").write_text(TILES)
    (tmp_path / "part.yaml").write_text("mfma: 16x16x16\n")
    shutil.copy(ASSEMBLY, tmp_path / "t.s")
    (tmp_path / "t.launch.yaml").write_text("workgroup: 256\narguments: {}\n")
    (tmp_path / "m.yaml").write_text("base: gfx942\nname: mine\ndescription: mine\n")
    os.link(tmp_path / "k.yaml", tmp_path / "hard.json")
    (tmp_path / "soft.json").symlink_to("k.yaml")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        "lower k.yaml -o k.yaml",
        "lower k.yaml -o ./sub/../k.yaml",
        "lower k.yaml -o hard.json",
        "lower k.yaml -o soft.json",
        "lower soft.json -o k.yaml",
        "lower -o k.yaml k.yaml",
        "lower k.yaml -o part.yaml",
        "report k.yaml -o k.yaml --no-explain --no-check",
        "report k.yaml t.s -o t.s",
        "run k.yaml --json=k.yaml",
        "run k.yaml --perfetto k.yaml",
        "run k.yaml --konata part.yaml",
        "run t.s --json=t.launch.yaml",
        "run t.s --launch t.launch.yaml --json=t.launch.yaml",
        "run t.s --machine m.yaml --json=m.yaml",
        "check t.s --sarif=t.s",
        "explain t.s --json=t.s",
        "compare k.yaml t.s --json=k.yaml",
        "compile t.s -o t.s",
        "compile t.s --co t.s",
        "isa show m.yaml --json=m.yaml",
        "calibrate --samples m.yaml -o m.yaml",
    ],
)
def test_an_input_is_never_an_output(folder: Path, command: str) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    done = wavesim(*command.split())
    assert isinstance(done.exception, UserError), done.output
    assert "the output would replace an input" in str(done.exception)
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


@pytest.mark.parametrize("command", ["replay", "trace info", "validate", "report"])
def test_nothing_in_a_folder_that_is_read_is_replaced(folder: Path, command: str) -> None:
    """Nor anything below it: a trace's files are not all read, and none can be made again."""
    inner = folder / "traces" / "one"
    inner.mkdir(parents=True)
    (inner / "occupancy.json").write_text("{}")
    option = "-o" if command in ("validate", "report") else "--json"
    done = wavesim(*command.split(), "traces", option, inner / "occupancy.json")
    assert "a file of" in str(done.exception)
    assert (inner / "occupancy.json").read_text() == "{}"


def test_two_outputs_go_to_two_files(folder: Path) -> None:
    done = wavesim("check", "t.s", "--json", "found.json", "--sarif", "./sub/../found.json")
    assert "two outputs" in str(done.exception)


def test_what_was_written_before_is_replaced_and_a_link_is_followed(folder: Path) -> None:
    (folder / "link.s").symlink_to("sub/out.s")
    for _ in range(2):
        assert wavesim("lower", "k.yaml", "-o", "link.s").exit_code == 0
    assert (folder / "link.s").is_symlink()
    assert "s_endpgm" in (folder / "sub/out.s").read_text()
    assert list((folder / "sub").iterdir()) == [folder / "sub/out.s"]


def test_a_device_is_written_to_and_not_replaced(folder: Path) -> None:
    assert wavesim("lower", "k.yaml", "-o", os.devnull).exit_code == 0
    assert Path(os.devnull).is_char_device()
    assert wavesim("lower", "k.yaml", "-o", "/dev/full").exception is not None
    done = wavesim("lower", "k.yaml", "-o", "sub")
    assert "is a folder" in str(done.exception)


@pytest.mark.parametrize("name", ["k" * 300, "k" * 300 + "/k", "loop.yaml", "\udcff", "sub", ""])
@pytest.mark.parametrize(
    "command",
    [
        "run NAME.s",
        "run NAME.yaml",
        "run NAME",
        "check NAME.hip",
        "lower NAME.s",
        "lower NAME.co",
        "run t.s --launch NAME",
        "run t.s --machine NAME.yaml",
        "run t.s --json NAME",
        "lower k.yaml -o NAME/x",
        "replay NAME",
        "trace info NAME",
        "report NAME",
        "isa show NAME.yaml",
        "explain NAME.yaml --region a:b",
        "run NAME.yaml --what-if stagger_on",
    ],
)
def test_names_that_no_file_has_are_refused(folder: Path, command: str, name: str) -> None:
    """Too long for the system, a link to itself, bytes that are no text, a folder, nothing."""
    (folder / "loop.yaml").symlink_to("loop.yaml")
    done = wavesim(*(word.replace("NAME", name) for word in command.split()))
    assert isinstance(done.exception, UserError | SystemExit) or done.exit_code == 0, done.exception
    assert done.exit_code in (0, 1, 2)


def test_bases_and_includes_that_no_file_has_are_refused(folder: Path) -> None:
    for name in ("\\0", "\\uD800", "k" * 300, "loop.yaml"):
        (folder / "m.yaml").write_text(f'base: "{name}"\n')
        (folder / "part.yaml").write_text(f'include: "{name}"\n')
        for words in (("isa", "show", "m.yaml"), ("lower", "k.yaml")):
            assert isinstance(wavesim(*words).exception, UserError), (name, words)
