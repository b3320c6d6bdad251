"""A headless Chromium that opens pages of gallery networks, and what it sees of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from functools import cache
from pathlib import Path

import pytest
from derived_once import of_gallery

AXE = "SYMBP_AXE"  # the folder of axe.min.js; npm fetches it where there is none
LOOK = (Path(__file__).parent / "look.js").read_text(encoding="utf-8")


class Browser:
    """One browser, one page at a time."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, path, *, width=1280, dark=False, script=True, media="screen"):
        """The page in a window; what was said and asked for before is forgotten."""
        self.driver.get("about:blank")  # whether scripts run is settled before the page is there
        self.call("Emulation.setScriptExecutionDisabled", value=not script)
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])
        for kind in ("browser", "performance"):
            self.driver.get_log(kind)
        self.driver.get(path.as_uri())

    def call(self, command, **parameters):
        return self.driver.execute_cdp_cmd(command, parameters)

    def run(self, code, *values):
        return self.driver.execute_script(code, *values)

    def until(self, code, expected, seconds=10):
        """What an expression is in the end, as soon as that is what is expected."""
        end = time.monotonic() + seconds
        while (found := self.run(code)) != expected and time.monotonic() < end:
            time.sleep(0.1)
        return found

    def wait(self, code, *values):
        """The value that a script passes on when it is done."""
        return self.driver.execute_async_script(code, *values)

    def look(self):
        """What is wrong with the layout: texts, each a fault."""
        return self.run(LOOK)

    def said(self):
        """Errors and warnings of the console."""
        return [line["message"] for line in self.driver.get_log("browser")]

    def asked_for(self, path):
        """Addresses that were asked for beside the page's own."""
        found = []
        for line in self.driver.get_log("performance"):
            message = json.loads(line["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(message["params"]["request"]["url"])
        return [a for a in found if not a.startswith((path.as_uri(), "data:"))]


@pytest.fixture(scope="session")
def browser():
    """Skipped where Chromium, its driver or selenium are missing."""
    selenium = pytest.importorskip("selenium.webdriver", reason="selenium isn't installed")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("Chromium or its driver isn't installed (Debian: chromium, chromium-driver)")
    options = selenium.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "WARNING", "performance": "ALL"})
    running = selenium.Chrome(options=options, service=selenium.ChromeService(driver))
    running.set_script_timeout(120)
    yield Browser(running)
    running.quit()


@pytest.fixture(scope="session")
def axe(tmp_path_factory):
    """The text of axe-core; skipped where neither a folder nor npm has it."""
    folder = Path(os.environ.get(AXE) or tmp_path_factory.mktemp("axe"))
    script = folder / "axe.min.js"
    if not script.is_file():
        if shutil.which("npm") is None:
            pytest.skip(f"axe-core isn't there: {AXE} names no folder that has it, and npm isn't installed")
        fetched = subprocess.run(
            ["npm", "pack", "--silent", "axe-core"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if fetched.returncode:
            pytest.skip("npm couldn't fetch axe-core")
        shutil.unpack_archive(folder / fetched.stdout.strip(), folder)
        shutil.copy(folder / "package" / "axe.min.js", script)
    return script.read_text(encoding="utf-8")


@cache
def derivation(name):
    return of_gallery(name)


@pytest.fixture(scope="session")
def page(tmp_path_factory):
    """The file of a network's page."""
    folder, written = tmp_path_factory.mktemp("pages"), {}

    def path(name):
        if name not in written:
            written[name] = folder / f"{name}.html"
            written[name].write_text(derivation(name).html(), encoding="utf-8")
        return written[name]

    return path
