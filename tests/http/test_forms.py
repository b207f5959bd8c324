"""What a request for upload may look like: parts, names, datasets, raw bodies, transfer encodings. On a real server."""

from __future__ import annotations

import socket

import pytest

from forms import (
    BOUNDARY,
    FORM,
    FORM_TYPE,
    codes,
    field,
    form,
    ids,
    part,
    part_extended,
    part_with,
    problem,
    sha256,
    statuses,
)
from pictures import heic, jpeg, of_size, png
from wire import connected, head, status_and_json

CYRILLIC = "Мишка на севере «ёлка» №1.jpg"


def only(response):
    """Return the one photo of an answer."""
    (photo,) = response.json()["photos"]
    return photo


def test_a_name_in_another_encoding_spoils_neither_the_photo_nor_its_neighbours(uploader):
    disposition = b'Content-Disposition: form-data; name="file"; filename="' + "Мишка.jpg".encode("cp1251") + b'"'
    odd = disposition + b"\r\n\r\n" + of_size(2000)
    answer = uploader.send(odd, part(of_size(2001), CYRILLIC)).json()
    assert statuses(answer) == ["created", "created"]
    assert [photo["name"] for photo in answer["photos"]] == ["\ufffd" * 5 + ".jpg", CYRILLIC]


def test_every_part_with_a_filename_is_a_photo_whatever_its_field(uploader):
    fields = ("file", "files", "files[]", "photo", "что-нибудь", "")
    parts = [part(of_size(2000, seed=number), field=name) for number, name in enumerate(fields)]
    assert statuses(uploader.send(*parts).json()) == ["created"] * len(fields)


def test_fields_without_a_filename_are_no_photos(uploader):
    answer = uploader.send(field("comment", "hello"), part(of_size(2100)), field("submit", "Go")).json()
    assert statuses(answer) == ["created"]


def test_the_empty_file_input_of_a_browser_is_ignored(uploader):
    empty = part(b"", "")
    answer = uploader.send(empty, part(of_size(2200)), empty).json()
    assert [(photo["index"], photo["status"]) for photo in answer["photos"]] == [(0, "created")]


def test_a_form_of_nothing_but_empty_inputs_has_no_photos(uploader):
    problem(uploader.send(part(b"", "")), 400, "no_photos")


def test_a_photo_without_a_name_gets_one(uploader):
    assert only(uploader.send(part(of_size(2300), "")))["name"] == "photo"


@pytest.mark.parametrize("write", [part, part_extended])
def test_a_cyrillic_name_survives_the_round_trip(uploader, write):
    photo = only(uploader.send(write(of_size(2400), CYRILLIC)))
    assert photo["name"] == CYRILLIC
    assert uploader.get(f"/api/v1/photos/{photo['id']}").json()["name"] == CYRILLIC


def test_display_finds_a_photo_by_its_cyrillic_name(uploader):
    name = f"Снимок {uploader.dataset}.jpg"
    data = of_size(2500)
    uploader.send(part(data, name))
    answer = uploader.http.get(f"{uploader.url}/display", params={"id": name})
    assert (answer.status_code, answer.content) == (200, data)


def test_display_answers_with_the_newest_photo_of_a_name(uploader):
    name = f"{uploader.dataset}.jpg"
    older, newer = of_size(2600, seed=1), of_size(2600, seed=2)
    photo = only(uploader.send(part(older, name)))
    uploader.send(part(newer, name))
    assert uploader.get(f"/display?id={name}").content == newer
    assert uploader.get(f"/display?id={photo['id']}").content == older
    assert uploader.get(f"/display?id={name}&size=256").headers["Content-Type"] == "image/jpeg"


def test_the_extended_name_wins_over_the_plain_one(uploader):
    disposition = 'form-data; name="file"; filename="plain.jpg"; filename*=UTF-8\'\'%D1%91.jpg'
    assert only(uploader.send(part_with(disposition, of_size(2700))))["name"] == "ё.jpg"


