"""The report's directory: its journal, its history and how its files are replaced."""
