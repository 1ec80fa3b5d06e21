"""First features written from a contract: ``choreo-bdd draft asyncapi.yaml``."""
