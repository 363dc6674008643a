"""A node whose address and port another program of the machine has."""

import ipaddress
import os
import socket

from support.case import RegionTestCase
from support.waiting import eventually


class TakenPort(RegionTestCase):
    network_name = "taken"

    def test_the_owner_is_told_who_has_it_and_the_node_starts_when_it_is_free(self):
        zone = next(iter(self.network.subnets))
        first = self.make_cluster("first", PreferredAvailabilityZone=zone)
        endpoint = first["CacheNodes"][0]["Endpoint"]
        neighbour = str(ipaddress.ip_address(self.region.resolve(endpoint["Address"])) + 1)
        with socket.create_server((neighbour, endpoint["Port"])):
            self.cache.create_cache_cluster(**self.network.cluster_arguments(
                CacheClusterId="second", PreferredAvailabilityZone=zone))
            self.addCleanup(self.drop_cluster, "second")
            wanted = (f"(pid {os.getpid()}) has its port {neighbour}:{endpoint['Port']}; "
                      "stop that program, or delete the node")
            eventually(lambda: wanted in self.region.hikae(
                "status", "--data", self.region.data).ok().out, "status tells who has the port")
            self.assertEqual(self.region.cluster("second")["CacheClusterStatus"], "creating")
        self.region.wait_cluster("second")
