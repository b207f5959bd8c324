"""Stores of immutable bytes. A store knows digests and bytes, never photos, datasets or HTTP."""
