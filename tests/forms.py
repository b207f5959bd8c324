"""Bodies of uploads, laid out byte for byte, and a reader of the answers. Nothing here imports Albumen."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    import requests

BOUNDARY = "----albumen-boundary-7MA4YWxkTrZu0gW"
FORM_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
FORM = {"Content-Type": FORM_TYPE}
PROBLEM_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Uploader:
    """Sends forms into one dataset of a real server."""

    http: requests.Session
    url: str
    dataset: str

    def send(self, *parts, headers=None):
        """Post a form of these parts; return the response."""
        return self.post(form(*parts), headers=headers)

    def post(self, body, headers=None):
        """Post a body, as a form unless the headers say otherwise."""
        address = f"{self.url}/upload?dataset={self.dataset}"
        return self.http.post(address, data=body, headers={**FORM, **(headers or {})}, timeout=120)

    def get(self, target):
        """Get a path of the server."""
        return self.http.get(self.url + target, timeout=60)

    def listed(self):
        """Return what the dataset holds, newest first; nothing while it is not there."""
        answer = self.get(f"/api/v1/photos?dataset={self.dataset}&limit=1000").json()
        return answer.get("photos", [])


def part(data, name="photo.jpg", *, field="file"):
    """Return a file part as browsers write it: the name in raw UTF-8, quotes and line breaks as percent codes."""
    quoted = name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
    return part_with(f'form-data; name="{field}"; filename="{quoted}"', data)


def part_extended(data, name, *, field="file"):
    """Return a file part whose name stands only in `filename*` (RFC 8187)."""
    return part_with(f"form-data; name=\"{field}\"; filename*=UTF-8''{quote(name, safe='')}", data)


def part_with(disposition, data):
    """Return a part with this Content-Disposition."""
    head = f"Content-Disposition: {disposition}\r\nContent-Type: application/octet-stream\r\n\r\n"
    return head.encode() + data


def field(name, value):
    """Return a plain field."""
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode()


def form(*parts):
    """Return the body of a form with these parts."""
    return form_begun(*parts) + f"--{BOUNDARY}--\r\n".encode()


def form_begun(*parts):
    """Return the body of a form up to its closing boundary, without which the last part has no end."""
    delimiter = f"--{BOUNDARY}\r\n".encode()
    return b"".join(delimiter + each + b"\r\n" for each in parts)


def sha256(data):
    """Return the digest as our answers write it."""
    return hashlib.sha256(data).hexdigest()


def statuses(answer):
    """Return the status of each photo in an answer."""
    return [photo["status"] for photo in answer["photos"]]


def ids(answer):
    """Return the id of each photo in an answer."""
    return [photo["id"] for photo in answer["photos"]]


def codes(answer):
    """Return the code of each rejected photo of an answer."""
    return [photo["problem"]["code"] for photo in answer["photos"] if photo["status"] == "rejected"]


def problem(response, status, code):
    """Return the problem that a response carries, after a look at its form (RFC 9457)."""
    body = json.loads(response.content if hasattr(response, "content") else response.data)
    assert (response.status_code, body["code"]) == (status, code), body
    assert response.headers["Content-Type"].partition(";")[0] == PROBLEM_TYPE
    assert body["status"] == status
    assert body["type"] == f"/api/docs#{code}"
    assert body["title"]
    assert body["detail"]
    return body
