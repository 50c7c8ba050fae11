"""Wheels of a release: each platform has a library of its own name. `make test-wheels` compiles them."""

from __future__ import annotations

from wavesim.timing.compiled import build


def test_a_library_is_named_for_the_machine_that_looks_for_it() -> None:
    names = {machine: build.library_path(machine).name for machine, _ in build.WHEELS.values()}
    assert len(names) == len(build.WHEELS)
    for machine, name in names.items():
        assert name.startswith(f"engine-{machine}-{build.source_hash()}.")
    assert names["win32-amd64"].endswith(".dll")
    assert names["darwin-arm64"].endswith(".dylib")
    assert names["linux-aarch64"].endswith(".so")
    assert build.library_path().name.startswith(f"engine-{build.HERE}-")
