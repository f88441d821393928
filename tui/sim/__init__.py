"""A Hyper-V fabric that is not there: worlds of hosts behind a faithful WS-Management server."""
