"""Reports read again: merged, compared, searched for findings."""
