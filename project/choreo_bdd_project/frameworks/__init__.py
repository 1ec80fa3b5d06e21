"""What behave and pytest-bdd make of feature files, read once for steps and reporter: one file a framework."""
