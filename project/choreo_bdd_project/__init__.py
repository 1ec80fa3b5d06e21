"""What stands in the user's project, read once for steps and reporter: choreo.yaml, Gherkin, their own steps."""
