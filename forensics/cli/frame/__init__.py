"""What all commands have in common: options, streams, progress, the words at the end, the gate."""
