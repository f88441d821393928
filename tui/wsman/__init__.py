"""The wire: CIM over WS-Management. Knows class shapes, not what a virtual machine is."""
