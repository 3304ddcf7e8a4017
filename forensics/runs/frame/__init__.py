"""What all runs have in common, written once: `run.run` goes from inputs to a saved result."""
