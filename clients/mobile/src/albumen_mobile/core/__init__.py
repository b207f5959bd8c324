"""State, queue and API calls. Nothing here draws: no module imports Flet."""
