"""Builds what a release consists of into dist/: the source archive, and a wheel for each platform.

    python -m pip install build ziglang
    python release/wheels.py [PLATFORM ...]

The wheels differ in one file, the compiled timing engine. It is no Python extension and needs nothing but C's
own library, so `zig cc` builds it for every platform on any one, and each wheel serves every Python 3.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"


def builder() -> ModuleType:
    """wavesim/timing/compiled/build.py, without wavesim."""
    path = ROOT / "wavesim" / "timing" / "compiled" / "build.py"
    spec = importlib.util.spec_from_file_location("engine_build", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*words: str, **more: str) -> None:
    """A module of this Python as a program, with more in its environment."""
    subprocess.run([sys.executable, "-m", *words], check=True, env={**os.environ, **more})


def wheel(archive: Path, platform: str, triple: str) -> Path:
    """The wheel for a platform, from the source archive; it must hold one engine and isa/'s built forms."""
    import ziglang

    compiler = f"{Path(ziglang.__file__).parent / 'zig'} cc -target {triple}"
    words = ("pip", "wheel", "--quiet", "--no-deps", "--no-cache-dir", "--wheel-dir", str(DIST), str(archive))
    run(*words, CC=compiler, WAVESIM_WHEEL_PLATFORM=platform)
    (made,) = DIST.glob(f"*-py3-none-{platform}.whl")
    names = zipfile.ZipFile(made).namelist()
    engines = [name for name in names if "/compiled/engine-" in name]
    forms = [name for name in names if "/isa/built/" in name]
    if len(engines) != 1 or not forms:
        raise SystemExit(f"{made.name}: engines {engines}, built forms {forms}")
    return made


def main(platforms: list[str]) -> None:
    """Build all, or the source archive and the wheels of some platforms."""
    known = builder().WHEELS
    unknown = [each for each in platforms if each not in known]
    if unknown:
        raise SystemExit(f"no such platform: {unknown[0]}; there are {', '.join(known)}")
    DIST.mkdir(exist_ok=True)
    for old in DIST.glob("wavesim_cdna-*"):
        old.unlink()
    run("build", "--sdist", "--outdir", str(DIST), str(ROOT))
    (archive,) = DIST.glob("*.tar.gz")
    print(archive.name)
    for platform in platforms or known:
        made = wheel(archive, platform, known[platform][1])
        print(f"{made.name}  {made.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
