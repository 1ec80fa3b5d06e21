"""What a scenario sends: its publishes in order, and its answers to what it hears."""
