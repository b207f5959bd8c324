"""A browser saves an archive by submitting a form: its cookie is the key, and the page's policy allows it."""

from __future__ import annotations

import subprocess
import sys
import zipfile

import requests

from conftest import running
from forms import FORM, form, ids, part
from pictures import of_size

SUBMIT = """async ([key, ids]) => {
  const headers = {"Content-Type": "application/json"};
  await fetch("/api/v1/session", {method: "POST", headers, body: JSON.stringify({key})});
  const form = Object.assign(document.createElement("form"), {method: "post", action: "/api/v1/photos/archive"});
  form.append(Object.assign(document.createElement("textarea"), {name: "ids", value: ids.join(",")}));
  document.body.append(form);
  form.submit();
}"""


def test_a_form_on_the_page_saves_the_archive_and_the_page_stays(tmp_path, visit):
    data = tmp_path / "data"
    command = [sys.executable, "-m", "albumen", "keys", "create", "viewer", "--role", "editor", "--data", str(data)]
    key = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip()
    photos = [of_size(2000), of_size(3_000_000)]
    with running(data, ALBUMEN_DERIVE="false") as server:
        bearer = {"Authorization": f"Bearer {key}"}
        body = form(*(part(photo, "Ёж.jpg") for photo in photos))
        sent = requests.post(f"{server.url}/upload", data=body, headers={**FORM, **bearer}, timeout=60).json()
        page, _ = visit(f"{server.url}/api/docs")
        with page.expect_download() as expected:
            page.evaluate(SUBMIT, [key, ids(sent)])
        assert expected.value.suggested_filename == "photos.zip"
        with zipfile.ZipFile(expected.value.path()) as archive:
            assert archive.namelist() == ["Ёж.jpg", "Ёж (2).jpg"]
            assert [archive.read(name) for name in archive.namelist()] == photos
        assert page.url == f"{server.url}/api/docs"
