"""An order pipeline of five small services that talk over a message bus: the system the feature suite tests."""
