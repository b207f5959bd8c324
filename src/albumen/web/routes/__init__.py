"""One blueprint per resource. A view parses, calls one service method, renders."""
