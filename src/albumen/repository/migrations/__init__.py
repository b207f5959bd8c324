"""Numbered schema changes, append-only: NNNN_subject.sql, or .sqlite.sql / .postgresql.sql where dialects differ."""
