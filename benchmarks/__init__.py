"""The project's figures, each measured by a command of its own: `python -m benchmarks` runs them all."""
