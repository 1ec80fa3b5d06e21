"""Getting started: a new project, the demonstration, and whether a profile's brokers can be used."""
