"""The system under test, where choreo.yaml says how to start it: programs and brokers for the time of a run."""
