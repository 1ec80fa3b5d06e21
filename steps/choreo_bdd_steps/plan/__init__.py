"""What a scenario will do, known before it runs."""
