"""Commands of `albumen`, run in this process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from click.testing import CliRunner

from albumen.cli.main import cli


def invoke(*arguments):
    """Run a command; return click's result. The low priority that it may take ends with its thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(CliRunner().invoke, cli, list(map(str, arguments))).result()
