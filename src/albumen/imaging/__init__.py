"""Everything that knows the inside of a photo: header probing here in the process, decoding in child processes."""
