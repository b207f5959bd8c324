"""What lies in `deploy/`: units that wall the server in and let it work, and files of containers that fit the tree."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import yaml

from conftest import running, tool
from forms import FORM, form, part
from pictures import heic, jpeg

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "deploy/systemd").iterdir())
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
MOST_EXPOSED = 2.0  # of 10, as systemd reckons
COMPOSE = ROOT / "deploy/compose"


def analyze(*options):
    command = [tool("systemd-analyze"), *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_reads_a_unit_without_complaint(unit, tmp_path):
    for other in UNITS:  # a timer is read together with its service
        text = other.read_text("utf-8").replace("/opt/albumen/bin/albumen", "/bin/true")
        (tmp_path / other.name).write_text(text, "utf-8")
    done = analyze("verify", tmp_path / unit.name)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_service_is_walled_in(unit):
    done = analyze("security", "--offline=true", f"--threshold={int(MOST_EXPOSED * 10)}", unit)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_all_services_have_the_same_user_and_data(unit):
    lines = unit.read_text("utf-8").splitlines()
    assert {"User=albumen", "Group=albumen", "StateDirectory=albumen", "UMask=0027"} <= set(lines)


def members(name):
    """Return the system calls of one of systemd's sets."""
    words = [line.strip() for line in analyze("syscall-filter", name).stdout.splitlines()[1:]]
    found = {word for word in words if word and not word.startswith(("#", "@"))}
    return found.union(*(members(word) for word in words if word.startswith("@")))


def allowed():
    """Return the system calls that the service lets through."""
    unit = (ROOT / "deploy/systemd/albumen.service").read_text("utf-8")
    filters = re.findall(r"^SystemCallFilter=(.*)$", unit, flags=re.MULTILINE)
    assert filters == ["@system-service", "~@privileged"]
    return members("@system-service") - members("@privileged")


def test_the_service_may_make_every_system_call_that_the_server_makes(tmp_path):
    log = tmp_path / "calls"
    strace = (tool("strace"), "-f", "-qq", "-o", str(log))
    with running(tmp_path / "data", "--workers", "1", prefix=strace) as server:
        parts = [part(jpeg(seed=1), "a.jpg"), part(heic(seed=2), "b.heic")]
        photos = requests.post(f"{server.url}/upload", data=form(*parts), headers=FORM, timeout=120).json()["photos"]
        for photo in photos:
            assert requests.get(f"{photo['link']}?size=256&format=webp", timeout=120).status_code == 200
    made = set(re.findall(r"^\d+ +(\w+)\(", log.read_text("utf-8", "replace"), flags=re.MULTILINE))
    assert {"openat", "fdatasync"} <= made
    assert made - allowed() - ({"fchown"} if os.geteuid() == 0 else set()) == set()  # SQLite's, as root alone


def test_containers_run_without_rights_on_files_that_they_share():
    services = yaml.safe_load((COMPOSE / "compose.yaml").read_text("utf-8"))["services"]
    for service in services.values():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    image = (COMPOSE / "Dockerfile").read_text("utf-8")
    uid = re.search(r"--uid (\d+)", image)[1]
    assert services["nginx"]["user"] == f"{uid}:{uid}"
    assert re.findall(r"^USER (.*)$", image, flags=re.MULTILINE) == ["albumen"]


def test_all_that_the_image_copies_is_there_and_reaches_the_builder():
    image = (COMPOSE / "Dockerfile").read_text("utf-8")
    reached = re.findall(r"^!(.*)$", (ROOT / ".dockerignore").read_text("utf-8"), flags=re.MULTILINE)
    copied = [word for line in re.findall(r"^COPY (?!--)(.*) \S+$", image, flags=re.MULTILINE) for word in line.split()]
    assert copied
    for name in copied:
        assert (ROOT / name).exists()
        assert any(path == name or path.startswith(f"{name}/") for path in reached)


def test_the_nginx_of_the_containers_is_given_options_that_the_command_has():
    line = yaml.safe_load((COMPOSE / "compose.yaml").read_text("utf-8"))["services"]["nginx-config"]["command"][0]
    options = re.findall(r"--[a-z-]+", line)
    shown = subprocess.run(
        [sys.executable, "-m", "albumen", "nginx-config", "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    ).stdout
    assert options
    assert all(option in shown for option in options)
