"""The bytes of photos and previews: validators, ranges, headers, names, refusals. On a real server."""

from __future__ import annotations

import re
import uuid
from urllib.parse import unquote

import pytest

from forms import part, problem, sha256
from pictures import avif, gif, heic, jpeg, of_size, png, tiff, webp
from wire import eventually

UNKNOWN = "0197c5a2-8f4e-7c31-9d0a-5b6e2f7a1c44"
LARGE = 3_000_000
BROWSER = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"


@pytest.fixture(scope="module")
def data():
    """A photo of 20,000 bytes."""
    return of_size(20_000, seed=5)


@pytest.fixture
def photo(uploader, data):
    return put(uploader, data, "bytes.jpg")


def put(uploader, data, name):
    (photo,) = uploader.send(part(data, name)).json()["photos"]
    return photo


def test_a_photo_is_answered_whole_with_its_type_and_length(photo, http, data):
    answer = http.get(photo["link"])
    assert answer.content == data
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Content-Length"] == str(len(data))
    assert answer.headers["ETag"] == f'"{sha256(data)}"'
    assert answer.headers["Accept-Ranges"] == "bytes"


def test_photos_are_answered_so_that_nothing_in_them_can_run(photo, http):
    for link in (photo["link"], photo["preview"]):
        headers = http.get(link).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_an_open_server_lets_everybody_keep_copies(photo, http):
    for link in (photo["link"], photo["preview"]):
        assert http.get(link).headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("make", [jpeg, png, webp, gif, tiff, avif, heic])
def test_the_type_comes_from_the_bytes_and_never_from_the_name(uploader, http, make):
    photo = put(uploader, make(seed=90), "page.html")
    answer = http.get(photo["link"])
    assert answer.headers["Content-Type"] == photo["media_type"] == f"image/{make.__name__}"


@pytest.mark.parametrize("tag", ['"{}"', 'W/"{}"', '"other", "{}"', "*"])
def test_a_client_that_has_the_photo_gets_304_without_bytes(photo, http, tag):
    answer = http.get(photo["link"], headers={"If-None-Match": tag.format(photo["sha256"])})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["ETag"] == f'"{photo["sha256"]}"'
    assert "immutable" in answer.headers["Cache-Control"]


def test_a_client_that_has_another_photo_gets_the_bytes(photo, http, data):
    assert http.get(photo["link"], headers={"If-None-Match": '"other"'}).content == data


def test_a_client_that_insists_on_another_photo_gets_none(photo, http):
    body = problem(http.get(photo["link"], headers={"If-Match": '"other"'}), 412, "precondition_failed")
    assert "photos" not in body
    assert http.get(photo["link"], headers={"If-Match": f'"{photo["sha256"]}"'}).status_code == 200


@pytest.mark.parametrize("wanted", [{}, {"Range": "bytes=5-"}, {"Range": "bytes=99999-"}])
def test_conditions_are_decided_before_ranges(photo, http, wanted):
    tag = f'"{photo["sha256"]}"'
    for other in ('"other"', f"W/{tag}", "other"):
        problem(http.get(photo["link"], headers={"If-Match": other, **wanted}), 412, "precondition_failed")
    for same in (tag, f"W/{tag}", "*"):
        answer = http.get(photo["link"], headers={"If-None-Match": same, **wanted})
        assert (answer.status_code, answer.content) == (304, b"")
    both = http.get(photo["link"], headers={"If-Match": '"other"', "If-None-Match": tag, **wanted})
    problem(both, 412, "precondition_failed")
    assert http.get(photo["link"], headers={"If-Match": tag, "If-None-Match": tag, **wanted}).status_code == 304


@pytest.mark.parametrize("same", ['"{}"', '"other", "{}"', "*"])
def test_a_client_that_insists_on_the_photo_gets_it_whole_or_in_part(photo, http, data, same):
    named = {"If-Match": same.format(photo["sha256"]), "If-None-Match": '"other"'}
    whole, part = (http.get(photo["link"], headers={**named, **wanted}) for wanted in ({}, {"Range": "bytes=5-9"}))
    assert (whole.status_code, whole.content) == (200, data)
    assert (part.status_code, part.content) == (206, data[5:10])
    problem(http.get(photo["link"], headers={**named, "Range": "bytes=99999-"}), 416, "requested_range_not_satisfiable")


