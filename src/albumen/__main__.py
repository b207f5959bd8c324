"""`python -m albumen` is the command `albumen`."""

from albumen.cli.main import main

if __name__ == "__main__":
    main()
