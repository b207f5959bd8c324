"""Hundreds of photos in one request, on a real server."""

from __future__ import annotations

import json
import select
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
import requests
from PIL import Image

from forms import BOUNDARY, FORM_TYPE, codes, form, form_begun, ids, part, sha256, statuses
from pictures import BLUE, GREEN, RED, WHITE, of_size, oriented, truncate
from wire import answer, chunk, connected, head

PHOTOS = 500
ORIENTATIONS = 8
MOST_UNANSWERED = 400


@pytest.fixture(scope="module")
def photos():
    """500 different small photos, of all eight orientations in turn; phones append bytes as is done here."""
    shown = [oriented(1 + number) for number in range(ORIENTATIONS)]
    return [shown[number % ORIENTATIONS] + number.to_bytes(4, "big") for number in range(PHOTOS)]


@pytest.fixture(scope="module")
def poured(shared_server, photos):
    """The answer to all 500 in one request."""
    return pour(shared_server, "five-hundred", photos)


def pour(server, dataset, photos):
    body = form(*(part(data, f"IMG_{number}.jpg") for number, data in enumerate(photos)))
    url = f"{server.url}/upload?dataset={dataset}"
    response = requests.post(url, data=body, headers={"Content-Type": FORM_TYPE}, timeout=120)
    return response.status_code, response.json()


def fetch_all(links):
    with requests.Session() as session, ThreadPoolExecutor(4) as pool:
        session.trust_env = False
        return list(pool.map(lambda link: session.get(link, timeout=120), links))


def quarters(preview):
    with Image.open(BytesIO(preview)) as image:
        assert image.format == "JPEG"
        width, height = image.size
        middles = [(x, y) for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]
        return [image.getpixel(middle) for middle in middles]


def is_upright(preview):
    """Tell whether red and green stand above blue and white."""
    pairs = zip(quarters(preview), (RED, GREEN, BLUE, WHITE), strict=True)
    return all(abs(seen - true) < 40 for pixel, colour in pairs for seen, true in zip(pixel, colour, strict=True))


def test_500_photos_in_one_request_give_500_links_in_order(poured, photos):
    status, answer = poured
    assert status == 201
    assert [photo["index"] for photo in answer["photos"]] == list(range(PHOTOS))
    assert [photo["name"] for photo in answer["photos"]] == [f"IMG_{number}.jpg" for number in range(PHOTOS)]
    assert [photo["sha256"] for photo in answer["photos"]] == [sha256(data) for data in photos]
    assert ids(answer) == sorted(set(ids(answer)))
    assert (answer["created"], answer["duplicate"], answer["rejected"]) == (PHOTOS, 0, 0)


def test_an_outcome_tells_what_the_photo_is(shared_server, poured, photos):
    first = poured[1]["photos"][5]
    link = f"{shared_server.url}/get/{first['id']}"
    assert first == {
        "index": 5,
        "status": "created",
        "name": "IMG_5.jpg",
        "id": first["id"],
        "link": link,
        "preview": f"{link}?size=512",
        "sha256": sha256(photos[5]),
        "bytes": len(photos[5]),
        "media_type": "image/jpeg",
        "width": 96,
        "height": 64,
    }


def test_each_of_the_500_links_answers_the_same_bytes(poured, photos):
    answers = fetch_all([photo["link"] for photo in poured[1]["photos"]])
    assert {answer.status_code for answer in answers} == {200}
    assert [sha256(answer.content) for answer in answers] == [sha256(data) for data in photos]


def test_each_of_the_500_has_an_upright_jpeg_preview(poured):
    answers = fetch_all([f"{photo['link']}?size=256" for photo in poured[1]["photos"]])
    assert {answer.headers["Content-Type"] for answer in answers} == {"image/jpeg"}
    assert [number for number, answer in enumerate(answers) if not is_upright(answer.content)] == []


def test_repeating_the_request_gives_500_duplicates_with_the_same_ids(shared_server, poured, photos):
    status, answer = pour(shared_server, "five-hundred", photos)
    assert status == 200
    assert set(statuses(answer)) == {"duplicate"}
    assert (answer["created"], answer["duplicate"]) == (0, PHOTOS)
    assert ids(answer) == ids(poured[1])


def test_three_bad_ones_among_500_are_rejected_and_497_created(shared_server, photos):
    mixed = list(photos)
    mixed[3], mixed[100], mixed[499] = b"shopping list: milk", b"", truncate(photos[499], 0.5)
    status, answer = pour(shared_server, "mixed", mixed)
    assert status == 201
    assert (answer["created"], answer["duplicate"], answer["rejected"]) == (497, 0, 3)
    assert [photo["index"] for photo in answer["photos"] if photo["status"] == "rejected"] == [3, 100, 499]
    assert codes(answer) == ["not_a_photo", "empty", "truncated"]
    assert "id" not in answer["photos"][3]


