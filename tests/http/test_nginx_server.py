"""A real nginx before a real server: variants of its configuration, uploads, links, limits, a server that is away."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from conftest import running, tool
from forms import FORM, FORM_TYPE, Uploader, form, form_begun, part
from fronts import BEHIND_NGINX, as_worker_user, free_port, nginx_before, nginx_config
from pictures import jpeg, of_size
from wire import connected, eventually, head

ROOT = Path(__file__).parents[2]
HOSTILE = 'da ta "q" \\ $uri {a};#b'
LARGE = 3_000_000
SECOND_PREVIEWS, MOST_PREVIEWS = 1, 2


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    with running(folder / HOSTILE, ALBUMEN_DERIVE="false", **BEHIND_NGINX) as started:
        yield started


@pytest.fixture(scope="module")
def nginx(server, tmp_path_factory):
    with nginx_before(server.url, server.data, tmp_path_factory.mktemp("nginx") / "state") as started:
        yield started


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of localhost and its key."""
    folder = tmp_path_factory.mktemp("tls")
    command = [tool("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    files = ["-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run([*command, *files, *names], check=True, capture_output=True, timeout=60)
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def uploader(nginx, http):
    return Uploader(http, nginx.url, f"set-{uuid.uuid4().hex}")


def check(folder, text):
    """Let nginx itself read a whole configuration."""
    folder.mkdir(exist_ok=True)
    (folder / "nginx.conf").write_text(text, "utf-8")
    command = [
        tool("nginx"),
        "-t",
        "-e",
        str(folder / "error.log"),
        "-p",
        str(folder),
        "-c",
        str(folder / "nginx.conf"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr


def included(folder, site):
    """Return a whole configuration around a site, as /etc/nginx/nginx.conf is."""
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if as_worker_user() else ""
    return f"{user} pid {folder}/pid;\nevents {{}}\nhttp {{\nsendfile on; tcp_nopush on;\n{temporary}{site}\n}}\n"


@pytest.mark.parametrize(
    ("data", "options"),
    [
        ("/srv/photos", []),
        (f"/srv/{HOSTILE}", ["--listen", "8080", "--upstream", "[::1]:5000", "--cache-size", "500m"]),
        ("/srv/фото", ["--listen", "127.0.0.1:8080", "--listen", "[::1]:8080", "--upstream", "localhost:5000"]),
    ],
)
def test_nginx_takes_a_site_of_every_address_and_directory(tmp_path, data, options):
    site = nginx_config("--data", data, "--cache", tmp_path / "c a", "--server-name", "photos.example.org", *options)
    check(tmp_path, included(tmp_path, site))


def test_nginx_takes_a_site_with_tls(tmp_path, certificate):
    files = ("--certificate", certificate[0], "--certificate-key", certificate[1])
    site = nginx_config("--data", tmp_path, "--cache", tmp_path / "cache", "--server-name", "_", *files)
    check(tmp_path, included(tmp_path, site))


def test_nginx_takes_a_whole_configuration(tmp_path):
    options = ("--standalone", tmp_path / "st ate", "--cache", tmp_path / "cache", *as_worker_user())
    (tmp_path / "st ate").mkdir()
    check(tmp_path, nginx_config("--data", tmp_path, "--listen", str(free_port()), *options))


def test_the_example_is_what_the_command_prints():
    printed = nginx_config("--server-name", "photos.example.org", "--data", "/var/lib/albumen")
    assert (ROOT / "deploy/nginx/albumen.conf").read_text("utf-8") == printed


def test_the_command_tells_what_the_settings_still_lack(tmp_path):
    command = ["-m", "albumen", "nginx-config", "--data", str(tmp_path)]
    lacking = subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=60, check=True).stderr
    assert "proxy_hops" in lacking
    assert "nginx_accel" in lacking


@pytest.mark.parametrize("size", [20_000, LARGE])
def test_photos_come_out_of_a_directory_with_any_name(uploader, http, size):
    data = of_size(size)
    (photo,) = uploader.send(part(data)).json()["photos"]
    assert http.get(photo["link"]).content == data


def test_links_carry_the_name_by_which_nginx_was_reached(nginx, http):
    port = urlsplit(nginx.url).port
    answer = http.post(f"http://localhost:{port}/upload", data=form(part(of_size(3000))), headers=FORM).json()
    assert answer["photos"][0]["link"].startswith(f"http://localhost:{port}/get/")


@pytest.mark.parametrize(
    "header", ["X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-For", "X-Forwarded-Prefix", "Forwarded"]
)
def test_a_client_cannot_say_where_it_comes_from(uploader, nginx, header):
    values = {"X-Forwarded-Proto": "https", "Forwarded": "host=evil.example;proto=https", "X-Forwarded-Prefix": "/evil"}
    headers = {header: values.get(header, "evil.example")}
    answer = uploader.send(part(of_size(3100)), headers=headers).json()
    assert answer["photos"][0]["link"].startswith(f"{nginx.url}/get/")


def test_links_are_https_where_nginx_speaks_tls(server, certificate, tmp_path):
    files = ("--certificate", certificate[0], "--certificate-key", certificate[1])
    with nginx_before(server.url, server.data, tmp_path / "state", *files) as nginx, requests.Session() as session:
        session.trust_env, session.verify = False, str(certificate[0])
        url = nginx.url.replace("http://", "https://")
        data = of_size(LARGE, seed=3)
        (photo,) = session.post(f"{url}/upload", data=form(part(data)), headers=FORM).json()["photos"]
        assert photo["link"].startswith(f"{url}/get/")
        assert session.get(photo["link"]).content == data


def test_photos_travel_over_http2_as_well(server, certificate, tmp_path):
    files = ("--certificate", certificate[0], "--certificate-key", certificate[1])
    with nginx_before(server.url, server.data, tmp_path / "state", *files) as nginx:
        url = nginx.url.replace("http://", "https://")
        (tmp_path / "photo.jpg").write_bytes(of_size(LARGE, seed=4))
        command = [tool("curl"), "-sS", "--http2", "--cacert", certificate[0], "-F", f"file=@{tmp_path}/photo.jpg"]
        done = subprocess.run([*command, f"{url}/upload"], capture_output=True, text=True, timeout=60, check=True)
        assert '"created": 1' in done.stdout or '"created":1' in done.stdout


def test_a_large_upload_passes_nginx_without_touching_its_disk(uploader, nginx, server):
    body = form_begun(part(of_size(20_000_000)))
    with connected(nginx.url) as link:
        length = f"Content-Length: {len(body) + 1000}"
        link.sendall(head("POST", f"/upload?dataset={uploader.dataset}", f"Content-Type: {FORM_TYPE}", length) + body)
        eventually(lambda: arriving(server.data) > 10_000_000, "the bytes did not pass")
        assert [path for path in (nginx.state / "body").rglob("*") if path.is_file()] == []
    eventually(lambda: arriving(server.data) == 0, "a temporary file stayed")


def arriving(data):
    """Return how many bytes lie in the folder for what is being received."""
    total = 0
    for path in (data / "tmp").rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total


def test_a_client_that_leaves_keeps_its_complete_photos_and_leaves_nothing_else(uploader, nginx, server):
    done = [part(of_size(5000, seed=number), f"{number}.jpg") for number in (1, 2)]
    body = form_begun(*done) + form_begun(part(of_size(9_000_000)))[:-1_000_000]
    with connected(nginx.url) as link:
        length = "Content-Length: 50000000"
        link.sendall(head("POST", f"/upload?dataset={uploader.dataset}", f"Content-Type: {FORM_TYPE}", length) + body)
        eventually(lambda: arriving(server.data) > 1_000_000, "the bytes did not pass")
    assert [photo["name"] for photo in eventually(uploader.listed, "complete photos were lost")] == ["2.jpg", "1.jpg"]
    eventually(lambda: arriving(server.data) == 0, "a temporary file stayed")


@pytest.fixture
def narrow(server, tmp_path):
    """An nginx that lets few previews be made."""
    limits = ("--previews-per-second", str(SECOND_PREVIEWS), "--previews-burst", str(MOST_PREVIEWS))
    with nginx_before(server.url, server.data, tmp_path / "narrow", *limits) as started:
        yield started


def test_previews_that_must_be_made_are_limited_and_ready_ones_are_not(narrow, http):
    parts = [part(jpeg(seed=number), f"{number}.jpg") for number in range(600, 612)]
    photos = Uploader(http, narrow.url, f"set-{uuid.uuid4().hex}").send(*parts).json()["photos"]
    with ThreadPoolExecutor(len(photos)) as pool:
        made = list(pool.map(lambda photo: requests.get(f"{photo['link']}?size=256", timeout=60), photos))
    refused = [answer for answer in made if answer.status_code != 200]
    assert 1 <= len(made) - len(refused) < len(made)
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(429, "too_many_requests")}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
    ready = next(answer for answer in made if answer.status_code == 200)
    assert [http.get(ready.url).status_code for _ in range(50)] == [200] * 50


def test_originals_are_not_limited(narrow, http):
    (photo,) = Uploader(http, narrow.url, f"set-{uuid.uuid4().hex}").send(part(of_size(3300))).json()["photos"]
    assert {http.get(photo["link"]).status_code for _ in range(50)} == {200}


def test_a_preview_by_name_passes_the_limit_with_its_name(uploader, http):
    uploader.send(part(jpeg(seed=700), "Мишка & co.jpg"))
    answer = http.get(f"{uploader.url}/display", params={"id": "Мишка & co.jpg", "size": "256"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")


@pytest.mark.parametrize("target", ["/", "/get/0197c5a2-8f4e-7c31-9d0a-5b6e2f7a1c44", "/api/v1/photos"])
def test_a_server_that_is_away_is_a_problem_that_says_when_to_try_again(tmp_path, http, target):
    with (
        closed_port() as port,
        nginx_before(f"http://127.0.0.1:{port}", tmp_path / "data", tmp_path / "state") as nginx,
    ):
        answer = http.get(f"{nginx.url}{target}")
        body = answer.json()
        assert (answer.status_code, body["status"], body["code"]) == (502, 502, "bad_gateway")
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert int(answer.headers["Retry-After"]) > 0


@contextmanager
def closed_port():
    """A port that nobody listens on and nobody else gets."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_logs_go_to_the_terminal_when_nothing_else_keeps_them(shared_server, tmp_path):
    upstream = shared_server.url
    with nginx_before(upstream, shared_server.data, tmp_path / "nginx", "--log-to-terminal") as nginx:
        assert requests.get(f"{nginx.url}/health/live", timeout=60).status_code == 200
        output = tmp_path / "nginx/output.log"
        eventually(lambda: "GET /health/live" in output.read_text(), "nginx wrote nothing")
    assert not (tmp_path / "nginx/access.log").exists()


def test_lists_are_packed_on_their_way_through_nginx_and_photos_are_not(uploader, nginx, http):
    photos = uploader.send(*(part(of_size(3000, seed=number)) for number in range(10))).json()["photos"]
    address = f"{nginx.url}/api/v1/photos?dataset={uploader.dataset}"
    packed = http.get(address, headers={"Accept-Encoding": "gzip"})
    assert (packed.headers["Content-Encoding"], packed.headers["Vary"]) == ("gzip", "Accept-Encoding")
    plain = http.get(address, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert packed.json() == plain.json()
    assert "Content-Encoding" not in http.get(photos[0]["link"], headers={"Accept-Encoding": "gzip"}).headers


def test_a_large_upload_that_asks_for_lines_passes_nginx_to_its_end(uploader):
    parts = [part(of_size(15_000, seed=number), f"{number}.jpg") for number in range(2000)]
    answer = uploader.post(form(*parts), {"Accept": "application/x-ndjson"})
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line.get("status") for line in lines] == ["created"] * 2000
