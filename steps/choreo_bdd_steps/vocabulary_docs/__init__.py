"""The vocabulary for readers and editors."""
