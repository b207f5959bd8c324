"""Pages of other origins, names of other hosts, and proxies in front. Through all middleware."""

from __future__ import annotations

import pytest

from albumen.domain.access import Role
from conftest import running
from forms import FORM, form, part, problem
from pictures import of_size

ID = "0197c5a2-8f4e-7c31-9d0a-5b6e2f7a1c44"
OTHER = "https://elsewhere.example"
IN_CYRILLIC = "xn--n1aalg.xn--p1ai"  # фото.рф
CHANGES = (
    ("POST", "/upload"),
    ("POST", "/"),
    ("PUT", "/api/v1/photos"),
    ("POST", "/api/v1/datasets"),
    ("PATCH", f"/api/v1/photos/{ID}"),
    ("DELETE", f"/api/v1/photos/{ID}"),
    ("POST", f"/api/v1/photos/{ID}/restore"),
)


def send(client, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/upload", data=form(part(of_size(2000))), headers={**FORM, **named})


@pytest.mark.parametrize(("method", "target"), CHANGES)
@pytest.mark.parametrize("origin", [OTHER, "null", "http://localhost:8080", "http://localhost.elsewhere.example"])
def test_pages_of_other_origins_change_nothing_on_an_open_server(client, method, target, origin):
    problem(client.open(target, method=method, headers={"Origin": origin}), 403, "cross_origin")


@pytest.mark.parametrize(("method", "target"), CHANGES)
def test_pages_of_other_origins_change_nothing_with_the_cookie_of_a_browser(app, services, method, target):
    client = app.test_client()
    client.post("/api/v1/session", json={"key": str(services.access.create("me", Role.ADMIN))})
    problem(client.open(target, method=method, headers={"Origin": OTHER}), 403, "cross_origin")


def test_pages_of_other_origins_may_show_photos(client):
    photo = send(client).get_json()["photos"][0]
    assert client.get(f"/get/{photo['id']}", headers={"Origin": OTHER}).status_code == 200


def test_our_own_page_may_upload(client):
    assert send(client, Origin="http://localhost").status_code == 201


def test_a_program_that_shows_its_key_may_come_from_anywhere(app, services):
    token = services.access.create("me", Role.CONTRIBUTOR)
    answer = send(app.test_client(), Origin=OTHER, Authorization=f"Bearer {token}")
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:5000",
        "127.0.0.1.evil.example",
        "localhost.",
        "",
        "[::2]",
        "127.0.0.1:abc",
        "127.0.0.1:5000:5000",
        "[::1]abc",
        "[::1]:5000.evil.example",
    ],
)
@pytest.mark.parametrize("target", ["/api/v1/photos", f"/get/{ID}", "/get_value", "/metrics"])
def test_an_open_server_of_one_machine_answers_to_its_own_names_alone(client, host, target):
    problem(client.get(target, headers={"Host": host}), 421, "unknown_host")


@pytest.mark.parametrize("host", ["127.0.0.1:5000", "evil.example"])
def test_a_server_behind_a_proxy_is_never_open_by_itself(make_app, host):
    client = make_app(proxy_hops=1).test_client()
    headers = {"Host": host, "X-Forwarded-Host": "localhost"}
    problem(client.get("/api/v1/photos", headers=headers), 401, "key_required")
    assert client.get("/api/v1/session", headers=headers).get_json()["role"] is None


def test_a_key_that_nobody_checks_opens_no_other_name(client):
    headers = {"Host": "evil.example", "Origin": "http://evil.example", "Authorization": "Bearer anything"}
    problem(client.get("/api/v1/photos", headers=headers), 421, "unknown_host")
    problem(client.delete(f"/api/v1/photos/{ID}", headers=headers), 421, "unknown_host")


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "://", "http:", ""])
def test_an_origin_that_is_no_address_is_foreign(client, origin):
    problem(client.delete(f"/api/v1/photos/{ID}", headers={"Origin": origin}), 403, "cross_origin")
    photo = send(client).get_json()["photos"][0]
    assert client.get(f"/get/{photo['id']}", headers={"Origin": origin}).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1:5000", "localhost", "LocalHost:80", "[::1]:5000", "[::1]"])
def test_an_open_server_of_one_machine_answers_to_all_its_own_names(client, host):
    assert client.get("/api/v1/photos", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "chosen",
    [
        {"trusted_hosts": ("photos.example.org",)},
        {"public_url": "https://photos.example.org"},
        {"open": True},
    ],
)
def test_a_further_name_can_be_allowed(make_app, chosen):
    client = make_app(**chosen).test_client()
    assert client.get("/api/v1/photos", headers={"Host": "photos.example.org:5000"}).status_code == 200


def test_a_server_with_keys_answers_to_any_name(app, services):
    token = services.access.create("me", Role.VIEWER)
    headers = {"Host": "photos.example.org", "Authorization": f"Bearer {token}"}
    assert app.test_client().get("/api/v1/photos", headers=headers).status_code == 200


