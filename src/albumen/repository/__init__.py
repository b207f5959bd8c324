"""All work with the database, in hand-written SQL. The only package that may import SQLAlchemy or a driver."""
