"""Chromium, and what a user does with it. Tests that import this need it, or skip."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

playwright = pytest.importorskip('playwright.sync_api', reason='extra "dev"')
CHROMIUM = shutil.which('chromium')
if CHROMIUM is None:
    pytest.skip('no chromium is installed', allow_module_level=True)

QUIET = [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
]


@contextmanager
def started_browser() -> Iterator[Any]:
    """A browser, until it is no longer needed."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


def seen(page, name):
    """Crops on the part of the page that is shown, by their captions."""
    return page.get_by_role('button', name=re.compile(rf'{name}\b')).locator(
        'visible=true'
    )


def press(page, name):
    page.get_by_role('button', name=name).click()


def says(page, text):
    """Wait for a text that can be seen."""
    page.get_by_text(text).locator('visible=true').first.wait_for()
