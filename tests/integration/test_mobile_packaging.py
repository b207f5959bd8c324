"""What leaves the mobile client: the wheel with the web version, and what `flet build` would make of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile

import pytest
from PIL import Image

from phones import MOBILE, ROOT

pytestmark = pytest.mark.direct

# Of Android's permissions those that this client may ask for; https://developer.android.com/reference/android/Manifest.permission
ANDROID_PERMISSIONS = {"android.permission.INTERNET": True, "android.permission.ACCESS_NETWORK_STATE": True}
MOST_WHEEL_BYTES = 16_000_000


@pytest.fixture(scope="module")
def wheel(tmp_path_factory, mobile_client):
    assert mobile_client
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=MOBILE, check=True, capture_output=True)
    (built,) = folder.glob("albumen_mobile-*.whl")
    return built


def resolved(target, tmp_path):
    """Return what Flet reads from our configuration for one target."""
    project = tmp_path / target
    (project / "src").mkdir(parents=True)
    shutil.copy(MOBILE / "pyproject.toml", project)
    shutil.copy(MOBILE / "src" / "main.py", project / "src")
    command = [sys.executable, ROOT / "tests" / "flet_build.py", target, str(project)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout.splitlines()[-1])


def test_wheel_carries_the_whole_bundle_and_asks_for_no_other_package(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = [name for name in names if name.endswith("METADATA")]
        assert "Requires-Dist" not in archive.read(metadata).decode()
    page = (MOBILE / "src/albumen_mobile/web/index.html").read_text("utf-8")
    (folder,) = set(re.findall(r'"([0-9a-f]{16})/', page))
    for name in (
        "main.dart.js.gz",
        "start.js.gz",
        "app.tar.gz",
        "pyodide/pyodide.asm.wasm.gz",
        "canvaskit/canvaskit.wasm.gz",
    ):
        assert f"albumen_mobile/web/{folder}/{name}" in names
    assert wheel.stat().st_size < MOST_WHEEL_BYTES


def test_bundle_has_one_renderer_and_names_no_other_origin_to_load_from(mobile_client):
    assert mobile_client
    web = MOBILE / "src/albumen_mobile/web"
    names = {path.name for path in web.rglob("*")}
    assert not [name for name in names if name.startswith(("skwasm", "wimp")) or name.endswith(".whl")]
    page = (web / "index.html").read_text("utf-8")
    assert re.findall(r'(?:src|href)="(?:https?:|//)', page) == []
    assert re.findall(r"<script(?![^>]*\ssrc=)|<style|\son\w+=", page) == []


def test_android_gets_its_name_and_exactly_the_permissions_that_it_needs(tmp_path):
    found = resolved("apk", tmp_path)
    assert (found["bundle_id"], found["product_name"]) == ("org.albumen.mobile", "Albumen")
    assert found["options"]["android_permissions"] == ANDROID_PERMISSIONS
    assert found["options"]["package_platform"] == "Android"
    assert found["splash"] == {"android": True, "ios": True, "web": True, "color": "#f6f2ea", "dark_color": "#14110e"}


def test_ios_tells_in_both_languages_why_it_asks(tmp_path):
    found = resolved("ipa", tmp_path)
    told = found["options"]["info_plist"]
    assert (found["bundle_id"], told["CFBundleLocalizations"]) == ("org.albumen.mobile", ["en", "ru"])
    for purpose in ("NSPhotoLibraryUsageDescription", "NSLocalNetworkUsageDescription"):
        assert re.search(r"[a-z]{3}", told[purpose])
        assert re.search(r"[\u0430-\u044f]{3}", told[purpose])
    assert "NSAppTransportSecurity" not in told  # plain HTTP stays off


def test_apps_install_what_their_code_imports_and_leave_the_bundle_out(tmp_path):
    found = resolved("apk", tmp_path)["pyproject"]
    for platform in ("android", "ios"):
        names = {re.match(r"[\w-]+", text)[0] for text in found["tool"]["flet"][platform]["dependencies"]}
        assert names == {"flet", "httpx"}
    assert found["tool"]["flet"]["app"] == {"path": "src", "exclude": ["albumen_mobile/web"]}


def test_icon_is_large_enough_for_every_shop():
    with Image.open(MOBILE / "src/assets/icon.png") as icon:
        assert icon.size == (1024, 1024)
