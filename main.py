"""Start the viewer, or one of its commands: `python main.py -h`."""

from viewer.cli import run_program

if __name__ == "__main__":
    run_program()
