"""What every scenario shares: the server under test, the load, the photos, the rows and the report."""
