"""The unit tests of the web client run with all others."""

from __future__ import annotations

import subprocess
import sys

from conftest import ROOT

COMMAND_SECONDS = 600


def test_units_of_the_web_client_pass():
    done = subprocess.run(
        [sys.executable, "hatch_build.py", "test"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
