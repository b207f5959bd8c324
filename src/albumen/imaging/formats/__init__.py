"""One module per format: each reads the header of a complete file, in pure Python and without decoding.

Every format module has `read_header(source, limits) -> PhotoHeader`. It may raise EOFError (the file ends too early),
ValueError, struct.error and IndexError (the bytes contradict the format) and what `Limits` raises; `imaging.probe`
turns the first four into refusals, in one place. No format module imports `probe` or another format.
"""
