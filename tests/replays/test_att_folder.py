"""Reading a thread-trace folder: good ones, and one clear message for everything else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trace_folders import LISTING, code_rows, edit, four_waves, wave_file, wave_rows, write_folder

from wavesim.errors import LimitExceeded, UserError
from wavesim.replays.att.architecture import detect_arch
from wavesim.replays.att.folder import read_folder
from wavesim.replays.att.listing import read_listing
from wavesim.replays.att.workgroups import group_waves, split_units


def test_a_folder_is_read(tmp_path: Path) -> None:
    folder = read_folder(write_folder(tmp_path / "t", four_waves()))
    assert [wave.simd for wave in folder.waves] == [0, 1, 2, 3]
    assert folder.version == "3.0.0"
    assert folder.waves[1].rows.shape == (11, 5)
    assert folder.waves[1].begin_clk == 104


def test_branch_offsets_become_labels(tmp_path: Path) -> None:
    folder = read_folder(write_folder(tmp_path / "t", four_waves()))
    listing = read_listing(folder.path / "code.json", folder.code, frozenset(range(1, 8)), "gfx942", "k")
    program = listing.program
    assert listing.index.tolist() == [-1, 0, 1, 2, 3, 4, 5, 6]
    assert program.addresses[0] == 0x1000
    assert program.labels == {"L_1008": 2}
    assert str(program.instructions[5].operands[0]) == "L_1008"
    assert program.instructions[0].source is not None
    assert program.instructions[0].source.line == 7


@pytest.mark.parametrize(
    ("text", "arch"),
    [
        ("v_mfma_f32_16x16x16_bf16 v[0:3], v[4:5], v[6:7], v[0:3]", "gfx942"),
        ("v_mfma_f32_16x16x32_bf16 v[0:3], v[4:7], v[8:11], v[0:3]", "gfx950"),
        ("v_mfma_f32_16x16x16bf16_1k v[0:3], v[4:5], v[6:7], v[0:3]", "gfx90a"),
        ("buffer_load_dwordx4 v0, s[0:3], 0 offen lds", "gfx950"),
        ("global_store_dword v0, v1, s[0:1] glc", "gfx90a"),
    ],
)
def test_the_instructions_tell_the_architecture(tmp_path: Path, text: str, arch: str) -> None:
    root = write_folder(tmp_path / "t", four_waves())
    edit(root / "code.json", code=code_rows([*LISTING, text]))
    assert detect_arch(read_folder(root).code)[0] == arch


def test_units_and_workgroups(tmp_path: Path) -> None:
    """Two compute units; on one of them two workgroups that run together and one that follows."""
    waves: dict[tuple[int, int, int, int], dict[str, Any]] = {}
    for simd in range(4):
        waves[0, simd, 0, 0] = wave_file(100 + 4 * simd, simd, 0, instructions=wave_rows(100, 8))
        waves[0, simd, 1, 0] = wave_file(120 + 4 * simd, simd, 1, instructions=wave_rows(120, 100))
        waves[0, simd, 0, 1] = wave_file(5000 + 4 * simd, simd, 0)
        waves[1, simd, 0, 0] = wave_file(90, simd, 0, unit=2)
    folder = read_folder(write_folder(tmp_path / "t", waves))
    units = split_units(folder.waves)
    assert list(units) == [(0, 1), (1, 2)]
    groups = group_waves(units[0, 1], frozenset({3}))
    assert [[(wave.simd, wave.slot, wave.wave) for wave in group] for group in groups] == [
        [(simd, 0, 0) for simd in range(4)],
        [(simd, 1, 0) for simd in range(4)],
        [(simd, 0, 1) for simd in range(4)],
    ]


def test_version_2_is_read_and_version_4_refused(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "t", four_waves())
    edit(root / "filenames.json", version="2.1")
    assert read_folder(root).version == "2.1"
    edit(root / "filenames.json", version="4.0")
    with pytest.raises(UserError, match="format version"):
        read_folder(root)


def test_a_wave_without_instructions_is_left_out(tmp_path: Path) -> None:
    waves = four_waves()
    waves[0, 3, 0, 0] = wave_file(100, 3, instructions=[])
    folder = read_folder(write_folder(tmp_path / "t", waves))
    assert len(folder.waves) == 3
    assert "sm3" in folder.notes[0]


def test_not_a_trace(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        read_folder(tmp_path / "nothing")
    with pytest.raises(UserError, match="empty folder"):
        read_folder(tmp_path)
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(UserError, match="has no filenames"):
        read_folder(tmp_path)
    with pytest.raises(UserError, match="is a file"):
        read_folder(tmp_path / "a.txt")
    write_folder(tmp_path / "ui_output", four_waves())
    with pytest.raises(UserError, match=r"did you mean .*ui_output"):
        read_folder(tmp_path)


@pytest.mark.parametrize("name", ["code.json", "se0_sm1_sl0_wv0.json", "filenames.json"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "binary", "deep", "list"])
def test_damaged_files_are_named(tmp_path: Path, name: str, damage: str) -> None:
    root = write_folder(tmp_path / "t", four_waves())
    path = root / name
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(
            {
                "empty": b"",
                "cut": path.read_bytes()[: len(path.read_bytes()) // 2],
                "binary": b"\xff\xfe\x00{",
                "deep": b"[" * 200_000,
                "list": b"[1, 2]",
            }[damage]
        )
    with pytest.raises(UserError) as error:
        read_folder(root)
    assert name in str(error.value)
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    "rows",
    [
        [[1, 2, 3]],
        [[1, 2, 3, 4, 5], [1, 2]],
        [["a", 2, 3, 4, 1]],
        [[1.5, 2, 0, 4, 1]],
        [[1, 2, 0, 4, 99]],
        [[1, 2, 0, 4, -1]],
        [[1, 2, -8, 4, 1]],
        [[500, 2, 0, 4, 1], [100, 2, 0, 4, 1]],
        [[10**30, 2, 0, 4, 1]],
        [[None, 2, 0, 4, 1]],
        "rows",
    ],
)
def test_bad_rows_are_refused(tmp_path: Path, rows: Any) -> None:
    waves = four_waves()
    waves[0, 2, 0, 0] = wave_file(100, 2, instructions=rows)
    with pytest.raises(UserError, match="sm2"):
        read_folder(write_folder(tmp_path / "t", waves))


@pytest.mark.parametrize("name", ["../t/code.json", "/etc/passwd", "", 7, ".hidden"])
def test_file_names_stay_inside_the_folder(tmp_path: Path, name: Any) -> None:
    root = write_folder(tmp_path / "t", four_waves())
    edit(root / "filenames.json", wave_filenames={"0": {"0": {"0": {"0": [name, 0, 0]}}}})
    with pytest.raises(UserError, match="not a file of this folder"):
        read_folder(root)


@pytest.mark.parametrize("name", ["\0", "\ud800", "w" * 300])
def test_file_names_that_no_file_has_are_refused(tmp_path: Path, name: str) -> None:
    root = write_folder(tmp_path / "t", four_waves())
    edit(root / "filenames.json", wave_filenames={"0": {"0": {"0": {"0": [name, 0, 0]}}}})
    with pytest.raises(UserError):
        read_folder(root)


def test_too_large_a_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_folder(tmp_path / "t", four_waves())
    monkeypatch.setattr("wavesim.replays.att.folder.MAX_INPUT_BYTES", 100)
    with pytest.raises(LimitExceeded):
        read_folder(root)


def test_clocks_that_jitter_back_are_mended(tmp_path: Path) -> None:
    rows = wave_rows(100)
    rows[3][0] -= 6
    waves = four_waves()
    waves[0, 0, 0, 0] = wave_file(100, 0, instructions=rows)
    folder = read_folder(write_folder(tmp_path / "t", waves))
    assert (np.diff(folder.waves[0].rows[:, 0]) >= 0).all()


def test_an_unknown_instruction_matters_only_if_executed(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "t", four_waves())
    edit(root / "code.json", code=code_rows([*LISTING, "v_frobnicate_b32 v0, v1"]))
    folder = read_folder(root)
    listing = read_listing(root / "code.json", folder.code, frozenset(range(1, 8)), "gfx942", "k")
    assert listing.index[8] == -1
    assert listing.notes
    with pytest.raises(UserError, match="v_frobnicate"):
        read_listing(root / "code.json", folder.code, frozenset({8}), "gfx942", "k")
