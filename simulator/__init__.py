"""What happens: the simulated ConfigMgr and WSUS estate, and the journal of what it did."""
