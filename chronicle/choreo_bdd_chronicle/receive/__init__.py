"""Taking a report off the wire: how large it may be, how it may be encoded, whose it is."""
