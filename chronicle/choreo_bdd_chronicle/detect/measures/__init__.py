"""What detection measures series by: robust statistics, and how much they wander by themselves."""