def test_links_start_with_the_public_address(make_app):
    client = make_app(public_url="https://photos.example.org/album/").test_client()
    photo = send(client).get_json()["photos"][0]
    assert photo["link"] == f"https://photos.example.org/album/get/{photo['id']}"
    assert photo["preview"].startswith("https://photos.example.org/album/get/")


@pytest.mark.parametrize("target", ["/api/v1/photos?limit=1", "/get_value?limit=1"])
@pytest.mark.parametrize(
    "chosen", [{"public_url": "https://фото.рф"}, {"trusted_hosts": (IN_CYRILLIC,)}, {"trusted_hosts": "фото.рф"}]
)
def test_the_links_of_a_server_with_a_name_in_another_alphabet_fit_into_headers(make_app, chosen, target):
    client = make_app(**chosen).test_client()
    client.post("/upload", data=form(part(of_size(2000)), part(of_size(2001))), headers=FORM)
    answer = client.get(target, headers={"Host": IN_CYRILLIC})
    assert answer.status_code == 200
    assert f"//{IN_CYRILLIC}/" in answer.headers["Link"]
    assert f"//{IN_CYRILLIC}/" in answer.text


def test_links_have_the_host_as_it_came(tmp_path, http):
    with running(tmp_path / "data", "--open", ALBUMEN_DERIVE="false") as server:
        for host in ("xn--strae-oqa.de", "xn--a", "xn--99999999999", "xn--a-ecp.ru:8443"):
            for target in ("/api/docs", "/get_value", "/api/v1/photos"):
                assert http.get(f"{server.url}{target}", headers={"Host": host}).status_code == 200
            body = form(part(of_size(2000)))
            answer = http.post(f"{server.url}/upload", data=body, headers={**FORM, "Host": host})
            assert answer.json()["photos"][0]["link"].startswith(f"http://{host}/get/")


def test_an_allowed_origin_may_call_from_its_pages(make_app):
    client = make_app(cors_origins=(OTHER,)).test_client()
    answer = send(client, Origin=OTHER)
    assert answer.status_code == 201
    assert answer.headers["Access-Control-Allow-Origin"] == OTHER
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
    assert "Origin" in answer.headers.getlist("Vary")
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_the_browser_of_an_allowed_origin_gets_its_preflight_answered_without_a_key(make_app):
    app = make_app(cors_origins=(OTHER,))
    app.extensions["albumen"].services.access.create("me", Role.ADMIN)
    asked = {"Origin": OTHER, "Access-Control-Request-Method": "DELETE"}
    answer = app.test_client().options(f"/api/v1/photos/{ID}", headers=asked)
    assert answer.status_code == 204
    assert "Content-Length" not in answer.headers  # RFC 9110, section 8.6
    assert answer.headers["Access-Control-Allow-Origin"] == OTHER
    assert "DELETE" in answer.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]


def test_another_origin_gets_no_permission(make_app):
    client = make_app(cors_origins=(OTHER,)).test_client()
    answer = client.get("/api/v1/photos", headers={"Origin": "https://third.example"})
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Origin" in answer.headers.getlist("Vary")
    problem(send(client, Origin="https://third.example"), 403, "cross_origin")


def test_errors_can_be_read_by_pages_of_an_allowed_origin(make_app):
    client = make_app(cors_origins=(OTHER,)).test_client()
    answer = client.get(f"/get/{ID}", headers={"Origin": OTHER})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (404, OTHER)


def test_without_the_setting_no_origin_is_allowed(client):
    answer = client.options("/upload", headers={"Origin": OTHER, "Access-Control-Request-Method": "POST"})
    assert "Access-Control-Allow-Origin" not in answer.headers


FORWARDED = {
    "X_Forwarded_For": "203.0.113.9",
    "X_Forwarded_Proto": "https",
    "X_Forwarded_Host": "photos.example.org",
    "X_Forwarded_Prefix": "/album",
}


def test_headers_of_a_proxy_are_believed_when_there_is_one(make_app):
    client = make_app(proxy_hops=1, open=True).test_client()
    photo = send(client, **FORWARDED).get_json()["photos"][0]
    assert photo["link"] == f"https://photos.example.org/album/get/{photo['id']}"


def test_headers_of_a_proxy_are_not_believed_when_there_is_none(make_app):
    client = make_app(open=True).test_client()
    photo = send(client, **FORWARDED).get_json()["photos"][0]
    assert photo["link"] == f"http://localhost/get/{photo['id']}"


def test_headers_in_front_of_the_last_proxy_are_a_strangers(make_app):
    client = make_app(proxy_hops=1, open=True).test_client()
    forwarded = {**FORWARDED, "X_Forwarded_Host": "evil.example, photos.example.org"}
    assert send(client, **forwarded).get_json()["photos"][0]["link"].startswith("https://photos.example.org/album/")


def test_a_page_behind_a_proxy_is_of_our_own_origin(make_app):
    client = make_app(proxy_hops=1, open=True).test_client()
    assert send(client, **FORWARDED, Origin="https://photos.example.org").status_code == 201
    problem(send(client, **FORWARDED, Origin="http://localhost"), 403, "cross_origin")
