"""One module a kind of broker: where its program is found and how it is started."""
