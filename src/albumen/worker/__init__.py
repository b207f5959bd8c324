"""The background worker: a process of its own that derives previews, placeholders and metadata."""
