"""The lab: starts real ZooKeeper ensembles and monitoring on loopback, breaks them, ends all of it.  See README.md."""