@pytest.mark.parametrize("size", [20_000, LARGE])
def test_a_download_is_not_resumed_with_the_bytes_of_a_newer_photo_of_that_name(uploader, http, size):
    name = f"{uuid.uuid4().hex}.jpg"
    old, new = (of_size(size, seed=uuid.uuid4().int % 2**31) for _ in range(2))
    link = f"{uploader.url}/display?id={name}"
    put(uploader, old, name)
    tag = http.get(link).headers["ETag"]
    rest = {"Range": "bytes=1000-", "If-Match": tag}
    assert http.get(link, headers=rest).content == old[1000:]
    put(uploader, new, name)
    problem(http.get(link, headers=rest), 412, "precondition_failed")
    changed = http.get(link, headers={"Range": "bytes=1000-", "If-Range": tag})
    assert (changed.status_code, changed.content) == (200, new)


@pytest.mark.parametrize("size", [20_000, LARGE])
@pytest.mark.parametrize("wanted", ["bytes=0-9", "bytes=9999999-", "x"])
def test_head_knows_no_ranges(uploader, http, size, wanted):
    link = put(uploader, of_size(size, seed=91), "head.jpg")["link"]
    answer = http.head(link, headers={"Range": wanted})
    assert (answer.status_code, answer.headers["Content-Length"]) == (200, str(size))
    assert "Content-Range" not in answer.headers


@pytest.mark.parametrize("date", ["Sat, 01 Jan 2090 00:00:00 GMT", "Sat, 99 Jan 99999999999 00:00:00 GMT", "x"])
def test_conditions_on_a_date_mean_nothing_for_a_photo_and_none_guards_a_range(photo, http, data, date):
    for name in ("If-Modified-Since", "If-Unmodified-Since"):
        for link in (photo["link"], photo["link"].replace("/get/", "/get?id=")):
            assert http.get(link, headers={name: date}).content == data
            assert http.get(link, headers={name: date, "Range": "bytes=5-"}).content == data[5:]
            guarded = http.get(link, headers={name: date, "Range": "bytes=5-", "If-Range": date})
            assert (guarded.status_code, guarded.content) == (200, data)


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=19990-", 19_990, 20_000),
        ("bytes=-5", 19_995, 20_000),
        ("bytes=19000-999999", 19_000, 20_000),
    ],
)
def test_a_range_is_answered_with_exactly_its_bytes(photo, http, data, wanted, start, stop):
    answer = http.get(photo["link"], headers={"Range": wanted})
    assert answer.content == data[start:stop]
    assert answer.status_code == 206
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/20000"
    assert answer.headers["Content-Length"] == str(stop - start)
    assert answer.headers["ETag"] == f'"{photo["sha256"]}"'


@pytest.mark.parametrize("wanted", ["bytes=20000-", "bytes=30000-40000", "bytes=-0"])
def test_a_range_behind_the_end_cannot_be_satisfied(photo, http, wanted):
    answer = http.get(photo["link"], headers={"Range": wanted})
    problem(answer, 416, "requested_range_not_satisfiable")
    assert answer.headers["Content-Range"] == "bytes */20000"


@pytest.mark.parametrize(
    "wanted", ["bytes=0-1,5-6", "lines=1-2", "bytes=x-y", "bytes=-20001", "bytes=-" + "9" * 5000, ""]
)
def test_a_range_that_is_more_than_one_part_of_the_photo_gets_the_whole(photo, http, data, wanted):
    answer = http.get(photo["link"], headers={"Range": wanted})
    assert (answer.status_code, answer.content) == (200, data)


def test_a_range_of_a_photo_that_changed_gets_the_whole(photo, http, data):
    for other in ('"other"', 'W/"{}"', "*", '"other", "{}"', "{}", ""):
        headers = {"Range": "bytes=0-9", "If-Range": other.format(photo["sha256"])}
        changed = http.get(photo["link"], headers=headers)
        assert (changed.status_code, changed.content) == (200, data)
    same = http.get(photo["link"], headers={"Range": "bytes=0-9", "If-Range": f'"{photo["sha256"]}"'})
    assert (same.status_code, same.content) == (206, data[:10])


