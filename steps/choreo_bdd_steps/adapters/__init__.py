"""One file a test framework: all use of its internals stands there."""
