"""HTTP, by Flask. The only package that knows of requests, statuses and headers."""
