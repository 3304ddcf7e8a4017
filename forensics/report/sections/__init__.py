"""The sections of the reports: one folder per command, and what several share."""