@pytest.mark.parametrize("extended", ["UTF-16''x", "nonsense", "UTF-8''%FF%FE", "''", "no-such-charset'en'a.jpg"])
def test_an_extended_name_that_cannot_be_read_leaves_a_photo_all_the_same(uploader, extended):
    disposition = f'form-data; name="file"; filename="plain.jpg"; filename*={extended}'
    assert only(uploader.send(part_with(disposition, of_size(2800))))["status"] == "created"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("..", ".."),
        ("C:\\Users\\me\\a.jpg", "a.jpg"),
        ("/home/x/", "x"),
        ("a\x00b.jpg", "ab.jpg"),
        ("tab\tand\x1bescape.jpg", "tabandescape.jpg"),
        ('quo"te.jpg', 'quo"te.jpg'),
        ("per%cent;semi=colon.jpg", "per%cent;semi=colon.jpg"),
        ("gpj.\u202eevil.jpg", "gpj.evil.jpg"),
        ("e\u0301.jpg", "\u00e9.jpg"),
        ("   ", "photo"),
        ("\x07", "photo"),
        ("🦊" * 10 + ".jpg", "🦊" * 10 + ".jpg"),
        ("n" * 5000 + ".jpg", "n" * 251 + ".jpg"),
        ("ж" * 5000, "ж" * 255),
    ],
)
def test_names_are_made_harmless(uploader, sent, kept):
    assert only(uploader.send(part(of_size(2900), sent)))["name"] == kept


def test_a_name_that_climbs_makes_no_file_outside_of_the_blobs(uploader, shared_server):
    photo = only(uploader.send(part(of_size(2950), "../../../escaped.jpg")))
    assert list(shared_server.data.parent.rglob("*escaped*")) == []
    assert list((shared_server.data / "blobs").rglob(f"{photo['sha256']}.jpg"))


def test_a_field_in_front_of_the_photos_chooses_the_dataset(uploader, http):
    slug = f"{uploader.dataset}-f"
    body = form(field("dataset", slug), part(of_size(3000)))
    answer = http.post(f"{uploader.url}/upload", data=body, headers=FORM).json()
    assert answer["dataset"] == slug
    assert uploader.get(f"/api/v1/datasets/{slug}").json()["photos"] == 1


def test_the_query_chooses_the_dataset(uploader):
    answer = uploader.send(part(of_size(3100))).json()
    assert answer["dataset"] == uploader.dataset
    assert [photo["id"] for photo in uploader.listed()] == ids(answer)


def test_without_a_choice_photos_go_to_main(uploader, http):
    answer = http.post(f"{uploader.url}/upload", data=form(part(of_size(3200))), headers=FORM).json()
    assert answer["dataset"] == "main"


def test_an_empty_dataset_field_chooses_nothing(uploader):
    assert uploader.send(field("dataset", ""), part(of_size(3300))).json()["dataset"] == uploader.dataset


def test_a_dataset_after_the_first_photo_is_too_late(uploader):
    parts = (part(of_size(3400)), field("dataset", "other"), part(of_size(3401)))
    body = problem(uploader.send(*parts), 400, "dataset_too_late")
    assert statuses(body) == ["created"]
    assert body["dataset"] == uploader.dataset
    assert [photo["id"] for photo in uploader.listed()] == ids(body)


@pytest.mark.parametrize("slug", ["Has Space", "UPPER", "../up", "x" * 64, "-dash", "ё"])
def test_a_dataset_that_is_no_slug_is_refused(uploader, http, slug):
    body = problem(uploader.send(field("dataset", slug), part(of_size(3500))), 400, "invalid_parameter")
    assert body["parameter"] == "dataset"
    by_query = http.post(
        f"{uploader.url}/upload", params={"dataset": slug}, data=form(part(of_size(3500))), headers=FORM
    )
    problem(by_query, 400, "invalid_parameter")
    assert uploader.listed() == []


def test_a_dataset_field_of_a_megabyte_is_refused(uploader):
    body = problem(uploader.send(field("dataset", "d" * 1_000_000), part(of_size(3600))), 400, "invalid_parameter")
    assert body["photos"] == []


@pytest.mark.parametrize(("write", "media_type"), [(jpeg, "image/jpeg"), (png, "image/png"), (heic, "image/heic")])
def test_a_raw_body_is_one_photo(uploader, http, write, media_type):
    data = write(seed=36)
    address = f"{uploader.url}/upload?dataset={uploader.dataset}&name=%D1%91%2F1.bin"
    answer = http.post(address, data=data, headers={"Content-Type": "image/x-any"})
    photo = only(answer)
    assert (answer.status_code, photo["name"], photo["media_type"]) == (201, "1.bin", media_type)
    assert photo["sha256"] == sha256(data)


def test_put_takes_one_photo_and_may_be_repeated(uploader, http):
    data = of_size(3700)
    address = f"{uploader.url}/api/v1/photos?dataset={uploader.dataset}&name=put.jpg"
    first, second = http.put(address, data=data), http.put(address, data=data)
    assert (first.status_code, second.status_code) == (201, 200)
    assert (first.json()["status"], second.json()["status"]) == ("created", "duplicate")
    assert first.json()["id"] == second.json()["id"]
    assert http.get(first.json()["link"]).content == data


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [(b"", 422, "empty"), (b"text", 415, "not_a_photo"), (jpeg(200, 200)[:-200], 422, "truncated")],
)
def test_put_of_no_photo_is_a_problem(uploader, http, data, status, code):
    problem(http.put(f"{uploader.url}/api/v1/photos", data=data), status, code)


