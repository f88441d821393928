"""The background refresh worker: owns every connection, in a process of its own."""
