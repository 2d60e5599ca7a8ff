"""Debian's Chromium for tests of pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

# That a page may take to show what it is expected to, on a busy machine.
_SHOWN_SECONDS = 30
_NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def launched(*arguments: str) -> Iterator[Browser]:
    """A browser; a test without one is skipped, but where it is required."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        if os.environ.get("REQUIRE_CHROMIUM"):
            pytest.fail("REQUIRE_CHROMIUM is set, and Chromium is not installed")
        pytest.skip("Chromium is not installed; on Debian: apt-get install chromium")
    expect.set_options(timeout=1000 * _SHOWN_SECONDS)
    # Chromium's sandbox does not work for root.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*arguments, *sandbox])
        yield browser
        browser.close()