def test_post_to_the_root_is_the_same_as_to_upload(uploader, http):
    body = form(part(of_size(3800)))
    first = http.post(f"{uploader.url}/?dataset={uploader.dataset}", data=body, headers=FORM)
    second = uploader.post(body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert ids(first.json()) == ids(second.json())


def test_a_form_in_chunked_transfer_encoding_is_taken(uploader):
    body = form(*(part(of_size(4000 + number)) for number in range(3)))
    steps = (body[start : start + 777] for start in range(0, len(body), 777))
    assert statuses(uploader.post(steps).json()) == ["created"] * 3


def test_a_raw_photo_in_chunked_transfer_encoding_is_taken(uploader, http):
    data = of_size(4100)
    answer = http.put(f"{uploader.url}/api/v1/photos", data=iter([data[:100], data[100:]]))
    assert answer.json()["sha256"] == sha256(data)


def test_a_client_that_expects_100_is_told_to_continue(uploader):
    body = form(part(of_size(4200)))
    target = f"/upload?dataset={uploader.dataset}"
    lines = (f"Content-Type: {FORM_TYPE}", f"Content-Length: {len(body)}", "Expect: 100-continue")
    with connected(uploader.url) as link:
        link.sendall(head("POST", target, *lines))
        assert link.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        link.sendall(body)
        status, answer = status_and_json(link)
    assert (status, statuses(answer)) == (201, ["created"])


@pytest.mark.direct  # nginx itself tells every client to continue
def test_a_client_that_expects_100_is_refused_before_it_sends_when_its_body_is_of_no_use(uploader):
    lines = ("Content-Type: text/csv", "Content-Length: 1000000000", "Expect: 100-continue")
    with connected(uploader.url) as link:
        link.sendall(head("POST", "/upload", *lines))
        status, answer = status_and_json(link)
    assert (status, answer["code"]) == (415, "unsupported_body")


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "application/x-www-form-urlencoded", ""])
def test_a_body_of_another_type_is_unsupported(uploader, http, content_type):
    response = http.post(f"{uploader.url}/upload", data=of_size(4300), headers={"Content-Type": content_type})
    problem(response, 415, "unsupported_body")


def test_a_form_of_no_parts_has_no_photos(uploader):
    problem(uploader.send(), 400, "no_photos")


def test_an_upload_of_nothing_but_rejected_photos_is_a_problem_that_lists_them(uploader):
    body = problem(uploader.send(part(b"text", "a.txt"), part(b"", "b.jpg")), 422, "all_rejected")
    assert (body["created"], body["rejected"]) == (0, 2)
    assert codes(body) == ["not_a_photo", "empty"]
    assert [photo["name"] for photo in body["photos"]] == ["a.txt", "b.jpg"]
    assert uploader.listed() == []


def test_a_boundary_in_quotes_is_understood(uploader):
    content_type = f'multipart/form-data; charset=utf-8; boundary="{BOUNDARY}"'
    response = uploader.post(form(part(of_size(4400))), {"Content-Type": content_type})
    assert response.status_code == 201


def test_a_photo_may_contain_what_looks_like_the_boundary(uploader):
    data = of_size(4500) + f"\r\n--{BOUNDARY}".encode()[:-1] + b"\r\n--\r"
    assert only(uploader.send(part(data)))["sha256"] == sha256(data)


def test_parts_with_many_headers_are_taken(uploader):
    disposition = 'form-data; name="f"; filename="h.jpg"\r\n' + "\r\n".join(f"X-{n}: {n}" for n in range(20))
    assert only(uploader.send(part_with(disposition, of_size(4600))))["name"] == "h.jpg"


def test_a_connection_serves_one_upload_after_the_other(uploader):
    with connected(uploader.url) as link:
        for number in range(3):
            body = form(part(of_size(4700, seed=number)))
            link.sendall(
                head(
                    "POST",
                    f"/upload?dataset={uploader.dataset}",
                    f"Content-Type: {FORM_TYPE}",
                    f"Content-Length: {len(body)}",
                )
                + body
            )
            assert status_and_json(link)[0] == 201
        link.shutdown(socket.SHUT_WR)
    assert len(uploader.listed()) == 3