def test_the_same_photo_twice_in_one_request_is_one_photo(uploader):
    answer = uploader.send(part(of_size(3000), "a.jpg"), part(of_size(3000), "b.jpg")).json()
    assert statuses(answer) == ["created", "duplicate"]
    assert ids(answer)[0] == ids(answer)[1]


def test_the_same_photo_in_another_dataset_is_a_new_photo(uploader, shared_server, http):
    body = form(part(of_size(3100)))
    first = uploader.post(body).json()
    other = http.post(
        f"{shared_server.url}/upload?dataset={uploader.dataset}2", data=body, headers={"Content-Type": FORM_TYPE}
    ).json()
    assert statuses(other) == ["created"]
    assert ids(other) != ids(first)


def test_two_photos_of_one_name_in_a_batch_are_both_kept(uploader):
    first, second = of_size(3200, seed=1), of_size(3200, seed=2)
    answer = uploader.send(part(first, "twin.jpg"), part(second, "twin.jpg")).json()
    assert statuses(answer) == ["created", "created"]
    assert [uploader.http.get(photo["link"]).content for photo in answer["photos"]] == [first, second]
    assert [photo["name"] for photo in uploader.listed()] == ["twin.jpg", "twin.jpg"]


def send_until_answered(link, parts):
    """Send one part after the other until the server tells outcomes; return how many were sent."""
    for number, each in enumerate(parts):
        if select.select([link], [], [], 0.002)[0]:
            return number
        link.sendall(chunk(form_begun(each)))
    raise AssertionError("the server answered nothing while photos came in")


@pytest.mark.direct  # behind a proxy lines come at the end
def test_lines_arrive_while_the_request_is_still_being_sent(uploader):
    target = f"/upload?dataset={uploader.dataset}"
    headers = ("Transfer-Encoding: chunked", f"Content-Type: {FORM_TYPE}", "Accept: application/x-ndjson")
    parts = [part(of_size(8000, seed=number), f"{number}.jpg") for number in range(MOST_UNANSWERED)]
    with connected(uploader.url) as link:
        link.sendall(head("POST", target, *headers))
        lines = answer(link)
        sent = send_until_answered(link, parts)
        early = [json.loads(lines.readline())]
        link.sendall(chunk(form(part(of_size(8000, seed=MOST_UNANSWERED)))) + chunk(b""))
        late = [json.loads(line) for line in lines]
    assert [line["index"] for line in early + late] == list(range(sent + 1))
    assert {line["status"] for line in early + late} == {"created"}


@pytest.mark.direct  # behind a proxy lines come at the end
def test_a_line_arrives_while_a_slow_client_still_sends_the_next_photo(uploader):
    headers = ("Transfer-Encoding: chunked", f"Content-Type: {FORM_TYPE}", "Accept: application/x-ndjson")
    first, second = form_begun(part(of_size(8000), "first.jpg")), form(part(of_size(8000, seed=1), "second.jpg"))
    with connected(uploader.url) as link:
        link.sendall(head("POST", f"/upload?dataset={uploader.dataset}", *headers))
        lines = answer(link)
        link.sendall(chunk(first))
        sent = 0
        while not select.select([link], [], [], 0.01)[0]:
            link.sendall(chunk(second[sent : sent + 10]))
            sent += 10
        assert sent < len(second)
        assert json.loads(lines.readline())["name"] == "first.jpg"
        link.sendall(chunk(second[sent:]) + chunk(b""))
        assert [json.loads(line)["name"] for line in lines] == ["second.jpg"]


def test_lines_tell_what_broke_off(uploader):
    response = uploader.post(
        form_begun(part(of_size(3300)), part(b"text"), part(b"cut")), {"Accept": "application/x-ndjson"}
    )
    created, rejected, last = [json.loads(line) for line in response.text.splitlines()]
    assert response.headers["Content-Type"] == "application/x-ndjson"
    assert (created["status"], rejected["status"]) == ("created", "rejected")
    assert last["problem"]["code"] == "malformed_body"
    assert list(last) == ["problem"]


def test_lines_of_no_photos_are_one_problem(uploader):
    response = uploader.post(f"--{BOUNDARY}--\r\n".encode(), {"Accept": "application/x-ndjson"})
    assert json.loads(response.text)["problem"]["code"] == "no_photos"
