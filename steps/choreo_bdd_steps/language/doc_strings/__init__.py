"""What a doc string, a file or raw text says, as a tree of syntax."""
