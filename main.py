"""Start the viewer, or one of its commands: `python main.py -h`."""

from viewer.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
