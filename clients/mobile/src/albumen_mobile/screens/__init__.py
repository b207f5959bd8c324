"""What is drawn: thin screens over the core."""
