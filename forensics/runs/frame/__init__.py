"""What all runs have in common: folder, journal, manifest, result."""