def test_ranges_of_a_preview_fit_together(photo, http):
    whole = http.get(photo["preview"]).content
    first = http.get(photo["preview"], headers={"Range": "bytes=0-499"})
    rest = http.get(photo["preview"], headers={"Range": "bytes=500-"})
    assert first.content + rest.content == whole


@pytest.mark.parametrize("query", ["", "size=256", "size=512&format=webp", "download", "size=9", "size=256&download="])
@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-9"}, {"Range": "bytes=99999-"}, {"If-Match": '"x"'}])
def test_head_answers_with_the_headers_of_get_and_no_bytes(photo, http, query, headers):
    link = f"{photo['link']}?{query}"
    whole = {name: value for name, value in headers.items() if name != "Range"}
    got, head = http.get(link, headers=whole), http.head(link, headers=headers)
    assert head.status_code == got.status_code
    assert told(head) == told(got)
    assert head.content == b""


@pytest.mark.parametrize(
    "query",
    [
        *("", "size=256", "size=256&size=512", "size=256&format=avif", "download", "size=0", "size=256&size=x"),
        *(
            "format=webp",
            "size=256&format=gif",
            "size=%32%35%36",
            "size=2+56",
            "other=1",
            "size=",
            "size=1024&download",
        ),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "headers",
    [
        *({}, {"Range": "bytes=3-8"}, {"Range": "bytes=99999-"}, {"If-None-Match": "*"}, {"Accept": BROWSER}),
        *({"Range": "bytes=3-8", "If-Match": tag} for tag in ("*", '"other"')),
        *({"Range": "bytes=3-8", name: "x"} for name in ("If-None-Match", "If-Range", "If-Modified-Since")),
    ],
)
def test_both_ways_to_the_bytes_answer_identically(photo, http, query, method, headers):
    http.get(f"{photo['link']}?{query}", headers=headers)  # from here on the preview is ready for the shorter way
    short = http.request(method, f"{photo['link']}?{query}", headers=headers)
    long = http.request(method, f"{photo['link'].replace('/get/', '/get?id=')}&{query}", headers=headers)
    assert (short.status_code, short.content) == (long.status_code, long.content)
    assert told(short) == told(long)


def told(response):
    return {name.lower(): value for name, value in response.headers.items() if name.lower() != "date"}


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("plain.jpg", "plain.jpg"),
        ("Мишка.jpg", "_____.jpg"),
        ('say "hi".jpg', "say _hi_.jpg"),
        ("semi;colon, 100%.jpg", "semi;colon, 100_.jpg"),
        ("back'tick (1).jpg", "back'tick (1).jpg"),
        ("🦊.jpg", "_.jpg"),
    ],
)
def test_the_name_travels_in_the_headers(uploader, http, name, plain):
    photo = put(uploader, of_size(9000), name)
    shown, saved = (http.get(photo["link"] + query).headers["Content-Disposition"] for query in ("", "?download"))
    assert shown.partition(";")[0] == "inline"
    assert saved.partition(";")[0] == "attachment"
    assert re.search('filename="([^"]*)"', shown)[1] == plain
    extended = re.search(r"filename\*=UTF-8''([^\s;]+)$", shown)
    assert (unquote(extended[1]) if extended else plain) == name


def test_a_saved_preview_is_named_after_its_own_format(uploader, http):
    photo = put(uploader, of_size(9100), "IMG_1.HEIC")
    answer = http.get(f"{photo['link']}?size=256&format=webp&download")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="IMG_1.webp"'


