"""From a tree to values and matchers: tags, what a message has on the wire, paths into it."""
