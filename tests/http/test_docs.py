"""The commands of the documentation do what it says, on a real server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from conftest import running, tool
from fronts import BEHIND_NGINX, nginx_before
from pictures import jpeg

ROOT = Path(__file__).parents[2]
ADDRESS = "http://127.0.0.1:5000"
FOLDER_PHOTOS = 12
COMMAND_SECONDS = 60
STATUS = re.compile(r"^status (\d{3})$", re.MULTILINE)


def page(name):
    return (ROOT / name).read_text("utf-8")


def code(text):
    """Return (language, body) of every block of code."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def marked(name, mark):
    """Return the block that follows a comment `<!-- test: … -->`."""
    return code(page(name).partition(f"<!-- test: {mark} -->")[2])[0][1]


def commands(name):
    return "".join(body for language, body in code(page(name)) if language == "sh" and "curl" in body)


def write_script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def desk(tmp_path):
    """A working directory with the photos that the examples name, and the commands that they call."""
    folder = tmp_path / "desk"
    (folder / "photos").mkdir(parents=True)
    for number in range(1, 4):
        (folder / f"IMG_{number}.jpg").write_bytes(jpeg(640, 480, seed=number))
    for number in range(FOLDER_PHOTOS):
        (folder / "photos" / f"{number} снимок.jpg").write_bytes(jpeg(seed=100 + number))
    (folder / "notes.txt").write_text("These are words.\n")
    write_script(
        folder / "bin/curl", f"#!/bin/sh\nexec {tool('curl')} -sS -w '%{{stderr}}status %{{http_code}}\\n' \"$@\"\n"
    )
    write_script(folder / ".venv/bin/albumen", f'#!/bin/sh\nexec {sys.executable} -m albumen "$@"\n')
    return folder


def bash(script, folder, data):
    """Run a script as a person would in that directory; return what it printed."""
    environment = {
        **os.environ,
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "src"),
        "ALBUMEN_DATA": str(data),
        "NO_PROXY": "*",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def runnable(name, url, folder):
    """Return the commands and the Python of a page as one script, in their order."""
    parts = []
    for number, (language, body) in enumerate(code(page(name).replace(ADDRESS, url))):
        if language == "sh" and "curl" in body:
            parts.append(body)
        elif language == "python":
            (folder / f"example-{number}.py").write_text(body, "utf-8")
            parts.append(f"{sys.executable} example-{number}.py > example-{number}.txt\n")
    return "".join(parts)


@pytest.mark.parametrize("name", ["README.md", "README.ru.md"])
def test_every_command_of_the_readme_answers_with_the_status_that_stands_behind_it(name, server, desk):
    promised = re.findall(r"curl .*# (\d{3})$", commands(name), flags=re.MULTILINE)
    assert len(promised) == len(re.findall(r"\bcurl ", commands(name)))
    done = bash(runnable(name, server.url, desk), desk, server.data)
    assert STATUS.findall(done.stderr) == promised
    assert (desk / "photo.jpg").read_bytes() == (desk / "IMG_3.jpg").read_bytes()
    assert (desk / "preview.webp").read_bytes()[8:12] == b"WEBP"
    assert (desk / "named.jpg").read_bytes().startswith(b"\xff\xd8\xff")
    printed = [path.read_text().splitlines() for path in sorted(desk.glob("example-*.txt"))]
    assert [len(lines) for lines in printed] == [FOLDER_PHOTOS, FOLDER_PHOTOS]


def upload(http, url, *photos):
    files = [("file", (f"{number}.jpg", photo)) for number, photo in enumerate(photos)]
    answer = http.post(f"{url}/upload", files=files, timeout=COMMAND_SECONDS)
    assert answer.status_code == 201
    return [entry["link"] for entry in answer.json()["photos"]]


def test_backup_made_beside_a_running_server_can_be_restored(server, desk, http, tmp_path):
    def as_here(script):
        script = script.replace("/opt/albumen/bin/albumen", str(desk / ".venv/bin/albumen"))
        return script.replace("/var/lib/albumen", str(server.data)).replace("/backup", str(tmp_path / "backup"))

    photos = [jpeg(seed=seed) for seed in range(5)]
    links = upload(http, server.url, *photos)
    bash(as_here(marked("docs/operations.md", "backup")), desk, server.data)
    later = upload(http, server.url, jpeg(seed=99))
    server.kill()
    bash(as_here(marked("docs/operations.md", "restore")), desk, server.data)
    with running(server.data, ALBUMEN_DERIVE="false") as restored:
        for link, photo in zip(links, photos, strict=True):
            assert http.get(link.replace(server.url, restored.url), timeout=COMMAND_SECONDS).content == photo
        assert http.get(later[0].replace(server.url, restored.url), timeout=COMMAND_SECONDS).status_code == 404
        upload(http, restored.url, jpeg(seed=99))


@pytest.fixture
def outside(tmp_path):
    """A server behind nginx as the documentation sets the two up."""
    with (
        running(tmp_path / "data", ALBUMEN_DERIVE="false", **BEHIND_NGINX) as server,
        nginx_before(server.url, server.data, tmp_path / "nginx") as nginx,
    ):
        yield nginx.url


def test_links_lead_through_nginx_as_documented(outside, http):
    photos = [jpeg(640, 480, seed=1), jpeg(seed=2)]
    links = upload(http, outside, *photos)
    assert all(link.startswith(f"{outside}/get/") for link in links)
    assert [http.get(link, timeout=COMMAND_SECONDS).content for link in links] == photos


def test_pages_behind_nginx_may_change_things_and_foreign_ones_may_not(outside, http):
    photo = upload(http, outside, jpeg())[0].replace("/get/", "/api/v1/photos/")
    foreign = http.delete(photo, headers={"Origin": "https://evil.example"}, timeout=COMMAND_SECONDS)
    own = http.delete(photo, headers={"Origin": outside}, timeout=COMMAND_SECONDS)
    assert (foreign.status_code, own.status_code) == (requests.codes.forbidden, requests.codes.no_content)
