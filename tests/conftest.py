"""Shared fixtures. In CI nothing may skip: a missing tool or reference folder is a failure there."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where nothing may be missing: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's root folder."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The reference folder beside the checkout (traces, examples); absent on a user's machine."""
    if not SHARED.is_dir():
        pytest.skip(f"reference folder {SHARED} is not here")
    return SHARED


BROWSERS = ("chromium", "google-chrome", "chromium-browser")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium, driven by selenium."""
    driver_file, browser_file = (
        shutil.which("chromedriver"),
        next(filter(None, map(shutil.which, BROWSERS)), None),
    )
    if driver_file is None or browser_file is None:
        pytest.skip("needs chromium and chromedriver (Debian: chromium, chromium-driver)")
    selenium = pytest.importorskip("selenium.webdriver", reason="needs selenium (extra dev)")
    from selenium.webdriver.chrome.service import Service

    options = selenium.ChromeOptions()
    options.binary_location = browser_file
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1600,1000",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        driver = selenium.Chrome(options=options, service=Service(driver_file))
        yield driver
        driver.quit()
