"""Settings: where they come from, what they refuse, and that a refusal names the place to mend."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from albumen.config import CONFIG_VARIABLE, PREFIX, Settings, load_settings
from albumen.errors import StartRefused


@pytest.fixture(autouse=True)
def clean_place(tmp_path, monkeypatch):
    """A working directory without a settings file and an environment without settings."""
    monkeypatch.chdir(tmp_path)
    for name in [*(f"{PREFIX}{field}".upper() for field in Settings.model_fields), CONFIG_VARIABLE]:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def albumen_toml(tmp_path):
    return tmp_path / "albumen.toml"


def refusal_of(**chosen):
    """Return the lines of the refusal to start."""
    with pytest.raises(StartRefused) as refused:
        load_settings(chosen)
    return refused.value.detail.splitlines()


def test_defaults_serve_this_machine_alone():
    settings = load_settings()
    assert (settings.host, settings.port, str(settings.data)) == ("127.0.0.1", 5000, "albumen-data")
    assert settings.is_local
    assert not settings.open


@pytest.mark.parametrize(
    ("cores", "workers", "decoders"), [(2, 2, 2), (2, 1, 2), (1, 1, 1), (8, 8, 2), (8, 3, 6), (2, 16, 1), (256, 2, 64)]
)
def test_decoders_of_all_workers_are_about_two_per_core(cores, workers, decoders, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    assert load_settings({"workers": workers}).decode_processes == decoders


def test_later_source_wins(albumen_toml, monkeypatch):
    albumen_toml.write_text("port = 1\nthreads = 1\nworkers = 1\n")
    monkeypatch.setenv("ALBUMEN_PORT", "2")
    monkeypatch.setenv("ALBUMEN_THREADS", "2")
    settings = load_settings({"port": 3})
    assert (settings.port, settings.threads, settings.workers, settings.max_photos) == (3, 2, 1, 10_000)


def test_flag_that_was_not_given_leaves_the_other_sources_alone(monkeypatch):
    monkeypatch.setenv("ALBUMEN_PORT", "2")
    assert load_settings({"port": None}).port == 2


def test_named_file_wins_over_the_one_in_the_environment_and_the_one_here(albumen_toml, tmp_path, monkeypatch):
    albumen_toml.write_text("port = 1")
    assert load_settings().port == 1
    (tmp_path / "of-variable.toml").write_text("port = 2")
    monkeypatch.setenv(CONFIG_VARIABLE, "of-variable.toml")
    assert load_settings().port == 2
    (tmp_path / "of-flag.toml").write_text("port = 3")
    assert load_settings(config=tmp_path / "of-flag.toml").port == 3


def test_settings_cannot_be_changed():
    settings = load_settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1


def test_a_default_file_that_cannot_be_looked_for_counts_as_not_there(monkeypatch):
    monkeypatch.setattr("albumen.config.DEFAULT_CONFIG", Path(5000 * "x"))  # as in a working directory of somebody else
    assert load_settings() == Settings()


@pytest.mark.parametrize("config", ["flag", "variable"])
def test_named_file_that_is_not_there_is_refused_by_name(config, tmp_path, monkeypatch):
    monkeypatch.setenv(CONFIG_VARIABLE, "missing.toml") if config == "variable" else None
    with pytest.raises(StartRefused, match=r"missing\.toml cannot be read: No such file"):
        load_settings(config=tmp_path / "missing.toml" if config == "flag" else None)


@pytest.mark.parametrize("content", [b"port = ", b"port 5", b"\xff\xfe", b"port = " + 5000 * b"9"])
def test_file_that_is_no_toml_is_refused_by_name(content, albumen_toml):
    albumen_toml.write_bytes(content)
    with pytest.raises(StartRefused, match=r"albumen\.toml is not valid TOML"):
        load_settings()


def test_unknown_variable_is_refused_by_name(monkeypatch):
    monkeypatch.setenv("ALBUMEN_PROT", "80")
    with pytest.raises(StartRefused, match=r"^ALBUMEN_PROT is not a setting of Albumen\. Did you mean ALBUMEN_PORT\?"):
        load_settings()


def test_unknown_name_in_the_file_is_refused_by_name(albumen_toml):
    albumen_toml.write_text("prot = 80")
    with pytest.raises(StartRefused, match=r"^'prot' in the settings file is not a setting of .* mean port\?"):
        load_settings()


def test_bad_value_is_refused_with_the_place_it_came_from(albumen_toml, monkeypatch):
    rule = "must be a whole number from 1"
    albumen_toml.write_text("max_photos = 0")
    assert refusal_of() == [f"'max_photos' in the settings file: {rule}, not 0. Example: max_photos = 10000"]
    monkeypatch.setenv("ALBUMEN_MAX_PHOTOS", "many")
    assert refusal_of() == [f"ALBUMEN_MAX_PHOTOS: {rule}, not 'many'. Example: ALBUMEN_MAX_PHOTOS=10000"]
    assert refusal_of(max_photos=-1) == [f"--max-photos: {rule}, not -1. Example: --max-photos 10000"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "65536"),
        ("port", ""),
        ("workers", "0"),
        ("busy_seconds", "0"),
        ("busy_seconds", "nan"),
        ("decode_memory", "1"),
        ("log_format", "xml"),
        ("log_level", "loud"),
        ("open", "perhaps"),
        ("public_url", "photos.example.org"),
        ("public_url", "ftp://photos.example.org"),
        ("trash_days", "-1"),
        ("trash_days", "inf"),
        ("quarantine_days", "1000000"),
    ],
)
def test_value_out_of_range_is_refused_by_the_name_of_its_variable(name, value, monkeypatch):
    variable = f"{PREFIX}{name}".upper()
    monkeypatch.setenv(variable, value)
    with pytest.raises(StartRefused, match=f"^{variable}: "):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("port", "http", "must be a whole number from 0 to 65535, not 'http'. Example: ALBUMEN_PORT=5000"),
        ("busy_seconds", "nan", "must be a number over 0, at most 86400, not 'nan'. Example: ALBUMEN_BUSY_SECONDS=10"),
        ("open", "perhaps", "must be true or false, not 'perhaps'. Example: ALBUMEN_OPEN=false"),
        ("log_format", "xml", "must be one of console, json, not 'xml'. Example: ALBUMEN_LOG_FORMAT=console"),
        ("data", " ", "must name a directory, not ' '. Example: ALBUMEN_DATA=albumen-data"),
        ("workers", "0", "must be a whole number from 1 to 256, not '0'. Example: ALBUMEN_WORKERS=2"),
        ("uploads", "many", "must be a whole number from 1 to 4096, not 'many'. Example: ALBUMEN_UPLOADS=1"),
    ],
)
def test_a_refusal_tells_what_must_stand_there_what_does_and_an_example(name, value, told, monkeypatch):
    variable = f"{PREFIX}{name}".upper()
    monkeypatch.setenv(variable, value)
    assert refusal_of() == [f"{variable}: {told}"]


def test_all_bad_settings_are_told_at_once_with_a_line_each(albumen_toml, monkeypatch):
    albumen_toml.write_text("trusted_hosts = [1, 2]\nprot = 1\nbusy_seconds = 0\nport = 1")
    monkeypatch.setenv("ALBUMEN_THREADS", "none")
    monkeypatch.setenv("ALBUMEN_UPLOADS", "20")
    monkeypatch.setenv("ALBUMEN_WROKERS", "2")
    places = [line.partition(": ")[0].partition(" is not")[0] for line in refusal_of(port=70_000, workers=0)]
    in_file = [f"'{name}' in the settings file" for name in ("trusted_hosts", "busy_seconds", "prot")]
    assert sorted(places) == sorted(["ALBUMEN_WROKERS", "--port", "--workers", "ALBUMEN_THREADS", *in_file])


@pytest.mark.parametrize("name", Settings.model_fields)
def test_examples_of_refusals_are_taken_by_the_file(name, albumen_toml):
    albumen_toml.write_text(f"{name} = [[]]")
    (line,) = refusal_of()
    albumen_toml.write_text(line.partition("Example: ")[2])
    assert load_settings()


@pytest.mark.parametrize("name", sorted(Settings.model_fields.keys() - {"host", "data", "trusted_hosts"}))
def test_examples_of_refusals_are_taken_by_the_environment(name, monkeypatch):
    monkeypatch.setenv(f"{PREFIX}{name}".upper(), "//")
    (line,) = refusal_of()
    monkeypatch.setenv(*line.partition("Example: ")[2].split("=", 1))
    assert load_settings()


def test_a_refusal_is_on_one_line_and_tells_no_password(monkeypatch):
    monkeypatch.setenv("ALBUMEN_PUBLIC_URL", "ftp://me:hunter2@photos.example.org/\n" + 1000 * "x")
    (line,) = refusal_of()
    assert "hunter2" not in line
    assert len(line) < 250


@pytest.mark.parametrize(
    "address", ["me:{}@a.example", "https:/me:{}@a.example", "htps://me:{}@a.example", "//m'e:{}@a"]
)
@pytest.mark.parametrize("password", ["hunter2", "hun/hunter2", "hun@hunter2", "h'u\"hunter2"])
def test_a_refusal_tells_no_password_of_an_address_that_is_written_wrongly(
    address, password, albumen_toml, monkeypatch
):
    monkeypatch.setenv("ALBUMEN_PUBLIC_URL", address.format(password))
    monkeypatch.setenv("ALBUMEN_CORS_ORIGINS", f"https://a.example,{address.format(password)}/x")
    albumen_toml.write_text(f"host = [{json.dumps(address.format(password))}]")
    lines = refusal_of()
    assert len(lines) == 3
    assert not any("hunter2" in line for line in lines)


def test_a_refusal_names_a_variable_as_it_was_written(monkeypatch):
    monkeypatch.setenv("albumen_port", "http")
    (line,) = refusal_of()
    assert line.startswith("albumen_port: ")
    assert line.endswith(" Example: albumen_port=5000")


def test_the_example_of_uploads_is_taken_beside_few_threads(monkeypatch):
    monkeypatch.setenv("ALBUMEN_THREADS", "16")
    monkeypatch.setenv("ALBUMEN_UPLOADS", "9")
    (line,) = refusal_of()
    monkeypatch.setenv("ALBUMEN_UPLOADS", line.partition("Example: ALBUMEN_UPLOADS=")[2])
    assert load_settings().uploads


@pytest.mark.parametrize("name", ["trash_days", "quarantine_days"])
def test_longest_time_in_days_lies_within_the_calendar(name, monkeypatch):
    monkeypatch.setenv(f"{PREFIX}{name}".upper(), "36500")
    assert datetime.now(UTC) - timedelta(days=getattr(load_settings(), name)) < datetime.now(UTC)


@pytest.mark.parametrize("name", ["trusted_hosts", "cors_origins"])
def test_list_is_separated_by_commas_in_the_environment(name, monkeypatch):
    monkeypatch.setenv(f"{PREFIX}{name}".upper(), " https://a.example , https://b.example,,")
    assert getattr(load_settings(), name) == ("https://a.example", "https://b.example")


@pytest.mark.parametrize("name", ["trusted_hosts", "cors_origins"])
def test_list_is_an_array_in_the_file(name, albumen_toml):
    albumen_toml.write_text(f'{name} = ["https://a.example", "https://b.example"]')
    assert getattr(load_settings(), name) == ("https://a.example", "https://b.example")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://фото.рф", "https://xn--n1aalg.xn--p1ai"),
        ("https://ФОТО.РФ:8443/a%20b/", "https://xn--n1aalg.xn--p1ai:8443/a%20b"),
        ("https://münchen.de", "https://xn--mnchen-3ya.de"),
        ("https://xn--n1aalg.xn--p1ai", "https://xn--n1aalg.xn--p1ai"),
    ],
)
def test_addresses_in_other_alphabets_are_kept_as_browsers_send_them(given, kept):
    assert load_settings({"public_url": given}).public_url == kept


@pytest.mark.parametrize(
    "given",
    [
        *("https://straße.de", "https://ф\u200bя.рф", "https://фото..рф", "https://фото .рф", "https://ф<b>.рф"),
        *("https://я@фото.рф", "https://[::1]:80/я", "https://фото.рф/наши", "https://фото.рф?ключ=да"),
    ],
)
def test_an_address_that_browsers_may_write_otherwise_is_refused(given):
    with pytest.raises(StartRefused, match=r"ASCII|form that browsers"):
        load_settings({"public_url": given})


def test_hosts_in_other_alphabets_are_kept_as_browsers_send_them():
    assert load_settings({"trusted_hosts": "фото.рф, here:80"}).trusted_hosts == ("xn--n1aalg.xn--p1ai", "here:80")


def test_origins_in_other_alphabets_are_kept_as_browsers_send_them():
    chosen = load_settings({"cors_origins": "https://фото.рф,http://localhost:8080"})
    assert chosen.cors_origins == ("https://xn--n1aalg.xn--p1ai", "http://localhost:8080")


def test_public_url_loses_its_last_slash():
    assert load_settings({"public_url": "https://photos.example.org/p/"}).public_url == "https://photos.example.org/p"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_addresses_are_recognised(host):
    assert load_settings({"host": host}).is_local


@pytest.mark.parametrize("behind", [{"proxy_hops": 1}, {"nginx_accel": True}])
def test_behind_a_proxy_a_loopback_address_is_reached_by_others(behind):
    assert not load_settings({"host": "127.0.0.1", **behind}).is_local


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "photos.example.org", "localhost.example.org", ""])  # noqa: S104 - compared, not bound
def test_other_addresses_are_not_loopback(host):
    assert not load_settings({"host": host}).is_local


def test_every_setting_is_described():
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize("address", ["http://", "https:///path", "http://[", "http://[::1", "ftp://a.example"])
def test_public_address_without_a_host_stops_the_start(address):
    with pytest.raises(StartRefused, match="--public-url"):
        load_settings({"public_url": address})


@pytest.mark.parametrize("name", ["busy_seconds", "decode_seconds"])
@pytest.mark.parametrize("value", ["inf", "nan", "1e30"])
def test_waits_without_an_end_stop_the_start(name, value, monkeypatch):
    monkeypatch.setenv(f"ALBUMEN_{name.upper()}", value)
    with pytest.raises(StartRefused, match=f"ALBUMEN_{name.upper()}"):
        load_settings()


def test_empty_data_directory_stops_the_start(monkeypatch):
    monkeypatch.setenv("ALBUMEN_DATA", "")
    with pytest.raises(StartRefused, match="ALBUMEN_DATA"):
        load_settings()


@pytest.mark.parametrize("origin", ["*", "https://a.example/", "a.example", "https://a.example/path", "https://"])
def test_origin_that_no_browser_sends_stops_the_start(origin, monkeypatch):
    monkeypatch.setenv("ALBUMEN_CORS_ORIGINS", origin)
    with pytest.raises(StartRefused, match="ALBUMEN_CORS_ORIGINS"):
        load_settings()


@pytest.mark.parametrize("threads", ["1", "2"])
def test_one_upload_at_once_is_allowed_however_few_the_threads(threads, monkeypatch):
    monkeypatch.setenv("ALBUMEN_THREADS", threads)
    monkeypatch.setenv("ALBUMEN_UPLOADS", "1")
    assert load_settings().uploads == 1


@pytest.mark.parametrize("value", ["15", "0", "-1"])
def test_uploads_that_would_leave_no_threads_for_others_stop_the_start(value, monkeypatch):
    monkeypatch.setenv("ALBUMEN_THREADS", "33")
    monkeypatch.setenv("ALBUMEN_UPLOADS", value)
    with pytest.raises(StartRefused, match="ALBUMEN_UPLOADS"):
        load_settings()


@pytest.mark.parametrize("rate", ["100", "0/minute", "100/week", "100/minute;5/second", "-1/second", "1/0 second"])
def test_rates_that_cannot_be_counted_stop_the_start(rate, monkeypatch):
    monkeypatch.setenv("ALBUMEN_RATE_REQUESTS", rate)
    with pytest.raises(StartRefused, match="ALBUMEN_RATE_REQUESTS"):
        load_settings()
