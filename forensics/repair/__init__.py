"""What can be done about the tokens that a scan found."""
