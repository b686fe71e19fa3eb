"""The commands that need no window: each module has `add_arguments(parser)` and `run(options, stop) -> exit code`."""
