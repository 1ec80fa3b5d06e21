"""Long runs of mixed scenarios with faults, and what they leave behind."""
