"""The meaning: Hyper-V nouns (`model`), how they are read (`read`) and changed (`ops`)."""
