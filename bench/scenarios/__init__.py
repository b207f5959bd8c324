"""One module per scenario; each has `measure(plan)`, which returns its results."""
