"""The read models, one file for each thing that is asked about; they know the store, never a request."""
