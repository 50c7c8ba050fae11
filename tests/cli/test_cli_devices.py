"""Commands take the names that people use: ``--arch MI325X``, upper or lower case."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from wavesim.cli.main import cli
from wavesim.errors import UserError

GEMM = "kernels/8wave.yaml"


def test_run_takes_a_device(root: Path) -> None:
    """Compute units and memory are the device's; the code is its architecture's."""
    runner = CliRunner()
    kernel = str(root / GEMM)
    arguments = ["run", kernel, "--set", "K=256", "--json"]
    result = runner.invoke(cli, [*arguments, "--arch", "mi308x"], catch_exceptions=False)
    data = json.loads(result.stdout)
    assert (data["machine"], data["arch"]) == ("MI308X", "gfx942")
    assert data["throughput"]["compute_units"] == 80
    with pytest.raises(UserError, match=r"unknown architecture or device 'mi309'[^;]*; devices: MI210"):
        runner.invoke(cli, [*arguments, "--arch", "mi309"], catch_exceptions=False)
