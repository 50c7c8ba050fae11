"""A sweep's file: what it means, and each fault of it with its place and what would be right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import wavesim
from wavesim.errors import UserError
from wavesim.sweeps.measures import MEASURES
from wavesim.sweeps.spec import KEYS, MAX_CELLS, read_spec

KERNELS = "kernels: [kernels/8wave.yaml, kernels/4wave.yaml]\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "spec.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a sweep must be a mapping (key: value), not nothing"),
        ("kernel: [kernels/8wave.yaml]", "2:1: unknown key 'kernel' in a sweep\n  did you mean kernels?"),
        ("set: {K: 512}", "2:1: kernels: is missing"),
        ("kernels: []", "2:10: kernels: is an empty list"),
        ("kernels: [kernels/8wave.yaml, nowhere.yaml]", "2:31: kernels: no such file 'nowhere.yaml'"),
        ("kernels: [spec.txt]", "2:11: kernels: no such file 'spec.txt'"),
        ("kernels: [kernels/8wave.yaml, kernels/8wave.yaml]", "stands there twice"),
        (KERNELS + "set: {KK: [1]}", "3:7: set: no kernel has a constant 'KK'\n  did you mean K?"),
        (
            KERNELS + "set: {memory.latency_clk: 500}",
            "3:7: set: memory.latency_clk is a value of the machine",
        ),
        (KERNELS + "set: {K: [512, 512]}", "3:16: K: 512 stands there twice"),
        (KERNELS + "set: {K: [true]}", "3:11: K: must be numbers or text, not true/false"),
        (KERNELS + "set: {K: []}", "3:10: K: is an empty list"),
        (KERNELS + "machine_set: {latency: 5}", "3:15: machine_set: latency is no value of a machine"),
        (KERNELS + "machine_set: {memory.latency: 5}", "unknown machine value 'memory.latency'"),
        (
            KERNELS + "machine_set: {memory.latency_clk: [5, soon]}",
            "3:39: memory.latency_clk: 'soon' does not fit",
        ),
        (KERNELS + "arch: [MI300]", "3:8: unknown architecture or device 'MI300'"),
        (KERNELS + "arch: MI300X\nmachine: my.yaml", "4:1: arch and machine exclude each other"),
        (KERNELS + "machine: gfx942", "3:10: machine: 'gfx942' is no machine file"),
        (KERNELS + "workgroups: [0]", "3:14: 0 does not fit\n  a whole number from 1 to 64"),
        (KERNELS + "memory: [often]", "3:10: 0: 'often'\n  one of cold, warm, dispatch"),
        (KERNELS + "clock: [fast]", "3:9: clock: 'fast' is no clock"),
        (KERNELS + "seeds: [-1]", "3:9: -1 does not fit"),
        (KERNELS + "figures: [mfma_bussy]", "3:11: unknown figure 'mfma_bussy'\n  did you mean mfma_busy?"),
        (KERNELS + "numbers: 1", "3:10: numbers: must be true or false"),
        (KERNELS + "page: {rows: K}", "3:14: rows: 'K'\n  one of kernel"),
        (KERNELS + "page: {front: [bound]}", "3:15: front: two figures are needed"),
        (
            KERNELS + "figures: [binding, bound]\npage: {front: [binding, bound]}",
            "better neither less nor more",
        ),
    ],
)
def test_a_fault_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        read_spec(written(tmp_path, f"# a comment\n{text}\n"))
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "spec.yaml"))


def test_a_million_cells_are_the_most(tmp_path: Path) -> None:
    text = (
        f"kernels: kernels/8wave.yaml\nseeds: {list(range(1001))}\nset: {{K: {list(range(64, 64064, 64))}}}\n"
    )
    with pytest.raises(UserError, match=f"1001000 cells; a sweep has at most {MAX_CELLS}"):
        read_spec(written(tmp_path, text))


def test_rows_are_the_product_in_the_order_of_the_file(tmp_path: Path) -> None:
    """A constant that a kernel does not have is empty there and multiplies nothing."""
    spec = read_spec(written(tmp_path, KERNELS + "set: {SWIZZLE_BYTES: [0, 8], K: [512, 1024]}\n"))
    assert [axis.name for axis in spec.axes] == ["kernel", "SWIZZLE_BYTES", "K"]
    one, other = "kernels/8wave.yaml", "kernels/4wave.yaml"
    wanted = [(one, 0, 512), (one, 0, 1024), (one, 8, 512), (one, 8, 1024), (other, None, 512)]
    assert list(spec.rows()) == [*wanted, (other, None, 1024)]
    assert spec.count() == 6


def test_files_are_those_beside_the_spec_first(tmp_path: Path, root: Path) -> None:
    """Also machine files, whose values then count."""
    (tmp_path / "own.yaml").write_text(f"include: {'8wave.yaml'}\nconstants: {{K: 256}}\n")
    value = "{value: 777, source: mine, confidence: measured}"
    (tmp_path / "machine.yaml").write_text(f"base: gfx942\nname: mine\nmemory: {{latency_clk: {value}}}\n")
    spec = read_spec(written(tmp_path, "kernels: own.yaml\nmachine: machine.yaml\n"))
    ((_, cell),) = spec.cells()
    assert cell.machine == str(tmp_path / "machine.yaml")
    assert cell.files == (str(tmp_path / "own.yaml"), str(root / "kernels/8wave.yaml"), cell.machine)


def test_the_key_is_of_the_content(tmp_path: Path) -> None:
    """What is read, also by an include or a base, and what is set; not where it lies."""
    (tmp_path / "base.yaml").write_text("constants: {K: 256}\n")
    (tmp_path / "own.yaml").write_text("include: [8wave.yaml, base.yaml]\n")
    path = written(tmp_path, "kernels: own.yaml\nset: {K: [512, 1024]}\n")

    def keys() -> set[str]:
        return {cell.key for _, cell in read_spec(path).cells()}

    before = keys()
    assert len(before) == 2
    assert keys() == before
    (tmp_path / "base.yaml").write_text("constants: {K: 128}\n")
    assert not keys() & before


def test_a_mapping_says_the_same_as_a_file() -> None:
    table = wavesim.sweep({"kernels": "kernels/lessons/two_waves.s", "figures": ["clk_total"]}, processes=1)
    assert table.columns == ("kernel", "clk_total", "verdict", "error")
    assert table["clk_total"] == [wavesim.run("kernels/lessons/two_waves.s").clk_total]


def test_the_manual_shows_the_shipped_sweep_and_names_every_key_and_figure(root: Path) -> None:
    page = (root / "docs/sweep.md").read_text("utf-8")
    assert f"```yaml\n{(root / 'kernels/sweeps/ladder.yaml').read_text('utf-8')}```" in page
    rows = "\n".join(
        line.partition("|")[2].partition("|")[0] for line in page.splitlines() if line[:1] == "|"
    )
    named = set(re.findall(r"`(\w+)`", rows))
    assert {*KEYS, *MEASURES} <= named
    assert read_spec(root / "kernels/sweeps/ladder.yaml").count() == 48
