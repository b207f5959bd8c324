"""Ways to the server: `pyfetch` in a browser, `httpx` on a phone."""
