"""The glass: the deck itself, in Textual."""