@pytest.mark.parametrize(
    ("query", "parameter", "allowed"),
    [
        ("size=300", "size", "256, 512, 1024, 2048"),
        ("size=", "size", "256, 512, 1024, 2048"),
        ("size=-256", "size", "256, 512, 1024, 2048"),
        ("size=%C2%B2", "size", "256, 512, 1024, 2048"),
        ("size=" + "9" * 5000, "size", "256, 512, 1024, 2048"),
        ("size=256&format=gif", "format", "jpeg, webp, avif"),
        ("format=webp", "size", "format"),
    ],
)
def test_a_bad_wish_is_refused_naming_what_is_allowed(photo, http, query, parameter, allowed):
    body = problem(http.get(f"{photo['link']}?{query}"), 400, "invalid_parameter")
    assert body["parameter"] == parameter
    assert allowed in body["allowed"]


@pytest.mark.parametrize("target", ["/get_value?{}", "/api/v1/photos?{}"])
@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        *(
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("limit=-1", "limit"),
            ("limit=x", "limit"),
            ("limit=", "limit"),
        ),
        *(("limit=" + "9" * 5000, "limit"), ("limit=%D9%A1", "limit"), ("cursor=x", "cursor"), ("cursor=", "cursor")),
    ],
)
def test_a_bad_page_is_refused_naming_what_is_allowed(uploader, target, query, parameter):
    body = problem(uploader.get(target.format(query)), 400, "invalid_parameter")
    assert body["parameter"] == parameter
    assert body["allowed"]


@pytest.mark.parametrize(
    "target", ["/get/{}", "/get?id={}", "/display?id={}", "/get/{}?size=256", "/api/v1/photos/{}", "/display?id={}.jpg"]
)
@pytest.mark.parametrize("unknown", [UNKNOWN, UNKNOWN.upper(), "x", "ё", "1" * 3000])
def test_an_unknown_photo_is_not_found(uploader, target, unknown):
    problem(uploader.get(target.format(unknown)), 404, "photo_not_found")


@pytest.mark.direct  # nginx itself refuses such a path with 400
@pytest.mark.parametrize(
    "target", ["/get/{}", "/get?id={}", "/display?id={}", "/get/{}?size=256", "/api/v1/photos/{}", "/display?id={}.jpg"]
)
@pytest.mark.parametrize("unknown", ["..%2F..%2Fetc%2Fpasswd", "%00"])
def test_an_id_that_is_a_path_is_not_found(uploader, target, unknown):
    code = "not_found" if target.startswith(("/get/", "/api")) and "%2F" in unknown else "photo_not_found"
    problem(uploader.get(target.format(unknown)), 404, code)


def test_a_photo_in_the_trash_cannot_be_told_from_one_that_never_was(photo, uploader, http):
    assert http.delete(f"{uploader.url}/api/v1/photos/{photo['id']}").status_code == 204
    for target in ("/get/{}", "/get?id={}", "/display?id={}", "/get/{}?size=256", "/api/v1/photos/{}"):
        gone = until_not_found(uploader, target.format(photo["id"]))
        never = uploader.get(target.format(UNKNOWN))
        assert (gone.content, told(gone)) == (never.content, told(never))


def until_not_found(uploader, target):
    """Answers may be a second old."""
    eventually(lambda: uploader.get(target).status_code == 404, "still there")
    return uploader.get(target)


def test_get_without_an_id_says_what_is_missing(uploader):
    assert problem(uploader.get("/get"), 400, "invalid_parameter")["parameter"] == "id"
    assert problem(uploader.get("/display"), 400, "invalid_parameter")["parameter"] == "id"


def test_a_large_photo_is_streamed_whole_and_in_ranges(uploader, http):
    data = of_size(LARGE, seed=6)
    link = put(uploader, data, "large.jpg")["link"]
    with http.get(link, stream=True) as answer:
        assert answer.headers["Content-Length"] == str(LARGE)
        assert sha256(b"".join(answer.iter_content(100_000))) == sha256(data)
    assert http.get(link, headers={"Range": "bytes=1000000-2500000"}).content == data[1_000_000:2_500_001]


def test_a_client_that_leaves_in_the_middle_of_a_large_photo_disturbs_nobody(uploader, http):
    link = put(uploader, of_size(LARGE, seed=7), "large.jpg")["link"]
    for _ in range(5):
        with http.get(link, stream=True) as answer:
            answer.raw.read(1000)
    assert len(http.get(link).content) == LARGE
