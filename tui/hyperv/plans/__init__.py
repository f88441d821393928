"""Plans: where machines could be, worked out from inventories alone; nothing here asks a host."""
