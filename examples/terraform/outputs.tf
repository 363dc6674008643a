output "primary" {
  value = aws_elasticache_replication_group.example.primary_endpoint_address
}

output "reader" {
  value = aws_elasticache_replication_group.example.reader_endpoint_address
}

output "single" {
  value = aws_elasticache_cluster.single.cache_nodes[0].address
}
