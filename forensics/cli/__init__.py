"""The command line: every module here but `main` is one command; what they share is in `frame`."""
