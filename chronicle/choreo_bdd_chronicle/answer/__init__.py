"""Answering over HTTP: what is asked, who may ask, the read models, and the one form of every error."""
