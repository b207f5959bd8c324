"""What `flet build` makes of clients/mobile/pyproject.toml: Flet's own resolver, without Flutter and without a network.

It is run as a program, in a copy of the project, and prints the resolved values of one target (apk or ipa) as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from pathlib import Path

PYTHONS = {
    "default_python_version": "3.14",
    "pythons": {"3.14": {"full_version": "3.14.0", "pyodide_version": "314.0.7", "android_abis": ["arm64-v8a"]}},
}
SHOWN = ("org_name", "bundle_id", "product_name", "company_name", "artifact_name", "project_name", "splash", "options")


class Silence:
    """Takes the place of the progress display."""

    def __getattr__(self, _):
        return lambda *_, **__: None


def resolve(target, project):
    """Return what the template of the app would be filled with."""
    manifest = project / "pythons.json"
    manifest.write_text(json.dumps(PYTHONS))
    os.environ["FLET_PYTHON_BUILD_MANIFEST"] = str(manifest)
    from flet_cli.commands import flutter_base  # noqa: PLC0415 - the manifest has to be known before
    from flet_cli.commands.build import Command  # noqa: PLC0415 - likewise

    flutter_base.BaseFlutterCommand.initialize_command = _without_flutter
    parser = ArgumentParser()
    command = Command(parser)
    command.options = parser.parse_args([target, str(project)])
    command.options.verbose, command.target_platform, command.verbose = 0, target, 0
    command.no_rich_output = command.assume_yes = command.options.assume_yes = True
    command.status = command.live = command.progress = Silence()
    command.initialize_command()
    command.validate_entry_point()
    command.setup_template_data()
    return {name: command.template_data[name] for name in SHOWN} | {"pyproject": command.template_data["pyproject"]}


def _without_flutter(command):
    import flet.version  # noqa: PLC0415 - likewise
    from packaging.version import Version  # noqa: PLC0415 - likewise

    command.required_flutter_version = Version(flet.version.flutter_version)
    command.emojis = dict.fromkeys(("checkmark", "loading", "success", "directory"), "")
    command.skip_flutter_doctor, command.flutter_exe, command.dart_exe = True, "/bin/true", "/bin/true"


if __name__ == "__main__":
    sys.stdout.write(json.dumps(resolve(sys.argv[1], Path(sys.argv[2])), default=str))
