"""`compare`: opens what is compared, puts every other one beside the first, and writes what differs."""
