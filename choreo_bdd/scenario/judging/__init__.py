"""One expectation: what it waits for, what has come, what its author sees of it, and why it came out so."""
