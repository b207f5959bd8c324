"""Flutter's and Pyodide's files out of `flet-web`: one renderer, and nothing that asks another origin."""

from __future__ import annotations

import json
import re
import shutil
from importlib.util import find_spec
from pathlib import Path

# CanvasKit alone: every browser has it. Its smaller variant serves Chromium, the full one Firefox and Safari.
KEPT = (
    "flutter.js",
    "main.dart.js",
    "python-worker.js",
    "version.json",
    "assets/AssetManifest.bin",
    "assets/AssetManifest.bin.json",
    "assets/NOTICES",
    "assets/fonts/roboto.woff2",
    "assets/shaders/ink_sparkle.frag",
    "assets/shaders/stretch_effect.frag",
    "canvaskit/canvaskit.js",
    "canvaskit/canvaskit.wasm",
    "canvaskit/chromium/canvaskit.js",
    "canvaskit/chromium/canvaskit.wasm",
    "pyodide/pyodide.asm.mjs",
    "pyodide/pyodide.asm.wasm",
    "pyodide/pyodide.mjs",
)
FONTS = {"MaterialIcons": "fonts/MaterialIcons-Regular.otf", "Roboto": "fonts/roboto.woff2"}
# An animation library that this client does not use is asked for at every start. It gets a stub of the own origin,
# whose promise stays open, as it does for a browser without a network.
OF_RIVE = re.compile(r'"https://cdn\.jsdelivr\.net/npm/@rive-app/[^"]*"')
NO_RIVE = "globalThis.RiveNative = () => new Promise(() => {});\n"
RIVE_NAME = "rive/wasm/rive_native.js"


def package_folder(name: str) -> Path:
    """Return the folder of an installed package, without importing it."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        message = f"{name} is not installed: pip install --no-deps -r requirements/mobile.txt"
        raise SystemExit(message)
    return Path(spec.origin).parent


def web_folder() -> Path:
    """Return the folder of `flet-web` that holds the built client."""
    return package_folder("flet_web") / "web"


def copy_engine(target: Path) -> None:
    """Copy what is needed to `target` and write the lists of fonts and of Pyodide's packages, which become short."""
    source = web_folder()
    for name in KEPT:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / name, target / name)
    _stand_in_for_rive(target)
    fonts = [{"family": family, "fonts": [{"asset": asset}]} for family, asset in FONTS.items()]
    (target / "assets/FontManifest.json").write_text(json.dumps(fonts))
    lock = json.loads((source / "pyodide/pyodide-lock.json").read_text())
    (target / "pyodide/pyodide-lock.json").write_text(json.dumps({**lock, "packages": {}}))


def _stand_in_for_rive(target: Path) -> None:
    script = target / "main.dart.js"
    text, count = OF_RIVE.subn('(self.flet.entrypointBaseUrl+"rive/")', script.read_text("utf-8"))
    if count != 1:
        message = f"main.dart.js of this flet-web names Rive {count} times; once was expected"
        raise SystemExit(message)
    script.write_text(text, "utf-8")
    (target / RIVE_NAME).parent.mkdir(parents=True)
    (target / RIVE_NAME).write_text(NO_RIVE)
