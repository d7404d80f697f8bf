"""`python -m gfdocs` is the command `gfdocs`."""

from gfdocs.cli import main

if __name__ == "__main__":
    main()
