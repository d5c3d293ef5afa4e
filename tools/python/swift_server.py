"""Makes the rings of an OpenStack Swift with one disk, or runs one of its servers.

Swift's own programs look for swift.conf in /etc/swift before they read what they are given; these
look where they are told.

    swift_server.py rings DIRECTORY ACCOUNT_PORT CONTAINER_PORT OBJECT_PORT
    swift_server.py (account|container|object|proxy) DIRECTORY
"""

import os
import sys

from swift.common import utils

role, directory = sys.argv[1:3]
utils.set_swift_dir(directory)


def make_rings(ports):
    from swift.common.ring import RingBuilder

    for name, port in zip(("account", "container", "object"), ports):
        builder = RingBuilder(4, 1, 0)
        builder.add_dev({
            "region": 1, "zone": 1, "ip": "127.0.0.1", "port": int(port), "device": "disk",
            "weight": 1, "replication_ip": "127.0.0.1", "replication_port": int(port),
        })
        builder.rebalance()
        builder.get_ring().save(os.path.join(directory, name + ".ring.gz"))


if role == "rings":
    make_rings(sys.argv[3:6])
else:
    from swift.common.wsgi import run_wsgi

    conf = os.path.join(directory, role + "-server.conf")
    sys.exit(run_wsgi(conf, role + "-server"))
