"""The numbered files of the schema, and how they are cut into statements."""

import re
from importlib import resources

from albumen.repository.migrate import _split, known_migrations


def test_statements_end_with_a_semicolon_at_the_end_of_a_line():
    sql = "CREATE TABLE a (\n  x TEXT DEFAULT 'one; two'\n);\n\nCREATE INDEX b ON a (x);  \nDROP TABLE a"
    assert _split(sql) == [
        "CREATE TABLE a (\n  x TEXT DEFAULT 'one; two'\n)",
        "CREATE INDEX b ON a (x)",
        "DROP TABLE a",
    ]


def test_comment_lines_go_even_when_they_end_with_a_semicolon():
    assert _split("-- first;\nSELECT 1\n  -- inside;\n  + 1;\n-- last") == ["SELECT 1\n  + 1"]


def test_file_of_comments_alone_has_no_statements():
    assert _split("-- nothing\n\n") == []


def test_migrations_are_numbered_from_one_without_a_gap():
    assert [migration.version for migration in known_migrations()] == list(range(1, len(known_migrations()) + 1))


def test_every_file_of_the_folder_is_a_migration():
    folder = resources.files("albumen.repository") / "migrations"
    names = [item.name for item in folder.iterdir() if item.name.endswith(".sql")]
    assert len(names) == len(known_migrations())
    assert all(re.fullmatch(r"\d{4}_[a-z_]+\.sql", name) for name in names)


def test_every_migration_has_a_subject_and_statements():
    assert all(migration.subject and _split(migration.sql) for migration in known_migrations())
