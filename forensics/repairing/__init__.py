"""What can be done about the tokens that a scan found: bans, and rows that do no harm.

Called `repairing` because a room of the name `repair` would hide the function `forensics.repair`.
"""
