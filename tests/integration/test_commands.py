"""The command line: what each command prints, its exit code, and one line for every error."""

import os
import re
import subprocess
import sys

import pytest
import structlog

import albumen
import pictures
from albumen.cli.main import main
from albumen.config import Settings
from albumen.repository.engine import open_database
from albumen.repository.migrate import known_migrations, migrate
from batches import upload_one
from commands import invoke

COMMANDS = ["serve", "keys", "backup", "restore", "gc", "scrub", "derive", "migrate", "info"]
PRINTED = r"alb_([0-9a-f]{12})_[0-9a-f]{64}"


@pytest.fixture(autouse=True)
def clean_place(tmp_path, monkeypatch):
    """A working directory without a settings file; afterwards logs no longer go to the streams of the test."""
    monkeypatch.chdir(tmp_path)
    yield
    structlog.reset_defaults()


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


def run(*arguments):
    """Run a command in this process and expect it to end well; return what it printed."""
    result = invoke(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def albumen_process(*arguments, **environment):
    """Run the real command; return the finished process."""
    return subprocess.run(
        [sys.executable, "-m", "albumen", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def refusal(monkeypatch, capsys):
    """A runner of commands in this process that must end with status 1 and one line; it returns the line."""

    def run_main(*arguments, **environment):
        monkeypatch.setattr(sys, "argv", ["albumen", *map(str, arguments)])
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 1
        return _only_line(capsys.readouterr().err)

    return run_main


def _only_line(printed):
    (line,) = printed.splitlines()
    assert line.startswith("albumen: ")
    return line


def create_key(data, *options):
    return re.fullmatch(PRINTED, run("keys", "create", "phone", "--data", data, *options).strip())


@pytest.mark.parametrize(
    "command", [(), *((name,) for name in COMMANDS), *(("keys", name) for name in ("create", "list", "revoke"))]
)
def test_help_teaches(command):
    text = run(*command, "--help")
    assert text.startswith("Usage: ")
    assert len(text.splitlines()) > 5
    assert invoke(*command, "-h").stdout == text


def test_help_of_albumen_names_every_command_and_shows_the_first_steps():
    text = run("--help")
    assert all(re.search(rf"^  {name} ", text, re.MULTILINE) for name in COMMANDS)
    assert "albumen serve" in text
    assert "curl -F file=@" in text


def test_version_is_told():
    assert run("--version") == f"albumen, version {albumen.__version__}\n"


def test_key_is_printed_once_and_alone_on_standard_output(data):
    result = invoke("keys", "create", "phone", "--data", str(data))
    assert re.fullmatch(PRINTED + "\n", result.stdout)
    assert "cannot be shown again" in result.stderr


@pytest.mark.parametrize("role", ["viewer", "contributor", "editor", "admin"])
def test_key_has_the_role_that_was_asked_for(data, role):
    key_id = create_key(data, "--role", role)[1]
    (line,) = run("keys", "list", "--data", data).splitlines()
    assert line.split()[:2] == [key_id, role]
    assert "active" in line
    assert line.endswith("phone")


def test_key_looks_only_unless_more_is_asked_for(data):
    create_key(data)
    assert "viewer" in run("keys", "list", "--data", data)


def test_list_shows_no_secret(data):
    token = create_key(data)[0]
    listed = run("keys", "list", "--data", data)
    assert token not in listed
    assert token.rpartition("_")[2] not in listed


def test_list_without_keys_says_how_to_make_one(data):
    run("migrate", "--data", data)
    assert "albumen keys create" in run("keys", "list", "--data", data)


def test_revoked_key_is_shown_as_such(data):
    key_id = create_key(data)[1]
    assert run("keys", "revoke", key_id, "--data", data) == f"Key {key_id} is revoked.\n"
    assert "revoked 20" in run("keys", "list", "--data", data)


def test_key_that_is_not_there_cannot_be_revoked(data, refusal):
    key_id = create_key(data)[1]
    run("keys", "revoke", key_id, "--data", data)
    assert "no working key" in refusal("keys", "revoke", key_id, "--data", data)


@pytest.mark.parametrize("name", ["", "   ", "x" * 101])
def test_key_needs_a_name(data, name, refusal):
    run("migrate", "--data", data)
    assert "'name' must be 1 to 100 printable characters" in refusal("keys", "create", name, "--data", data)


@pytest.mark.parametrize(
    "arguments",
    [
        ("keys", "create"),
        ("keys", "create", "phone", "--role", "king"),
        ("keys", "revoke"),
        ("nothing",),
        ("gc", "--x"),
    ],
)
def test_wrong_use_ends_with_status_2_and_says_what_is_wrong(arguments):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert "Error: " in result.stderr


def test_gc_tells_what_it_did(services, data):
    services.photos.delete(upload_one(services, pictures.jpeg()).id)
    assert run("gc", "--data", data).splitlines() == [
        "0 photos deleted for good after 30 days in the trash",
        "0 files moved to quarantine that no photo needs",
        "0 files deleted after 7 days in quarantine",
    ]


def test_gc_follows_the_settings(services, data, tmp_path):
    services.photos.delete(upload_one(services, pictures.jpeg()).id)
    (tmp_path / "albumen.toml").write_text("trash_days = 0")
    lines = run("gc", "--data", data).splitlines()
    assert [line.split()[0] for line in lines] == ["1", "1", "0"]


def test_gc_ends_with_status_1_when_photos_have_no_bytes(services, data):
    accepted = upload_one(services, pictures.jpeg())
    services.store.locate(accepted.blob.key).unlink()
    result = invoke("gc", "--data", str(data))
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: 1 photos have no bytes. Restore 'blobs' from a backup;")


def test_scrub_of_sound_photos_ends_well(services, data):
    upload_one(services, pictures.jpeg())
    ended = albumen_process("scrub", "--data", data)
    assert (ended.returncode, ended.stdout) == (0, "1 files read, 0 bad\n")


def test_scrub_names_what_is_bad_and_ends_with_status_1(services, data):
    damaged, missing = upload_one(services, pictures.jpeg(seed=1)), upload_one(services, pictures.jpeg(seed=2))
    twin = upload_one(services, pictures.jpeg(seed=1), dataset="other")
    path = services.store.locate(damaged.blob.key)
    path.unlink()
    path.write_bytes(b"other bytes")
    services.store.locate(missing.blob.key).unlink()
    ended = albumen_process("scrub", "--data", data)
    assert ended.returncode == 1
    assert f"damaged  {damaged.blob.sha256}\n" in ended.stdout
    assert f"missing  {missing.blob.sha256}\n" in ended.stdout
    assert ended.stdout.endswith("2 files read, 2 bad\n")
    names = {photo.id: services.photos.get(photo.id).name for photo in (damaged, twin, missing)}
    shown = [line.strip() for line in ended.stdout.splitlines() if line.startswith(" ")]
    assert sorted(shown) == sorted(
        [
            f"main/{names[damaged.id]}  {damaged.id}",
            f"other/{names[twin.id]}  {twin.id}",
            f"main/{names[missing.id]}  {missing.id}",
        ]
    )
    assert "Upload these photos again" in ended.stderr


def test_derive_does_the_work_that_waits(services, data):
    accepted = upload_one(services, pictures.jpeg())
    assert run("derive", "--data", data) == "1 photos worked on\n"
    assert services.photos.details(accepted.id).derivation == "done"
    assert run("derive", "--data", data) == "0 photos worked on\n"


def test_derive_tries_again_what_failed_when_asked_to(services, data):
    upload_one(services, pictures.undecodable_jpeg())
    assert run("derive", "--data", data) == "1 photos worked on\n"
    assert run("derive", "--data", data) == "0 photos worked on\n"
    assert run("derive", "--failed", "--data", data) == "1 photos that failed are tried again\n1 photos worked on\n"


def test_migrate_applies_what_is_missing_and_then_nothing(data):
    assert run("migrate", "--data", data).splitlines() == [
        *(f"{migration.version:04} {migration.subject}" for migration in known_migrations()),
        f"{len(known_migrations())} migrations applied; the schema is up to date.",
    ]
    assert run("migrate", "--data", data) == "0 migrations applied; the schema is up to date.\n"


@pytest.mark.parametrize(
    "command", [("migrate",), ("info",), ("gc",), ("scrub",), ("keys", "list"), ("serve", "--port", "0")]
)
def test_schema_of_a_newer_version_is_refused_clearly(data, command, refusal):
    data.mkdir()
    database = open_database(data / "albumen.db", 1)
    migrate(database)
    with database.writing() as tx:
        tx.script("INSERT INTO schema_version (version, subject) VALUES (9999, 'of the future')")
    database.close()
    line = refusal(*command, "--data", data)
    assert "has schema 9999" in line
    assert "Install the newer version again" in line


def test_info_shows_versions_contents_and_every_setting(services, data):
    upload_one(services, pictures.of_size(2000))
    upload_one(services, pictures.of_size(2000), dataset="copies")
    lines = run("info", "--data", data).splitlines()
    assert lines[0].startswith(f"albumen {albumen.__version__}, SQLite 3.")
    assert lines[1] == "2 photos, 1 files, 2,000 bytes, 1 wait for previews"
    assert [line.partition(" = ")[0] for line in lines[2:]] == list(Settings.model_fields)
    assert f"data = {data}" in lines


def test_settings_come_from_the_file_that_is_named(tmp_path, data):
    (tmp_path / "mine.toml").write_text(f'data = "{data}"\nmax_photos = 7\n')
    run("migrate", "--data", data)
    assert "max_photos = 7" in run("info", "--config", tmp_path / "mine.toml").splitlines()


def test_bad_setting_is_one_line_that_names_the_variable(data, refusal):
    line = refusal("info", "--data", data, ALBUMEN_PORT="eighty")
    assert line.startswith("albumen: ALBUMEN_PORT: must be")


def test_bad_settings_are_a_line_each(data):
    done = albumen_process("info", "--data", data, ALBUMEN_PORT="eighty", ALBUMEN_THREADS="0")
    assert done.returncode == 1
    assert [line[:24] for line in done.stderr.splitlines()] == ["albumen: ALBUMEN_PORT: m", "albumen: ALBUMEN_THREADS"]


def test_data_directory_that_cannot_be_made_is_one_line_that_names_it(tmp_path, refusal):
    (tmp_path / "file").write_text("in the way")
    assert f"The data directory {tmp_path}/file/data cannot be made" in refusal(
        "migrate", "--data", tmp_path / "file/data"
    )


def test_file_in_the_place_of_the_data_directory_is_one_line(tmp_path, refusal):
    (tmp_path / "file").write_text("in the way")
    assert "cannot be made" in refusal("migrate", "--data", tmp_path / "file")


@pytest.mark.parametrize("command", [("gc",), ("backup", "backups"), ("keys", "create", "phone")])
def test_directory_that_cannot_be_looked_into_is_one_line(tmp_path, command, refusal):
    hidden = tmp_path / ("a" * 300)  # a name that no system looks up, whoever asks; others look for nobody but root
    assert f"The data directory {hidden} cannot be read" in refusal(*command, "--data", hidden)


@pytest.mark.parametrize("command", [("restore", "a" * 300, "--data", "new"), ("backup", "a" * 300, "--verify")])
def test_directory_of_backups_that_cannot_be_looked_into_is_one_line(command, refusal):
    assert "cannot be used" in refusal(*command)


@pytest.mark.parametrize("command", ["gc", "scrub", "derive", "info", "backup", ("keys", "list"), ("keys", "revoke")])
def test_directory_that_holds_nothing_is_told_and_not_made(data, command, refusal):
    more = {"backup": ("backups",), ("keys", "revoke"): ("8ae1a92ac52a",)}.get(command, ())
    words = (command,) if isinstance(command, str) else command
    assert f"There is no database in {data}" in refusal(*words, *more, "--data", data)
    assert not data.exists()


def test_first_key_tells_which_directory_it_made(data):
    made = invoke("keys", "create", "phone", "--data", data)
    assert f"A new data directory: {data}" in made.stderr
    assert "A new data directory" not in invoke("keys", "create", "desk", "--data", data).stderr


def test_database_that_is_none_is_one_line(data, refusal):
    data.mkdir()
    (data / "albumen.db").write_bytes(b"not a database at all" * 100)
    assert "database" in refusal("info", "--data", data)


def test_busy_database_is_one_line(services, data, refusal):
    with services.database.writing():
        line = refusal("keys", "create", "phone", "--data", data, ALBUMEN_BUSY_SECONDS="0.2")
    assert "busy" in line


def test_strange_address_is_not_served_without_keys(data):
    ended = albumen_process("serve", "--host", "0.0.0.0", "--port", "0", "--data", data)  # noqa: S104 - is refused
    line = _only_line(ended.stderr)
    assert ended.returncode == 1
    assert "albumen keys create" in line
    assert "--open" in line
