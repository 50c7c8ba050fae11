"""Built forms of isa/'s data: the same data, the same places in errors, and never those of another text."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from wavesim.errors import UserError
from wavesim.isa import build as building
from wavesim.isa.built import form_of, load_data
from wavesim.isa.load import load_machine
from wavesim.yaml_source import load_yaml


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("forms")
    building.build(folder)
    return folder


def test_every_file_comes_back_with_its_places(root: Path, forms: Path) -> None:
    files = sorted((root / "isa").rglob("*.yaml"))
    assert len(files) >= 10
    for path in files:
        read, built = load_yaml(path), load_data(path, forms)
        assert built[0] == read[0]
        assert type(built[1].values) is not dict, f"{path}: read as YAML"
        assert dict(built[1].values) == read[1].values
        assert dict(built[1].keys) == read[1].keys


def test_a_form_of_another_text_is_not_used(root: Path, forms: Path, tmp_path: Path) -> None:
    path = tmp_path / "gfx942.yaml"
    text = (root / "isa" / "gfx942.yaml").read_text()
    path.write_text(text.replace("value: 64", "value: 65", 1))
    assert load_data(path, forms) == load_yaml(path)
    assert load_data(path, forms)[0] != load_yaml(root / "isa" / "gfx942.yaml")[0]


@pytest.mark.parametrize("form", ["", "[]", "{}", "3", '{"sha256": 5}', "{", "\udcff"])
def test_a_damaged_form_is_not_used(root: Path, tmp_path: Path, form: str) -> None:
    (tmp_path / "sources.json").write_bytes(form.encode("utf-8", "surrogatepass"))
    path = root / "isa" / "sources.yaml"
    assert load_data(path, tmp_path) == load_yaml(path)


def test_what_json_cannot_hold_is_not_built() -> None:
    assert json.loads(form_of(b"", {"a": {4: [1, "4", 0.5]}}))["data"] == {"a": {"4": [1, "4", 0.5]}}
    with pytest.raises(ValueError, match="not come back"):
        form_of(b"", {"4": 1})


def test_a_bad_machine_file_is_not_built(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isa = tmp_path / "isa"
    shutil.copytree(root / "isa", isa)
    bad = (isa / "gfx942.yaml").read_text().replace("lgkm_max: {value: 15", "lgkm_max: {value: 0")
    (isa / "gfx942.yaml").write_text(bad)
    monkeypatch.setattr(building, "data_dir", lambda kind: tmp_path / kind)
    with pytest.raises(UserError, match=r"gfx942.yaml:\d+:\d+: counter.lgkm_max: 0 does not fit"):
        building.build(tmp_path / "built")
    assert not (tmp_path / "built").exists()


def test_the_errors_of_a_set_value_name_the_line_of_the_other(root: Path) -> None:
    with pytest.raises(UserError, match=r"gfx942.yaml:\d+:\d+: structure.simd_pairs"):
        load_machine("gfx942", {"structure.simds": 3})
