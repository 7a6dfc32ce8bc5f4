"""A one-node Kubernetes with real pods, inside namespaces of its own: nothing of it is left on the machine when it ends.

It is started in new mount, network and process namespaces (see ../test), as root. What it writes is under one folder; what
it mounts, routes and starts goes away with the namespaces.
"""
