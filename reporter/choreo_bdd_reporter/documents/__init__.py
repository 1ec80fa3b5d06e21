"""Documents: results.json and Cucumber Messages, made from the record of a run."""
